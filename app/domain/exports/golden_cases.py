"""Parties that are hard on a card, chosen from the card alone and so always the same."""

from __future__ import annotations

import math
from typing import Any

from app.domain.scorecard import Scorecard
from app.domain.scorecard_parts import Feature
from app.domain.transforms import Bins, Categories, Linear, Log

_MOST_CATEGORIES = 12
_UNSEEN = "no such category"


def golden_parties(card: Scorecard) -> tuple[dict[str, Any], ...]:
    """Choose parties by which an export can be checked.

    Parameters
    ----------
    card : Scorecard
        The card.

    Returns
    -------
    tuple of dict
        Raw values by feature: a party of which nothing is known, then parties that take each
        feature through its ends, edges and their neighbours, extremes, missing and unseen values.

    Examples
    --------
    >>> from app.domain.scorecard import default_card
    >>> parties = golden_parties(default_card())
    >>> parties[0], len(parties), parties[1]["company_age_years"]
    ({}, 27, 5.0)
    """
    marks = {name: _marks(feature) for name, feature in card.features.items()}
    longest = max(len(values) for values in marks.values())
    together = [
        {name: values[case % len(values)] for name, values in marks.items()}
        for case in range(longest)
    ]
    # shifted against one another, so that high values of one meet low values of the next
    apart = [
        {
            name: values[(case + 3 * place) % len(values)]
            for place, (name, values) in enumerate(marks.items())
        }
        for case in range(longest)
    ]
    return ({}, *together, *apart)


def _marks(feature: Feature) -> list[Any]:
    transform = feature.transform
    if isinstance(transform, Categories):
        known = list(transform.values)[:_MOST_CATEGORIES]
        return [*known, _UNSEEN, None, f" {known[0]} ", ""]
    return [*_numbers(transform), None, "", -1e300, 1e300]


def _numbers(transform: Linear | Log | Bins) -> list[float]:
    if isinstance(transform, Bins):
        marks = list(transform.edges)
    else:
        middle = transform.worst + (transform.best - transform.worst) / 2
        marks = [middle, transform.worst, transform.best]
    beside = [math.nextafter(mark, way) for mark in marks[-2:] for way in (-math.inf, math.inf)]
    return [*marks, *beside, 0.0, -1.0]
