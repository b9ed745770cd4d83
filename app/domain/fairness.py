"""How groups fare under two cards: approval, adverse impact, ranking and calibration by group."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.special import logit

from app.domain.calibration import calibration_intercept
from app.domain.discrimination import auc_estimate
from app.domain.group_approval import compare_approval, compare_falls
from app.domain.judged_cards import JudgedRows, rounded_scores
from app.domain.judged_periods import LEAST_OF_A_CLASS
from app.domain.proportions import observed_rate
from app.domain.types import Document, Floats, Ints

NAMED = "cut-off"
"""What the cut-off of the policy, or of a person, is called."""

_CARDS = ("old", "new")
_TINY = 1e-9
_HALF = 0.5


class CutOff(NamedTuple):
    """A score from which on a party counts as approved, under either card.

    Attributes
    ----------
    at : str
        The band that begins there, or ``cut-off``.
    old, new : int
        In points.
    """

    at: str
    old: int
    new: int


@dataclass(frozen=True, slots=True)
class GroupColumn:
    """Hold one column declared as groups, in its text form.

    Attributes
    ----------
    name : str
        Of the column.
    values : ndarray of object, shape (n,)
        Of the scored parties, each once; None where missing, which is a group of its own.
    judged : ndarray of object, shape (n_judged,)
        Of the rows with a known outcome.
    """

    name: str
    values: np.ndarray
    judged: np.ndarray


def describe_column(
    column: GroupColumn,
    scores: Floats,
    cut_offs: Sequence[CutOff],
    rows: JudgedRows | None,
    reference_group: str | None = None,
) -> Document:
    """Describe how the groups of one column fare under two cards.

    Parameters
    ----------
    column : GroupColumn
        Its values.
    scores : ndarray of shape (2, n)
        Unrounded scores of the parties in points, old card first.
    cut_offs : sequence of CutOff
        Where approval is compared.
    rows : JudgedRows or None
        Rows with outcome; each party enters once. None where there are none.
    reference_group : str or None
        As for `compare_approval`.

    Returns
    -------
    dict
        ``column``; ``groups`` with their outcomes: ``group``, ``n``, ``n_labelled``, ``n_bad``,
        ``bad_rate`` and interval, and for ``old`` and ``new`` ``auc_roc`` with its interval (None
        where fewer than ten are bad or good), ``expected`` (mean P(bad)), ``expected_to_observed``
        and ``calibration_intercept`` in log-odds (None without bads and goods); and ``cut_offs``:
        ``at``, for ``old`` and ``new`` the ``score`` and what `compare_approval` gives, and
        ``falls``, what `compare_falls` gives.

    Examples
    --------
    >>> values = np.array(["a"] * 40 + ["b"] * 40, dtype=object)
    >>> scores = np.stack([np.arange(80.0), np.arange(80.0)[::-1]])
    >>> found = describe_column(GroupColumn("g", values, values[:0]), scores,
    ...                         [CutOff("cut-off", 20, 20)], None)
    >>> [found["cut_offs"][0][card]["groups"][0]["impact_ratio"] for card in ("old", "new")]
    [0.5, None]
    """
    names, code = _coded(column.values)
    approvals = []
    for cut_off in cut_offs:
        line: Document = {"at": cut_off.at}
        approved = [rounded_scores(scores[card]) >= bound for card, bound in enumerate(cut_off[1:])]
        for side, bound, mask in zip(_CARDS, cut_off[1:], approved, strict=True):
            line[side] = {"score": bound, **compare_approval(names, code, mask, reference_group)}
        approvals.append(line | {"falls": compare_falls(line, code, approved[0] & approved[1])})
    n = np.bincount(code, minlength=len(names))
    return {
        "column": column.name,
        "groups": [
            {"group": name, "n": int(n[at]), **_outcomes(rows, column.judged, name)}
            for at, name in enumerate(names)
        ],
        "cut_offs": approvals,
    }


def _coded(values: np.ndarray) -> tuple[list[str | None], Ints]:
    """Give the groups, largest first and missing last, and each row's place among them."""
    n = Counter(values.tolist())
    known = sorted(n, key=lambda name: (name is None, -n[name], name or ""))
    place = {name: at for at, name in enumerate(known)}
    return known, np.array([place[value] for value in values.tolist()], dtype=np.int64)


