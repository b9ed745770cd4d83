"""The score of one party, in plain Python: what a single decision runs."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from numbers import Real
from typing import TYPE_CHECKING, Any, NamedTuple

from app.domain.intake import as_text
from app.domain.reasons import ReasonCode, rank_losses
from app.domain.types import Document
from app.errors import InvalidInputError

if TYPE_CHECKING:
    from app.domain.scorecard import Feature, Scorecard

TIE = 1e-9
"""Added before rounding down, so that a tie at a half goes up in every engine."""

_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_WORDS = {"true": 1.0, "false": 0.0}
_REMEMBERED_CARDS = 64


@dataclass(frozen=True, slots=True)
class ScoreResult:
    """Hold a score and all that explains it.

    Parameters
    ----------
    score : int
        In points, rounded half up.
    unrounded_score : float
        In points, before rounding.
    band : str
        The band of `score`.
    contributions : dict of str to float
        Points each feature adds above the lowest score, in card order.
    missing_features : tuple of str
        Features that had no value, in card order.
    reason_codes : tuple of ReasonCode
        At most four, most points lost first.
    """

    score: int
    unrounded_score: float
    band: str
    contributions: dict[str, float]
    missing_features: tuple[str, ...]
    reason_codes: tuple[ReasonCode, ...]

    def as_dict(self) -> Document:
        """Give the result as a JSON-ready mapping."""
        return {
            "score": self.score,
            "unrounded_score": self.unrounded_score,
            "band": self.band,
            "contributions": dict(self.contributions),
            "missing_features": list(self.missing_features),
            "reason_codes": [
                {"feature": code.feature, "reason": code.reason, "points_lost": code.points_lost}
                for code in self.reason_codes
            ],
        }


class _Line(NamedTuple):
    """One feature of a card, ready to be evaluated."""

    name: str
    read: Callable[[Any], Any]
    goodness: Callable[[Any], float]
    missing: float
    attainable: float
    weight: float
    points: float
    reason: str


def as_number(value: object) -> float | None:
    """Read one value as a finite number, as intake reads a column of them.

    Parameters
    ----------
    value : object
        A number, boolean, text or None.

    Returns
    -------
    float or None
        None for None, NaN and blank text; booleans count as 1 and 0.

    Raises
    ------
    InvalidInputError
        If the value is infinite or no number.

    Examples
    --------
    >>> [as_number(value) for value in (3, True, " 2.50 ", "", float("nan"))]
    [3.0, 1.0, 2.5, None, None]
    """
    if isinstance(value, float):
        return _finite(value)
    if isinstance(value, Real):
        return _as_float(value)
    text = as_text(value)
    if text is None:
        return None
    if text in _WORDS:
        return _WORDS[text]
    if not _NUMBER.fullmatch(text):
        raise InvalidInputError(f"{text[:60]!r} is not a number")
    return _finite(float(text))


def _as_float(value: Real) -> float | None:
    try:
        return _finite(float(value))
    except OverflowError as error:
        raise InvalidInputError("the number is too large") from error


def _finite(value: float) -> float | None:
    if math.isfinite(value):
        return value
    if math.isnan(value):
        return None
    raise InvalidInputError(f"{value} is not a finite number")


def score_party(card: Scorecard, features: Mapping[str, Any]) -> ScoreResult:
    r"""Score one party.

    .. math::
        \lfloor \min + (\max - \min) \sum_j w_j g_j / \sum_j w_j + 0.5 + 10^{-9} \rfloor

    Parameters
    ----------
    card : Scorecard
        The card that decides.
    features : mapping of str to Any
        Raw values by name; a name left out, None, NaN and blank text are missing. Names that
        the card does not know are ignored.

    Returns
    -------
    ScoreResult
        Score, band, contributions, missing features and reason codes.

    Raises
    ------
    InvalidInputError
        Names every feature whose value is infinite or no number.

    Examples
    --------
    >>> from app.domain.scorecard import load_scorecard
    >>> card = load_scorecard('''
    ... name: Two features
    ... bands: {low: 300, high: 600}
    ... features:
    ...   age: {weight: 1, transform: {kind: linear, worst: 20, best: 60}, reason: Young}
    ...   job: {weight: 2, transform: {kind: categories, values: {own: 1}, other: 0}}
    ... ''')
    >>> result = score_party(card, {"age": 40, "job": "own"})
    >>> result.score, result.band, result.contributions
    (800, 'high', {'age': 100.0, 'job': 400.0})
    >>> [(code.reason, code.points_lost) for code in result.reason_codes]
    [('Young', 100.0)]
    """
    lines = _lines(card)
    missing, goodness = _goodness(lines, features)
    total = 0.0
    for line, share in zip(lines, goodness, strict=True):
        total += line.weight * share
    low, weight = card.range.min, card.total_weight
    unrounded = low + (card.range.max - low) * total / weight
    score = math.floor(unrounded + 0.5 + TIE)
    lost = [
        line.points * (line.attainable - share) / weight
        for line, share in zip(lines, goodness, strict=True)
    ]
    return ScoreResult(
        score=score,
        unrounded_score=unrounded,
        band=card.band_of(score),
        contributions={
            line.name: line.points * share / weight
            for line, share in zip(lines, goodness, strict=True)
        },
        missing_features=missing,
        reason_codes=tuple(
            ReasonCode(lines[place].name, lines[place].reason, lost[place])
            for place in rank_losses(lost)
        ),
    )


def _goodness(
    lines: tuple[_Line, ...], features: Mapping[str, Any]
) -> tuple[tuple[str, ...], list[float]]:
    missing: list[str] = []
    goodness: list[float] = []
    faults: list[str] = []
    for line in lines:
        try:
            value = line.read(features.get(line.name))
        except InvalidInputError as error:
            faults.append(f"{line.name}: {error.message}")
            continue
        if value is None:
            missing.append(line.name)
        goodness.append(line.missing if value is None else line.goodness(value))
    if faults:
        raise InvalidInputError("\n".join(faults), n_faults=len(faults))
    return tuple(missing), goodness


@lru_cache(maxsize=_REMEMBERED_CARDS)
def _lines(card: Scorecard) -> tuple[_Line, ...]:
    span = card.range.max - card.range.min
    return tuple(_line(name, feature, span) for name, feature in card.features.items())


def _line(name: str, feature: Feature, span: int) -> _Line:
    transform = feature.transform
    return _Line(
        name=name,
        read=as_number if transform.takes_numbers else as_text,
        goodness=transform.goodness,
        missing=feature.missing,
        attainable=feature.attainable,
        weight=feature.weight,
        points=span * feature.weight,
        reason=feature.reason,
    )
