"""Follow the product's procedure on one sample, step by step, without the headroom models."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from app.domain.advice import Advice, advise
from app.domain.design_matrix import Sample
from app.domain.fitting import AnchoredFit, calibrate, fit_anchored, fit_data_only
from app.domain.gates import auc_gate, improvement_gate
from app.domain.policy import Policy
from app.domain.refinement import Refinement, refine
from app.domain.tau import choose_tau
from app.domain.training import judge_data
from app.domain.types import Floats
from app.domain.validation import Card, Validation, validate

POLICY = Policy()
ANY_NUMBER_OF_BAD = Policy(min_bad_to_adopt=1)
"""For what the interval alone would do."""
STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class Followed:
    """Hold what the product said of one sample.

    Attributes
    ----------
    advice : str
        adopt, keep or wait; ``stopped`` where a data gate failed and nothing was trained.
    is_drafted : bool
        Whether refining makes a draft unasked: adopt or wait, and no gate failed.
    judged : Validation or None
        None where training stopped.
    given : Advice or None
        The same.
    """

    advice: str
    is_drafted: bool
    judged: Validation | None = None
    given: Advice | None = None

    @property
    def is_adopted(self) -> bool:
        """Say whether following the advice changes the card."""
        return self.advice == "adopt" and self.is_drafted

    @property
    def is_clear(self) -> bool:
        """Say whether it would, if the policy asked for no least number of bad parties."""
        return self.is_drafted and self.given is not None and self.given.interval[0] > 0


def follow(
    sample: Sample, card: Card, *, mode: str = "auto", n_looks: int = 0, seed: int = 0,
    policy: Policy = POLICY,
) -> Followed:  # fmt: skip
    """Judge the data, run the validation and give the advice, as training does.

    Parameters
    ----------
    sample : Sample
        Labelled rows.
    card : Card
        The baseline.
    mode : {"auto", "out_of_time", "cross_validation", "holdout"}
        How rows are kept unseen.
    n_looks : int
        Earlier models judged against this baseline on overlapping rows.
    seed : int
        Seed of every shuffle.
    policy : Policy
        Thresholds.

    Returns
    -------
    Followed
        Advice and judgement; ``tests/evidence`` holds it against ``app.domain.training.train``.
    """
    if any(verdict.is_failed for verdict in judge_data(sample, card, policy)):
        return Followed(STOPPED, is_drafted=False)
    judged = validate(sample, card, policy, mode=mode, seed=seed)
    rails = card.rails(sample.goodness, policy)
    advice = advise(
        judged.gain,
        policy=policy,
        n_labelled=sample.n_parties,
        n_bad=judged.n_bad,
        n_looks=n_looks,
        baseline_failures=tuple(v.gate for v in rails.judge(card.weights) if v.is_failed),
        model_gain=judged.model_gain.value,
    )
    auc = judged.auc["model"]
    counts = {"n": judged.n_parties, "n_bad": judged.n_bad}
    gates = (
        auc_gate(policy, auc=auc.value, interval=auc.interval(), **counts),
        improvement_gate(
            policy,
            model_gain=judged.model_gain.value,
            model_interval=judged.model_gain.interval(),
            refined_gain=judged.gain.value,
            refined_interval=judged.gain.interval(),
            **counts,
        ),
    )
    blocked = any(verdict.is_failed for verdict in gates)
    return Followed(advice.name, advice.name != "keep" and not blocked, judged, advice)


def refine_all(sample: Sample, card: Card, *, seed: int = 0) -> tuple[AnchoredFit, Refinement]:
    """Fit on all labelled rows and refine, as a draft is made.

    Parameters
    ----------
    sample : Sample
        Labelled rows, which stand for all rows of the batches too.
    card : Card
        The baseline; it must rank risk here.
    seed : int
        Seed of the folds that choose tau.

    Returns
    -------
    tuple of (AnchoredFit, Refinement)
        The model and the draft's weights.
    """
    base = calibrate(sample.goodness @ card.weights, sample.bad)
    tau, _ = choose_tau(sample, card.weights, seed)
    fit = fit_anchored(sample.goodness, sample.bad, card.weights, tau, base)
    return fit, refine(fit, card.rails(sample.goodness, POLICY))


def unanchored(sample: Sample) -> Floats:
    """Give the coefficients of a regression that knows no expert, 0 where not identified."""
    return np.nan_to_num(fit_data_only(sample.goodness, sample.bad).coefficients)
