"""Two cards judged on the same rows: discrimination, swap sets, and a cut-off."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from app.domain.calibration import brier
from app.domain.discrimination import (
    SHARE,
    SIGNED_SHARE,
    Estimate,
    delong_components,
    gini,
    ks,
    tie_levels,
)
from app.domain.fold_estimates import difference_of_folds, mean_of_folds
from app.domain.proportions import observed_rate
from app.domain.types import Bools, Document, Floats, Ints
from app.errors import InvalidInputError

TIE = 1e-9
"""Keeps ties at a half the same in every engine, as in the definition of the score."""

_BOTH = 2


@dataclass(frozen=True, slots=True)
class JudgedRows:
    """Hold rows with a known outcome and what two cards said about them.

    Attributes
    ----------
    row : ndarray of shape (n,)
        Code of the batch row; it repeats where cross-validation was repeated.
    party : ndarray of shape (n,)
        Code of the party; it repeats where a party stands in several batches.
    scored_at : ndarray of shape (n,)
        When the row was scored, whole numbers in time order.
    bad : ndarray of shape (n,)
        1 bad, 0 good.
    repeat, fold : ndarray of shape (n,)
        Which test part the row belongs to.
    scores : ndarray of shape (2, n)
        Unrounded scores in points, old card first.
    probabilities : ndarray of shape (2, n)
        P(bad) by either card, in [0, 1].
    """

    row: Ints
    party: Ints
    scored_at: Ints
    bad: Ints
    repeat: Ints
    fold: Ints
    scores: Floats
    probabilities: Floats

    def test_parts(self) -> tuple[Ints, ...]:
        """Give the positions of each test part that holds both classes.

        Returns
        -------
        tuple of ndarray
            One array of positions per (repeat, fold).
        """
        part = self.repeat * (int(self.fold.max(initial=0)) + 1) + self.fold
        parts = (np.flatnonzero(part == code) for code in np.unique(part))
        return tuple(at for at in parts if len(np.unique(self.bad[at])) == _BOTH)

    def each_party_once(self) -> Ints:
        """Give one position per party: its latest row, in the first repeat.

        Returns
        -------
        ndarray of shape (n_parties,)
            Positions, ascending.
        """
        first = np.flatnonzero(self.repeat == self.repeat.min())
        newest_last = first[np.lexsort((first, self.scored_at[first]))]
        last = len(newest_last) - 1
        _, at = np.unique(self.party[newest_last][::-1], return_index=True)
        return np.sort(newest_last[last - at])


def rounded_scores(unrounded: Floats) -> Floats:
    """Round scores as the definition of the score does.

    Parameters
    ----------
    unrounded : ndarray
        Scores in points.

    Returns
    -------
    ndarray
        Whole points, of the same shape.

    Examples
    --------
    >>> rounded_scores(np.array([599.4, 599.5])).tolist()
    [599.0, 600.0]
    """
    return np.asarray(np.floor(unrounded + 0.5 + TIE), dtype=np.float64)


def compare_discrimination(rows: JudgedRows) -> Document:
    """Measure AUC, Gini, KS and Brier score of both cards on the same rows.

    Parameters
    ----------
    rows : JudgedRows
        Rows with outcome.

    Returns
    -------
    dict
        ``old`` and ``new``, each with ``auc_roc``, ``gini``, ``ks``, ``brier`` and the 95 %
        interval of each (``..._interval``); ``auc_roc_difference`` (new less old) with its
        paired interval; ``n_parties`` and ``n_bad``, distinct. With several test parts a value
        is the mean over the parts.

    Raises
    ------
    InvalidInputError
        If no test part holds both classes.

    Notes
    -----
    Intervals are normal. AUC and Gini: DeLong by party; their difference over several parts with
    the correction of ``difference_of_folds``. KS: the same variance for the difference
    of two shares at the score where it is largest, taken as given. Brier: variance of the mean
    squared error by party.

    Examples
    --------
    >>> n = np.arange(4)
    >>> rows = JudgedRows(n, n, n, np.array([0, 0, 1, 1]), n * 0, n * 0,
    ...     np.array([[9.0, 6.0, 6.5, 2.0], [9.0, 8.0, 3.0, 2.0]]), np.full((2, 4), 0.5))
    >>> found = compare_discrimination(rows)
    >>> found["old"]["auc_roc"], found["new"]["gini"], found["auc_roc_difference"]
    (0.75, 1.0, 0.25)
    """
    parts = rows.test_parts()
    if not parts:
        raise InvalidInputError("Discrimination needs bad and good parties in one test part.")
    components = [delong_components(-rows.scores[:, at], rows.bad[at]).values for at in parts]
    difference = Estimate(
        *difference_of_folds(*_by_row(rows, parts, [c[1] - c[0] for c in components]))
    )
    used = np.unique(np.concatenate(parts))
    return {
        "old": _card(rows, parts, components, 0),
        "new": _card(rows, parts, components, 1),
        "auc_roc_difference": difference.value,
        "auc_roc_difference_interval": _interval(difference),
        "n_parties": len(np.unique(rows.party[used])),
        "n_bad": len(np.unique(rows.party[used][rows.bad[used] == 1])),
    }


def _card(
    rows: JudgedRows, parts: tuple[Ints, ...], components: list[Floats], card: int
) -> Document:
    auc = _fold_mean(rows, parts, [c[card] for c in components])
    ranked_gini = Estimate(gini(auc.value), 2 * auc.standard_error, SIGNED_SHARE)
    return {
        "auc_roc": auc.value,
        "auc_roc_interval": _interval(auc),
        "gini": ranked_gini.value,
        "gini_interval": _interval(ranked_gini),
        **_named("ks", _ks(rows, parts, card)),
        **_named("brier", _brier(rows, parts, card)),
    }


def _named(name: str, estimate: Estimate) -> Document:
    return {name: estimate.value, f"{name}_interval": _interval(estimate)}


def _fold_mean(rows: JudgedRows, parts: tuple[Ints, ...], values: list[Floats]) -> Estimate:
    return Estimate(*mean_of_folds(*_by_row(rows, parts, values)), limits=SHARE)


def _by_row(
    rows: JudgedRows, parts: tuple[Ints, ...], values: list[Floats]
) -> tuple[list[tuple[Ints, Floats]], Ints, Ints]:
    """Give the values of each part by row, and label and party of each row once."""
    _, first, code = np.unique(rows.row, return_index=True, return_inverse=True)
    folds = [(code[at], value) for at, value in zip(parts, values, strict=True)]
    return folds, rows.bad[first], rows.party[first]


def _ks(rows: JudgedRows, parts: tuple[Ints, ...], card: int) -> Estimate:
    distances, shares = [], []
    for at in parts:
        risk, bad = -rows.scores[card, at], rows.bad[at]
        distances.append(ks(risk, bad))
        levels = tie_levels(risk)
        called = levels >= _widest(levels, bad)
        shares.append(np.where(bad == 1, called, ~called).astype(np.float64))
    error = _fold_mean(rows, parts, shares).standard_error
    return Estimate(float(np.mean(distances)), error, SHARE)


def _widest(levels: Ints, bad: Ints) -> int:
    """Find the level from which on the shares of called bads and goods lie furthest apart."""
    bads = np.cumsum(np.bincount(levels, bad)[::-1]) / bad.sum()
    goods = np.cumsum(np.bincount(levels, 1 - bad)[::-1]) / (1 - bad).sum()
    return int(levels.max() - np.argmax(np.abs(bads - goods)))


def _brier(rows: JudgedRows, parts: tuple[Ints, ...], card: int) -> Estimate:
    probability = rows.probabilities[card]
    value = float(np.mean([brier(probability[at], rows.bad[at]) for at in parts]))
    at = np.concatenate(parts)
    error = (probability[at] - rows.bad[at]) ** 2
    _, first, code = np.unique(rows.row[at], return_index=True, return_inverse=True)
    per_row = np.bincount(code, error) / np.bincount(code)
    return Estimate(value, _mean_standard_error(per_row, rows.party[at][first]), SHARE)


def _mean_standard_error(values: Floats, party: Ints) -> float:
    codes = np.unique(party, return_inverse=True)[1]
    sums = np.bincount(codes, values - values.mean())
    n = len(sums)
    if n < _BOTH:
        return float("nan")
    return float(np.sqrt(n / (n - 1) * np.sum(sums**2)) / len(values))


def _interval(estimate: Estimate) -> list[float] | None:
    low, high = estimate.interval()
    return [low, high] if np.isfinite(low) and np.isfinite(high) else None


def swap_sets(rows: JudgedRows, bounds: Mapping[str, tuple[int, int]]) -> tuple[Document, ...]:
    """Count whom the new card would newly approve and newly decline at each bound.

    Parameters
    ----------
    rows : JudgedRows
        Rows with outcome; each party enters once.
    bounds : mapping of str to (int, int)
        Lowest approved score in points under the old and the new card, by the name of the bound.

    Returns
    -------
    tuple of dict
        Per bound ``at``, ``old_bound``, ``new_bound``, and for ``newly_approved``,
        ``newly_declined``, ``approved_by_both`` and ``declined_by_both``: ``n``, ``n_bad``,
        ``bad_rate`` and its Wilson interval (None where n is 0).

    Examples
    --------
    >>> n = np.arange(4)
    >>> rows = JudgedRows(n, n, n, np.array([0, 0, 1, 1]), n * 0, n * 0,
    ...     np.array([[700.0, 590, 610, 400], [700.0, 620, 580, 400]]), np.full((2, 4), 0.5))
    >>> table = swap_sets(rows, {"fair": (600, 600)})[0]
    >>> table["newly_approved"]["n"], table["newly_declined"]["bad_rate"]
    (1, 1.0)
    """
    at = rows.each_party_once()
    old, new = rounded_scores(rows.scores[:, at])
    bad = rows.bad[at]
    tables = []
    for name, (old_bound, new_bound) in bounds.items():
        was, becomes = old >= old_bound, new >= new_bound
        tables.append(
            {
                "at": name,
                "old_bound": old_bound,
                "new_bound": new_bound,
                "newly_approved": _group(bad, becomes & ~was),
                "newly_declined": _group(bad, was & ~becomes),
                "approved_by_both": _group(bad, was & becomes),
                "declined_by_both": _group(bad, ~was & ~becomes),
            }
        )
    return tuple(tables)


def judge_cut_off(rows: JudgedRows, cut_off: int) -> Document:
    """Measure approval rate and bad rate of both cards at one score.

    Parameters
    ----------
    rows : JudgedRows
        Rows with outcome; each party enters once.
    cut_off : int
        Lowest approved score, in points.

    Returns
    -------
    dict
        ``cut_off``, ``n_parties``, and for ``old`` and ``new`` the ``approval_rate`` and, among
        the approved, ``n``, ``n_bad``, ``bad_rate`` and its interval; the ``swap_set`` there.
    """
    at = rows.each_party_once()
    result: Document = {"cut_off": cut_off, "n_parties": len(at)}
    for name, scores in zip(("old", "new"), rounded_scores(rows.scores[:, at]), strict=True):
        approved = scores >= cut_off
        result[name] = {
            "approval_rate": float(approved.mean()),
            **_group(rows.bad[at], approved),
        }
    result["swap_set"] = swap_sets(rows, {str(cut_off): (cut_off, cut_off)})[0]
    return result


def _group(bad: Ints, members: Bools) -> Document:
    return observed_rate(int(bad[members].sum()), int(members.sum()))
