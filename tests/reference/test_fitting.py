"""The anchored fit against SciPy's optimisers, which know nothing of glum."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from app.domain.calibration import calibration_intercept, calibration_slope
from app.domain.design_matrix import Sample
from app.domain.fitting import (
    calibrate,
    fit_anchored,
    fit_data_only,
    unidentified_features,
)
from app.domain.tau import SMALLEST_TAU, choose_tau

WEIGHTS = np.array([40.0, 30.0, 20.0, 10.0])


def portfolio(seed: int, n: int, truth: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    goodness = np.clip(generator.beta(2, 2, size=(n, len(truth))), 0, 1)
    bad = (generator.random(n) < expit(1.5 - 0.06 * goodness @ truth)).astype(np.int64)
    return goodness, bad


def sample_of(goodness: np.ndarray, bad: np.ndarray) -> Sample:
    n, d = goodness.shape
    return Sample(
        goodness=goodness,
        bad=bad,
        party=np.arange(n),
        scored_on=np.full(n, np.datetime64("2026-01-01", "D")),
        raw=goodness,
        categorical=np.zeros(d, dtype=bool),
    )


def objective(theta, goodness, bad, anchor, tau):
    log_odds = theta[0] - goodness @ theta[1:]
    loss = np.logaddexp(0, log_odds) - bad * log_odds
    return loss.sum() + (((theta[1:] - anchor) / anchor) ** 2).sum() / (2 * tau**2)


@pytest.mark.parametrize("tau", [0.05, 0.35, 1.0])
@pytest.mark.parametrize("truth", [WEIGHTS, np.array([80.0, 0.0, 20.0, 0.0])])
def test_anchored_fit_is_the_minimum_that_scipy_finds(tau, truth):
    goodness, bad = portfolio(3, 1500, truth)
    base = calibrate(goodness @ WEIGHTS, bad)
    anchor = base.slope * WEIGHTS
    fit = fit_anchored(goodness, bad, WEIGHTS, tau, base)
    found = minimize(
        objective, np.append(base.intercept, anchor), (goodness, bad, anchor, tau),
        method="L-BFGS-B", bounds=[(None, None)] + [(0, None)] * 4,
        options={"ftol": 1e-15, "gtol": 1e-9, "maxiter": 5000},
    )  # fmt: skip
    assert fit.coefficients == pytest.approx(found.x[1:], rel=2e-3, abs=2e-3)
    mine = objective(np.append(fit.intercept, fit.coefficients), goodness, bad, anchor, tau)
    assert mine <= found.fun + 1e-6


def test_calibration_is_the_unpenalised_regression_of_scikit_learn():
    goodness, bad = portfolio(4, 2000, WEIGHTS)
    z = goodness @ WEIGHTS
    model = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000).fit(z[:, None], bad)
    found = calibrate(z, bad)
    assert found.slope == pytest.approx(-model.coef_[0, 0], rel=1e-5)
    assert found.intercept == pytest.approx(model.intercept_[0], rel=1e-5)


def test_data_only_fit_is_the_unpenalised_regression_and_its_wald_errors():
    goodness, bad = portfolio(5, 3000, WEIGHTS)
    model = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000).fit(goodness, bad)
    found = fit_data_only(goodness, bad)
    assert found.coefficients == pytest.approx(-model.coef_[0], rel=1e-4)
    p = model.predict_proba(goodness)[:, 1]
    design = np.column_stack([np.ones(len(bad)), goodness])
    covariance = np.linalg.inv((design * (p * (1 - p))[:, None]).T @ design)
    assert found.standard_errors == pytest.approx(np.sqrt(np.diag(covariance))[1:], rel=1e-4)


def test_gradient_vanishes_off_the_bounds_and_points_outward_on_them():
    goodness, bad = portfolio(6, 4000, np.array([90.0, -40.0, 20.0, 10.0]))
    base = calibrate(goodness @ WEIGHTS, bad)
    fit = fit_anchored(goodness, bad, WEIGHTS, 1.0, base)
    on_bound = fit.coefficients == 0
    assert on_bound.any()
    assert (fit.gradient[on_bound] > 0).all()
    assert (fit.gradient[~on_bound] == 0).all()


def test_hessian_is_the_second_difference_of_the_profiled_objective():
    goodness, bad = portfolio(7, 800, WEIGHTS)
    base = calibrate(goodness @ WEIGHTS, bad)
    tau = 0.35
    anchor = base.slope * WEIGHTS
    fit = fit_anchored(goodness, bad, WEIGHTS, tau, base)

    def profiled(b):
        return minimize(
            lambda a: objective(np.append(a, b), goodness, bad, anchor, tau),
            [fit.intercept], method="BFGS", options={"gtol": 1e-10},
        ).fun  # fmt: skip

    step = 0.02
    for j in range(4):
        e = np.zeros(4)
        e[j] = step
        b = fit.coefficients
        second = (profiled(b + e) - 2 * profiled(b) + profiled(b - e)) / step**2
        assert fit.hessian[j, j] == pytest.approx(second, rel=1e-2)


@pytest.mark.parametrize("kind", ["constant", "collinear", "duplicate"])
def test_a_feature_that_the_data_cannot_identify_holds_the_experts_value(kind):
    goodness, bad = portfolio(8, 1000, np.array([80.0, 0.0, 20.0, 0.0]))
    if kind == "constant":
        goodness[:, 1] = 0.4
        held = [False, True, False, False]
    elif kind == "collinear":
        goodness[:, 1] = 1 - goodness[:, 0]
        held = [True, True, False, False]
    else:
        goodness[:, 1] = goodness[:, 0]
        held = [True, True, False, False]
    assert unidentified_features(goodness).tolist() == held
    base = calibrate(goodness @ WEIGHTS, bad)
    fit = fit_anchored(goodness, bad, WEIGHTS, 1.0, base)
    expert = base.slope * WEIGHTS
    assert fit.coefficients[held] == pytest.approx(expert[held], rel=1e-12)
    assert np.isnan(fit_data_only(goodness, bad).coefficients).tolist() == held


def test_tau_is_small_where_the_expert_is_right_and_large_where_he_is_far_off():
    right = sample_of(*portfolio(9, 3000, WEIGHTS))
    wrong = sample_of(*portfolio(9, 20000, WEIGHTS[::-1].copy()))
    assert choose_tau(right, WEIGHTS, 0)[0] <= 0.2
    assert choose_tau(wrong, WEIGHTS, 0)[0] >= 0.6


def test_tau_is_the_smallest_where_no_fold_can_be_filled():
    goodness, bad = portfolio(10, 50, WEIGHTS)
    bad[:] = 0
    bad[0] = 1
    assert choose_tau(sample_of(goodness, bad), WEIGHTS, 0) == (SMALLEST_TAU, {})


def test_calibration_slope_and_intercept_are_those_of_scikit_learn():
    goodness, bad = portfolio(11, 2000, WEIGHTS)
    log_odds = 2.5 - 5 * goodness.mean(axis=1)
    model = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000).fit(log_odds[:, None], bad)
    assert calibration_slope(log_odds, bad) == pytest.approx(model.coef_[0, 0], rel=1e-5)
    shift = calibration_intercept(log_odds, bad)
    assert expit(log_odds + shift).mean() == pytest.approx(bad.mean(), abs=1e-10)
