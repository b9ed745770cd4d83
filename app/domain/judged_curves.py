"""The curves of two cards judged on the same rows: ROC, and how bads and goods are spread."""

from __future__ import annotations

import numpy as np

from app.domain.discrimination import tie_levels
from app.domain.judged_cards import JudgedRows
from app.domain.types import Document, Floats, Ints
from app.errors import InvalidInputError

MOST_POINTS = 200
"""A curve is drawn with at most so many points."""

_STRAIGHT = 1e-12
_DECIMALS = 6
_NO_PARTS = "A curve needs bad and good parties in one test part."


def roc_curves(rows: JudgedRows) -> Document:
    """Draw the ROC curve of both cards on the same rows.

    Parameters
    ----------
    rows : JudgedRows
        Rows with outcome.

    Returns
    -------
    dict
        ``old`` and ``new``, each with ``points``, pairs (share of goods called bad, share of bads
        called bad) from (0, 0) to (1, 1), at most 200, and ``auc_roc``, the area under the curve
        before it was thinned.

    Raises
    ------
    InvalidInputError
        If no test part holds both classes.

    Notes
    -----
    Over several test parts the curve is the mean of theirs at each share of goods, so the area
    under it is the mean of their areas: the AUC that the registry holds.

    References
    ----------
    .. [1] T. Fawcett, "An introduction to ROC analysis", Pattern Recognition Letters 27 (2006),
       section 8.1 (vertical averaging).

    Examples
    --------
    >>> n = np.arange(4)
    >>> rows = JudgedRows(n, n, n, np.array([0, 0, 1, 1]), n * 0, n * 0,
    ...     np.array([[9.0, 6.0, 6.5, 2.0], [9.0, 8.0, 3.0, 2.0]]), np.full((2, 4), 0.5))
    >>> roc_curves(rows)["old"]["points"]
    [[0.0, 0.0], [0.0, 0.5], [0.5, 0.5], [0.5, 1.0], [1.0, 1.0]]
    >>> roc_curves(rows)["old"]["auc_roc"], roc_curves(rows)["new"]["auc_roc"]
    (0.75, 1.0)
    """
    parts = rows.test_parts()
    if not parts:
        raise InvalidInputError(_NO_PARTS)
    return {name: _roc(rows, parts, card) for card, name in enumerate(("old", "new"))}


def _roc(rows: JudgedRows, parts: tuple[Ints, ...], card: int) -> Document:
    curve = _mean_curve([_staircase(-rows.scores[card, at], rows.bad[at]) for at in parts])
    return {
        "points": thinned(curve).tolist(),
        "auc_roc": float(np.trapezoid(curve[:, 1], curve[:, 0])),
    }


def _staircase(risk: Floats, bad: Ints) -> Floats:
    """Give the ROC curve of one part, shape (n_levels + 1, 2), riskiest first."""
    levels = tie_levels(risk)
    goods = np.cumsum(np.bincount(levels, 1 - bad)[::-1]) / (1 - bad).sum()
    bads = np.cumsum(np.bincount(levels, bad)[::-1]) / bad.sum()
    return np.concatenate([np.zeros((1, 2)), np.column_stack([goods, bads])])


def _mean_curve(curves: list[Floats]) -> Floats:
    if len(curves) == 1:
        return curves[0]
    at = np.unique(np.concatenate([curve[:, 0] for curve in curves]))
    sides = np.mean([_both_sides(curve, at) for curve in curves], axis=0)
    start, end = [[0.0, 0.0]], [[1.0, 1.0]]
    steps = np.stack([np.repeat(at, 2), sides.reshape(-1)], axis=1)
    return np.concatenate([start, steps[1:-1], end])


def _both_sides(curve: Floats, at: Floats) -> Floats:
    """Give the height of a curve just before and just after each share, shape (n, 2)."""
    shares, first = np.unique(curve[:, 0], return_index=True)
    last = np.append(first[1:], len(curve)) - 1
    before, after = curve[first, 1], curve[last, 1]
    place = np.searchsorted(shares, at, side="right") - 1
    is_knot = shares[place] == at
    following = np.minimum(place + 1, len(shares) - 1)
    width = np.where(is_knot, 1.0, shares[following] - shares[place])
    rise = before[following] - after[place]
    between = after[place] + (at - shares[place]) / width * rise
    return np.column_stack(
        [np.where(is_knot, before[place], between), np.where(is_knot, after[place], between)]
    )


