"""Monitoring's statistics against R's pROC and rms, the ECB's example, and SciPy.

The R session, on R 4.2.2 with pROC 1.18.0 and rms 6.5.0 (Debian's packages), on the 113 patients
of pROC's data set aSAH (Turck et al., Intensive Care Medicine 36, 2010)::

    library(pROC); library(rms); data(aSAH)
    y <- as.integer(aSAH$outcome == "Poor"); w <- as.integer(aSAH$wfns)
    r <- roc(y, aSAH$s100b, direction = "<"); ci.auc(r); var(r)
    roc.test(r, roc(y, w, direction = "<"), paired = TRUE, method = "delong")
    lo <- -2 + 0.4 * w
    val.prob(plogis(lo), y, pl = FALSE)[c("C (ROC)", "Brier", "Intercept", "Slope")]
    summary(glm(y ~ lo, binomial))$coefficients; confint.default(glm(y ~ lo, binomial))
    g <- glm(y ~ offset(lo), binomial); summary(g)$coefficients; confint.default(g)
    pbeta(0.025, 7.5, 193.5); p.adjust(c(0.001, 0.02, 0.015, 0.2, 0.04), "holm")
"""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit
from scipy.stats import chi2, fisher_exact

from app.domain.calibration import brier, intercept_estimate, slope_estimate
from app.domain.discrimination import auc_estimate, paired_auc_difference
from app.domain.monitoring.bins import count_values, freeze_categories, freeze_numbers
from app.domain.monitoring.chance import holm, psi_without_change
from app.domain.monitoring.jeffreys import jeffreys_p_value
from app.domain.monitoring.odds import freeze_calibration

POOR = np.array([int(digit) for digit in (
    "00001101001011001011101000000000100110110000000001100010001010011101101111000110"
    "100000010000000000001111110001000"
)])  # fmt: skip
S100B = np.array([
    13, 14, 10, 4, 13, 10, 47, 16, 18, 10, 12, 10, 44, 71, 4, 8, 49, 4, 7, 33, 9, 9, 7, 11, 7,
    17, 7, 11, 13, 19, 5, 16, 41, 14, 34, 35, 48, 9, 96, 25, 50, 46, 16, 7, 43, 45, 11, 8, 9,
    86, 52, 8, 6, 13, 207, 10, 14, 15, 7, 6, 77, 5, 9, 30, 3, 9, 4, 23, 70, 9, 27, 71, 8, 26,
    8, 16, 9, 13, 10, 8, 11, 33, 11, 28, 7, 10, 32, 22, 7, 5, 24, 38, 10, 15, 8, 14, 10, 7, 4,
    19, 56, 14, 58, 32, 82, 74, 15, 47, 17, 44, 15, 50, 48,
]) / 100  # fmt: skip
WFNS = np.array([float(digit) for digit in (
    "11113254125255125225211112121134214541425511241125521251222151125214524414121421"
    "232421451154221113125225552445111"
)])  # fmt: skip
LOG_ODDS = -2 + 0.4 * WFNS


def test_the_jeffreys_test_gives_the_example_of_the_ecb():
    assert jeffreys_p_value(200, 7, 0.025) == pytest.approx(0.177852704399, abs=1e-12)


def test_auc_and_delongs_variance_are_those_of_proc():
    found = auc_estimate(S100B, POOR)
    assert found.value == pytest.approx(0.731368563685637, abs=1e-12)
    assert found.standard_error**2 == pytest.approx(0.00266868245717244, abs=1e-12)
    limits = (0.630118211761623, 0.832618915609651)
    assert found.interval() == pytest.approx(limits, abs=1e-9)


def test_the_paired_difference_is_that_of_procs_roc_test():
    found = paired_auc_difference(S100B, WFNS, POOR)
    z = found.value / found.standard_error
    assert z == pytest.approx(-2.20898359144091, abs=1e-9)
    limits = (-0.1742144192494776, -0.0104061769564846)
    assert found.interval() == pytest.approx(limits, abs=1e-9)


