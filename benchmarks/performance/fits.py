"""Fit with choice of tau, and with all evidence: against one fit of glum and of scikit-learn."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from glum import GeneralizedLinearRegressor
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from app.domain.design_matrix import Sample
from app.domain.fitting import calibrate, fit_anchored
from app.domain.policy import Policy
from app.domain.tau import choose_tau
from app.domain.training import judge_data, train
from app.domain.validation import Card
from benchmarks.performance.data import SEED
from benchmarks.performance.measure import Row, compare, timed

TAU, WHOLE = "fit with choice of tau", "training with all evidence"
GLUM, SCIKIT = "one glum fit", "one scikit-learn fit"
SIZES = {30_000: 5, 1_000_000: 3, 5_000_000: 1}
N_FEATURES = 16
_DAYS = 540


def measure_fits(folder: Path) -> list[Row]:
    """Fit samples of 30 k, 1 M and 5 M labelled rows with sixteen features.

    Parameters
    ----------
    folder : Path
        Not used: rows are made in memory.

    Returns
    -------
    list of dict
        One row per size.
    """
    del folder
    return [_compared(n, repeats) for n, repeats in SIZES.items()]


def _compared(n: int, repeats: int) -> Row:
    sample, card = simulated_sample(n)
    policy = Policy()
    names = [f"feature_{place}" for place in range(N_FEATURES)]
    verdicts = judge_data(sample, card, policy)

    def with_tau() -> None:
        tau, _ = choose_tau(sample, card.weights, 0)
        base = calibrate(sample.goodness @ card.weights, sample.bad)
        fit_anchored(sample.goodness, sample.bad, card.weights, tau, base)

    def whole() -> None:
        train(sample, sample.goodness, card, names, policy, data_verdicts=verdicts)

    runs = {
        TAU: timed(with_tau),
        WHOLE: timed(whole),
        GLUM: timed(lambda: fit_by_glum(sample)),
        SCIKIT: timed(lambda: LogisticRegression(C=np.inf).fit(sample.goodness, sample.bad)),
    }
    return compare("fit", n, runs, repeats, warm=n == min(SIZES))


def fit_by_glum(sample: Sample) -> None:
    """Fit once, without penalty."""
    GeneralizedLinearRegressor(family="binomial", alpha=0).fit(sample.goodness, sample.bad)


def simulated_sample(n: int) -> tuple[Sample, Card]:
    """Draw labelled rows whose odds follow weights that are near the card's.

    Parameters
    ----------
    n : int
        Rows, each of a party of its own, scored over 18 months.

    Returns
    -------
    tuple of (Sample, Card)
        Sixteen features; about one in ten is bad.
    """
    rng = np.random.default_rng([SEED, n])
    goodness = np.round(rng.random((n, N_FEATURES)), 2)
    weights = np.linspace(3.0, 15.0, N_FEATURES)
    true = weights * np.where(np.arange(N_FEATURES) % 2, 1.5, 0.6)
    bad = rng.random(n) < expit(0.5 - 6.0 * goodness @ (true / true.sum()))
    days = np.sort(rng.integers(0, _DAYS, n))
    sample = Sample(
        goodness=goodness,
        bad=bad.astype(np.int64),
        party=np.arange(n),
        scored_on=np.datetime64("2024-01-01") + days,
        raw=goodness * 100,
        categorical=np.zeros(N_FEATURES, dtype=np.bool_),
    )
    edges = np.array([500.0, 650.0, 750.0])
    return sample, Card(weights, weights.copy(), edges, 300.0, 900.0)