def thinned(curve: Floats, most: int = MOST_POINTS) -> Floats:
    """Drop points of a rising curve that nobody would see.

    Parameters
    ----------
    curve : ndarray of shape (n, 2)
        Neither coordinate ever falls.
    most : int
        At most so many points are left, >= 2.

    Returns
    -------
    ndarray of shape (at most `most`, 2)
        Points of the curve, its ends among them: all corners where they are few enough, else
        points at equal steps along it.

    Examples
    --------
    >>> thinned(np.array([[0.0, 0.0], [0.25, 0.5], [0.5, 1.0], [1.0, 1.0]])).tolist()
    [[0.0, 0.0], [0.5, 1.0], [1.0, 1.0]]
    """
    step = np.diff(curve, axis=0)
    moves = np.concatenate([[True], np.abs(step).sum(axis=1) > 0])
    corners = curve[moves]
    step = np.diff(corners, axis=0)
    turn = step[:-1, 0] * step[1:, 1] - step[:-1, 1] * step[1:, 0]
    corners = np.asarray(corners[np.concatenate([[True], np.abs(turn) > _STRAIGHT, [True]])])
    if len(corners) <= most:
        return corners
    along = (corners - corners[0]).sum(axis=1)
    wanted = np.linspace(0.0, along[-1], most)
    kept: Floats = corners[np.unique(np.searchsorted(along, wanted - _STRAIGHT))]
    return kept


def score_distributions(rows: JudgedRows) -> Document:
    """Draw how bads and goods are spread over the score of both cards, which KS measures.

    Parameters
    ----------
    rows : JudgedRows
        Rows with outcome.

    Returns
    -------
    dict
        ``old`` and ``new``, each with ``points``, triples (score in points, share of bads and
        share of goods at or below it), at most 200, and the widest gap: ``gap``, a fraction, at
        the score ``gap_at``.

    Raises
    ------
    InvalidInputError
        If no test part holds both classes.

    Notes
    -----
    Over several test parts the shares are the mean of theirs; KS as the registry holds it is the
    mean of the parts' widest gaps, each at a score of its own, so it is never below ``gap``.

    Examples
    --------
    >>> n = np.arange(4)
    >>> rows = JudgedRows(n, n, n, np.array([0, 0, 1, 1]), n * 0, n * 0,
    ...     np.array([[9.0, 6.0, 6.5, 2.0], [9.0, 8.0, 3.0, 2.0]]), np.full((2, 4), 0.5))
    >>> score_distributions(rows)["old"]
    {'points': [[2.0, 0.5, 0.0], [6.0, 0.5, 0.5], [6.5, 1.0, 0.5], [9.0, 1.0, 1.0]], 'gap': 0.5, \
'gap_at': 2.0}
    """
    parts = rows.test_parts()
    if not parts:
        raise InvalidInputError(_NO_PARTS)
    return {name: _spread(rows, parts, card) for card, name in enumerate(("old", "new"))}


def _spread(rows: JudgedRows, parts: tuple[Ints, ...], card: int) -> Document:
    scores = np.round(rows.scores[card], _DECIMALS)
    grid = np.unique(scores[np.concatenate(parts)])
    bads, goods = (
        np.mean([_shares_below(scores[at][rows.bad[at] == label], grid) for at in parts], axis=0)
        for label in (1, 0)
    )
    gap = np.abs(bads - goods)
    widest = int(np.argmax(gap))
    shown = np.linspace(0, len(grid) - 1, min(MOST_POINTS - 1, len(grid))).round().astype(int)
    at = np.union1d(shown, [widest])
    return {
        "points": np.column_stack([grid, bads, goods])[at].tolist(),
        "gap": float(gap[widest]),
        "gap_at": float(grid[widest]),
    }


def _shares_below(scores: Floats, grid: Floats) -> Floats:
    return np.asarray(np.searchsorted(np.sort(scores), grid, side="right") / len(scores))
