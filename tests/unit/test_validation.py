"""Honest validation: what trains never tests, dates never straddle, one procedure throughout."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit

from app.domain import tau
from app.domain.design_matrix import Sample, Split, choose_splits, find_out_of_time_split
from app.domain.policy import Policy
from app.domain.training import (
    fit_from_parameters,
    judge_data,
    model_metrics,
    model_parameters,
    train,
)
from app.domain.validation import Card, judge_split, validate
from app.errors import InvalidInputError, ValidationInfeasibleError

WEIGHTS = np.array([40.0, 30.0, 20.0, 10.0])
TRUTH = np.array([15.0, 45.0, 5.0, 35.0])
CARD = Card(WEIGHTS, WEIGHTS, np.array([450.0, 600.0, 700.0, 800.0]), 300.0, 900.0)


def portfolio(n=1200, seed=0, days=400, truth=WEIGHTS, n_parties=None, intercept=1.5):
    generator = np.random.default_rng(seed)
    goodness = generator.beta(2, 2, size=(n, 4))
    bad = (generator.random(n) < expit(intercept - 0.06 * goodness @ truth)).astype(np.int64)
    start = np.datetime64("2024-01-01", "D")
    scored_on = np.sort(start + generator.integers(0, days, n).astype("timedelta64[D]"))
    party = np.arange(n) if n_parties is None else generator.integers(0, n_parties, n)
    return Sample(goodness, bad, party, scored_on, goodness, np.zeros(4, dtype=bool))


def test_dates_decide_where_there_are_dates():
    sample = portfolio()
    mode, splits, why = choose_splits(sample, "auto", 0)
    assert (mode, why) == ("out_of_time", "")
    (split,) = splits
    assert sample.scored_on[split.train].max() < sample.scored_on[split.test].min()
    assert len(split.train) >= 0.7 * sample.n_rows


def test_a_date_never_straddles_the_cut():
    sample = portfolio(days=400)
    days = np.repeat(np.datetime64("2024-01-01") + 30 * np.arange(12), 100).astype("datetime64[D]")
    monthly = Sample(
        sample.goodness, sample.bad, sample.party, days, sample.raw, sample.categorical
    )
    split, _ = find_out_of_time_split(monthly)
    train_days, test_days = set(days[split.train]), set(days[split.test])
    assert not train_days & test_days
    assert days[split.train].max() == np.sort(days)[int(0.7 * 1200)]


def test_out_of_time_a_party_of_the_training_part_is_dropped_from_the_test_part():
    sample = portfolio(n=3000, n_parties=2000)
    split, _ = find_out_of_time_split(sample)
    assert not set(sample.party[split.train]) & set(sample.party[split.test])
    later = sample.scored_on > sample.scored_on[split.train].max()
    assert 0 < len(split.test) < later.sum()


def test_folds_never_share_a_party():
    sample = portfolio(n=900, days=1, n_parties=300)
    mode, splits, _ = choose_splits(sample, "auto", 0)
    assert mode == "cross_validation"
    assert len(splits) == 10
    for split in splits:
        assert not set(sample.party[split.train]) & set(sample.party[split.test])


def test_short_history_or_few_bads_fall_back_and_say_why():
    short = choose_splits(portfolio(days=60), "auto", 0)
    few = choose_splits(portfolio(n=400, intercept=-1.5), "auto", 0)
    assert short[0] == few[0] == "cross_validation"
    assert "at least 90 are needed" in short[2]
    assert "at least 30 are needed" in few[2]


def of_parties(party, bad):
    n = len(bad)
    goodness = np.linspace(0, 1, 4 * n).reshape(n, 4)
    days = np.full(n, np.datetime64("2024-01-01", "D"))
    return Sample(goodness, np.array(bad), np.array(party), days, goodness, np.zeros(4, dtype=bool))


@pytest.mark.parametrize("mode", ["auto", "cross_validation", "holdout"])
def test_too_few_parties_to_split_are_refused_before_anything_is_fitted(mode):
    with pytest.raises(ValidationInfeasibleError, match="label more parties"):
        choose_splits(of_parties([0, 1, 2, 2], [1, 0, 0, 1]), mode, 0)


def test_a_fold_whose_training_part_lacks_a_class_is_left_out():
    sample = of_parties([0, 1, 1, 1, 1, 1, 2], [1, 0, 0, 1, 0, 1, 0])
    _, splits, _ = choose_splits(sample, "cross_validation", 0)
    assert len(splits) == 3  # of two folds, twice
    assert all(len(set(sample.bad[split.train])) == 2 for split in splits)


def test_a_training_part_without_good_parties_does_not_decide_out_of_time():
    sample = portfolio(n=400)
    early = sample.scored_on <= np.sort(sample.scored_on)[int(0.7 * 400)]
    bad = np.where(early, 1, np.arange(400) % 2)
    turned = Sample(
        sample.goodness, bad, sample.party, sample.scored_on, sample.raw, sample.categorical
    )
    split, why = find_out_of_time_split(turned)
    assert split is None
    assert "training part" in why
    assert "no good party" in why


@pytest.mark.parametrize(("mode", "days"), [("out_of_time", 60), ("out_of_time", 1)])
def test_a_forced_mode_that_cannot_be_done_is_an_error(mode, days):
    with pytest.raises(ValidationInfeasibleError, match="at least 90"):
        choose_splits(portfolio(days=days), mode, 0)


def test_an_unknown_mode_is_refused_by_name():
    with pytest.raises(InvalidInputError, match="bootstrap"):
        choose_splits(portfolio(), "bootstrap", 0)


def test_nothing_of_the_test_rows_reaches_the_fit():
    sample = portfolio(days=1, truth=TRUTH)
    split = choose_splits(sample, "cross_validation", 0)[1][0]
    turned = sample.bad.copy()
    turned[split.test] = 1 - turned[split.test]
    other = Sample(
        sample.goodness, turned, sample.party, sample.scored_on, sample.raw, sample.categorical
    )
    honest = judge_split(sample, split, CARD, Policy(), 0)
    again = judge_split(other, split, CARD, Policy(), 0)
    for name in ("model", "refined", "baseline"):
        assert np.array_equal(honest.log_odds[name], again.log_odds[name])


def test_where_the_expert_does_not_rank_in_a_training_part_the_card_stays():
    sample = portfolio(truth=-WEIGHTS, intercept=-3.0)
    split = choose_splits(sample, "cross_validation", 0)[1][0]
    found = judge_split(sample, split, CARD, Policy(), 0)
    assert np.array_equal(found.scores["refined"], found.scores["baseline"])
    assert np.array_equal(found.log_odds["model"], found.log_odds["baseline"])


def test_where_the_expert_does_not_rank_in_training_the_model_ranks_as_the_baseline_does():
    generator = np.random.default_rng(0)
    sample = portfolio(n=400, days=1)
    trains = np.arange(400) < 280
    z = sample.goodness @ WEIGHTS / 100
    bad = (generator.random(400) < expit(np.where(trains, 4 * z - 3, 3 - 4 * z))).astype(np.int64)
    turned = Sample(
        sample.goodness, bad, sample.party, sample.scored_on, sample.raw, sample.categorical
    )
    split = Split(np.flatnonzero(trains), np.flatnonzero(~trains))
    found = judge_split(turned, split, CARD, Policy(), 0)
    assert found.metrics["baseline"]["auc_roc"] > 0.6
    assert found.metrics["model"]["auc_roc"] == found.metrics["baseline"]["auc_roc"]
    assert np.array_equal(found.components.values[0], found.components.values[2])


def test_the_same_seed_gives_the_same_validation():
    sample = portfolio(days=1)
    one, two = (validate(sample, CARD, Policy(), seed=5) for _ in range(2))
    assert one.gain == two.gain
    assert one.metrics == two.metrics


def trained(sample, **options):
    verdicts = judge_data(sample, CARD, Policy())
    return train(
        sample, sample.goodness, CARD, ("a", "b", "c", "d"), Policy(), data_verdicts=verdicts,
        **options,
    )  # fmt: skip


def test_a_wrong_expert_is_corrected_and_a_right_one_is_kept():
    wrong = trained(portfolio(n=6000, truth=TRUTH))
    right = trained(portfolio(n=6000, truth=WEIGHTS))
    assert wrong.advice.name == "adopt"
    assert right.advice.name == "keep"
    assert sum(wrong.feature_importance.values()) == pytest.approx(1.0)


@pytest.mark.slow
def test_more_looks_at_the_same_rows_widen_the_interval():
    sample = portfolio(n=2000, truth=TRUTH)
    first, sixth = trained(sample).advice, trained(sample, n_looks=5).advice
    assert first.gain == sixth.gain
    assert sixth.interval[0] < first.interval[0]
    assert sixth.level == pytest.approx(1 - 0.05 / 6**1.5)


def test_parameters_survive_the_registry_bit_by_bit():
    model = trained(portfolio(truth=TRUTH))
    again = fit_from_parameters(model_parameters(model))
    for name in ("coefficients", "gradient", "hessian", "held"):
        assert np.array_equal(getattr(again, name), getattr(model.fit, name))


def test_metrics_hold_no_nan_and_auc_is_a_plain_float():
    metrics = model_metrics(trained(portfolio()).validation, {"goodness": None, "raw": None})
    assert type(metrics["auc_roc"]) is float
    assert metrics["gini"] == pytest.approx(2 * metrics["auc_roc"] - 1)
    low, high = metrics["auc_roc_interval"]
    assert low < metrics["auc_roc"] < high


@pytest.mark.parametrize(
    ("n_bad", "n", "failed"),
    [(30, 99, "sample_size"), (30, 1000, "default_rate"), (600, 1000, "default_rate")],
)
def test_data_gates_count_distinct_parties(n_bad, n, failed):
    sample = portfolio(n=n)
    bad = np.zeros(n, dtype=np.int64)
    bad[np.argsort(sample.goodness @ WEIGHTS)[:n_bad]] = 1
    twice = Sample(
        np.tile(sample.goodness, (2, 1)), np.tile(bad, 2), np.tile(sample.party, 2),
        np.tile(sample.scored_on, 2), np.tile(sample.raw, (2, 1)), sample.categorical,
    )  # fmt: skip
    verdicts = {v.gate: v for v in judge_data(twice, CARD, Policy())}
    assert verdicts["sample_size"].value == n
    assert [name for name, v in verdicts.items() if v.is_failed] == [failed]


def test_an_expert_who_ranks_backwards_fails_expert_ranks():
    verdicts = judge_data(portfolio(truth=-WEIGHTS, intercept=-4.0), CARD, Policy())
    assert [v.gate for v in verdicts if v.is_failed] == ["expert_ranks"]


@pytest.mark.parametrize("value", [0, 1])
def test_one_class_only_fails_the_default_rate(value):
    sample = portfolio()
    one = Sample(
        sample.goodness, np.full(sample.n_rows, value, dtype=np.int64), sample.party,
        sample.scored_on, sample.raw, sample.categorical,
    )  # fmt: skip
    assert "default_rate" in [v.gate for v in judge_data(one, CARD, Policy()) if v.is_failed]


@pytest.mark.slow
@pytest.mark.parametrize(("n", "mode"), [(200_000, "cross_validation"), (200_001, "holdout")])
def test_above_200_000_rows_one_stratified_holdout_of_30_percent_judges(n, mode):
    sample = portfolio(n=n, days=30)
    used, splits, why = choose_splits(sample, "auto", 0)
    assert used == mode
    assert why.startswith("scored_at spans 29 days")
    if mode == "holdout":
        (split,) = splits
        assert len(split.train) + len(split.test) == n
        assert len(split.test) == pytest.approx(0.3 * n, abs=10)
        assert sample.bad[split.test].mean() == pytest.approx(sample.bad.mean(), abs=1e-4)


@pytest.mark.parametrize(("n", "used"), [(50_000, 50_000), (50_001, 50_000), (80_000, 50_000)])
def test_above_50_000_rows_tau_is_chosen_on_a_stratified_sample(monkeypatch, n, used):
    seen = []

    def note(train, test, _weights):
        seen.append((train.n_rows + test.n_rows, int(train.bad.sum() + test.bad.sum())))
        return [0.0] * len(tau.TAUS)

    monkeypatch.setattr(tau, "_fold_losses", note)
    sample = portfolio(n=n)
    tau.choose_tau(sample, WEIGHTS, 0)
    assert len(seen) == 5
    ((n_rows, n_bad),) = set(seen)
    assert n_rows == used
    assert n_bad == pytest.approx(used * sample.bad.mean(), abs=1)


@pytest.mark.parametrize(("span", "decides"), [(89, False), (90, True)])
def test_dates_decide_from_90_days_between_first_and_last(span, decides):
    sample = portfolio()
    days = np.datetime64("2024-01-01", "D") + np.linspace(0, span, sample.n_rows).astype(int)
    dated = Sample(sample.goodness, sample.bad, sample.party, days, sample.raw, sample.categorical)
    split, _ = find_out_of_time_split(dated)
    assert (split is not None) is decides


@pytest.mark.parametrize(("n_bad", "decides"), [(29, False), (30, True)])
def test_dates_decide_from_30_bad_parties_in_each_part(n_bad, decides):
    sample = portfolio()
    bad = np.zeros(sample.n_rows, dtype=np.int64)
    train = sample.scored_on <= np.sort(sample.scored_on)[840]
    test = np.flatnonzero(~train)
    bad[np.flatnonzero(train)[:200]] = 1
    bad[test[:n_bad]] = 1
    dated = Sample(
        sample.goodness, bad, sample.party, sample.scored_on, sample.raw, sample.categorical
    )
    split, why = find_out_of_time_split(dated)
    assert (split is not None) is decides
    assert decides or "holds 29 bad parties" in why
