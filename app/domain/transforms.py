"""Raw value to goodness: the four transforms, for one value.

`app.domain.transforms_table` holds the same four for a column; both agree to the last bit on
every finite number and every text.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from functools import cached_property
from itertools import pairwise
from types import MappingProxyType
from typing import Annotated, Any, ClassVar, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from app.domain.intake import as_text

Problem = tuple[tuple[str | int, ...], str]
"""A place inside a document, relative to the value being built, and what is wrong there."""


def refuse(problems: Iterable[Problem], title: str) -> None:
    """Raise every problem at its own place, if there is any.

    Parameters
    ----------
    problems : iterable of Problem
        Places relative to the model that is being validated.
    title : str
        Name of that model.

    Raises
    ------
    ValidationError
        Which pydantic merges into the report on the whole document.

    Examples
    --------
    >>> refuse([], "Bins")
    """
    details = [
        InitErrorDetails(type=_sentence(problem), loc=place, input=None)
        for place, problem in problems
    ]
    if details:
        raise ValidationError.from_exception_data(title, details)


def _sentence(problem: str) -> PydanticCustomError:
    return PydanticCustomError("document", "{problem}", {"problem": problem})


def _positive_zero(value: float) -> float:
    return value + 0.0


Number = Annotated[float, Field(strict=True, allow_inf_nan=False), AfterValidator(_positive_zero)]
"""A finite number; text and booleans are refused, and -0.0 is 0.0."""

Goodness = Annotated[
    float, Field(strict=True, ge=0.0, le=1.0, allow_inf_nan=False), AfterValidator(_positive_zero)
]
"""A goodness, unitless, in [0, 1]; 1 is safest."""


class _Transform(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    takes_numbers: ClassVar[bool] = True


def _clipped(share: float) -> float:
    if share <= 0.0:
        return 0.0
    return min(share, 1.0)


class _Slope(_Transform):
    worst: Number
    best: Number

    @property
    def attainable(self) -> float:
        """Give the largest goodness that a value can have."""
        return 1.0


class Linear(_Slope):
    """Map a number along a straight line, clipped to [0, 1].

    Parameters
    ----------
    worst, best : float
        The values of goodness 0 and 1; `worst` above `best` means that lower is safer.

    Examples
    --------
    >>> lower_is_safer = Linear(kind="linear", worst=48, best=6)
    >>> [lower_is_safer.goodness(months) for months in (60.0, 27.0, 1.0)]
    [0.0, 0.5, 1.0]
    """

    kind: Literal["linear"]

    @model_validator(mode="after")
    def _check(self) -> Linear:
        if self.span == 0.0 or not math.isfinite(self.span):
            problem = f"must differ from worst ({self.worst:g}) by a finite amount"
            refuse([(("best",), problem)], "Linear")
        return self

    @cached_property
    def span(self) -> float:
        """Give best - worst, in the unit of the feature."""
        return self.best - self.worst

    def goodness(self, value: float) -> float:
        """Give the goodness of a number, in [0, 1].

        Parameters
        ----------
        value : float
            Finite, in the unit of the feature.

        Returns
        -------
        float
            (value - worst) / (best - worst), clipped.
        """
        return _clipped((value - self.worst) / self.span)


class Log(_Slope):
    """Map a number along a logarithm, clipped to [0, 1]; numbers below 0 count as 0.

    Parameters
    ----------
    worst, best : float
        The values of goodness 0 and 1, not negative.

    Examples
    --------
    >>> amount = Log(kind="log", worst=0, best=99)
    >>> [round(amount.goodness(value), 6) for value in (-5.0, 9.0, 99.0)]
    [0.0, 0.5, 1.0]
    """

    kind: Literal["log"]

    worst: Annotated[Number, Field(ge=0.0)]
    best: Annotated[Number, Field(ge=0.0)]

    @model_validator(mode="after")
    def _check(self) -> Log:
        if self.span == 0.0:
            refuse([(("best",), f"must differ from worst ({self.worst:g})")], "Log")
        return self

    @cached_property
    def origin(self) -> float:
        """Give ln(1 + worst)."""
        return math.log(1.0 + self.worst)

    @cached_property
    def span(self) -> float:
        """Give ln(1 + best) - ln(1 + worst)."""
        return math.log(1.0 + self.best) - self.origin

    def goodness(self, value: float) -> float:
        """Give the goodness of a number, in [0, 1].

        Parameters
        ----------
        value : float
            Finite, in the unit of the feature.

        Returns
        -------
        float
            (ln(1 + value) - ln(1 + worst)) / (ln(1 + best) - ln(1 + worst)), clipped.
        """
        return _clipped((math.log(1.0 + max(value, 0.0)) - self.origin) / self.span)


def _increasing(edges: tuple[float, ...]) -> tuple[float, ...]:
    problems: list[Problem] = [
        ((place,), f"edges must increase: {edge:g} does not exceed {previous:g}")
        for place, (previous, edge) in enumerate(pairwise(edges), start=1)
        if edge <= previous
    ]
    refuse(problems, "Bins")
    return edges


class Bins(_Transform):
    """Map a number to the goodness of its bin.

    Parameters
    ----------
    edges : tuple of float, shape (n,)
        Strictly increasing; a value on an edge belongs to the bin above it.
    values : tuple of float, shape (n + 1,)
        Goodness of each bin, lowest bin first.

    Examples
    --------
    >>> late = Bins(kind="bins", edges=(1, 2), values=(1, 0.5, 0))
    >>> [late.goodness(months) for months in (0.0, 1.0, 1.9, 2.0)]
    [1.0, 0.5, 0.5, 0.0]
    """

    kind: Literal["bins"]
    edges: Annotated[tuple[Number, ...], Field(min_length=1), AfterValidator(_increasing)]
    values: tuple[Goodness, ...]

    @model_validator(mode="after")
    def _check(self) -> Bins:
        needed = len(self.edges) + 1
        if len(self.values) != needed:
            problem = f"{len(self.edges)} edges make {needed} bins, but {len(self.values)} values"
            refuse([(("values",), f"{problem} are given")], "Bins")
        return self

    @property
    def attainable(self) -> float:
        """Give the largest goodness that a value can have."""
        return max(self.values)

    def goodness(self, value: float) -> float:
        """Give the goodness of a number, in [0, 1].

        Parameters
        ----------
        value : float
            Finite, in the unit of the feature.

        Returns
        -------
        float
            ``values[k]``, k = number of edges <= value.
        """
        return self.values[bisect_right(self.edges, value)]


def _text_keys(values: Any) -> Any:
    """Turn category keys into the text that intake gives to such values."""
    if not isinstance(values, Mapping):
        return values
    texts: dict[str, Any] = {}
    problems: list[Problem] = []
    for key, value in values.items():
        text = as_text(key)
        if text is None:
            problems.append(((str(key),), "a blank is not a category: use missing for it"))
        elif text in texts:
            problems.append(((str(key),), f"the category {text!r} is given twice"))
        else:
            texts[text] = value
    refuse(problems, "Categories")
    return texts


class Categories(_Transform):
    """Map a text to the goodness of its category.

    Parameters
    ----------
    values : mapping of str to float
        Goodness of each category. Keys are texts as intake writes them; keys written as numbers
        or booleans become such texts (``1.0`` is ``1``, ``True`` is ``true``).
    other : float
        Goodness of every other text.

    Examples
    --------
    >>> loan = Categories(kind="categories", values={1: 1.0, "2": 0.3}, other=0.5)
    >>> [loan.goodness(text) for text in ("1", "2", "3")]
    [1.0, 0.3, 0.5]
    """

    takes_numbers: ClassVar[bool] = False

    kind: Literal["categories"]
    values: Annotated[
        Mapping[str, Goodness],
        BeforeValidator(_text_keys),
        Field(min_length=1),
        AfterValidator(MappingProxyType),
    ]
    other: Goodness

    @property
    def attainable(self) -> float:
        """Give the largest goodness that a value can have."""
        return max(self.other, *self.values.values())

    def goodness(self, value: str) -> float:
        """Give the goodness of a text, in [0, 1].

        Parameters
        ----------
        value : str
            As `app.domain.intake.as_text` writes it.

        Returns
        -------
        float
            ``values[value]``, or `other`.
        """
        return self.values.get(value, self.other)


Transform = Annotated[Linear | Log | Bins | Categories, Field(discriminator="kind")]
"""Any of the four, told apart by ``kind``."""

KINDS: dict[str, type[_Transform]] = {
    "linear": Linear,
    "log": Log,
    "bins": Bins,
    "categories": Categories,
}
"""Every transform by the name that documents use for it."""