def test_calibration_slope_and_intercept_are_those_of_rms_and_glm():
    assert brier(expit(LOG_ODDS), POOR) == pytest.approx(0.185911403416217, abs=1e-12)
    slope = slope_estimate(LOG_ODDS, POOR)
    # Our fit has a ridge of 1e-4 per standard deviation, which keeps separated data finite.
    assert slope.value == pytest.approx(2.08778382673671, rel=2e-5)
    assert slope.standard_error == pytest.approx(0.39589417635766, rel=2e-5)
    assert slope.interval() == pytest.approx((1.311845499386549, 2.86372215408687), rel=2e-5)
    intercept = intercept_estimate(LOG_ODDS, POOR)
    assert intercept.value == pytest.approx(0.369734733105333, abs=1e-8)
    assert intercept.standard_error == pytest.approx(0.204718373157119, abs=1e-8)
    limits = (-0.0315059052562523, 0.770975371466918)
    assert intercept.interval() == pytest.approx(limits, abs=1e-8)


def test_a_frozen_calibration_has_the_coefficients_and_errors_of_glm():
    found = freeze_calibration(-LOG_ODDS, POOR)
    at_zero = np.array([0.0, 1.0]) * -1
    intercept, at_one = found.log_odds(at_zero)
    assert intercept == pytest.approx(1.32140195387681, rel=2e-5)
    assert at_one - intercept == pytest.approx(2.08778382673671, rel=2e-5)
    of_a, of_s, both = found.variances
    error = np.sqrt(of_s) / found.scale
    assert error == pytest.approx(0.39589417635766, rel=2e-5)
    k = found.centre / found.scale  # log-odds at 0 are a + k s
    assert np.sqrt(of_a + k**2 * of_s + 2 * k * both) == pytest.approx(0.4134349117674, rel=2e-5)


def test_dealing_two_bins_anew_is_fishers_exact_test():
    expected, actual = np.array([50, 50]), np.array([20, 40])
    found = psi_without_change(expected, actual, n_draws=99_999)
    # Two bins: each deal is one number. PSI and the probability of a deal order them nearly alike.
    exact = fisher_exact([expected, actual]).pvalue
    assert found.p_value == pytest.approx(exact, rel=0.1)


def test_at_large_counts_dealing_anew_is_the_chi_square_of_yurdakul_and_naranjo():
    expected, actual = np.full(10, 2_000), np.full(10, 500)
    found = psi_without_change(expected, actual, n_draws=20_000)
    for level in (0.5, 0.9, 0.95, 0.99):
        quantile = (1 / 20_000 + 1 / 5_000) * chi2.ppf(level, 9)
        assert found.quantile(level) == pytest.approx(quantile, rel=0.05)


@pytest.mark.parametrize("n", [1, 7, 99, 1_000, 12_345])
def test_quantiles_of_counted_values_are_those_of_numpy(n):
    rng = np.random.default_rng(n)
    values = np.round(rng.normal(size=n), rng.integers(0, 4))
    shares = np.concatenate([np.arange(1, 10) / 10, rng.random(20), [0.0, 1.0]])
    expected = np.quantile(values, shares, method="inverted_cdf")
    assert count_values(values).quantiles(shares).tolist() == expected.tolist()


def _share_of_false_alarms(freeze, draw, repeats=100):
    """Give the share of batches like their reference that pass 0.10 and the 5 % of chance."""
    found = []
    for seed in range(repeats):
        rng = np.random.default_rng(seed)
        bins = freeze(draw(rng))
        moved = psi_without_change(bins.expected, bins.count(draw(rng)), 499)
        found.append(moved.psi > 0.1 and moved.p_value <= 0.05)
    return np.mean(found)


def test_many_rare_categories_and_few_known_numbers_are_no_change_by_themselves():
    shares = 1 / np.arange(1, 61)

    def zipf(rng):
        drawn = rng.multinomial(100, shares / shares.sum())
        return {f"c{at}": n for at, n in enumerate(drawn.tolist()) if n}

    def mostly_missing(rng):
        return np.where(rng.random(100) < 0.95, np.nan, rng.normal(size=100))

    # 97.5 % quantile of 100 draws at 5 %: 0.10. With a bin for each they were 0.83 and 0.41.
    assert _share_of_false_alarms(freeze_categories, zipf) <= 0.1
    assert _share_of_false_alarms(freeze_numbers, mostly_missing) <= 0.1
    assert _share_of_false_alarms(freeze_numbers, lambda rng: rng.normal(size=8)) <= 0.1


def test_holm_is_rs_p_adjust():
    adjusted = holm([0.001, 0.02, 0.015, 0.2, 0.04])
    assert adjusted == pytest.approx((0.005, 0.06, 0.06, 0.2, 0.08))
