"""The advice: adopt, keep or wait, computed for every trained model, apart from the gates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.stats import norm

from app.domain.counted import counted
from app.domain.discrimination import Estimate
from app.domain.policy import Policy
from app.domain.types import Document

AdviceName = Literal["adopt", "keep", "wait"]

_Z_POWER = 0.84
_BASE_ERROR = 0.05
_LOOKS_EXPONENT = 1.5
_SMALLEST_ERROR = 1e-12


@dataclass(frozen=True, slots=True)
class Advice:
    """Hold the advice with the numbers that led to it.

    Attributes
    ----------
    name : {"adopt", "keep", "wait"}
        The advice.
    gain : float
        Refined card's AUC less the baseline's.
    interval : tuple of float
        Paired interval of the gain at ``level``.
    level : float
        1 - 0.05 / (k + 1)^1.5 with k earlier looks.
    n_looks : int
        k: earlier models judged against this baseline on overlapping rows.
    n_more : int or None
        Under ``wait``: about so many more matured parties would settle it.
    sentence : str
        The advice for a person.
    """

    name: AdviceName
    gain: float
    interval: tuple[float, float]
    level: float
    n_looks: int
    n_more: int | None
    sentence: str

    def as_dict(self) -> Document:
        """Give the advice as a JSON-ready mapping."""
        return {
            "advice": self.name,
            "gain": self.gain,
            "interval": [None if np.isnan(end) else end for end in self.interval],
            "level": self.level,
            "n_looks": self.n_looks,
            "n_more": self.n_more,
            "sentence": self.sentence,
        }


def interval_level(n_looks: int) -> float:
    """Give the level of the paired interval after k earlier looks at overlapping rows.

    Parameters
    ----------
    n_looks : int
        k >= 0.

    Returns
    -------
    float
        1 - 0.05 / (k + 1)^1.5, in [0.95, 1).

    Examples
    --------
    >>> interval_level(0), round(interval_level(3), 5)
    (0.95, 0.99375)
    """
    return 1 - float(_BASE_ERROR / (n_looks + 1) ** _LOOKS_EXPONENT)


def advise(
    gain: Estimate,
    *,
    policy: Policy,
    n_labelled: int,
    n_bad: int | None = None,
    n_looks: int = 0,
    baseline_failures: Sequence[str] = (),
    model_gain: float | None = None,
    seen: str = "rows it never saw",
) -> Advice:
    """Advise whether to adopt the refined card.

    Parameters
    ----------
    gain : Estimate
        Refined AUC less baseline AUC on the same unseen rows, after step back.
    policy : Policy
        The least gain worth a change.
    n_labelled : int
        Distinct labelled parties behind the training.
    n_bad : int, optional
        Distinct bad parties that the gain was measured on; under the policy's
        ``min_bad_to_adopt`` a clear gain is a reason to wait for more. Not looked at where left
        out.
    n_looks : int
        Earlier models judged against this baseline on overlapping rows.
    baseline_failures : sequence of str
        Gates that the baseline itself does not pass: then nothing can move.
    model_gain : float, optional
        The model's own AUC less the baseline's; under the policy's least gain the gate
        ``improves_on_baseline`` fails, and the advice is to keep.
    seen : str
        What the gain was measured on, for the sentence.

    Returns
    -------
    Advice
        ``keep`` where the gain is too small, cannot be estimated, or the baseline is already
        past a gate; ``adopt`` where the lower limit is above 0 and bad parties are enough;
        ``wait`` otherwise.

    References
    ----------
    .. [1] G. S. Collins, E. O. Ogundimu, D. G. Altman, "Sample size considerations for the
       external validation of a multivariable prognostic model: a resampling study", Statistics in
       Medicine 35 (2016): at least 100 events.

    Examples
    --------
    >>> advise(Estimate(0.02, 0.005), policy=Policy(), n_labelled=1000).name
    'adopt'
    >>> advise(Estimate(0.0005, 0.0001), policy=Policy(), n_labelled=1000).name
    'keep'
    >>> late = advise(Estimate(0.01, 0.01), policy=Policy(), n_labelled=1000)
    >>> late.name, late.n_more
    ('wait', 6840)
    """
    level = interval_level(n_looks)
    low, high = gain.interval(level)
    shown = (
        f"gain {gain.value:+.4f} AUC, {100 * level:.3g} % interval {low:+.4f} to {high:+.4f}, "
        f"on {seen}"
    )

    def give(name: AdviceName, sentence: str, n_more: int | None = None) -> Advice:
        return Advice(name, gain.value, (low, high), level, n_looks, n_more, sentence)

    reason = _reason_to_keep(gain, model_gain, baseline_failures, policy, shown)
    if reason:
        return give("keep", f"Keep: {reason}.")
    least = policy.min_bad_to_adopt
    if low > 0 and n_bad is not None and n_bad < least:
        n_more = max(1, int(np.ceil(n_labelled * (least / max(n_bad, 1) - 1))))
        return give(
            "wait",
            f"Wait: the refined card ranks defaults better ({shown}), but "
            + counted(n_bad, "bad party among them is", "bad parties among them are")
            + f" too few to act on, {least:,} are needed; about "
            + counted(n_more, "more matured party")
            + " would bring them.",
            n_more,
        )
    if low > 0:
        return give("adopt", f"Adopt: the refined card ranks defaults better ({shown}).")
    z_level = float(norm.ppf(0.5 + level / 2))
    factor = ((z_level + _Z_POWER) * gain.standard_error / gain.value) ** 2 - 1
    n_more = max(1, int(np.ceil(round(n_labelled * factor, 6))))
    return give(
        "wait",
        f"Wait: the refined card may rank better, but the data do not settle it ({shown}); at "
        f"least about {counted(n_more, 'more matured party')} would.",
        n_more,
    )


def _reason_to_keep(
    gain: Estimate,
    model_gain: float | None,
    baseline_failures: Sequence[str],
    policy: Policy,
    shown: str,
) -> str:
    """Give why the baseline is to be kept, or "" where the gain is worth a closer look."""
    if baseline_failures:
        gates = ", ".join(baseline_failures)
        return f"the baseline itself is already past {gates}, nothing can move"
    if not gain.standard_error > _SMALLEST_ERROR:
        return "the gain is not estimable, its standard error is 0 or undefined"
    if gain.value < policy.min_gain:
        return f"the refined card does not rank better by {policy.min_gain:.3f} AUC ({shown})"
    if model_gain is not None and model_gain < policy.min_gain:
        return (
            f"the refined card looks better ({shown}), but the model behind it gains only "
            f"{model_gain:+.4f} AUC, so chance is the likelier reason"
        )
    return ""
