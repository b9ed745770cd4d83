"""Screens on drawn rows find what the screens on all rows find, and say on how many rows."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from scipy.special import expit

from app.domain import headroom, leakage, training
from app.domain.design_matrix import Sample, draw_rows
from app.domain.discrimination import auc_estimate, auc_roc
from app.domain.headroom import measure_headroom
from app.domain.leakage import MAX_ROWS, THRESHOLDS, LeakageTable, LeakColumn, find_leaks
from app.domain.policy import Policy
from app.domain.validation import Card, judge_split, validate

WEIGHTS = np.array([40.0, 30.0, 20.0, 10.0])
CARD = Card(WEIGHTS, WEIGHTS, np.array([450.0, 600.0, 700.0, 800.0]), 300.0, 900.0)


def portfolio(n, interaction=0.0, seed=0):
    """Make rows whose log-odds are the card's, plus a product that no weights can follow."""
    rng = np.random.default_rng(seed)
    goodness = rng.random((n, 4))
    product = (goodness[:, 0] - 0.5) * (goodness[:, 1] - 0.5)
    log_odds = 1.0 - 0.06 * goodness @ WEIGHTS + interaction * product
    bad = (rng.random(n) < expit(log_odds)).astype(np.int64)
    days = np.datetime64("2024-01-01") + np.sort(rng.integers(0, 400, n))
    return Sample(goodness, bad, np.arange(n), days, goodness, np.zeros(4, dtype=bool))


def leak_table(n, seed):
    """Plant the three kinds of leak among honest columns; one in twenty rows is bad."""
    rng = np.random.default_rng(seed)
    bad = (rng.random(n) < 0.05).astype(np.int64)
    term = rng.integers(12, 120, n).astype(float)
    term[bad == 0] = 12 * np.ceil(term[bad == 0] / 12)
    gone = rng.random(n) < np.where(bad == 1, 0.6, 0.1)
    columns = {
        "late": rng.normal(size=n) + 2.0 * bad,
        "blanked": np.where(gone, np.nan, rng.normal(size=n)),
        "term": term,
        "strong": rng.normal(size=n) + 1.0 * bad,
        "gaps": np.where(rng.random(n) < 0.2 + 0.1 * bad, np.nan, rng.normal(size=n)),
        "amount": np.round(np.exp(rng.normal(8, 1, n) - 0.5 * bad), -2),
    }
    return {name: LeakColumn(values) for name, values in columns.items()}, bad


def test_rows_are_drawn_by_class_without_repeats_and_alike_for_the_same_seed():
    bad = (np.random.default_rng(0).random(120_000) < 0.1).astype(np.int64)
    rows = draw_rows(bad, 50_000, seed=7)
    assert (np.diff(rows) > 0).all()
    assert len(rows) == pytest.approx(50_000, abs=1)
    assert bad[rows].sum() == round(bad.sum() * 50_000 / 120_000)
    assert np.array_equal(rows, draw_rows(bad, 50_000, seed=7))
    assert not np.array_equal(rows, draw_rows(bad, 50_000, seed=8))


def test_all_rows_are_taken_where_they_are_few_and_a_rare_class_is_never_lost():
    bad = np.array([0] * 999 + [1])
    assert np.array_equal(draw_rows(bad, 1000, seed=0), np.arange(1000))
    assert draw_rows(bad, 10, seed=0)[-1] == 999


@pytest.mark.parametrize("seed", range(3))
def test_drawn_rows_name_the_planted_leaks_that_all_rows_name_and_no_other(seed):
    columns, bad = leak_table(300_000, seed)
    rows = draw_rows(bad, MAX_ROWS, seed)
    drawn = {name: LeakColumn(column.values[rows]) for name, column in columns.items()}
    everywhere = find_leaks(LeakageTable(columns, bad), [])
    found = find_leaks(LeakageTable(drawn, bad[rows]), [])
    assert [(sign.feature, sign.kind) for sign in found] == [
        ("late", "ranks_too_well"),
        ("blanked", "missing_follows_label"),
        ("term", "values_cluster_by_label"),
    ]
    assert [(sign.feature, sign.kind) for sign in everywhere] == [
        (sign.feature, sign.kind) for sign in found
    ]
    for part, whole in zip(found, everywhere, strict=True):
        assert part.value == pytest.approx(whole.value, abs=0.03)