def _outcomes(rows: JudgedRows | None, judged: np.ndarray, name: str | None) -> Document:
    if rows is None:
        at = np.zeros(0, dtype=np.int64)
    else:
        once = rows.each_party_once()
        at = once[[value == name for value in judged[once].tolist()]]
    bad = np.zeros(0, dtype=np.int64) if rows is None else rows.bad[at]
    observed = observed_rate(int(bad.sum()), len(bad))
    found = {("n_labelled" if key == "n" else key): value for key, value in observed.items()}
    for card, side in enumerate(_CARDS):
        found[side] = None if rows is None else _card_figures(rows, at, bad, card)
    return found


def _card_figures(rows: JudgedRows, at: Ints, bad: Ints, card: int) -> Document | None:
    if len(bad) == 0:
        return None
    probability = rows.probabilities[card, at]
    n_bad, n_good = int(bad.sum()), int(len(bad) - bad.sum())
    expected = float(probability.mean())
    figures: Document = {
        "auc_roc": None,
        "auc_roc_interval": None,
        "expected": expected,
        "expected_to_observed": expected * len(bad) / n_bad if n_bad else None,
        "calibration_intercept": None,
    }
    if min(n_bad, n_good) >= LEAST_OF_A_CLASS:
        estimate = auc_estimate(-rows.scores[card, at], bad, rows.party[at])
        low, high = estimate.interval()
        figures |= {
            "auc_roc": estimate.value,
            "auc_roc_interval": [max(0.0, low), min(1.0, high)],
        }
    if min(n_bad, n_good) > 0:
        log_odds = logit(np.clip(probability, _TINY, 1 - _TINY))
        figures["calibration_intercept"] = calibration_intercept(log_odds, bad)
    return figures


def headline_cut_off(column: Document) -> Document | None:
    """Choose the cut-off that a summary speaks of.

    Parameters
    ----------
    column : dict
        From `describe_column`.

    Returns
    -------
    dict or None
        The named cut-off where there is one, else the one nearest to half of the parties approved
        by the new card: there, groups have the most room to differ. None without cut-offs.

    Examples
    --------
    >>> def at(name, n):
    ...     return {"at": name, "new": {"groups": [{"n": 100, "n_approved": n}]}}
    >>> headline_cut_off({"cut_offs": [at("fair", 95), at("good", 60), at("excellent", 3)]})["at"]
    'good'
    """
    named = [one for one in column["cut_offs"] if one["at"] == NAMED]
    if named:
        first: Document = named[0]
        return first
    return min(column["cut_offs"], key=_distance_from_half, default=None)


def _distance_from_half(cut_off: Document) -> float:
    groups = cut_off["new"]["groups"]
    n = sum(group["n"] for group in groups)
    return float(abs(sum(group["n_approved"] for group in groups) / max(n, 1) - _HALF))


def lowest_impact(cut_off: Document) -> Document | None:
    """Find the judged group that the new card approves least often against its reference.

    Parameters
    ----------
    cut_off : dict
        One of the ``cut_offs`` of `describe_column`.

    Returns
    -------
    dict or None
        ``group``, and for ``old`` and ``new`` its line; None where no group is judged.

    Examples
    --------
    >>> line = {"group": "a", "is_judged": True, "impact_ratio": 0.7}
    >>> lowest_impact({"old": {"groups": [line]}, "new": {"groups": [line]}})["group"]
    'a'
    """
    judged = [
        (new, old)
        for new, old in zip(cut_off["new"]["groups"], cut_off["old"]["groups"], strict=True)
        if new["is_judged"] and new["impact_ratio"] is not None
    ]
    if not judged:
        return None
    new, old = min(judged, key=lambda pair: float(pair[0]["impact_ratio"]))
    return {"group": new["group"], "old": old, "new": new}
