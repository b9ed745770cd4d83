"""How groups fare under two cards: approval, adverse impact, ranking and calibration by group."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.special import logit
from scipy.stats import fisher_exact, norm
from scipy.stats.contingency import relative_risk

from app.domain.calibration import calibration_intercept
from app.domain.discrimination import auc_estimate
from app.domain.judged_cards import JudgedRows, rounded_scores
from app.domain.judged_periods import LEAST_OF_A_CLASS
from app.domain.proportions import observed_rate, wilson_interval
from app.domain.types import Bools, Document, Floats, Ints

LEAST_PARTIES = 30
"""A group of fewer parties is shown, and neither judged nor taken as reference."""

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


def compare_approval(
    names: Sequence[str | None], code: Ints, approved: Bools, reference_group: str | None = None
) -> Document:
    """Compare how often the parties of each group are approved.

    Parameters
    ----------
    names : sequence of (str or None)
        The groups; None is missing.
    code : ndarray of shape (n,)
        Place of each party's group in `names`.
    approved : ndarray of bool, shape (n,)
        Whether it is approved.
    reference_group : str or None
        The group that the others are compared with; by default, and where no party is of it, the
        one with the highest approval rate among those of 30 parties or more. Missing is never it.

    Returns
    -------
    dict
        ``reference``, None where no group is large enough, and ``groups``: ``group``, ``n``,
        ``n_approved``, ``approval_rate`` with Wilson's 95 % ``approval_interval``, ``is_judged``
        (30 parties or more, neither missing nor the reference), and against the reference
        ``impact_ratio`` with Katz's 95 % ``impact_interval`` and the two-sided Fisher exact
        ``p_value``; None where they are not defined, the interval also where all or none of both
        are approved.

    References
    ----------
    .. [1] 29 CFR 1607.4(D): a selection rate below four fifths of that of the group with the
       highest rate.
    .. [2] D. Katz, J. Baptista, S. Azen, M. Pike, "Obtaining confidence intervals for the risk
       ratio in cohort studies", Biometrics 34 (1978).

    Examples
    --------
    The example of the "Questions and Answers" on the Uniform Guidelines (44 FR 11996, 1979),
    number 12: 48 of 80 and 12 of 40 are selected, and 30 % is half of 60 %.

    >>> code = np.repeat([0, 1], [80, 40])
    >>> approved = np.concatenate([np.arange(80) < 48, np.arange(40) < 12])
    >>> found = compare_approval(["white", "black"], code, approved)
    >>> found["reference"], found["groups"][1]["impact_ratio"]
    ('white', 0.5)
    """
    n = np.bincount(code, minlength=len(names))
    n_approved = np.bincount(code, approved, minlength=len(names)).astype(np.int64)
    place = _reference(names, n, n_approved, reference_group)
    groups = []
    for at, name in enumerate(names):
        counts = int(n_approved[at]), int(n[at])
        rate = counts[0] / counts[1] if counts[1] else None
        of_reference = None if place is None or place == at else place
        pair = None if of_reference is None else (int(n_approved[place]), int(n[place]))
        groups.append(
            {
                "group": name,
                "n": counts[1],
                "n_approved": counts[0],
                "approval_rate": rate,
                "approval_interval": wilson_interval(*counts),
                "is_judged": pair is not None and name is not None and counts[1] >= LEAST_PARTIES,
                **_impact(counts, pair),
            }
        )
    return {"reference": None if place is None else names[place], "groups": groups}


def _reference(
    names: Sequence[str | None], n: Ints, n_approved: Ints, wanted: str | None
) -> int | None:
    if wanted is not None and wanted in names and n[names.index(wanted)] > 0:
        return names.index(wanted)
    large = [at for at, name in enumerate(names) if name is not None and n[at] >= LEAST_PARTIES]
    return max(large, key=lambda at: (n_approved[at] / n[at], n[at]), default=None)


def _impact(counts: tuple[int, int], reference: tuple[int, int] | None) -> Document:
    nothing: Document = dict.fromkeys(("impact_ratio", "impact_interval", "p_value"))
    if reference is None or counts[1] == 0 or reference[0] == 0:
        return nothing
    table = [[counts[0], counts[1] - counts[0]], [reference[0], reference[1] - reference[0]]]
    found = relative_risk(counts[0], counts[1], reference[0], reference[1])
    interval = None
    if counts[0] > 0 and (counts[0] < counts[1] or reference[0] < reference[1]):
        limits = found.confidence_interval(0.95)
        interval = [float(limits.low), float(limits.high)]
    return {
        "impact_ratio": float(found.relative_risk),
        "impact_interval": interval,
        "p_value": min(1.0, float(fisher_exact(table).pvalue)),
    }


def compare_falls(cut_off: Document, code: Ints, by_both: Bools) -> list[Document]:
    r"""Test for each group whether its impact ratio fell from the old card to the new.

    .. math:: z = \frac{\ln (r_{new} / r_{old})}{\sqrt{V_g + V_{ref}}}, \quad
       V = \frac{1}{n}\left(\frac{1 - p_{new}}{p_{new}} + \frac{1 - p_{old}}{p_{old}}
       - 2 \left(\frac{p_{both}}{p_{new} p_{old}} - 1\right)\right)

    Parameters
    ----------
    cut_off : dict
        ``old`` and ``new``, each what `compare_approval` gives.
    code : ndarray of shape (n,)
        Place of each party's group.
    by_both : ndarray of bool, shape (n,)
        Whether either card approves the party.

    Returns
    -------
    list of dict
        Per group ``group``, ``n_approved_by_both`` and ``p_value``, one-sided: small where the
        ratio, to the reference of the new card, fell by more than chance explains. The same
        parties are scored twice, so the covariance counts; half a party is added to each count.
        None for the reference, and where there is none.

    Notes
    -----
    The variance is that of the logarithm of a proportion by the delta method; both cards judge
    the same parties, so a fall is judged by the parties on whom they differ.

    References
    ----------
    .. [1] A. Agresti, "Categorical Data Analysis", 3rd ed., Wiley 2013, sections 3.1 and 11.1.

    Examples
    --------
    >>> code = np.repeat([0, 1], 200)
    >>> before = np.arange(400) % 200 < 140
    >>> after = np.where(code == 1, np.arange(400) % 200 < 100, before)
    >>> sides = {side: compare_approval(["a", "b"], code, mask)
    ...          for side, mask in (("old", before), ("new", after))}
    >>> found = compare_falls(sides, code, before & after)
    >>> found[0]["p_value"], found[1]["n_approved_by_both"], found[1]["p_value"] < 0.001
    (None, 100, True)
    """
    new, old = cut_off["new"]["groups"], cut_off["old"]["groups"]
    n_both = np.bincount(code, by_both, minlength=len(new)).astype(np.int64).tolist()
    moved = [_moved(*counts) for counts in zip(old, new, n_both, strict=True)]
    names = [group["group"] for group in new]
    reference = cut_off["new"]["reference"]
    place = None if reference is None else names.index(reference)
    return [
        {
            "group": name,
            "n_approved_by_both": n_both[at],
            "p_value": None if place in {None, at} else _fall(moved[at], moved[place or 0]),
        }
        for at, name in enumerate(names)
    ]


def _moved(old: Document, new: Document, n_both: int) -> tuple[float, float]:
    """Give the change of the log approval rate of a group, and its variance."""
    n = new["n"] + 1.0
    before, after, both = (
        (count + _HALF) / n for count in (old["n_approved"], new["n_approved"], n_both)
    )
    variance = (1 - after) / after + (1 - before) / before - 2 * (both / (after * before) - 1)
    return float(np.log(after / before)), max(variance, 0.0) / n


def _fall(group: tuple[float, float], reference: tuple[float, float]) -> float:
    variance = group[1] + reference[1]
    change = group[0] - reference[0]
    return 1.0 if variance <= _TINY else float(norm.cdf(change / variance**0.5))


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
