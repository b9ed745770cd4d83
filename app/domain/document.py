"""Documents that people write: YAML or JSON text to plain values, and faults with their place."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from math import inf
from typing import Any

import yaml
from yaml.constructor import ConstructorError

from app.errors import DocumentError

_PLAIN_KEY = re.compile(r"[A-Za-z_][\w-]*")
_MOST_VALUES = 1_000_000
_MERGE_TAG = "tag:yaml.org,2002:merge"


class _Loader(yaml.SafeLoader):
    """Read YAML as version 1.2 does: no, on, 12:30, 010 and dates are texts."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012 - PyYAML's own attribute


_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9]*)\Z")
_FLOAT = re.compile(
    r"[-+]?(?:(?:0|[1-9][0-9]*)(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?\Z"
    r"|[-+]?\.(?:inf|Inf|INF)\Z|\.(?:nan|NaN|NAN)\Z"
)
for _tag, _pattern, _first in (
    ("bool", re.compile(r"(?:true|True|TRUE|false|False|FALSE)\Z"), "tTfF"),
    ("null", re.compile(r"(?:~|null|Null|NULL|)\Z"), ["~", "n", "N", ""]),
    ("int", _INTEGER, "-+0123456789"),
    ("float", _FLOAT, "-+0123456789."),
    ("merge", re.compile(r"<<\Z"), "<"),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", _pattern, list(_first))


def parse_document(text: str) -> Any:
    """Read YAML or JSON text as plain values.

    YAML is read as its version 1.2: only ``true`` and ``false`` are booleans, so that a category
    ``No`` stays a text.

    Parameters
    ----------
    text : str
        A whole document.

    Returns
    -------
    Any
        Mappings, lists, text, numbers, booleans and None.

    Raises
    ------
    DocumentError
        If the text cannot be read, or a key is given twice; it names the line, or the key.

    Examples
    --------
    >>> parse_document("{a: 1, No: [1e3, true, 010]}")
    {'a': 1, 'No': [1000.0, True, '010']}
    >>> parse_document("features: {age: 1, age: 2}")
    Traceback (most recent call last):
    ...
    app.errors.DocumentError: features.age: is given twice (line 1)
    """
    if text.lstrip("\ufeff \t\r\n").startswith(("{", "[")):
        try:
            return _parse_json(text.lstrip("\ufeff"))
        except RecursionError as error:
            raise DocumentError("", "is nested too deeply") from error
        except json.JSONDecodeError:
            pass  # YAML also has braces; its message follows if it cannot read the text either
    return _parse_yaml(text)


def _parse_json(text: str) -> Any:
    twice: list[tuple[str, str]] = []

    def collect(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                twice.append((format_place((key,)), "is given twice"))
            seen.add(key)
        return dict(pairs)

    parsed = json.loads(text, object_pairs_hook=collect)
    raise_problems(twice)
    return parsed


def _parse_yaml(text: str) -> Any:
    loader = _Loader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return None
        raise_problems(_duplicates(node, (), set()))
        _refuse_bombs(node)
        return loader.construct_document(node)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"line {mark.line + 1}" if mark else ""
        raise DocumentError(place, f"is not readable YAML: {error.problem}") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise DocumentError("", f"is not readable YAML: {error}") from error
    finally:
        loader.dispose()


def _duplicates(
    node: yaml.Node, path: tuple[str | int, ...], seen: set[int]
) -> list[tuple[str, str]]:
    if id(node) in seen:
        return []
    seen.add(id(node))
    found: list[tuple[str, str]] = []
    if isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            found += _duplicates(item, (*path, index), seen)
    elif isinstance(node, yaml.MappingNode):
        keys: set[tuple[str, str]] = set()
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                problem = "a key must be a plain text, not a list or mapping"
                raise ConstructorError(None, None, problem, key.start_mark)
            place = (*path, str(key.value))
            if (key.tag, key.value) in keys and key.tag != _MERGE_TAG:
                line = key.start_mark.line + 1
                found.append((format_place(place), f"is given twice (line {line})"))
            keys.add((key.tag, key.value))
            found += _duplicates(value, place, seen)
    return found


def _refuse_bombs(node: yaml.Node) -> None:
    """Refuse aliases that a few lines make millions of values of, and those within themselves."""
    if _n_values(node, {}) > _MOST_VALUES:
        raise DocumentError("", f"its aliases (*) stand for more than {_MOST_VALUES:,} values")


def _n_values(node: yaml.Node, known: dict[int, float]) -> float:
    if id(node) not in known:
        known[id(node)] = inf  # what an alias within itself comes to
        parts: list[yaml.Node] = []
        if isinstance(node, yaml.SequenceNode):
            parts = node.value
        elif isinstance(node, yaml.MappingNode):
            parts = [value for _, value in node.value]
        known[id(node)] = 1 + sum(_n_values(part, known) for part in parts)
    return known[id(node)]


def format_place(path: Sequence[str | int]) -> str:
    """Write a path inside a document as people read it.

    Parameters
    ----------
    path : sequence of str or int
        Keys and list positions from the top.

    Returns
    -------
    str
        Keys joined by dots, positions and unusual keys in brackets.

    Examples
    --------
    >>> format_place(("features", "age", "transform", "edges", 2))
    'features.age.transform.edges[2]'
    >>> format_place(("values", "< 100 DM"))
    'values["< 100 DM"]'
    """
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        elif _PLAIN_KEY.fullmatch(part):
            text += f".{part}" if text else part
        else:
            text += f"[{json.dumps(part, ensure_ascii=False)}]"
    return text


def raise_problems(problems: Iterable[tuple[str, str]]) -> None:
    """Raise all problems of a document as one error, if there is any.

    Parameters
    ----------
    problems : iterable of (place, problem)
        In document order.

    Raises
    ------
    DocumentError
        Whose ``place`` is that of the first problem, and whose message has one line for each.

    Examples
    --------
    >>> raise_problems([("range.min", "is missing"), ("name", "is missing")])
    Traceback (most recent call last):
    ...
    app.errors.DocumentError: range.min: is missing
    name: is missing
    """
    found = list(problems)
    if found:
        place, problem = found[0]
        rest = [f"{place}: {problem}" if place else problem for place, problem in found[1:]]
        raise DocumentError(place, "\n".join([problem, *rest]))