def test_fifty_thousand_rows_leave_a_standard_error_far_below_the_margin_of_a_sign():
    # Two normal distributions 1.466 apart overlap with an AUC of 0.85: Phi(1.466 / sqrt 2).
    bad = np.repeat([1, 0], [MAX_ROWS // 20, MAX_ROWS - MAX_ROWS // 20])
    risk = np.random.default_rng(0).normal(size=MAX_ROWS) + 1.466 * bad
    found = auc_estimate(risk, bad)
    assert found.value == pytest.approx(THRESHOLDS["ranks_too_well"], abs=0.012)
    assert found.standard_error < 0.0045


@pytest.mark.slow
def test_headroom_on_drawn_rows_agrees_with_headroom_on_all(monkeypatch):
    sample = portfolio(60_000, interaction=12.0)
    folds = validate(sample, CARD, Policy()).folds
    whole = measure_headroom(sample, folds, 0)
    assert whole.n_train + whole.n_test == whole.n_split
    monkeypatch.setattr(headroom, "MAX_ROWS", 20_000)
    drawn = measure_headroom(sample, folds, 0)
    assert drawn == measure_headroom(sample, folds, 0)
    assert drawn != measure_headroom(sample, folds, 1)
    assert drawn.n_train + drawn.n_test == pytest.approx(20_000, abs=2)
    assert drawn.n_split == whole.n_split
    assert whole.goodness > 0.03
    assert drawn.goodness == pytest.approx(whole.goodness, abs=0.02)


def test_where_the_card_is_right_drawn_rows_show_no_headroom(monkeypatch):
    sample = portfolio(60_000)
    monkeypatch.setattr(headroom, "MAX_ROWS", 20_000)
    found = measure_headroom(sample, validate(sample, CARD, Policy()).folds, 0)
    assert -0.03 < found.goodness < 0.01


def test_flexible_model_and_refined_card_are_judged_on_the_same_drawn_rows(monkeypatch):
    sample = portfolio(4_000)
    (split,) = (fold.split for fold in validate(sample, CARD, Policy()).folds)
    fold = judge_split(sample, split, CARD, Policy(), 0)
    monkeypatch.setattr(headroom, "MAX_ROWS", 1_000)
    # A flexible model that knows no feature ranks nothing: what is left is the refined card's AUC.
    flat = Sample(
        np.zeros((4_000, 4)), sample.bad, sample.party, sample.scored_on, np.zeros((4_000, 4)),
        sample.categorical,
    )  # fmt: skip
    found = measure_headroom(flat, [fold], seed=3)
    share = 1_000 / (len(split.train) + len(split.test))
    at = draw_rows(sample.bad[split.test], round(share * len(split.test)), 3)
    refined = auc_roc(-fold.scores["refined"][at], sample.bad[split.test][at])
    assert found.n_test == len(at)
    assert found.goodness == found.raw == 0.5 - refined


@pytest.mark.slow
def test_a_training_tells_how_many_rows_were_screened(monkeypatch):
    sample = portfolio(3_000)
    policy = Policy()
    names = ["a", "b", "c", "d"]

    def trained():
        verdicts = training.judge_data(sample, CARD, policy)
        return training.train(sample, sample.goodness, CARD, names, policy, data_verdicts=verdicts)

    assert trained().n_screened == 3_000
    monkeypatch.setattr(leakage, "MAX_ROWS", 1_000)
    assert trained().n_screened == pytest.approx(1_000, abs=1)


@pytest.mark.slow
def test_a_training_whose_fits_stand_side_by_side_leaves_the_filters_of_warnings_alone():
    sample = portfolio(3_000)
    policy = Policy()
    verdicts = training.judge_data(sample, CARD, policy)
    before = [(action, category) for action, _, category, *_ in warnings.filters]
    training.train(sample, sample.goodness, CARD, "abcd", policy, data_verdicts=verdicts)
    assert [(action, category) for action, _, category, *_ in warnings.filters] == before
