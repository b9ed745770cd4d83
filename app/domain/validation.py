"""Judge the whole procedure on rows that it never saw."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from app.domain.calibration import brier, calibration_intercept, calibration_slope, log_loss
from app.domain.codes import count_distinct
from app.domain.design_matrix import Sample, Split, choose_splits
from app.domain.discrimination import (
    SHARE,
    Components,
    Estimate,
    auc_roc,
    delong_components,
    gini,
    ks,
)
from app.domain.fitting import Calibration, calibrate, fit_anchored
from app.domain.fold_estimates import difference_of_folds, mean_of_folds
from app.domain.guard_rails import GuardRails
from app.domain.policy import Policy
from app.domain.refinement import refine
from app.domain.tau import choose_tau
from app.domain.threads import single_threaded
from app.domain.types import Document, Floats, Progress

CARDS = ("model", "refined", "baseline")
_BOTH = 2


@dataclass(frozen=True, slots=True)
class Card:
    """Hold what the procedure needs of the baseline card.

    Attributes
    ----------
    weights, expert_weights : ndarray of shape (d,)
        Of the features of positive weight; the expert's rescaled to the same sum.
    band_edges : ndarray of shape (n_bands - 1,)
        Lower bounds of the bands but the lowest, in points.
    score_min, score_max : float
        Range of the score in points.
    """

    weights: Floats
    expert_weights: Floats
    band_edges: Floats
    score_min: float
    score_max: float

    def rails(self, goodness: Floats, policy: Policy) -> GuardRails:
        """Give the guard-rails judged on these rows, goodness of shape (n, d)."""
        return GuardRails(
            goodness=goodness,
            weights=self.weights,
            expert_weights=self.expert_weights,
            band_edges=self.band_edges,
            score_min=self.score_min,
            score_max=self.score_max,
            policy=policy,
        )

    def unrounded_scores(self, goodness: Floats, weights: Floats) -> Floats:
        """Give unrounded scores in points, shape (n,), for goodness of shape (n, d)."""
        span = self.score_max - self.score_min
        scores = self.score_min + span * (goodness @ weights) / weights.sum()
        return np.asarray(scores, dtype=np.float64)


@dataclass(frozen=True, slots=True)
class FoldResult:
    """Hold what one training part made and how its test part judged it.

    Attributes
    ----------
    split : Split
        The rows.
    log_odds : dict of ndarray of shape (n_test,)
        Log-odds of bad from ``model``, ``refined`` and ``baseline``.
    scores : dict of ndarray of shape (n_test,)
        Unrounded scores in points of ``refined`` and ``baseline``.
    components : Components or None
        DeLong components of the three; None where the test part lacks a class.
    metrics : dict
        Metrics of each card on the test part; empty where it lacks a class.
    path_auc : dict
        AUC on the test part at each t of the path that this training part made.
    weights, coefficients : ndarray of shape (d,)
        Weights of the refined card, and coefficients of the model in log-odds per unit of
        goodness, that this training part made.
    tau, t : float
        Width and step that this training part chose.
    """

    split: Split
    log_odds: dict[str, Floats]
    scores: dict[str, Floats]
    components: Components | None
    metrics: dict[str, Document]
    path_auc: dict[float, float]
    weights: Floats
    coefficients: Floats
    tau: float
    t: float


@dataclass(frozen=True, slots=True)
class Validation:
    """Hold the judgement of the procedure over all splits.

    Attributes
    ----------
    mode : {"out_of_time", "cross_validation", "holdout"}
        How rows were kept unseen.
    why_not_out_of_time : str
        Why dates did not decide; "" where they did.
    folds : tuple of FoldResult
        One per split.
    auc : dict of Estimate
        AUC of ``model``, ``refined`` and ``baseline`` with clustered standard errors.
    gain, model_gain : Estimate
        Paired AUC of the refined card, and of the model, less the baseline's.
    metrics : dict
        Mean metrics of each card over the test parts.
    n_parties, n_bad : int
        Distinct parties, and bad ones, among the rows tested.
    """

    mode: str
    why_not_out_of_time: str
    folds: tuple[FoldResult, ...]
    auc: dict[str, Estimate]
    gain: Estimate
    model_gain: Estimate
    metrics: dict[str, Document]
    n_parties: int
    n_bad: int

    @property
    def guardrail_cost(self) -> float:
        """Give the AUC that the guard-rails cost: model less refined card."""
        return self.auc["model"].value - self.auc["refined"].value

    def path_auc(self) -> dict[float, float]:
        """Give the mean validated AUC at each t that every fold's path has."""
        paths = [fold.path_auc for fold in self.folds if fold.path_auc]
        steps = set(paths[0]).intersection(*paths[1:]) if paths else set()
        return {t: float(np.mean([path[t] for path in paths])) for t in sorted(steps, reverse=True)}


