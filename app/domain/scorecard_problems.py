"""Say what is wrong with a scorecard document: place and sentence for each of pydantic's errors."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from reprlib import Repr
from typing import Any

from pydantic import BaseModel, ValidationError

from app.domain.document import format_place
from app.domain.transforms import KINDS

_SHOWN = Repr()
_SHOWN.maxstring = _SHOWN.maxother = 60
_KIND_DEPTH = 3
"""Position of the transform's kind in pydantic's path: features, name, transform, kind."""

Details = Mapping[str, Any]


def scorecard_problems(
    error: ValidationError, models: Mapping[tuple[str, ...], type[BaseModel]]
) -> list[tuple[str, str]]:
    """Translate pydantic's report on a scorecard document.

    Parameters
    ----------
    error : ValidationError
        Raised while building a `app.domain.scorecard.Scorecard`.
    models : mapping
        The model that stands at ``()``, ``("range",)`` and ``("features",)`` (one feature), for
        suggestions.

    Returns
    -------
    list of (place, problem)
        In document order.

    Examples
    --------
    >>> from app.domain.transforms import Linear
    >>> try:
    ...     Linear.model_validate({"kind": "linear", "worst": 1, "bset": 2})
    ... except ValidationError as error:
    ...     scorecard_problems(error, {(): Linear})
    [('best', 'is missing'), ('bset', "is not known here; did you mean 'best'?")]
    """
    return [_problem(details, models) for details in error.errors(include_url=False)]


def _problem(
    details: Details, models: Mapping[tuple[str, ...], type[BaseModel]]
) -> tuple[str, str]:
    path = tuple(details["loc"])
    kind = details["type"]
    if kind in {"union_tag_invalid", "union_tag_not_found"}:
        return format_place((*path, "kind")), _kind_problem(details["input"])
    if kind == "extra_forbidden":
        allowed = _allowed(path[:-1], models)
        return format_place(_shown_path(path)), _unknown(str(path[-1]), allowed)
    sentence = _SENTENCES.get(kind)
    return format_place(_shown_path(path)), sentence(details) if sentence else details["msg"]


def _shown_path(path: tuple[str | int, ...]) -> tuple[str | int, ...]:
    """Leave out what pydantic adds to a path: the transform's kind, and a mark on keys."""
    if len(path) > _KIND_DEPTH and path[0] == "features" and path[2] == "transform":
        path = (*path[:_KIND_DEPTH], *path[_KIND_DEPTH + 1 :])
    return path[:-1] if path and path[-1] == "[key]" else path


def _allowed(
    path: tuple[str | int, ...], models: Mapping[tuple[str, ...], type[BaseModel]]
) -> Sequence[str]:
    if len(path) > _KIND_DEPTH and path[2] == "transform":
        return list(KINDS[str(path[_KIND_DEPTH])].model_fields)
    top = tuple(str(part) for part in path[:1])
    return list(models[top].model_fields) if top in models else []


def _unknown(name: str, allowed: Sequence[str]) -> str:
    close = get_close_matches(name.casefold(), allowed, n=1)
    if close:
        return f"is not known here; did you mean {close[0]!r}?"
    return f"is not known here; known are {', '.join(allowed)}"


def _kind_problem(given: Any) -> str:
    known = ", ".join(KINDS)
    if not isinstance(given, Mapping) or "kind" not in given:
        return f"is missing; the kinds are {known}"
    close = get_close_matches(str(given["kind"]).casefold(), KINDS, n=1)
    hint = f"; did you mean {close[0]!r}?" if close else ""
    return f"{_SHOWN.repr(given['kind'])} is not a kind of transform ({known}){hint}"


def _must_be(what: str) -> Callable[[Details], str]:
    def sentence(details: Details) -> str:
        given = details["input"]
        return f"must be {what}, not {'empty' if given is None else _SHOWN.repr(given)}"

    return sentence


def _bounded(relation: str, key: str) -> Callable[[Details], str]:
    def sentence(details: Details) -> str:
        return f"must be {relation} {details['ctx'][key]:g}, is {_SHOWN.repr(details['input'])}"

    return sentence


_SENTENCES: dict[str, Callable[[Details], str]] = {
    "missing": lambda _: "is missing",
    "document": lambda details: str(details["ctx"]["problem"]),
    "float_type": _must_be("a number"),
    "finite_number": _must_be("a finite number"),
    "int_type": _must_be("a whole number"),
    "int_parsing_size": _must_be("a whole number of reasonable size"),
    "string_type": _must_be("text in quotes"),
    "string_too_short": lambda _: "must not be blank",
    "string_too_long": lambda details: (
        f"must have at most {details['ctx']['max_length']} characters"
    ),
    "dict_type": _must_be("a mapping"),
    "mapping_type": _must_be("a mapping"),
    "model_type": _must_be("a mapping"),
    "model_attributes_type": _must_be("a mapping"),
    "tuple_type": _must_be("a list"),
    "too_short": lambda details: f"needs at least {details['ctx']['min_length']}",
    "greater_than_equal": _bounded("at least", "ge"),
    "less_than_equal": _bounded("at most", "le"),
}
