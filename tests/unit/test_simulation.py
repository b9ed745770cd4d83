"""The simulated portfolio is what it says: reproducible, correlated, incomplete, with a truth."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest

from app.domain.outcomes import Event, default_definition, label_party
from app.domain.scorecard import Scorecard, default_card
from app.domain.simulated_features import LEDGER, NETWORK, simulate_features
from app.domain.simulation import (
    BAD_SHARE,
    TRUE_FACTORS,
    Portfolio,
    distance_to_truth,
    simulate_portfolio,
    true_weights,
    truth_table,
)

WINDOW = 180


@pytest.fixture(scope="module")
def card() -> Scorecard:
    return default_card()


@pytest.fixture(scope="module")
def portfolio(card: Scorecard) -> Portfolio:
    return simulate_portfolio(card, np.random.default_rng(11), window_days=WINDOW)


def test_the_same_seed_gives_the_same_portfolio(card: Scorecard, portfolio: Portfolio) -> None:
    again = simulate_portfolio(card, np.random.default_rng(11), window_days=WINDOW)
    assert again.party_id == portfolio.party_id
    for name, values in portfolio.features.items():
        np.testing.assert_array_equal(again.features[name], values)
    np.testing.assert_array_equal(again.events.event_date, portfolio.events.event_date)


def test_another_seed_gives_another_portfolio(card: Scorecard, portfolio: Portfolio) -> None:
    other = simulate_portfolio(card, np.random.default_rng(12), window_days=WINDOW)
    assert other.party_id != portfolio.party_id


def test_it_has_the_cards_features_for_4000_parties_over_18_months(
    card: Scorecard, portfolio: Portfolio
) -> None:
    assert portfolio.n_parties == 4000
    assert len(set(portfolio.party_id)) == 4000
    assert tuple(portfolio.features) == card.feature_names
    months = (portfolio.scored_on.max() - portfolio.scored_on.min()).astype(int) / 30.4375
    assert 17.5 <= months <= 18


def test_features_are_correlated_as_their_factors_say(portfolio: Portfolio) -> None:
    def correlation(one: str, other: str) -> float:
        pair = np.array([portfolio.features[one], portfolio.features[other]])
        return float(np.corrcoef(pair[:, ~np.isnan(pair).any(axis=0)])[0, 1])

    assert correlation("kyc_verified", "has_tax_id") > 0.1
    assert correlation("direct_counterparty_count", "network_size") > 0.3
    assert correlation("transaction_count_6m", "recent_activity_flag") > 0.1
    assert abs(correlation("contact_completeness", "network_size")) < 0.1


def test_values_are_missing_together_where_one_source_is_missing(portfolio: Portfolio) -> None:
    for group, share in ((LEDGER, 0.04), (NETWORK, 0.05)):
        gaps = np.array([np.isnan(portfolio.features[name]) for name in group[:3]])
        assert (gaps == gaps[0]).all()
        assert gaps[0].mean() == pytest.approx(share, abs=0.015)
    assert np.isnan(portfolio.features["company_age_years"]).mean() > 0.02
    assert not np.isnan(portfolio.features["kyc_verified"]).any()


def test_features_stay_in_their_range() -> None:
    features = simulate_features(np.random.default_rng(3), 2000)
    for name, low, high in (
        ("kyc_verified", 0, 1), ("party_type_score", 0, 10), ("contact_completeness", 0, 100),
        ("transaction_regularity_score", 0, 100), ("network_balance_ratio", 0, 1),
    ):  # fmt: skip
        assert np.nanmin(features[name]) >= low
        assert np.nanmax(features[name]) <= high
    parts = features["supplier_count"] + features["customer_count"]
    known = ~np.isnan(parts)
    np.testing.assert_array_equal(parts[known], features["direct_counterparty_count"][known])


def test_true_weights_differ_from_the_experts_by_the_stated_factors(card: Scorecard) -> None:
    truth = true_weights(card)
    assert sum(truth.values()) == pytest.approx(card.total_weight)
    factors = {name: truth[name] / feature.weight for name, feature in card.features.items()}
    ratio = factors["kyc_verified"] / factors["company_age_years"]
    assert ratio == pytest.approx(TRUE_FACTORS["kyc_verified"] / TRUE_FACTORS["company_age_years"])


def test_the_mean_risk_is_the_stated_share(portfolio: Portfolio) -> None:
    assert portfolio.p_bad.mean() == pytest.approx(BAD_SHARE, abs=1e-6)


def test_every_status_of_a_label_occurs(portfolio: Portfolio) -> None:
    labels = _statuses(portfolio)
    shares = {status: labels.count(status) / len(labels) for status in set(labels)}
    assert set(shares) == {"good", "bad", "indeterminate", "immature", "excluded"}
    assert 0.12 <= shares["bad"] / (shares["bad"] + shares["good"]) <= 0.20
    assert 0.03 <= shares["immature"] <= 0.09


def test_nothing_is_known_after_data_through(portfolio: Portfolio) -> None:
    assert portfolio.events.event_date.max() <= np.datetime64(portfolio.data_through)


def test_days_past_due_are_said_for_late_payments_only(portfolio: Portfolio) -> None:
    events = portfolio.events
    late = events.event_type == "days_past_due"
    np.testing.assert_array_equal(~np.isnan(events.days_past_due), late)
    assert events.days_past_due[late].min() >= 1


def test_truth_stands_beside_expert_and_draft(card: Scorecard, portfolio: Portfolio) -> None:
    expert = {name: feature.weight for name, feature in card.features.items()}
    rows = truth_table(portfolio, expert, portfolio.true_weights)
    assert [row["feature"] for row in rows] == list(card.feature_names)
    assert all(row["moved_towards_truth"] for row in rows)
    assert distance_to_truth(portfolio.true_weights, portfolio.true_weights) == 0
    assert truth_table(portfolio, expert, None)[0]["refined_weight"] is None
    assert truth_table(portfolio, expert, expert)[0]["moved_towards_truth"] is None


def _statuses(portfolio: Portfolio) -> list[str]:
    """Label with the domain's own rule for one party, which other tests hold to the design."""
    history: dict[int, list[Event]] = defaultdict(list)
    events = portfolio.events
    for party, on, kind, days in zip(
        events.party, events.event_date, events.event_type, events.days_past_due, strict=True
    ):
        history[int(party)].append(
            Event(on.astype(object), str(kind), None if np.isnan(days) else float(days))
        )
    return [
        label_party(
            default_definition(),
            history[row],
            scored_on=scored_on.astype(object),
            window_days=WINDOW,
            data_through=portfolio.data_through,
        ).status
        for row, scored_on in enumerate(portfolio.scored_on)
    ]
