"""Approval rates of groups: the impact ratio under one card, and its fall to another."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.stats import fisher_exact, norm
from scipy.stats.contingency import relative_risk

from app.domain.proportions import wilson_interval
from app.domain.types import Bools, Document, Ints

LEAST_PARTIES = 30
"""A group of fewer parties is shown, and neither judged nor taken as reference."""

_TINY = 1e-9
_HALF = 0.5


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
