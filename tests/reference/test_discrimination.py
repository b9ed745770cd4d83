"""Discrimination against scikit-learn, SciPy and the formulas written out pair by pair."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import ks_2samp
from sklearn.metrics import roc_auc_score

from app.domain.discrimination import (
    auc_estimate,
    auc_roc,
    clustered_standard_error,
    delong_components,
    ks,
    paired_auc_difference,
)
from app.domain.fold_estimates import difference_of_folds, mean_of_folds
from app.errors import InvalidInputError


def simulated(seed: int, n: int = 300) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    generator = np.random.default_rng(seed)
    bad = (generator.random(n) < 0.3).astype(np.int64)
    one = np.round(generator.normal(size=n) + bad, 1)  # rounding makes ties
    other = np.round(generator.normal(size=n) + 0.5 * bad, 1)
    return one, other, bad


@pytest.mark.parametrize("seed", range(5))
def test_auc_is_scikit_learns_with_ties(seed):
    risk, _, bad = simulated(seed)
    assert auc_roc(risk, bad) == pytest.approx(roc_auc_score(bad, risk), abs=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_ks_is_scipys_two_sample_statistic(seed):
    risk, _, bad = simulated(seed)
    expected = ks_2samp(risk[bad == 1], risk[bad == 0]).statistic
    assert ks(risk, bad) == pytest.approx(expected, abs=1e-12)


def kernel(risk: np.ndarray, bad: np.ndarray) -> np.ndarray:
    """Give psi(X_i, Y_j) of DeLong et al. (1988): bads in rows, goods in columns."""
    bads, goods = risk[bad == 1][:, None], risk[bad == 0][None, :]
    return (bads > goods) + 0.5 * (bads == goods)


@pytest.mark.parametrize("seed", range(5))
def test_components_are_the_row_and_column_means_of_the_kernel(seed):
    risk, _, bad = simulated(seed)
    found = delong_components(risk[None, :], bad)
    pairs = kernel(risk, bad)
    assert found.values[0][bad == 1] == pytest.approx(pairs.mean(axis=1), abs=1e-12)
    assert found.values[0][bad == 0] == pytest.approx(pairs.mean(axis=0), abs=1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_paired_standard_error_is_delongs_with_one_row_per_party(seed):
    one, other, bad = simulated(seed)
    difference = kernel(one, bad) - kernel(other, bad)
    expected = np.sqrt(
        np.var(difference.mean(axis=1), ddof=1) / difference.shape[0]
        + np.var(difference.mean(axis=0), ddof=1) / difference.shape[1]
    )
    found = paired_auc_difference(one, other, bad)
    assert found.value == pytest.approx(difference.mean(), abs=1e-12)
    # With one row per party Obuchowski's cross term is a sum of zeros.
    assert found.standard_error == pytest.approx(expected, rel=1e-9)


def test_every_row_twice_under_the_same_party_adds_no_evidence():
    risk, _, bad = simulated(1)
    once = auc_estimate(risk, bad)
    party = np.tile(np.arange(len(bad)), 2)
    twice = auc_estimate(np.tile(risk, 2), np.tile(bad, 2), party)
    ignoring = auc_estimate(np.tile(risk, 2), np.tile(bad, 2))
    assert twice.value == pytest.approx(once.value, abs=1e-12)
    assert twice.standard_error == pytest.approx(once.standard_error, rel=1e-9)
    assert ignoring.standard_error < 0.75 * once.standard_error


def test_clustered_standard_error_matches_a_bootstrap_of_parties():
    generator = np.random.default_rng(7)
    n_parties, n_months = 400, 4
    skill = generator.normal(size=n_parties)
    is_bad = generator.random(n_parties) < 1 / (1 + np.exp(1 - skill))
    party = np.repeat(np.arange(n_parties), n_months)
    bad = np.repeat(is_bad, n_months).astype(np.int64)
    risk = np.repeat(skill, n_months) + 0.7 * generator.normal(size=len(party))
    draws = []
    for _ in range(400):
        chosen = generator.integers(0, n_parties, n_parties)
        rows = (chosen[:, None] * n_months + np.arange(n_months)).ravel()
        draws.append(auc_roc(risk[rows], bad[rows]))
    found = auc_estimate(risk, bad, party).standard_error
    assert found == pytest.approx(np.std(draws), rel=0.12)


def test_a_party_bad_in_one_batch_and_good_in_another_is_one_observation():
    """The covariance term of Obuchowski (1997), against a bootstrap of parties."""
    generator = np.random.default_rng(11)
    n_parties, n_months = 300, 4
    risk = np.repeat(generator.normal(size=n_parties), n_months)
    party = np.repeat(np.arange(n_parties), n_months)
    bad = (generator.random(len(party)) < 0.4).astype(np.int64)
    draws = []
    for _ in range(400):
        chosen = generator.integers(0, n_parties, n_parties)
        rows = (chosen[:, None] * n_months + np.arange(n_months)).ravel()
        draws.append(auc_roc(risk[rows], bad[rows]))
    found = auc_estimate(risk, bad, party).standard_error
    assert found == pytest.approx(np.std(draws), rel=0.12)
    # Without the term a party that is bad here and good there counts as two.
    values = delong_components(risk[None, :], bad).values[0]
    apart = clustered_standard_error(values, bad, 2 * party + bad)
    assert apart > 1.2 * found


@pytest.mark.parametrize("lowest_and_highest", [(300, 900), (0, 100), (0, 1000), (-1, 1)])
@pytest.mark.parametrize("seed", [6, 9, 11])
def test_scores_equal_on_paper_are_ties_whatever_the_range_of_the_card(seed, lowest_and_highest):
    low, high = lowest_and_highest
    generator = np.random.default_rng(seed)
    tenths = generator.integers(0, 11, size=(600, 4))
    weights = generator.choice([3, 5, 7, 10, 15, 20], size=4)
    exact = tenths @ weights  # whole numbers: no rounding
    bad = (generator.random(600) < 1 / (1 + np.exp(3 * exact / exact.max() - 1.5))).astype(np.int64)
    goodness = tenths / 10
    risk = -(low + (high - low) * (goodness @ weights.astype(float)) / weights.sum())
    assert auc_roc(risk, bad) == pytest.approx(roc_auc_score(bad, -exact), abs=1e-12)
    assert ks(risk, bad) == pytest.approx(
        ks_2samp(exact[bad == 1], exact[bad == 0]).statistic, abs=1e-12
    )
    pairs = kernel(-exact, bad)
    values = delong_components(risk[None, :], bad).values[0]
    assert values[bad == 1] == pytest.approx(pairs.mean(axis=1), abs=1e-12)
    assert values[bad == 0] == pytest.approx(pairs.mean(axis=0), abs=1e-12)


def test_standard_error_is_not_a_number_with_one_bad_party():
    bad = np.array([1, 0, 0, 0])
    assert np.isnan(clustered_standard_error(np.array([1.0, 1, 1, 1]), bad, np.arange(4)))


def test_auc_refuses_one_class():
    with pytest.raises(InvalidInputError, match="bad and good"):
        auc_roc(np.array([1.0, 2.0]), np.array([1, 1]))


def test_fold_mean_counts_each_row_once_over_repeats():
    risk, _, bad = simulated(3)
    party = np.arange(len(bad))
    rows = np.arange(len(bad))
    values = delong_components(risk[None, :], bad).values[0]
    one = mean_of_folds([(rows, values)], bad, party)
    two = mean_of_folds([(rows, values), (rows, values)], bad, party)
    assert one == pytest.approx(two, rel=1e-12)


@pytest.mark.parametrize(("n_folds", "n_repeats"), [(5, 2), (5, 1), (10, 10), (2, 2)])
def test_a_paired_difference_has_the_variance_of_the_corrected_repeated_k_fold_test(
    n_folds, n_repeats
):
    """Bouckaert and Frank 2004: t = mean / sqrt((1/(k r) + n2/n1) variance of one fold)."""
    rng = np.random.default_rng(7)
    n = 4_000
    bad, party, values = rng.integers(0, 2, n), np.arange(n), rng.normal(0.01, 0.1, n)
    folds = []
    for _ in range(n_repeats):
        order = rng.permutation(n)
        folds += [(rows, values[rows]) for rows in np.array_split(order, n_folds)]
    test, train = n / n_folds, n - n / n_folds
    of_one_fold = 0.1**2 * (1 / (test / 2) + 1 / (test / 2))  # DeLong: S_10 / m + S_01 / n
    expected = np.sqrt((1 / (n_folds * n_repeats) + test / train) * of_one_fold)
    assert difference_of_folds(folds, bad, party)[1] == pytest.approx(expected, rel=0.03)


def test_a_difference_judged_on_one_part_that_trained_nothing_keeps_delongs_error():
    rows, bad = np.arange(8), np.tile([0, 1], 4)
    values = np.sin(rows)
    assert difference_of_folds([(rows, values)], bad, rows) == mean_of_folds(
        [(rows, values)], bad, rows
    )
