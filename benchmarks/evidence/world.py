"""Simulated populations whose truth is known, so that every card's AUC is exact, not estimated."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit

from app.domain.design_matrix import Sample
from app.domain.scorecard import Scorecard, default_card
from app.domain.simulated_features import simulate_features
from app.domain.types import Dates, Floats, Ints
from app.domain.validation import Card

POPULATION = 50_000
POPULATION_SEED = 20_260_101
BAD_SHARE = 0.20
N_MONTHS = 18
FIRST_DAY = np.datetime64("2024-01-01", "D")
DAYS_PER_MONTH = 30.4375


@dataclass(frozen=True, slots=True)
class World:
    """Hold a population with its true weights.

    Attributes
    ----------
    goodness : ndarray of shape (POPULATION, 16)
        Goodness under the default card.
    truth : ndarray of shape (16,)
        The weights that the outcomes follow; they sum to the card's own total.
    p_bad : ndarray of shape (POPULATION,)
        True probability of each party.
    """

    goodness: Floats
    truth: Floats
    p_bad: Floats

    def auc(self, weights: Floats) -> float:
        """Give the exact AUC of a card with these weights over the whole population."""
        return expected_auc(-(self.goodness @ weights), self.p_bad)

    def draw(self, n: int, rng: np.random.Generator) -> Sample:
        """Draw n parties with outcomes, scored evenly over eighteen months."""
        rows = rng.integers(0, len(self.p_bad), n)
        return sample_of(
            goodness=self.goodness[rows],
            bad=(rng.random(n) < self.p_bad[rows]).astype(np.int64),
            scored_on=days(rng, n, 0, N_MONTHS),
        )


def expected_auc(risk: Floats, p_bad: Floats) -> float:
    """Give the AUC of a ranking when each row's probability of being bad is known.

    It is the limit of the AUC on ever more outcomes drawn for these rows; ties count a half.
    """
    _, group = np.unique(risk, return_inverse=True)
    bads = np.bincount(group, p_bad)
    goods = np.bincount(group, 1 - p_bad)
    own = p_bad * (1 - p_bad)
    wins = float(bads @ (np.cumsum(goods) - goods / 2) - own.sum() / 2)
    return wins / float(p_bad.sum() * (1 - p_bad).sum() - own.sum())


def days(rng: np.random.Generator, n: int, first_month: int, last_month: int) -> Dates:
    """Draw n ordered scoring days between two months."""
    low, high = (int(month * DAYS_PER_MONTH) for month in (first_month, last_month))
    return np.asarray(FIRST_DAY + np.sort(rng.integers(low, high, n)), dtype="datetime64[D]")


def sample_of(goodness: Floats, bad: Ints, scored_on: Dates, party: Ints | None = None) -> Sample:
    """Give a sample without raw features: only the headroom would read them."""
    return Sample(
        goodness=goodness,
        bad=bad,
        party=np.arange(len(bad)) if party is None else party,
        scored_on=scored_on,
        raw=np.zeros_like(goodness),
        categorical=np.zeros(goodness.shape[1], dtype=bool),
    )


@cache
def expert() -> Card:
    """Give the default card as training sees it."""
    card = default_card()
    weights = np.array([feature.weight for feature in card.features.values()], dtype=np.float64)
    edges = np.array(sorted(card.bands.values())[1:], dtype=np.float64)
    return Card(weights, weights, edges, float(card.range.min), float(card.range.max))


@cache
def population() -> Floats:
    """Give the goodness of the population that every study draws from."""
    card = default_card()
    rng = np.random.default_rng(POPULATION_SEED)
    return goodness_columns(card, simulate_features(rng, POPULATION))


def goodness_columns(card: Scorecard, features: dict[str, Floats]) -> Floats:
    """Give goodness of shape (n, d) for a card of linear and log transforms."""
    columns = []
    for name, feature in card.features.items():
        transform, x = feature.transform, features[name]
        if transform.kind == "linear":
            span = transform.best - transform.worst
            column = (x - transform.worst) / span
        elif transform.kind == "log":
            low, high = np.log1p(transform.worst), np.log1p(transform.best)
            column = (np.log1p(np.maximum(x, 0)) - low) / (high - low)
        else:
            raise NotImplementedError(transform.kind)
        column = np.clip(column, 0, 1)
        columns.append(np.where(np.isnan(x), feature.missing or 0.0, column))
    return np.column_stack(columns)


def make_world(truth: Floats, auc: float) -> World:
    """Build the world of these true weights in which the true card has this AUC.

    Parameters
    ----------
    truth : ndarray of shape (16,)
        True weights, > 0.
    auc : float
        AUC of the true weights over the population.

    Returns
    -------
    World
        With a mean probability of ``BAD_SHARE``.
    """
    goodness = population()
    z = goodness @ truth / truth.sum()
    part = z[:5_000]

    def miss(slope: float) -> float:
        return expected_auc(-part, probabilities(part, slope)) - auc

    slope = brentq(miss, 0.5, 60, xtol=1e-3)
    return World(goodness, truth * expert().weights.sum() / truth.sum(), probabilities(z, slope))


def probabilities(z: Floats, slope: float) -> Floats:
    """Give P(bad) of shape (n,) that falls with z and has a mean of ``BAD_SHARE``."""
    centred = -slope * (z - z.mean())
    intercept = brentq(lambda a: float(expit(a + centred).mean()) - BAD_SHARE, -20, 20, xtol=1e-6)
    return np.asarray(expit(intercept + centred))


def misjudged(relative_error: float, rng: np.random.Generator) -> Floats:
    """Draw true weights that differ from the expert's by this share, half up and half down."""
    weights = expert().weights
    half = len(weights) // 2
    signs = rng.permutation(np.repeat([1.0, -1.0], [half, len(weights) - half]))
    truth = weights * (1 + relative_error * signs)
    return np.asarray(truth * weights.sum() / truth.sum())
