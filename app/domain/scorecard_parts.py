"""What a scorecard is made of, and the checks that need more than one field."""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from itertools import pairwise
from operator import add
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from app.domain.transforms import Goodness, Number, Problem, Transform, refuse

_LARGEST_SCORE = 1_000_000
"""Beyond it the tie term of the score formula would be lost in rounding."""

_LARGEST_WEIGHT = 1e15


def _whole(value: Any) -> Any:
    return int(value) if isinstance(value, float) and value.is_integer() else value


Whole = Annotated[
    int,
    Field(strict=True, ge=-_LARGEST_SCORE, le=_LARGEST_SCORE),
    BeforeValidator(_whole),
]
"""A score in points; ``300.0`` is ``300``."""


def _not_blank(text: str) -> str:
    if not text.strip():
        refuse([((), "must not be blank")], "Text")
    return text


Text = Annotated[str, Field(strict=True), AfterValidator(_not_blank)]
"""Text that says something; blanks around it are part of it, as in names of columns."""


class Part(BaseModel):
    """Hold a part of a document that never changes and knows all its fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class ScoreRange(Part):
    """Hold the lowest and the highest score, in points.

    Parameters
    ----------
    min, max : int
        The scores of goodness 0 and 1 throughout; `min` is below `max`.
    """

    min: Whole = 300
    max: Whole = 900

    @model_validator(mode="after")
    def _check(self) -> ScoreRange:
        if self.min >= self.max:
            refuse([(("max",), f"must exceed min ({self.min}), is {self.max}")], "ScoreRange")
        return self


class Feature(Part):
    """Hold what the card says about one feature.

    Parameters
    ----------
    weight : float
        Share of the score, >= 0; only its relation to the other weights matters.
    transform : Linear, Log, Bins or Categories
        From raw value to goodness.
    missing : float, default 0
        Goodness of a null, in [0, 1]; see `gives_missing`.
    reason : str
        What a reason code says when this feature lost points; empty if the card does not say.
    """

    weight: Annotated[Number, Field(ge=0.0)]
    transform: Transform
    missing: Goodness = 0.0
    reason: Annotated[str, Field(strict=True)] = ""

    @property
    def gives_missing(self) -> bool:
        """Say whether the document itself gives the goodness of a null."""
        return "missing" in self.model_fields_set

    @property
    def attainable(self) -> float:
        """Give the largest goodness a party can have here, in [0, 1]."""
        return max(self.transform.attainable, self.missing)


def band_problems(bands: Mapping[str, int], score_range: ScoreRange | None) -> list[Problem]:
    """Find what keeps bands from covering the range without a gap.

    Parameters
    ----------
    bands : mapping of str to int
        Name to lower bound in points, in document order; not empty.
    score_range : ScoreRange or None
        None if it is at fault itself.

    Returns
    -------
    list of Problem
        Places relative to the bands.

    Examples
    --------
    >>> band_problems({"low": 300, "high": 300}, ScoreRange())
    [(('high',), 'must start above low (300), starts at 300')]
    """
    names = list(bands)
    problems: list[Problem] = [
        ((upper,), f"must start above {lower} ({bands[lower]}), starts at {bands[upper]}")
        for lower, upper in pairwise(names)
        if bands[upper] <= bands[lower]
    ]
    if score_range is None:  # already reported; the bands cannot be held against it
        return problems
    low, high, first = score_range.min, score_range.max, bands[names[0]]
    if first != low:
        problem = f"the lowest band must start at range.min ({low}), starts at {first}"
        problems.insert(0, ((names[0],), problem))
    return problems + [
        ((name,), f"must start below range.max ({high}), starts at {bound}")
        for name, bound in bands.items()
        if bound >= high
    ]


def sum_of_weights(features: Mapping[str, Feature]) -> float:
    """Add the weights one by one in card order, as both evaluators add.

    Parameters
    ----------
    features : mapping of str to Feature
        In card order; not empty.

    Returns
    -------
    float
        At least 0.

    Examples
    --------
    >>> from app.domain.transforms import Linear
    >>> age = Feature(weight=2, transform=Linear(kind="linear", worst=20, best=60))
    >>> sum_of_weights({"age": age, "age of company": age})
    4.0
    """
    # not sum(): from Python 3.12 on it compensates rounding, and DuckDB does not
    return reduce(add, (feature.weight for feature in features.values()))


def feature_problems(features: Mapping[str, Feature]) -> list[Problem]:
    """Find what is wrong with the features together.

    Parameters
    ----------
    features : mapping of str to Feature
        In card order; not empty.

    Returns
    -------
    list of Problem
        Places relative to the features: the sum of the weights, names that differ only in case.

    Examples
    --------
    >>> from app.domain.transforms import Linear
    >>> idle = Feature(weight=0, transform=Linear(kind="linear", worst=20, best=60))
    >>> feature_problems({"age": idle})
    [((), 'at least one weight must be positive')]
    """
    problems: list[Problem] = []
    total = sum_of_weights(features)
    if total <= 0.0:
        problems.append(((), "at least one weight must be positive"))
    elif total > _LARGEST_WEIGHT:
        problems.append(((), f"the weights sum to {total:g}, more than {_LARGEST_WEIGHT:g}"))
    seen: dict[str, str] = {}
    for name in features:
        same = seen.setdefault(name.casefold(), name)
        if same != name:
            problem = f"differs from {same!r} only in case, which databases do not see"
            problems.append(((name,), problem))
    return problems
