"""Gates: named rules with a threshold, whose verdicts are data."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from app.domain.counted import counted
from app.domain.policy import Policy
from app.domain.types import Document

VerdictName = Literal["pass", "fail", "insufficient evidence"]

DATA_GATES = ("sample_size", "default_rate", "expert_ranks")
MODEL_GATES = ("auc_roc", "improves_on_baseline")
_MOST_DECIMALS = 9
WEIGHT_GATES = ("weight_change", "score_correlation", "band_stability", "cumulative_change")


@dataclass(frozen=True, slots=True)
class Verdict:
    """Record what one gate said: the value, the threshold and one sentence.

    Attributes
    ----------
    gate : str
        Name of the gate.
    verdict : {"pass", "fail", "insufficient evidence"}
        Only ``fail`` blocks; ``insufficient evidence`` must be acknowledged by the reviewer.
    value, threshold : float or None, float
        What was measured and what it was held against, in the gate's own unit.
    rule : str
        The rule as text, for example ``AUC >= 0.60``.
    judged_on : str
        Which rows or quantities the value is of.
    sentence : str
        The verdict for a person.
    interval : tuple of float or None
        95 % interval (lower, upper) of the value where it has one.
    n : int or None
        Number of distinct parties behind the value where it has one.
    """

    gate: str
    verdict: VerdictName
    value: float | None
    threshold: float
    rule: str
    judged_on: str
    sentence: str
    interval: tuple[float, float] | None = None
    n: int | None = None

    @property
    def is_failed(self) -> bool:
        """Say whether this verdict blocks."""
        return self.verdict == "fail"

    def as_dict(self) -> Document:
        """Give the verdict as a JSON-ready mapping."""
        return {
            "gate": self.gate,
            "verdict": self.verdict,
            "value": self.value,
            "threshold": self.threshold,
            "interval": None if self.interval is None else list(self.interval),
            "n": self.n,
            "rule": self.rule,
            "judged_on": self.judged_on,
            "sentence": self.sentence,
        }


def data_gates(
    policy: Policy, *, n_labelled: int, n_bad: int, default_rate: float | None
) -> tuple[Verdict, ...]:
    """Judge whether a label set can carry a training.

    Parameters
    ----------
    policy : Policy
        Thresholds.
    n_labelled, n_bad : int
        Distinct labelled and bad parties.
    default_rate : float or None
        bad / labelled, a fraction in [0, 1]; None where nothing is labelled.

    Returns
    -------
    tuple of Verdict
        ``sample_size`` and ``default_rate``.

    Examples
    --------
    >>> for verdict in data_gates(Policy(), n_labelled=100, n_bad=3, default_rate=0.03):
    ...     print(verdict.gate, verdict.verdict)
    sample_size pass
    default_rate fail
    """
    enough = n_labelled >= policy.min_labelled
    size = Verdict(
        gate="sample_size",
        verdict="pass" if enough else "fail",
        value=float(n_labelled),
        threshold=float(policy.min_labelled),
        rule=f"labelled >= {policy.min_labelled}",
        judged_on="label set",
        n=n_labelled,
        sentence=(
            f"{counted(n_labelled, 'party is', 'parties are')} labelled; at least "
            f"{policy.min_labelled:,} are needed."
        ),
    )
    within = (
        default_rate is not None
        and policy.min_default_rate <= default_rate <= policy.max_default_rate
    )
    low, high = policy.min_default_rate, policy.max_default_rate
    is_low = default_rate is None or default_rate < low
    limit = low if is_low else high
    shown = (
        "not defined"
        if default_rate is None
        else f"{_apart(default_rate, limit, 1, '%')} ({n_bad:,} bad)"
    )
    rate = Verdict(
        gate="default_rate",
        verdict="pass" if within else "fail",
        value=default_rate,
        threshold=limit,
        rule=f"{_limit(low)} <= default rate <= {_limit(high)}",
        judged_on="label set",
        n=n_labelled,
        sentence=(
            f"The default rate is {shown}; it must lie between {100 * low:g}% and {100 * high:g}%."
        ),
    )
    return size, rate


def expert_ranks_gate(slope: float, *, n: int) -> Verdict:
    """Judge whether the expert's score ranks risk in these data at all.

    Parameters
    ----------
    slope : float
        s of the calibration logit P(bad) = a - s z, in log-odds per unit of weighted goodness.
    n : int
        Distinct labelled parties.

    Returns
    -------
    Verdict
        ``pass`` where s > 0.

    Examples
    --------
    >>> expert_ranks_gate(-0.2, n=500).verdict
    'fail'
    """
    ranks = slope > 0
    return Verdict(
        gate="expert_ranks",
        verdict="pass" if ranks else "fail",
        value=slope,
        threshold=0.0,
        rule="s > 0",
        judged_on="label set",
        n=n,
        sentence=(
            "Higher scores of the baseline go with fewer bad parties."
            if ranks
            else "The expert score does not rank risk here: higher scores do not go with fewer "
            "bad parties. Check the labels and the direction of the transforms; training stops."
        ),
    )


def auc_gate(
    policy: Policy, *, auc: float, interval: tuple[float, float], n: int, n_bad: int
) -> Verdict:
    """Judge the model's AUC on rows it never saw.

    Parameters
    ----------
    policy : Policy
        Thresholds.
    auc : float
        Area under the ROC curve in [0, 1].
    interval : tuple of float
        95 % interval (lower, upper); NaN where a class has fewer than two parties.
    n, n_bad : int
        Distinct validated parties and bad parties among them.

    Returns
    -------
    Verdict
        ``insufficient evidence`` where the estimate passes but its interval does not lie above
        the threshold or bad parties are too few.

    Examples
    --------
    >>> auc_gate(Policy(), auc=0.62, interval=(0.58, 0.66), n=900, n_bad=200).verdict
    'insufficient evidence'
    """
    threshold = policy.min_auc_roc
    verdict = _with_evidence(auc >= threshold, interval[0] > threshold, n_bad, policy)
    return Verdict(
        gate="auc_roc",
        verdict=verdict,
        value=auc,
        threshold=threshold,
        rule=f"model AUC >= {_limit(threshold)}",
        judged_on="validation rows",
        interval=_known(interval),
        n=n,
        sentence=(
            f"The model's AUC is {_apart(auc, threshold, 3)} ({_shown(interval, '.3f')}) on {n:,} "
            f"parties it never saw, {n_bad:,} of them bad; at least {_limit(threshold)} is needed."
        ),
    )


def improvement_gate(
    policy: Policy,
    *,
    model_gain: float,
    model_interval: tuple[float, float],
    refined_gain: float,
    refined_interval: tuple[float, float],
    n: int,
    n_bad: int,
) -> Verdict:
    """Judge whether model and refined card each rank better than the baseline.

    Parameters
    ----------
    policy : Policy
        Thresholds.
    model_gain : float
        The model's AUC less the baseline's on the same rows.
    model_interval : tuple of float
        Its 95 % interval (paired DeLong); NaN where a class has fewer than two parties.
    refined_gain : float
        The refined card's AUC less the baseline's.
    refined_interval : tuple of float
        Its 95 % interval.
    n, n_bad : int
        Distinct validated parties and bad parties among them.

    Returns
    -------
    Verdict
        Its value is the smaller of the two gains, with that gain's interval; it passes where
        both intervals lie above 0.

    Examples
    --------
    >>> verdict = improvement_gate(Policy(), model_gain=0.03, model_interval=(0.02, 0.04),
    ...                            refined_gain=0.02, refined_interval=(0.01, 0.03),
    ...                            n=900, n_bad=200)
    >>> verdict.verdict, verdict.value, verdict.interval
    ('pass', 0.02, (0.01, 0.03))
    """
    gain, interval = min((refined_gain, refined_interval), (model_gain, model_interval))
    are_clear = model_interval[0] > 0 and refined_interval[0] > 0
    verdict = _with_evidence(gain >= policy.min_gain, are_clear, n_bad, policy)
    return Verdict(
        gate="improves_on_baseline",
        verdict=verdict,
        value=gain,
        threshold=policy.min_gain,
        rule=f"model and refined card gain >= {policy.min_gain:.3f} AUC",
        judged_on="validation rows",
        interval=_known(interval),
        n=n,
        sentence=(
            f"Against the baseline the model gains {model_gain:+.4f} AUC "
            f"({_shown(model_interval, '+.4f')}) and the refined card {refined_gain:+.4f} "
            f"({_shown(refined_interval, '+.4f')}); each must gain at least "
            f"{policy.min_gain:.3f}."
        ),
    )


def _known(interval: tuple[float, float]) -> tuple[float, float] | None:
    return interval if all(math.isfinite(end) for end in interval) else None


def _shown(interval: tuple[float, float], digits: str) -> str:
    if _known(interval) is None:
        return "too few parties of a class for an interval"
    return f"95 % interval {interval[0]:{digits}} to {interval[1]:{digits}}"


def _with_evidence(passes: bool, is_clear: bool, n_bad: int, policy: Policy) -> VerdictName:  # noqa: FBT001 - private, two statements about the same value
    if not passes:
        return "fail"
    return "pass" if is_clear and n_bad >= policy.min_bad_parties else "insufficient evidence"


def weight_gates(
    policy: Policy,
    *,
    weight_change: float,
    score_correlation: float,
    band_shift: float,
    cumulative_change: float,
) -> tuple[Verdict, ...]:
    """Judge how far a card has moved from the baseline and from the expert.

    Parameters
    ----------
    policy : Policy
        Thresholds.
    weight_change : float
        max |w_new / w - 1| against the baseline, >= 0.
    score_correlation : float
        Pearson correlation of unrounded old and new score, in [-1, 1].
    band_shift : float
        Half the sum of |share_new - share_old| over bands, in [0, 1].
    cumulative_change : float
        max |w_new / w_expert - 1| against the expert, >= 0.

    Returns
    -------
    tuple of Verdict
        The four weight gates in the order of the design. A value that is not a number fails.

    Examples
    --------
    >>> verdicts = weight_gates(Policy(), weight_change=0.2, score_correlation=0.97,
    ...                         band_shift=0.12, cumulative_change=0.2)
    >>> [v.gate for v in verdicts if v.is_failed]
    ['band_stability']
    """
    rows = (
        ("weight_change", weight_change, policy.max_weight_change, "below",
         "max |w_new / w - 1|", "weights", "The largest change of a weight is", "%"),
        ("score_correlation", score_correlation, policy.min_score_correlation, "above",
         "correlation of old and new score", "the batches",
         "Old and new score correlate at", "f"),
        ("band_stability", band_shift, policy.max_band_shift, "below",
         "half the sum of |share_new - share_old|", "the batches",
         "The net share of parties that would move between bands is", "%"),
        ("cumulative_change", cumulative_change, policy.max_cumulative_change, "below",
         "max |w_new / w_expert - 1|", "weights",
         "The largest distance from the expert's weights is", "%"),
    )  # fmt: skip
    return tuple(_limit_verdict(*row) for row in rows)


def _limit_verdict(
    gate: str,
    value: float,
    limit: float,
    side: str,
    rule: str,
    judged_on: str,
    what: str,
    unit: str,
) -> Verdict:
    passes = value < limit if side == "below" else value > limit
    sign = "<" if side == "below" else ">"
    decimals, bound = (1, f"{100 * limit:g}%") if unit == "%" else (3, _limit(limit))
    shown = (
        f"{what} {_apart(value, limit, decimals, unit)}"
        if math.isfinite(value)
        else f"The {rule} is not defined"
    )
    return Verdict(
        gate=gate,
        verdict="pass" if passes else "fail",
        value=value if math.isfinite(value) else None,
        threshold=limit,
        rule=f"{rule} {sign} {_limit(limit)}",
        judged_on=judged_on,
        sentence=f"{shown}; it must stay {side} {bound}.",
    )


def _limit(limit: float) -> str:
    """Write a limit with two decimals, or with all it has."""
    usual = f"{limit:.2f}"
    return usual if float(usual) == limit else f"{limit:g}"


def _apart(value: float, limit: float, decimals: int, unit: str = "f") -> str:
    """Write a value with so many decimals, or as many more as tell it from its limit."""
    if value != limit:
        while (
            decimals < _MOST_DECIMALS
            and f"{value:.{decimals}{unit}}" == f"{limit:.{decimals}{unit}}"
        ):
            decimals += 1
    return f"{value:.{decimals}{unit}}"
