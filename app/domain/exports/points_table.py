"""What each attribute of a card is worth in points, for people."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise

from app.domain.scorecard import Scorecard
from app.domain.scorecard_parts import Feature
from app.domain.transforms import Bins, Categories, Linear, Log
from app.domain.types import Document

_STEPS = (0.0, 0.25, 0.5, 0.75, 1.0)


def points_table(card: Scorecard) -> tuple[Document, ...]:
    """List the attributes of every feature with their points.

    Parameters
    ----------
    card : Scorecard
        The card.

    Returns
    -------
    tuple of dict
        In card order: feature, kind, attribute (text), goodness (in [0, 1]) and points (above
        the lowest score, not rounded). Every bin and category is there; a linear or logarithmic
        feature shows five of its values, between which points run on along the line or the
        logarithm; the last line of each feature is the missing value.

    Examples
    --------
    >>> from app.domain.scorecard import default_card
    >>> [(row["attribute"], row["points"]) for row in points_table(default_card())[6:11]]
    [('at most 0', 0.0), ('2.5', 12.5), ('5', 25.0), ('7.5', 37.5), ('at least 10', 50.0)]
    """
    span = card.range.max - card.range.min
    return tuple(
        {
            "feature": name,
            "kind": feature.transform.kind,
            "attribute": attribute,
            "goodness": share,
            "points": span * feature.weight * share / card.total_weight,
        }
        for name, feature in card.features.items()
        for attribute, share in (*_attributes(feature), ("missing", feature.missing))
    )


def _attributes(feature: Feature) -> Iterator[tuple[str, float]]:
    transform = feature.transform
    if isinstance(transform, Categories):
        yield from transform.values.items()
        yield "any other", transform.other
    elif isinstance(transform, Bins):
        first, last = transform.edges[0], transform.edges[-1]
        yield f"below {_shown(first)}", transform.values[0]
        inner = zip(pairwise(transform.edges), transform.values[1:-1], strict=True)
        for (low, high), share in inner:
            yield f"{_shown(low)} to below {_shown(high)}", share
        yield f"at least {_shown(last)}", transform.values[-1]
    else:
        yield from _along(transform)


def _along(transform: Linear | Log) -> Iterator[tuple[str, float]]:
    rising = transform.best > transform.worst
    for share in _STEPS:
        value = _value_at(transform, share)
        if share == 0.0:
            end = "at most " if rising else "at least "
        elif share == 1.0:
            end = "at least " if rising else "at most "
        else:
            end = ""
        yield f"{end}{_shown(value)}", share


def _value_at(transform: Linear | Log, share: float) -> float:
    if share in {0.0, 1.0}:
        return transform.worst if share == 0.0 else transform.best
    if isinstance(transform, Linear):
        value = transform.worst + share * transform.span
    else:
        value = math.expm1(transform.origin + share * transform.span)
    return float(f"{value:.6g}")


def _shown(value: float) -> str:
    return f"{value:,}".removesuffix(".0")
