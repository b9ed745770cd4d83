"""From score to odds: how many points double the odds, and what a score means as a probability."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from app.domain.scorecard import Scorecard
from app.domain.types import Document

if TYPE_CHECKING:
    from app.domain.fitting import Calibration

_MOST_LINES = 25
_ROUND_STEPS = (1, 2, 5, 10, 20, 25, 50, 100, 200, 250, 500)


def odds_table(card: Scorecard, calibration: Calibration) -> Document:
    r"""Turn a calibration of a card into a table of odds by score.

    With :math:`z = W (\mathrm{score} - \min) / (\max - \min)` the calibration
    :math:`\mathrm{logit} P(\mathrm{bad}) = a - s z` is a line in the score, so that

    .. math:: \mathrm{PDO} = \frac{\ln 2}{s} \cdot \frac{\max - \min}{W}

    points double the odds of good to bad.

    Parameters
    ----------
    card : Scorecard
        The card; W is its sum of weights.
    calibration : Calibration
        a and s > 0 of this card, z the sum of weight times goodness.

    Returns
    -------
    dict
        ``points_to_double_odds``, and ``scores``: score, band, odds (good to bad) and
        default_rate (a fraction) at even steps over the range.

    References
    ----------
    .. [1] N. Siddiqi, "Intelligent Credit Scoring", 2nd ed., Wiley 2017, chapter on scaling:
       score = offset + factor ln(odds), factor = pdo / ln(2).

    Examples
    --------
    A card of 600 points on which log-odds of good run from -3 to 3: 600 ln(2) / 6 points.

    >>> from app.domain.fitting import Calibration
    >>> from app.domain.scorecard import default_card
    >>> table = odds_table(default_card(), Calibration(intercept=3.0, slope=6.0 / 120.0))
    >>> round(table["points_to_double_odds"], 4), round(100 * math.log(2), 4)
    (69.3147, 69.3147)
    >>> middle = table["scores"][12]
    >>> middle["score"], middle["odds"], middle["default_rate"]
    (600, 1.0, 0.5)
    """
    low, high = card.range.min, card.range.max
    per_point = calibration.slope * card.total_weight / (high - low)
    step = next((s for s in _ROUND_STEPS if (high - low) / s < _MOST_LINES), None)
    step = step or math.ceil((high - low) / (_MOST_LINES - 1))
    scores = [*range(low, high, step), high]

    def line(score: int) -> Document:
        log_odds = per_point * (score - low) - calibration.intercept
        return {
            "score": score,
            "band": card.band_of(score),
            "odds": math.exp(min(log_odds, 700.0)),
            "default_rate": 1.0 / (1.0 + math.exp(min(log_odds, 700.0))),
        }

    return {
        "points_to_double_odds": math.log(2.0) / per_point,
        "scores": [line(score) for score in scores],
    }