@single_threaded
def validate(
    sample: Sample,
    card: Card,
    policy: Policy,
    *,
    mode: str = "auto",
    seed: int = 0,
    progress: Progress | None = None,
) -> Validation:
    """Run calibration, choice of tau, fit, guard-rails and step back on each training part.

    Parameters
    ----------
    sample : Sample
        Labelled rows.
    card : Card
        The baseline.
    policy : Policy
        Thresholds of the guard-rails.
    mode : {"auto", "out_of_time", "cross_validation", "holdout"}
        See ``choose_splits``.
    seed : int
        Seed of every shuffle.
    progress : callable, optional
        Called as ``progress("validate", done, total)``.

    Returns
    -------
    Validation
        Estimates on rows that no training part saw.

    Raises
    ------
    ValidationInfeasibleError
        If the mode cannot be done on this sample.
    """
    used, splits, why = choose_splits(sample, mode, seed)
    folds = []
    for done, split in enumerate(splits):
        folds.append(judge_split(sample, split, card, policy, seed))
        if progress is not None:
            progress("validate", done + 1, len(splits))
    return _summarise(sample, used, why, tuple(folds))


def judge_split(sample: Sample, split: Split, card: Card, policy: Policy, seed: int) -> FoldResult:
    """Run the procedure on the split's training rows and judge it on its test rows.

    Parameters
    ----------
    sample : Sample
        Labelled rows.
    split : Split
        Which rows train and which test.
    card : Card
        The baseline.
    policy : Policy
        Thresholds of the guard-rails.
    seed : int
        Seed of the inner folds.

    Returns
    -------
    FoldResult
        Where the expert does not rank risk in the training part (s <= 0), its model and its
        refined card are the baseline.
    """
    train, test = sample.take(split.train), sample.take(split.test)
    base = calibrate(train.goodness @ card.weights, train.bad)
    baseline = base.intercept - base.slope * (test.goodness @ card.weights)
    model, weights, tau, t = baseline, card.weights, 0.0, 0.0
    coefficients = base.slope * card.weights
    path: tuple[tuple[float, Floats], ...] = ()
    if base.slope > 0:
        tau, _ = choose_tau(train, card.weights, seed)
        fit = fit_anchored(train.goodness, train.bad, card.weights, tau, base)
        model, coefficients = fit.log_odds(test.goodness), fit.coefficients
        refinement = refine(fit, card.rails(train.goodness, policy))
        weights, t = refinement.weights, refinement.t
        path = tuple((step.t, step.weights) for step in refinement.path)
    refit = calibrate(train.goodness @ weights, train.bad)
    log_odds = {
        "model": model,
        "refined": _calibrated(refit, test.goodness @ weights),
        "baseline": baseline,
    }
    scores = {
        "refined": card.unrounded_scores(test.goodness, weights),
        "baseline": card.unrounded_scores(test.goodness, card.weights),
    }
    # A model fitted where the expert ranks backwards is the baseline card, not its reversed slope.
    risks = np.stack(
        [model if base.slope > 0 else -scores["baseline"], -scores["refined"], -scores["baseline"]]
    )
    has_both = len(np.unique(test.bad)) == _BOTH
    return FoldResult(
        split=split,
        log_odds=log_odds,
        scores=scores,
        components=delong_components(risks, test.bad) if has_both else None,
        metrics=_fold_metrics(risks, log_odds, test, float(train.bad.mean())) if has_both else {},
        path_auc=_path_auc(path, test, card) if has_both else {},
        weights=weights,
        coefficients=coefficients,
        tau=tau,
        t=t,
    )


