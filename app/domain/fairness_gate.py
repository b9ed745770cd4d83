"""The gate ``adverse_impact``: no group is approved much less often than others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from app.domain.fairness import NAMED
from app.domain.gates import Verdict
from app.domain.policy import Policy
from app.domain.types import Document

GATE = "adverse_impact"
_LEVEL = 0.05


@dataclass(frozen=True, slots=True)
class _Compared:
    """One judged group at the policy's cut-off."""

    column: str
    reference: str
    new: Document
    old_ratio: float | None
    p_adjusted: float

    @property
    def ratio(self) -> float:
        return float(self.new["impact_ratio"])

    @property
    def is_clear(self) -> bool:
        return self.p_adjusted < _LEVEL

    @property
    def is_worse(self) -> bool:
        return self.old_ratio is None or self.ratio < self.old_ratio


def adverse_impact_gate(policy: Policy, columns: Sequence[Document] | None) -> Verdict | None:
    """Judge the approval rates of groups at the policy's cut-off.

    Parameters
    ----------
    policy : Policy
        With ``fairness_gate``, ``fairness_cutoff`` and ``min_impact_ratio``.
    columns : sequence of dict or None
        From :func:`app.domain.fairness.describe_column`, with the cut-off ``cut-off``; None where
        no batch declares groups.

    Returns
    -------
    Verdict or None
        None where the policy does not ask. Its value is the impact ratio of the group that
        decides, of 30 parties or more. ``fail`` where a ratio is below the least, beyond what
        chance explains (two-sided Fisher exact p, Holm-adjusted over all groups, below 0.05), and
        lower than under the old card; ``insufficient evidence``, to be acknowledged, where a ratio
        is below the least otherwise, or where there is no group to judge; else ``pass``.

    References
    ----------
    .. [1] 29 CFR 1607.4(D): four fifths, and differences that are significant and practical.
    .. [2] S. Holm, "A simple sequentially rejective multiple test procedure", Scandinavian
       Journal of Statistics 6 (1979).

    Examples
    --------
    >>> adverse_impact_gate(Policy(), None) is None
    True
    >>> asked = Policy(fairness_gate=True, fairness_cutoff=600)
    >>> adverse_impact_gate(asked, None).verdict
    'insufficient evidence'
    """
    if not policy.fairness_gate:
        return None
    compared = sorted(_compared(columns or ()), key=lambda one: one.ratio)
    if not compared:
        return _verdict(policy, None, "insufficient evidence", _NOBODY)
    low = [one for one in compared if one.ratio < policy.min_impact_ratio]
    failed = [one for one in low if one.is_clear and one.is_worse]
    if failed:
        return _verdict(policy, failed[0], "fail", _said(policy, failed[0]))
    if low:
        return _verdict(policy, low[0], "insufficient evidence", _said(policy, low[0]))
    return _verdict(policy, compared[0], "pass", _said(policy, compared[0]))


_NOBODY = (
    "No group of 30 parties or more can be compared: the batches behind this version declare no "
    "groups, or these are too small."
)


def _compared(columns: Sequence[Document]) -> Iterator[_Compared]:
    found = [
        (column["column"], cut_off["new"]["reference"], new, old["impact_ratio"])
        for column in columns
        for cut_off in column["cut_offs"]
        if cut_off["at"] == NAMED
        for new, old in zip(cut_off["new"]["groups"], cut_off["old"]["groups"], strict=True)
        if new["is_judged"] and new["impact_ratio"] is not None
    ]
    adjusted = holm([float(new["p_value"]) for _, _, new, _ in found])
    for (column, reference, new, old_ratio), p in zip(found, adjusted, strict=True):
        yield _Compared(column, reference, new, old_ratio, p)


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjust p values so that the family of them errs no more often than one would.

    Parameters
    ----------
    p_values : sequence of float
        In [0, 1].

    Returns
    -------
    list of float
        In the same order, each at least its own p and at most 1.

    References
    ----------
    .. [1] S. Holm, "A simple sequentially rejective multiple test procedure", Scandinavian
       Journal of Statistics 6 (1979). The example is R's ``p.adjust(c(0.01, 0.02, 0.03), "holm")``.

    Examples
    --------
    >>> holm([0.01, 0.02, 0.03])
    [0.03, 0.04, 0.04]
    """
    order = np.argsort(p_values, kind="stable")
    adjusted = np.empty(len(p_values))
    highest = 0.0
    for rank, place in enumerate(order):
        highest = max(highest, min(1.0, (len(p_values) - rank) * p_values[place]))
        adjusted[place] = highest
    return [float(p) for p in adjusted]


def _verdict(policy: Policy, one: _Compared | None, verdict: str, sentence: str) -> Verdict:
    interval = None if one is None else one.new["impact_interval"]
    return Verdict(
        gate=GATE,
        verdict=verdict,  # type: ignore[arg-type]  # one of the three
        value=None if one is None else one.ratio,
        threshold=policy.min_impact_ratio,
        rule=f"impact ratio >= {policy.min_impact_ratio:.2f} at {policy.fairness_cutoff} points, "
        "or no clear fall below",
        judged_on="the batches",
        sentence=sentence,
        interval=None if interval is None else (interval[0], interval[1]),
        n=None if one is None else one.new["n"],
    )


def _said(policy: Policy, one: _Compared) -> str:
    group = "missing" if one.new["group"] is None else one.new["group"]
    rate = f"{one.new['approval_rate']:.1%} of {one.new['n']:,} parties"
    p = "p < 0.001" if one.p_adjusted < 0.001 else f"p = {one.p_adjusted:.3f}"  # noqa: PLR2004 - as p is shown
    before = "" if one.old_ratio is None else f"; under the old card it is {one.old_ratio:.2f}"
    said = (
        f"At {policy.fairness_cutoff} points {rate} of {one.column} {group} are approved, "
        f"{one.ratio:.2f} of the rate of {one.reference} ({p}){before}."
    )
    if one.ratio >= policy.min_impact_ratio:
        return said
    least = f"The policy asks for {policy.min_impact_ratio:.2f}"
    if not one.is_clear:
        return f"{said} {least}; chance may explain the difference."
    return f"{said} {least}{'.' if one.is_worse else '; the old card was no better.'}"
