"""JSON bodies that every part of the system can take: bounded depth, whole text, finite numbers."""

from __future__ import annotations

import json
import math
from typing import Any

from fastapi import Request

from app.edge.problems import Refusal

MAX_DEPTH = 32
"""A scorecard nests 5 deep, a comparison's evidence 8."""

_BIG = 1 << 63


class GuardedRequest(Request):
    """A request whose JSON body is checked as it is read."""

    async def body(self) -> bytes:
        """Give the body of an endpoint that takes JSON.

        Raises
        ------
        Refusal
            415 if something was sent as another media type.
        """
        body = await super().body()
        kind = self.headers.get("content-type", "").partition(";")[0].strip().lower()
        if body and kind != "application/json":
            detail = "Send the body as application/json."
            raise Refusal(415, "unsupported_media_type", detail)
        return body

    async def json(self) -> Any:
        """Give the parsed body.

        Raises
        ------
        Refusal
            400 if it is no JSON, nests too deep, or holds what a database cannot keep.
        """
        if not hasattr(self, "_json"):
            self._json = parse_json(await self.body())
        return self._json


def parse_json(body: bytes) -> Any:
    """Parse a JSON body, strictly.

    Parameters
    ----------
    body : bytes
        UTF-8.

    Returns
    -------
    Any
        Mappings, lists, text, numbers, booleans and None.

    Raises
    ------
    Refusal
        400 if it is no JSON, nests deeper than 32, names a key twice, or holds NaN, an infinite
        number, a whole number beyond 64 bits, a null character or half a character.

    Examples
    --------
    >>> parse_json(b'{"a": [1, 2.5, "x"]}')
    {'a': [1, 2.5, 'x']}
    >>> parse_json(b'{"a": NaN}')
    Traceback (most recent call last):
    app.edge.problems.Refusal: 400: The body is no JSON: NaN is no JSON number.
    """
    try:
        parsed = json.loads(
            body.decode("utf-8"), parse_constant=_refuse_constant, object_pairs_hook=_unique
        )
    except UnicodeDecodeError as error:
        raise _unreadable(f"byte {error.start} is not UTF-8") from error
    except json.JSONDecodeError as error:
        raise _unreadable(f"{error.msg} at character {error.pos}") from error
    except RecursionError as error:
        raise _too_deep() from error
    except ValueError as error:
        raise _unreadable(str(error).partition(";")[0]) from error
    _check(parsed)
    return parsed


def require_plain_text(text: str, where: str) -> None:
    """Refuse text that a database cannot keep.

    Parameters
    ----------
    text : str
        A path, a query or a value.
    where : str
        What it is, for the message.

    Raises
    ------
    Refusal
        400 if it holds a null character or half a character.
    """
    if "\0" in text:
        raise Refusal(400, "unusable_text", f"{where} holds a null character.")
    if any("\ud800" <= letter <= "\udfff" for letter in text):
        raise Refusal(400, "unusable_text", f"{where} holds half a character (a lone surrogate).")


def _check(parsed: Any) -> None:
    """Walk without recursion: depth, text and numbers."""
    level = [parsed]
    depth = 0
    while level:
        depth += 1
        if depth > MAX_DEPTH:
            raise _too_deep()
        below: list[Any] = []
        for value in level:
            if isinstance(value, dict):
                for key in value:
                    _check_value(key)
                below.extend(value.values())
            elif isinstance(value, list):
                below.extend(value)
            else:
                _check_value(value)
        level = below


def _check_value(value: Any) -> None:
    if isinstance(value, str):
        if not value.isascii() or "\0" in value:
            require_plain_text(value, "The body")
    elif isinstance(value, float) and not math.isfinite(value):
        raise _unreadable("a number is too large")
    elif isinstance(value, int) and not -_BIG <= value < _BIG:
        raise _unreadable("a whole number has more than 64 bits")


def _refuse_constant(name: str) -> None:
    raise _unreadable(f"{name} is no JSON number")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _unreadable("a key is given twice")
    return found


def _unreadable(why: str) -> Refusal:
    return Refusal(400, "malformed_json", f"The body is no JSON: {why}.")


def _too_deep() -> Refusal:
    return Refusal(400, "too_deep", f"The body nests deeper than {MAX_DEPTH} levels.")
