"""Choose tau, the width of the prior that ties the model to the expert's weights."""

from __future__ import annotations

import numpy as np
from scipy.special import log_expit

from app.domain.design_matrix import Sample, draw_rows, fold_count, grouped_folds
from app.domain.fitting import anchored_coefficients, calibrate, unidentified_features
from app.domain.types import Floats, Ints

TAUS = (0.05, 0.1, 0.2, 0.35, 0.6, 1.0)
SMALLEST_TAU = TAUS[0]
TAU_SAMPLE_ROWS = 50_000
_MIN_FOLDS = 2
_N_CLASSES = 2


def choose_tau(sample: Sample, weights: Floats, seed: int) -> tuple[float, dict[float, float]]:
    """Choose the prior's width: the smallest within one standard error of the best.

    Parameters
    ----------
    sample : Sample
        Training rows; above 50,000 a stratified sample of that size is used.
    weights : ndarray of shape (d,)
        The baseline's weights, > 0.
    seed : int
        Seed of the folds.

    Returns
    -------
    tuple of (float, dict)
        tau, and the mean log-loss per row of each candidate (empty where there were too few
        parties to choose: the smallest tau is taken).

    Examples
    --------
    >>> goodness = np.array([[0.9, 0.5], [0.1, 0.4], [0.8, 0.9]])
    >>> days, numeric = np.array(["2024-01-01"] * 3, "datetime64[D]"), np.zeros(2, dtype=np.bool_)
    >>> few = Sample(goodness, np.array([0, 1, 0]), np.arange(3), days, goodness, numeric)
    >>> choose_tau(few, np.array([60.0, 40.0]), seed=0)
    (0.05, {})
    """
    is_small = sample.n_rows <= TAU_SAMPLE_ROWS
    part = sample if is_small else sample.take(draw_rows(sample.bad, TAU_SAMPLE_ROWS, seed))
    n_folds = fold_count(part)
    if n_folds < _MIN_FOLDS:
        return SMALLEST_TAU, {}
    losses = np.array(
        [
            _fold_losses(part.take(train), part.take(test), weights)
            for train, test in grouped_folds(part, n_folds, seed)
        ]
    )
    mean = losses.mean(axis=0)
    best = int(np.argmin(mean))
    difference = losses - losses[:, [best]]
    error = difference.std(axis=0, ddof=1) / np.sqrt(len(losses))
    chosen = int(np.flatnonzero(mean - mean[best] <= error)[0])
    return TAUS[chosen], dict(zip(TAUS, mean.tolist(), strict=True))


def _fold_losses(train: Sample, test: Sample, weights: Floats) -> list[float]:
    if len(np.unique(train.bad)) < _N_CLASSES:
        return [0.0] * len(TAUS)
    base = calibrate(train.goodness @ weights, train.bad)
    if base.slope <= 0:
        expert = base.intercept - base.slope * (test.goodness @ weights)
        return [_log_loss(expert, test.bad)] * len(TAUS)
    held = unidentified_features(train.goodness)
    fits = (
        anchored_coefficients(train.goodness, train.bad, weights, tau, base, held) for tau in TAUS
    )
    return [_log_loss(intercept - test.goodness @ b, test.bad) for intercept, b in fits]


def _log_loss(log_odds: Floats, bad: Ints) -> float:
    return float(-np.where(bad == 1, log_expit(log_odds), log_expit(-log_odds)).mean())
