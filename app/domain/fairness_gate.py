"""The gate ``adverse_impact``: no group is approved much less often than others."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from app.domain.fairness import NAMED
from app.domain.gates import Verdict
from app.domain.monitoring.chance import holm
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
    p_value: float
    p_adjusted: float

    @property
    def ratio(self) -> float:
        return float(self.new["impact_ratio"])

    @property
    def is_clear(self) -> bool:
        """Say whether the ratio is low, and lower than before, beyond what chance explains."""
        return self.p_adjusted < _LEVEL


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
        decides, of 30 parties or more. ``fail`` where a ratio is below the least, and chance
        explains neither that the group is approved less often (Fisher's exact p) nor that its
        ratio fell (:func:`app.domain.group_approval.compare_falls`): the larger of the two p,
        Holm-adjusted over all groups, is below 0.05. ``insufficient evidence``, to be
        acknowledged, where a ratio is below the least otherwise, or where there is no group to
        judge; else ``pass``.

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
    failed = [one for one in low if one.is_clear]
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
        (column["column"], cut_off["new"]["reference"], new, old["impact_ratio"], fall["p_value"])
        for column in columns
        for cut_off in column["cut_offs"]
        if cut_off["at"] == NAMED
        for new, old, fall in zip(
            cut_off["new"]["groups"], cut_off["old"]["groups"], cut_off["falls"], strict=True
        )
        if new["is_judged"] and new["impact_ratio"] is not None
    ]
    both = [max(float(new["p_value"]), float(fall)) for _, _, new, _, fall in found]
    for (column, reference, new, old_ratio, _), p in zip(found, holm(both), strict=True):
        yield _Compared(column, reference, new, old_ratio, float(new["p_value"]), p)


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
    rate = f"{100 * one.new['approval_rate']:.1f} % of {one.new['n']:,} parties"
    p = "p < 0.001" if one.p_value < 0.001 else f"p = {one.p_value:.3f}"  # noqa: PLR2004 - as p is shown
    before = "" if one.old_ratio is None else f"; under the old card it is {one.old_ratio:.2f}"
    said = (
        f"At {policy.fairness_cutoff} points {rate} of {one.column} {group} are approved, "
        f"{one.ratio:.2f} of the rate of {one.reference} ({p}){before}."
    )
    if one.ratio >= policy.min_impact_ratio:
        return said
    least = f"The policy asks for {policy.min_impact_ratio:.2f}"
    if one.is_clear:
        return (
            f"{said} {least}; neither this nor the fall from the old card is explained by chance."
        )
    if one.p_value >= _LEVEL:
        return f"{said} {least}; chance may explain the difference."
    if one.old_ratio is not None and one.ratio >= one.old_ratio:
        return f"{said} {least}; the old card was no better."
    return f"{said} {least}; chance may explain the fall from the old card."
