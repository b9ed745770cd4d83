"""What changes for parties when one card replaces another: scores, bands, migration, PSI."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from app.domain.judged_cards import rounded_scores
from app.domain.stability import population_stability_index
from app.domain.types import Document, Floats, Ints
from app.errors import InvalidInputError

_N_BINS = 10
_DECIMALS = 9


def band_numbers(unrounded: Floats, bands: Mapping[str, int]) -> Ints:
    """Find the band of each score.

    Parameters
    ----------
    unrounded : ndarray of shape (n,)
        Scores in points; they are rounded as the card does.
    bands : mapping of str to int
        Lower bound by name, lowest first.

    Returns
    -------
    ndarray of shape (n,)
        Number of the band, from 0.

    Examples
    --------
    >>> band_numbers(np.array([449.4, 449.5]), {"low": 300, "high": 450}).tolist()
    [0, 1]
    """
    edges = np.array(list(bands.values())[1:], dtype=np.float64)
    return np.searchsorted(edges, rounded_scores(unrounded), side="right").astype(np.int64)


def describe_movement(
    old: Floats, new: Floats, old_bands: Mapping[str, int], new_bands: Mapping[str, int]
) -> Document:
    """Describe how far the scores of the same parties move from one card to another.

    Parameters
    ----------
    old, new : ndarray of shape (n,)
        Unrounded scores in points under either card, of the same rows.
    old_bands, new_bands : mapping of str to int
        Lower bounds by name, lowest first.

    Returns
    -------
    dict
        ``n_rows``; ``score_correlation`` (Pearson, None where a score is constant);
        ``mean_score`` old and new; ``band_shares`` old and new by name; ``migration`` with the
        names of its rows (old) and columns (new) and counts; ``n_changed_band`` (None where the
        bands have other names); ``band_shift``, half the sum of the absolute changes of shares;
        ``psi`` of the score.

    Raises
    ------
    InvalidInputError
        If there is no row.

    Notes
    -----
    PSI is over ten bins of equal count of the old score, frozen on it; ties may leave fewer.

    Examples
    --------
    >>> bands = {"low": 300, "high": 600}
    >>> moved = describe_movement(np.array([400.0, 590, 700]), np.array([400.0, 610, 690]),
    ...                           bands, bands)
    >>> moved["migration"]["counts"], moved["n_changed_band"], round(moved["band_shift"], 3)
    ([[1, 1], [0, 1]], 1, 0.333)
    """
    if len(old) == 0:
        raise InvalidInputError("There is no row to compare two cards on.")
    rows, columns = band_numbers(old, old_bands), band_numbers(new, new_bands)
    counts = np.zeros((len(old_bands), len(new_bands)), dtype=np.int64)
    np.add.at(counts, (rows, columns), 1)
    old_shares = dict(zip(old_bands, (counts.sum(axis=1) / len(old)).tolist(), strict=True))
    new_shares = dict(zip(new_bands, (counts.sum(axis=0) / len(old)).tolist(), strict=True))
    same_names = list(old_bands) == list(new_bands)
    return {
        "n_rows": len(old),
        "score_correlation": _correlation(old, new),
        "mean_score": {"old": float(old.mean()), "new": float(new.mean())},
        "band_shares": {"old": old_shares, "new": new_shares},
        "migration": {
            "old_bands": list(old_bands),
            "new_bands": list(new_bands),
            "counts": counts.tolist(),
        },
        "n_changed_band": int(counts.sum() - np.trace(counts)) if same_names else None,
        "band_shift": sum(
            abs(new_shares.get(name, 0.0) - old_shares.get(name, 0.0))
            for name in {**old_shares, **new_shares}
        )
        / 2,
        "psi": score_psi(old, new),
    }


def score_psi(old: Floats, new: Floats) -> float:
    """Measure how far the distribution of scores moves, over deciles of the old score.

    Parameters
    ----------
    old, new : ndarray of shape (n,)
        Unrounded scores in points.

    Returns
    -------
    float
        PSI in [0, inf), unitless.

    Examples
    --------
    >>> score_psi(np.arange(100.0), np.arange(100.0))
    0.0
    """
    # An edge is a score: scores equal but for the last digits of a sum must fall on one side.
    old, new = np.round(old, _DECIMALS), np.round(new, _DECIMALS)
    inner = np.unique(np.quantile(old, np.arange(1, _N_BINS) / _N_BINS))
    counts = [
        np.bincount(np.searchsorted(inner, scores, side="right"), minlength=len(inner) + 1)
        for scores in (old, new)
    ]
    return population_stability_index(counts[0], counts[1])


def _correlation(old: Floats, new: Floats) -> float | None:
    if len(old) < 2 or old.std() == 0 or new.std() == 0:  # noqa: PLR2004 - a line needs two points
        return None
    return float(np.corrcoef(old, new)[0, 1])
