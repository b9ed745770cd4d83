"""Drift: the sentence appears where dates matter, and stays away where they do not."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit

from app.domain.design_matrix import Sample
from app.domain.drift import compare_over_time, period_names
from app.domain.policy import Policy
from app.domain.training import judge_data, train
from app.domain.validation import Card, validate

WEIGHTS = np.array([40.0, 30.0, 20.0, 10.0])
CARD = Card(WEIGHTS, WEIGHTS, np.array([450.0, 600.0, 700.0, 800.0]), 300.0, 900.0)


def portfolio(*, turns, n=3000, seed=0):
    """Draw a year; where it turns, the features stop to tell anything in its last months."""
    rng = np.random.default_rng(seed)
    goodness = rng.beta(2, 2, size=(n, 4))
    day = np.sort(rng.integers(0, 365, n))
    slope = np.where(turns & (day > 250), 0.0, 0.08)
    z = goodness @ WEIGHTS - 50
    bad = (rng.random(n) < expit(-1.2 - slope * z)).astype(np.int64)
    scored_on = np.datetime64("2025-01-01", "D") + day
    return Sample(goodness, bad, np.arange(n), scored_on, goodness, np.zeros(4, dtype=bool))


def drift_of(sample, mode="auto"):
    judged = validate(sample, CARD, Policy(), mode=mode)
    return compare_over_time(sample, CARD, Policy(), judged)


def test_a_card_that_stops_ranking_is_said_in_one_sentence():
    found = drift_of(portfolio(turns=True))
    assert "baseline" in found.differs
    assert found.sentence.startswith("Dates matter here, believe the later vintages: ")
    assert found.sentence.count(". ") == 0
    last = found.periods[-1]
    assert last.name == "2025-12"
    assert last.baseline.interval()[0] < 0.5 + 0.1 < found.periods[0].baseline.value


def test_a_steady_portfolio_agrees():
    found = drift_of(portfolio(turns=False))
    assert found.differs == ()
    assert found.sentence == "Out-of-time and shuffled validation agree within their intervals."
    assert set(found.shuffled) == {"gain", "baseline", "refined"}


def test_nothing_is_compared_where_dates_did_not_decide():
    found = drift_of(portfolio(turns=False), mode="cross_validation")
    assert found.shuffled == {}
    assert found.sentence.endswith("were not compared: dates did not decide.")
    assert found.as_dict()["was_compared"] is False


def test_periods_count_every_labelled_row_once():
    sample = portfolio(turns=False)
    found = drift_of(sample)
    assert [period.name for period in found.periods] == [f"2025-{m:02d}" for m in range(1, 13)]
    assert sum(period.n for period in found.periods) == sample.n_rows
    assert sum(period.n_bad for period in found.periods) == sample.bad.sum()
    tested = validate(sample, CARD, Policy()).folds[0].split.test
    assert sum(period.n_unseen for period in found.periods) == len(tested)


def test_a_period_without_bad_rows_has_a_bad_rate_but_no_auc():
    sample = portfolio(turns=False)
    early = sample.scored_on < np.datetime64("2025-02-01")
    bad = np.where(early, 0, sample.bad)
    quiet = Sample(
        sample.goodness, bad, sample.party, sample.scored_on, sample.raw, sample.categorical
    )
    first = drift_of(quiet).as_dict()["periods"][0]
    assert (first["bad_rate"], first["auc_baseline"]) == (0.0, None)


@pytest.mark.parametrize(("months", "first"), [(36, "2020-01"), (37, "2020")])
def test_more_than_three_years_of_months_are_shown_as_years(months, first):
    days = (np.datetime64("2020-01", "M") + np.arange(months)).astype("datetime64[D]")
    assert period_names(days)[0] == first


def test_the_trained_model_warns_of_both_and_is_the_same_twice():
    sample = portfolio(turns=True)
    names = ["a", "b", "c", "d"]
    verdicts = judge_data(sample, CARD, Policy())

    def trained():
        return train(
            sample, sample.goodness, CARD, names, Policy(), data_verdicts=verdicts
        )  # fmt: skip

    one, other = trained(), trained()
    assert any(warning.startswith("Dates matter here") for warning in one.warnings)
    assert one.drift.as_dict() == other.drift.as_dict()
    assert one.leakage == ()
