"""A simulated supply-chain portfolio whose true weights are known. Nothing of it is real."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit

from app.domain.scorecard import Scorecard
from app.domain.simulated_events import EventTable, simulate_events
from app.domain.simulated_features import simulate_features
from app.domain.types import Dates, Document, Floats

TRUE_FACTORS: Mapping[str, float] = MappingProxyType(
    {
        "kyc_verified": 0.30,
        "company_age_years": 2.00,
        "party_type_score": 1.00,
        "contact_completeness": 0.60,
        "has_tax_id": 0.50,
        "transaction_count_6m": 1.20,
        "avg_transaction_amount": 1.00,
        "total_transaction_volume_6m": 1.00,
        "transaction_regularity_score": 2.50,
        "recent_activity_flag": 0.30,
        "direct_counterparty_count": 1.00,
        "network_depth_downstream": 1.00,
        "network_size": 1.00,
        "supplier_count": 1.00,
        "customer_count": 1.50,
        "network_balance_ratio": 1.80,
    }
)
"""True weight over the expert's, before both are brought to the same sum: what the expert has
misjudged, and by how much. The data are made so; the model is not told."""

BAD_SHARE = 0.15
LOG_ODDS_PER_FULL_CARD = 8.0
"""How much safer, in log-odds, the best possible party is than the worst."""
CYCLE_LOG_ODDS = 0.15
"""How much the general risk rises and falls over a year."""
DAYS_PER_MONTH = 30.4375


@dataclass(frozen=True, slots=True)
class Portfolio:
    """Hold a simulated portfolio with its truth.

    Attributes
    ----------
    party_id : tuple of str
        Names of the parties, shape (n_parties,).
    scored_on : ndarray of datetime64[D], shape (n_parties,)
        When each was scored.
    features : dict of str to ndarray of shape (n_parties,)
        In the card's order; NaN is missing.
    events : EventTable
        What is known at ``data_through``.
    data_through : date
        Last date up to which the events are complete.
    true_weights : dict of str to float
        In the card's order; they sum to the card's own total.
    p_bad : ndarray of shape (n_parties,)
        True probability of turning bad within the window, in (0, 1).
    """

    party_id: tuple[str, ...]
    scored_on: Dates
    features: dict[str, Floats]
    events: EventTable
    data_through: date
    true_weights: dict[str, float]
    p_bad: Floats

    @property
    def n_parties(self) -> int:
        """Count the parties."""
        return len(self.party_id)


def simulate_portfolio(
    card: Scorecard,
    rng: np.random.Generator,
    *,
    n_parties: int = 4000,
    first_scored_on: date = date(2024, 1, 1),
    n_months: int = 18,
    window_days: int = 180,
) -> Portfolio:
    r"""Simulate parties that were scored with a card whose weights are somewhat wrong.

    .. math:: \mathrm{logit}\,P(\mathrm{bad}_i) = a + c(t_i) - k \sum_j w^*_j g_{ij} / \sum_j w_j

    with goodness g as the card reads it (so a missing value counts as the card says), the true
    weights w*, and a yearly cycle c.

    Parameters
    ----------
    card : Scorecard
        The expert's card, with the sixteen features of the default card.
    rng : Generator
        The only source of chance: the same state gives the same portfolio.
    n_parties : int
        How many parties, >= 1.
    first_scored_on : date
        The first scoring day.
    n_months : int
        Over how many months they were scored, evenly.
    window_days : int
        Days in which a party turns bad, or does not.

    Returns
    -------
    Portfolio
        Events after ``data_through`` are not in it; that date leaves the last month immature.

    Examples
    --------
    >>> from app.domain.scorecard import default_card
    >>> portfolio = simulate_portfolio(default_card(), np.random.default_rng(7), n_parties=200)
    >>> portfolio.n_parties, str(portfolio.data_through)
    (200, '2025-11-28')
    >>> round(sum(portfolio.true_weights.values()), 6)
    120.0
    """
    first = np.datetime64(first_scored_on, "D")
    days = rng.integers(0, int(n_months * DAYS_PER_MONTH), size=n_parties)
    scored_on: Dates = np.sort(first + days)
    features = simulate_features(rng, n_parties)
    features = {name: features[name] for name in card.feature_names}
    weights = true_weights(card)
    z = _goodness(card, features) @ (np.array(list(weights.values())) / card.total_weight)
    p_bad = _p_bad(z, scored_on)
    is_bad = rng.random(n_parties) < p_bad
    events = simulate_events(rng, scored_on=scored_on, is_bad=is_bad, window_days=window_days)
    last = first + int((n_months - 1) * DAYS_PER_MONTH) + window_days
    data_through: date = last.astype(object)
    return Portfolio(
        party_id=tuple(f"SIM-{number:05d}" for number in 1 + rng.permutation(n_parties)),
        scored_on=scored_on,
        features=features,
        events=events[events.event_date <= last],
        data_through=data_through,
        true_weights=weights,
        p_bad=p_bad,
    )


def true_weights(card: Scorecard) -> dict[str, float]:
    """Give the weights that the simulated world follows, on the card's own total.

    Parameters
    ----------
    card : Scorecard
        The expert's card.

    Returns
    -------
    dict of str to float
        In the card's order.

    Examples
    --------
    >>> from app.domain.scorecard import default_card
    >>> weights = true_weights(default_card())
    >>> weights["transaction_regularity_score"] > 10 > weights["kyc_verified"]
    True
    """
    raw = {name: feature.weight * TRUE_FACTORS[name] for name, feature in card.features.items()}
    rescale = card.total_weight / sum(raw.values())
    return {name: weight * rescale for name, weight in raw.items()}


def truth_table(
    portfolio: Portfolio, expert: Mapping[str, float], refined: Mapping[str, float] | None
) -> list[Document]:
    """Lay the expert's and the refined weights beside the true ones.

    Parameters
    ----------
    portfolio : Portfolio
        The simulated portfolio, which knows the truth.
    expert : mapping of str to float
        The baseline's weights.
    refined : mapping of str to float or None
        The draft's weights, on the same total; None where there is no draft.

    Returns
    -------
    list of dict
        Per feature: ``feature``, ``expert_weight``, ``refined_weight``, ``true_weight`` and
        ``moved_towards_truth`` (None where it did not move).
    """
    return [
        {
            "feature": name,
            "expert_weight": expert[name],
            "refined_weight": None if refined is None else refined[name],
            "true_weight": truth,
            "moved_towards_truth": None if refined is None else _towards(
                expert[name], refined[name], truth
            ),
        }
        for name, truth in portfolio.true_weights.items()
    ]  # fmt: skip


def distance_to_truth(weights: Mapping[str, float], truth: Mapping[str, float]) -> float:
    """Measure how many of the card's weight points lie on the wrong feature.

    Parameters
    ----------
    weights, truth : mapping of str to float
        Weights on the same total.

    Returns
    -------
    float
        Half the sum of absolute differences, as a fraction of the total, in [0, 1].

    Examples
    --------
    >>> distance_to_truth({"a": 60.0, "b": 40.0}, {"a": 50.0, "b": 50.0})
    0.1
    """
    total = sum(truth.values())
    return sum(abs(weights[name] - truth[name]) for name in truth) / (2 * total)


def _towards(expert: float, refined: float, truth: float) -> bool | None:
    if refined == expert:
        return None
    return abs(refined - truth) < abs(expert - truth)


def _goodness(card: Scorecard, features: Mapping[str, Floats]) -> Floats:
    """Read each value as the card does, one by one: the tables' evaluator is not on trial here."""
    columns = []
    for name, feature in card.features.items():
        known = ~np.isnan(features[name])
        column = np.full(len(known), float(feature.missing or 0.0))
        column[known] = [feature.transform.goodness(float(x)) for x in features[name][known]]  # type: ignore[arg-type]  # the default card has numeric features only
        columns.append(column)
    return np.column_stack(columns)


def _p_bad(z: Floats, scored_on: Dates) -> Floats:
    """Give each party's probability; the intercept makes their mean the wanted share."""
    day = (scored_on - scored_on.min()).astype(np.float64)
    cycle = CYCLE_LOG_ODDS * np.sin(2 * np.pi * day / 365.25)
    log_odds = cycle - LOG_ODDS_PER_FULL_CARD * z
    intercept = brentq(lambda a: float(expit(a + log_odds).mean()) - BAD_SHARE, -50, 50)
    return np.asarray(expit(intercept + log_odds))
