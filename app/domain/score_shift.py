"""By how many points the scores of the same parties move, and whose move most."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from app.domain.card_movement import band_numbers
from app.domain.judged_cards import rounded_scores
from app.domain.types import Document, Floats, Ints
from app.errors import InvalidInputError

MOST_BINS = 61
"""The widest range of moves is drawn with at most so many bars."""

_WIDTHS = (1, 3, 5, 11, 21, 51, 101, 1001, 10_001)
"""Odd, so that the middle bar is centred on no move at all."""


def describe_shift(old: Floats, new: Floats) -> Document:
    """Describe how far scores move, in whole points.

    Parameters
    ----------
    old, new : ndarray of shape (n,)
        Unrounded scores in points of the same rows; each is rounded as the card does.

    Returns
    -------
    dict
        ``n_rows``, ``n_up``, ``n_down``, ``n_same``; ``mean``, ``median``, ``p05`` and ``p95``
        (nearest rank), ``lowest`` and ``highest`` move in points; ``width`` of a bar, odd, and
        ``bins`` without gaps, each ``from`` and ``to`` (both within), and ``n``.

    Raises
    ------
    InvalidInputError
        If there is no row.

    Examples
    --------
    >>> found = describe_shift(np.array([500.0, 500, 500]), np.array([500.4, 501.6, 499]))
    >>> found["n_up"], found["n_down"], found["n_same"], found["width"]
    (1, 1, 1, 1)
    >>> found["bins"][0], len(found["bins"])
    ({'from': -1, 'to': -1, 'n': 1}, 4)
    """
    if len(old) == 0:
        raise InvalidInputError("There is no row whose score could move.")
    moves = (rounded_scores(new) - rounded_scores(old)).astype(np.int64)
    low, high = int(moves.min()), int(moves.max())
    width = next(w for w in _WIDTHS if _bin_of(high, w) - _bin_of(low, w) < MOST_BINS)
    first = _bin_of(low, width)
    counts = np.bincount((moves + width // 2) // width - first)
    ranked = {
        name: int(np.quantile(moves, share, method="inverted_cdf"))
        for name, share in (("median", 0.5), ("p05", 0.05), ("p95", 0.95))
    }
    return {
        "n_rows": len(moves),
        "n_up": int((moves > 0).sum()),
        "n_down": int((moves < 0).sum()),
        "n_same": int((moves == 0).sum()),
        "mean": float(moves.mean()),
        **ranked,
        "lowest": low,
        "highest": high,
        "width": width,
        "bins": [
            {
                "from": (first + place) * width - width // 2,
                "to": (first + place) * width + width // 2,
                "n": n,
            }
            for place, n in enumerate(counts.tolist())
        ],
    }


def _bin_of(move: int, width: int) -> int:
    return (move + width // 2) // width


def largest_moves(old: Floats, new: Floats, n: int) -> Ints:
    """Find the rows whose score moves most, in either direction.

    Parameters
    ----------
    old, new : ndarray of shape (n_rows,)
        Unrounded scores in points of the same rows.
    n : int
        So many rows at most.

    Returns
    -------
    ndarray of shape (at most n,)
        Positions, most moved first, ties in order of the rows; rows that do not move are left out.

    Examples
    --------
    >>> largest_moves(np.array([500.0, 500, 500]), np.array([500.0, 490, 520]), 10).tolist()
    [2, 1]
    """
    move = np.round(np.abs(new - old), 6)
    order = np.argsort(-move, kind="stable")[:n]
    return order[move[order] > 0].astype(np.int64)


def band_shares_along(
    old: Floats, target: Floats, steps: Sequence[float], bands: Mapping[str, int]
) -> tuple[dict[str, float], ...]:
    """Give the shares of the bands at each step from a card towards another.

    Parameters
    ----------
    old, target : ndarray of shape (n,)
        Unrounded scores in points at t = 0 and at t = 1; between them a score is linear in t.
    steps : sequence of float
        Each t in [0, 1].
    bands : mapping of str to int
        Lower bound by name, lowest first.

    Returns
    -------
    tuple of dict
        Fractions by band, that sum to 1, one dict per step.

    Examples
    --------
    >>> bands = {"low": 300, "high": 600}
    >>> band_shares_along(np.array([590.0, 400]), np.array([610.0, 400]), (0.0, 1.0), bands)
    ({'low': 1.0, 'high': 0.0}, {'low': 0.5, 'high': 0.5})
    """
    shares = []
    for t in steps:
        numbers = band_numbers(old + t * (target - old), bands)
        counts = np.bincount(numbers, minlength=len(bands)) / len(old)
        shares.append(dict(zip(bands, counts.tolist(), strict=True)))
    return tuple(shares)