def _calibrated(calibration: Calibration, z: Floats) -> Floats:
    return calibration.intercept - calibration.slope * z


def _path_auc(path: Sequence[tuple[float, Floats]], test: Sample, card: Card) -> dict[float, float]:
    """Measure AUC at every twentieth of the path; t = 0 and 1 are among them."""
    return {
        t: auc_roc(-card.unrounded_scores(test.goodness, weights), test.bad)
        for t, weights in path
        if round(t * 100) % 5 == 0
    }


def _fold_metrics(
    risks: Floats, log_odds: dict[str, Floats], test: Sample, bad_rate: float
) -> dict[str, Document]:
    ranking = dict(zip(CARDS, risks, strict=True))
    return {name: card_metrics(ranking[name], log_odds[name], test, bad_rate) for name in CARDS}


def card_metrics(risk: Floats, log_odds: Floats, test: Sample, bad_rate: float) -> Document:
    """Compute the metrics of one card on one test part.

    Parameters
    ----------
    risk : ndarray of shape (n,)
        What ranks the rows, higher is riskier.
    log_odds : ndarray of shape (n,)
        Predicted log-odds of bad.
    test : Sample
        The rows; both classes present.
    bad_rate : float
        The training part's bad rate: the probability from which a row is called bad.

    Returns
    -------
    dict
        auc_roc, gini, ks, brier, log_loss, accuracy, precision, recall,
        calibration_intercept, calibration_slope; None where not defined.
    """
    bad = test.bad
    probability = np.asarray(expit(log_odds), dtype=np.float64)
    auc = auc_roc(risk, bad)
    called = probability >= bad_rate
    n_called, hits = int(called.sum()), int((called & (bad == 1)).sum())
    return {
        "auc_roc": auc,
        "gini": gini(auc),
        "ks": ks(risk, bad),
        "brier": brier(probability, bad),
        "log_loss": log_loss(probability, bad),
        "accuracy": float((called == (bad == 1)).mean()),
        "precision": hits / n_called if n_called else None,
        "recall": hits / int(bad.sum()),
        "calibration_intercept": calibration_intercept(log_odds, bad),
        "calibration_slope": calibration_slope(log_odds, bad),
    }


def _summarise(sample: Sample, mode: str, why: str, folds: tuple[FoldResult, ...]) -> Validation:
    judged = [(fold, fold.components) for fold in folds if fold.components is not None]
    estimates = {
        name: _estimate(sample, [(f.split.test, c.values[row]) for f, c in judged])
        for row, name in enumerate(CARDS)
    }
    refined, model, baseline = CARDS.index("refined"), CARDS.index("model"), -1
    gain, model_gain = (
        _gain(sample, [(f.split.test, c.values[card] - c.values[baseline]) for f, c in judged])
        for card in (refined, model)
    )
    tested = np.unique(np.concatenate([fold.split.test for fold, _ in judged]))
    party, is_bad = sample.party[tested], sample.bad[tested] == 1
    return Validation(
        mode=mode,
        why_not_out_of_time=why,
        folds=folds,
        auc=estimates,
        gain=gain,
        model_gain=model_gain,
        metrics={name: _mean_metrics(folds, name) for name in CARDS},
        n_parties=count_distinct(party),
        n_bad=count_distinct(party[is_bad]),
    )


def _estimate(sample: Sample, folds: list[tuple[np.ndarray, Floats]]) -> Estimate:
    return Estimate(*mean_of_folds(folds, sample.bad, sample.party), limits=SHARE)


def _gain(sample: Sample, folds: list[tuple[np.ndarray, Floats]]) -> Estimate:
    return Estimate(*difference_of_folds(folds, sample.bad, sample.party))


def _mean_metrics(folds: tuple[FoldResult, ...], name: str) -> Document:
    rows = [fold.metrics[name] for fold in folds if fold.metrics]
    means: Document = {}
    for metric in rows[0]:
        values = [row[metric] for row in rows if row[metric] is not None]
        means[metric] = float(np.mean(values)) if values else None
    return means
