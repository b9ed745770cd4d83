"""The cone program against SciPy's SLSQP, and the guard-rails that hold by construction."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize
from scipy.special import expit

from app.domain import cone_program
from app.domain.cone_program import solve_guarded_weights
from app.domain.fitting import calibrate, fit_anchored
from app.domain.guard_rails import GuardRails
from app.domain.policy import Policy
from app.domain.refinement import refine, round_weights

EDGES = np.array([450.0, 600.0, 700.0, 800.0])


def fitted(seed, n, weights, truth, expert=None, tau=1.0, policy=None):
    generator = np.random.default_rng(seed)
    goodness = generator.beta(2, 2, size=(n, len(weights)))
    bad = (generator.random(n) < expit(1.5 - 0.06 * goodness @ truth)).astype(np.int64)
    base = calibrate(goodness @ weights, bad)
    fit = fit_anchored(goodness, bad, weights, tau, base)
    rails = GuardRails(
        goodness=goodness, weights=weights, expert_weights=weights if expert is None else expert,
        band_edges=EDGES, score_min=300.0, score_max=900.0, policy=policy or Policy(),
    )  # fmt: skip
    return fit, rails


@pytest.mark.parametrize("rows_at_once", [3, 7, 1_000])
def test_the_root_of_the_covariance_is_numpys_whatever_the_blocks(rows_at_once, monkeypatch):
    monkeypatch.setattr(cone_program, "_ROWS_AT_ONCE", rows_at_once)
    goodness = np.random.default_rng(5).beta(2, 2, size=(500, 4))
    root = cone_program._covariance_root(goodness)
    np.testing.assert_allclose(root.T @ root, np.cov(goodness.T), rtol=1e-12)


def slsqp_weights(fit, rails):
    w, policy = rails.weights, rails.policy
    d = len(w)
    anchor = fit.calibration.slope * w
    covariance = np.cov(rails.goodness.T)

    def loss(v):
        step = v[:d] * anchor - fit.coefficients
        return (2 * fit.gradient @ step + step @ fit.hessian @ step) / 100

    def correlation(v):
        beta = v[:d] * w
        return w @ covariance @ beta - policy.correlation_bound * np.sqrt(
            (beta @ covariance @ beta) * (w @ covariance @ w)
        )

    d_w, d_c = policy.weight_change_bound, policy.cumulative_change_bound
    constraints = [
        {"type": "eq", "fun": lambda v: v[:d] @ w / w.sum() - v[d]},
        {"type": "ineq", "fun": lambda v: v[:d] - (1 - d_w) * v[d]},
        {"type": "ineq", "fun": lambda v: (1 + d_w) * v[d] - v[:d]},
        {"type": "ineq", "fun": lambda v: (1 + d_c) * v[d] * rails.expert_weights / w - v[:d]},
        {"type": "ineq", "fun": correlation},
    ]
    found = minimize(loss, np.ones(d + 1), method="SLSQP", constraints=constraints,
                     options={"ftol": 1e-14, "maxiter": 2000})  # fmt: skip
    assert found.success
    relative = found.x[:d] / (found.x[:d] @ w / w.sum())
    return w * relative


@pytest.mark.parametrize("truth", [[40, 30, 20, 10], [80, 5, 5, 10], [10, 20, 30, 40]])
def test_program_is_the_minimum_that_slsqp_finds(truth):
    weights = np.array([40.0, 30.0, 20.0, 10.0])
    fit, rails = fitted(1, 3000, weights, np.array(truth, dtype=float))
    assert solve_guarded_weights(fit, rails) == pytest.approx(slsqp_weights(fit, rails), rel=2e-3)


def test_cumulative_bound_is_measured_from_the_expert_not_the_baseline():
    weights = np.array([70.0, 10.0, 10.0, 10.0])
    expert = np.array([40.0, 20.0, 20.0, 20.0])
    fit, rails = fitted(2, 20000, weights, np.array([95.0, 2.0, 2.0, 1.0]), expert)
    found = refine(fit, rails)
    assert found.target[0] <= 1.99 * 40 + 1e-6
    assert "cumulative_change" in found.binding[0]


@pytest.mark.parametrize("seed", [72, 543, 1809])
def test_weights_over_five_powers_of_ten_are_solved_too(seed):
    generator = np.random.default_rng(seed)
    d = int(generator.integers(5, 12))
    weights = 10 ** generator.uniform(-3, 2, d)
    goodness = generator.beta(0.5, 0.5, size=(300, d)).round(seed % 3)
    risk = expit(1 - 3 * goodness @ weights / weights.sum())
    bad = (generator.random(300) < risk).astype(np.int64)
    fit = fit_anchored(goodness, bad, weights, 0.2, calibrate(goodness @ weights, bad))
    policy = Policy(max_weight_change=0.9)
    rails = GuardRails(goodness, weights, weights, EDGES, 300.0, 900.0, policy)
    relative = solve_guarded_weights(fit, rails) / weights
    model = fit.coefficients / weights
    # No guard-rail is near: the nearest card is the model itself, rescaled.
    expected = model * weights.sum() / fit.coefficients.sum()
    assert relative == pytest.approx(expected, rel=1e-4)


def test_a_tight_correlation_bound_binds():
    weights = np.array([10.0, 10.0, 10.0, 10.0])
    policy = Policy(min_score_correlation=0.97, max_band_shift=1.0)
    fit, rails = fitted(3, 20000, weights, np.array([60.0, 1.0, 1.0, 1.0]), policy=policy)
    found = refine(fit, rails)
    value = next(v.value for v in found.verdicts if v.gate == "score_correlation")
    assert 0.97 < value < 0.98
    assert all("score_correlation" in name for name in found.binding)


def test_a_baseline_that_is_already_past_a_gate_moves_nothing_and_is_named():
    weights = np.array([70.0, 10.0, 10.0, 10.0])
    expert = np.array([25.0, 25.0, 25.0, 25.0])
    fit, rails = fitted(4, 5000, weights, np.array([40.0, 30.0, 20.0, 10.0]), expert)
    found = refine(fit, rails)
    assert found.baseline_failures == ("cumulative_change",)
    assert np.array_equal(found.weights, weights)
    assert not found.has_moved


def test_a_held_feature_keeps_its_weight_to_the_last_digit():
    weights = np.array([37.123456, 30.0, 20.0, 12.876544])
    generator = np.random.default_rng(5)
    goodness = generator.beta(2, 2, size=(4000, 4))
    goodness[:, 0] = 0.5
    bad = (generator.random(4000) < expit(1.5 - goodness @ [0, 4.0, 0.2, 0.2])).astype(np.int64)
    fit = fit_anchored(goodness, bad, weights, 1.0, calibrate(goodness @ weights, bad))
    rails = GuardRails(goodness, weights, weights, EDGES, 300.0, 900.0, Policy())
    found = refine(fit, rails)
    assert found.has_moved
    assert found.weights[0] == 37.123456
    assert found.binding[0] == "held"
    assert found.weights.sum() == pytest.approx(weights.sum(), abs=1e-9)


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    n=st.integers(60, 600),
    weights=st.lists(st.floats(0.5, 60), min_size=2, max_size=8),
    data=st.data(),
)
def test_every_draft_passes_every_weight_gate_or_nothing_moves(seed, n, weights, data):
    w = np.array(weights)
    truth = np.array(data.draw(st.lists(st.floats(0, 60), min_size=len(w), max_size=len(w))))
    generator = np.random.default_rng(seed)
    goodness = np.round(generator.beta(1, 1, size=(n, len(w))), data.draw(st.integers(0, 3)))
    risk = expit(1.0 - 3 * goodness @ truth / max(truth.sum(), 1))
    bad = (generator.random(n) < risk).astype(np.int64)
    bad[:2] = (0, 1)
    base = calibrate(goodness @ w, bad)
    if base.slope <= 0:
        return
    fit = fit_anchored(goodness, bad, w, data.draw(st.sampled_from([0.05, 0.35, 1.0])), base)
    found = refine(fit, GuardRails(goodness, w, w, EDGES, 300.0, 900.0, Policy()))
    assert not any(verdict.is_failed for verdict in found.verdicts)
    assert found.weights.sum() == pytest.approx(w.sum(), rel=1e-9)
    assert (found.weights > 0).all()


@given(st.lists(st.floats(0.01, 100), min_size=1, max_size=20))
def test_rounding_keeps_the_sum_and_moves_no_weight_by_more_than_a_step(weights):
    w = np.array(weights)
    rounded = round_weights(w)
    step = min(0.01, 10 ** np.floor(np.log10(w.min() / 1000) + 1e-9))
    assert rounded.sum() == pytest.approx(w.sum(), rel=1e-9)
    assert np.abs(rounded - w).max() <= 2.01 * step
