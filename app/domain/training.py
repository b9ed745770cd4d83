"""Train the adviser: data gates, the fit on all labelled rows, its judgement and its advice."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from app.domain.advice import Advice, advise
from app.domain.counted import counted
from app.domain.design_matrix import Sample
from app.domain.discrimination import Estimate
from app.domain.drift import Drift, compare_over_time
from app.domain.fitting import (
    AnchoredFit,
    Calibration,
    DataOnlyFit,
    calibrate,
    fit_anchored,
    fit_data_only,
    unidentified_features,
)
from app.domain.gates import Verdict, auc_gate, data_gates, expert_ranks_gate, improvement_gate
from app.domain.headroom import Headroom, measure_headroom
from app.domain.leakage import (
    LeakageTable,
    LeakSign,
    find_leaks,
    leak_warnings,
    table_of_features,
)
from app.domain.policy import Policy
from app.domain.tau import choose_tau
from app.domain.threads import fits_unwarned, single_threaded
from app.domain.types import Bools, Document, Floats, Progress
from app.domain.validation import CARDS, Card, Validation, validate

MODEL_TYPE = "logistic_regression"
_N_STAGES = 4


@dataclass(frozen=True, slots=True)
class TrainedModel:
    """Hold a fitted model with everything that judged it.

    Attributes
    ----------
    feature_names : tuple of str
        The d features of positive weight, in card order.
    fit : AnchoredFit
        Fitted on all labelled rows.
    data_only : DataOnlyFit
        What the data alone say.
    tau_losses : dict
        Mean log-loss per candidate tau.
    feature_importance : dict
        b_j sd(g_j), summing to 1.
    validation : Validation
        The judgement of the procedure.
    headroom : Headroom
        AUC that a flexible model adds, on ``goodness`` and on ``raw``.
    verdicts : tuple of Verdict
        Data gates and model gates.
    advice : Advice
        Adopt, keep or wait.
    leakage : tuple of LeakSign
        Columns that may have known the outcome.
    n_screened : int
        Rows that were looked at for it.
    drift : Drift
        How the figures move with the scoring date.
    warnings : tuple of str
        What a reviewer should know about the features, the leaks and the drift among it.
    """

    feature_names: tuple[str, ...]
    fit: AnchoredFit
    data_only: DataOnlyFit
    tau_losses: dict[float, float]
    feature_importance: dict[str, float]
    validation: Validation
    headroom: Headroom
    verdicts: tuple[Verdict, ...]
    advice: Advice
    leakage: tuple[LeakSign, ...]
    n_screened: int
    drift: Drift
    warnings: tuple[str, ...]

    @property
    def passed(self) -> bool:
        """Say whether no gate failed."""
        return not any(verdict.is_failed for verdict in self.verdicts)


@single_threaded
def judge_data(sample: Sample, card: Card, policy: Policy) -> tuple[Verdict, ...]:
    """Judge whether the sample can carry a training; nothing is fitted where it cannot.

    Parameters
    ----------
    sample : Sample
        Labelled rows.
    card : Card
        The baseline.
    policy : Policy
        Thresholds.

    Returns
    -------
    tuple of Verdict
        ``sample_size``, ``default_rate`` and, where both classes are there, ``expert_ranks``.
        Counts are of distinct parties.
    """
    n, n_bad = sample.n_parties, sample.n_bad
    verdicts = data_gates(policy, n_labelled=n, n_bad=n_bad, default_rate=n_bad / n if n else None)
    if n_bad == 0 or sample.n_good == 0:
        return verdicts
    slope = calibrate(sample.goodness @ card.weights, sample.bad).slope
    return (*verdicts, expert_ranks_gate(slope, n=n))


@single_threaded
def train(
    sample: Sample,
    population: Floats,
    card: Card,
    feature_names: Sequence[str],
    policy: Policy,
    *,
    data_verdicts: tuple[Verdict, ...],
    validation: str = "auto",
    n_looks: int = 0,
    seed: int = 0,
    recorded: LeakageTable | None = None,
    progress: Progress | None = None,
) -> TrainedModel:
    """Fit on all labelled rows, and judge the procedure on rows it never saw.

    Parameters
    ----------
    sample : Sample
        Labelled rows, n of them with d features.
    population : ndarray of shape (n_all, d)
        Goodness of all rows of the batches, labelled or not.
    card : Card
        The baseline.
    feature_names : sequence of str
        The d features.
    policy : Policy
        Thresholds.
    data_verdicts : tuple of Verdict
        From ``judge_data``; none may have failed.
    validation : {"auto", "out_of_time", "cross_validation", "holdout"}
        How rows are kept unseen.
    n_looks : int
        Earlier models judged against this baseline on overlapping rows.
    seed : int
        Seed of every shuffle.
    recorded : LeakageTable, optional
        All columns of the snapshots, for the leakage check; by default the sample's features.
    progress : callable, optional
        Called as ``progress(stage, done, total)``.

    Returns
    -------
    TrainedModel
        Registered whether its gates pass or fail.

    Raises
    ------
    ValidationInfeasibleError
        If a forced validation mode cannot be done.
    """
    # The fit needs nothing of its validation: side by side no digit moves. The decorator limits
    # both to one thread each; limits that overlap without it would undo one another.
    with fits_unwarned(), ThreadPoolExecutor(1) as beside:
        fitting = beside.submit(_fit_all_rows, sample, card, seed)
        judged = validate(sample, card, policy, mode=validation, seed=seed, progress=progress)
        drift = compare_over_time(sample, card, policy, judged, seed=seed, progress=progress)
        _report(progress, 1)
        fit, losses, data_only = fitting.result()
    _report(progress, 2)
    headroom = measure_headroom(sample, judged.folds, seed)
    _report(progress, 3)
    baseline_failures = tuple(
        v.gate for v in card.rails(population, policy).judge(card.weights) if v.is_failed
    )
    verdicts = (*data_verdicts, *_model_verdicts(judged, policy))
    advice = advise(
        judged.gain,
        policy=policy,
        n_labelled=sample.n_parties,
        n_bad=judged.n_bad,
        n_looks=n_looks,
        baseline_failures=baseline_failures,
        model_gain=judged.model_gain.value,
        seen=f"{counted(judged.n_parties, 'party')} it never saw",
    )
    _report(progress, _N_STAGES)
    names = tuple(feature_names)
    table = recorded or table_of_features(sample, names, seed)
    leakage = find_leaks(table, names)
    warnings = (
        *leak_warnings(leakage),
        *((drift.sentence,) if drift.differs else ()),
        *_feature_warnings(names, sample, fit.held),
    )
    return TrainedModel(
        feature_names=names,
        fit=fit,
        data_only=data_only,
        tau_losses=losses,
        feature_importance=_importance(names, fit, sample.goodness),
        validation=judged,
        headroom=headroom,
        verdicts=verdicts,
        advice=advice,
        leakage=leakage,
        n_screened=len(table.bad),
        drift=drift,
        warnings=warnings,
    )


@single_threaded
def _fit_all_rows(
    sample: Sample, card: Card, seed: int
) -> tuple[AnchoredFit, dict[float, float], DataOnlyFit]:
    base = calibrate(sample.goodness @ card.weights, sample.bad)
    tau, losses = choose_tau(sample, card.weights, seed)
    held = unidentified_features(sample.goodness)
    fit = fit_anchored(sample.goodness, sample.bad, card.weights, tau, base, held)
    return fit, losses, fit_data_only(sample.goodness, sample.bad, held)


def _report(progress: Progress | None, done: int) -> None:
    if progress is not None:
        progress("train", done, _N_STAGES)


def _model_verdicts(judged: Validation, policy: Policy) -> tuple[Verdict, ...]:
    return (
        auc_gate(
            policy,
            auc=judged.auc["model"].value,
            interval=judged.auc["model"].interval(),
            n=judged.n_parties,
            n_bad=judged.n_bad,
        ),
        improvement_gate(
            policy,
            model_gain=judged.model_gain.value,
            model_interval=judged.model_gain.interval(),
            refined_gain=judged.gain.value,
            refined_interval=judged.gain.interval(),
            n=judged.n_parties,
            n_bad=judged.n_bad,
        ),
    )


def _importance(names: tuple[str, ...], fit: AnchoredFit, goodness: Floats) -> dict[str, float]:
    strength = fit.coefficients * goodness.std(axis=0)
    total = float(strength.sum())
    shares = strength / total if total > 0 else np.zeros(len(names))
    return dict(zip(names, shares.tolist(), strict=True))


def _feature_warnings(names: tuple[str, ...], sample: Sample, held: Bools) -> tuple[str, ...]:
    found = []
    for j, name in enumerate(names):
        if not held[j]:
            continue
        if np.isnan(sample.raw[:, j]).all():
            why = "is missing in every labelled row"
        elif sample.goodness[:, j].std() < 1e-9:  # noqa: PLR2004 - goodness lies in [0, 1]
            why = "has the same goodness in every labelled row"
        else:
            why = "is an exact combination of other features"
        found.append(f"{name} {why}: the data cannot tell its weight, it holds the expert's value")
    return tuple(found)


def model_metrics(judged: Validation, headroom: dict[str, float | None]) -> Document:
    """Give the metrics as the registry keeps them.

    Parameters
    ----------
    judged : Validation
        The judgement of the procedure.
    headroom : dict
        From ``measure_headroom``.

    Returns
    -------
    dict
        The model's metrics at the top (``auc_roc`` is a plain float), ``auc_roc_interval``,
        the same for ``refined`` and ``baseline``, the paired gains with intervals,
        ``guardrail_cost`` and ``headroom``.
    """
    cards = {}
    for name in CARDS:
        estimate = judged.auc[name]
        cards[name] = {
            **judged.metrics[name],
            "auc_roc": estimate.value,
            "gini": 2 * estimate.value - 1,
            "auc_roc_se": _finite(estimate.standard_error),
            "auc_roc_interval": _interval(estimate),
        }
    return {
        **cards["model"],
        "refined": cards["refined"],
        "baseline": cards["baseline"],
        "gain": judged.gain.value,
        "gain_se": _finite(judged.gain.standard_error),
        "gain_interval": _interval(judged.gain),
        "model_gain": judged.model_gain.value,
        "model_gain_interval": _interval(judged.model_gain),
        "guardrail_cost": judged.guardrail_cost,
        "headroom": headroom,
        "n_validated": judged.n_parties,
        "n_validated_bad": judged.n_bad,
    }


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None


def _interval(estimate: Estimate) -> list[float | None]:
    return [_finite(end) for end in estimate.interval()]


def model_parameters(model: TrainedModel) -> Document:
    """Give the fitted parameters as JSON-ready lists, in the order of the features.

    Parameters
    ----------
    model : TrainedModel
        The trained model.

    Returns
    -------
    dict
        Coefficients, standard errors, gradient, Hessian, tau, s, a, held features, and the
        data-only coefficients (None where not identified).
    """
    fit, alone = model.fit, model.data_only
    return {
        "features": list(model.feature_names),
        "intercept": fit.intercept,
        "coefficients": fit.coefficients.tolist(),
        "standard_errors": fit.standard_errors.tolist(),
        "gradient": fit.gradient.tolist(),
        "hessian": fit.hessian.tolist(),
        "held": fit.held.tolist(),
        "tau": fit.tau,
        "tau_losses": [[tau, loss] for tau, loss in model.tau_losses.items()],
        "expert_slope": fit.calibration.slope,
        "expert_intercept": fit.calibration.intercept,
        "data_only": {
            "intercept": alone.intercept,
            "coefficients": [_finite(value) for value in alone.coefficients],
            "standard_errors": [_finite(value) for value in alone.standard_errors],
        },
    }


def fit_from_parameters(parameters: Document) -> AnchoredFit:
    """Rebuild the fit from the registry's parameters, bit by bit.

    Parameters
    ----------
    parameters : dict
        From ``model_parameters``, also after a round trip through JSON.

    Returns
    -------
    AnchoredFit
        The same fit.
    """
    return AnchoredFit(
        intercept=float(parameters["intercept"]),
        coefficients=np.array(parameters["coefficients"], dtype=np.float64),
        tau=float(parameters["tau"]),
        calibration=Calibration(
            intercept=float(parameters["expert_intercept"]),
            slope=float(parameters["expert_slope"]),
        ),
        gradient=np.array(parameters["gradient"], dtype=np.float64),
        hessian=np.array(parameters["hessian"], dtype=np.float64),
        held=np.array(parameters["held"], dtype=np.bool_),
    )
