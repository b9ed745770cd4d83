"""Reason codes: the features that cost a party the most points."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

MOST_REASONS = 4
"""At most so many reason codes per score."""

RESOLUTION = 1e6
"""Losses are compared in millionths of a point, so that rounding noise is no order."""


@dataclass(frozen=True, slots=True)
class ReasonCode:
    """Name one feature that cost points.

    Parameters
    ----------
    feature : str
        Name of the feature.
    reason : str
        What the card says of it; empty if the card says nothing.
    points_lost : float
        Points below the feature's maximum, above 0.
    """

    feature: str
    reason: str
    points_lost: float


def comparable_loss(points_lost: float) -> int:
    """Give a loss in millionths of a point, by which losses are ranked.

    Parameters
    ----------
    points_lost : float
        Points below the feature's maximum.

    Returns
    -------
    int
        Rounded half up.

    Examples
    --------
    >>> comparable_loss(30.000000000000004) == comparable_loss(30.0)
    True
    """
    return math.floor(points_lost * RESOLUTION + 0.5)


def rank_losses(points_lost: Sequence[float]) -> list[int]:
    """Choose the positions of the reason codes.

    Parameters
    ----------
    points_lost : sequence of float, shape (n_features,)
        In card order.

    Returns
    -------
    list of int
        At most four positions whose loss is positive, most lost first, ties in card order.

    Examples
    --------
    >>> rank_losses([5.0, 0.0, 7.0, 5.0])
    [2, 0, 3]
    """
    losses = [comparable_loss(points) for points in points_lost]
    order = sorted(range(len(losses)), key=lambda position: -losses[position])
    return [position for position in order[:MOST_REASONS] if losses[position] > 0]
