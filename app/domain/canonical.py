"""One text and one hash for one content: canonical JSON."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Mapping
from typing import Any

from app.errors import InvalidInputError


def canonical_json(content: Any) -> str:
    """Write content as the one JSON text that stands for it.

    Keys are sorted by code point, nothing is indented, text is not escaped beyond what JSON
    asks for, and floats are written by their shortest form that reads back to the same number.
    Order that matters belongs into a list.

    Parameters
    ----------
    content : Any
        Text, numbers, booleans, None, and lists, tuples and mappings of these.

    Returns
    -------
    str
        The same for equal content, on every machine and Python version.

    Raises
    ------
    InvalidInputError
        If a number is not finite, a key is not text, or a value has no JSON form; the message
        names the place.

    Examples
    --------
    >>> canonical_json({"b": (1, 2.0), "a": "Zürich"})
    '{"a":"Zürich","b":[1,2.0]}'
    >>> canonical_json({"a": [0.5, float("nan")]})
    Traceback (most recent call last):
    ...
    app.errors.InvalidInputError: a[1]: nan has no place in hashed content
    """
    plain = _plain(content, "")
    return json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def content_hash(content: Any) -> str:
    """Give the SHA-256 of the canonical JSON of content.

    Parameters
    ----------
    content : Any
        As for `canonical_json`.

    Returns
    -------
    str
        64 hexadecimal digits.

    Raises
    ------
    InvalidInputError
        As `canonical_json`.

    References
    ----------
    .. [1] NIST, FIPS 180-4, Secure Hash Standard, 2015: the hash of the text ``{}``, which
       any implementation gives.

    Examples
    --------
    >>> content_hash({})
    '44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a'
    """
    return hashlib.sha256(canonical_json(content).encode("utf-8")).hexdigest()


def _plain(content: Any, place: str) -> Any:
    if content is None or isinstance(content, bool | int):
        return content
    if isinstance(content, str):
        return _text(content, place)
    if isinstance(content, float):
        if not math.isfinite(content):
            raise InvalidInputError(
                f"{place or 'content'}: {content} has no place in hashed content"
            )
        return content
    if isinstance(content, Mapping):
        return {
            _key(key, place): _plain(value, _join(place, key)) for key, value in content.items()
        }
    if isinstance(content, list | tuple):
        return [_plain(value, f"{place}[{index}]") for index, value in enumerate(content)]
    kind = type(content).__name__
    raise InvalidInputError(f"{place or 'content'}: a {kind} has no canonical JSON form")


def _text(content: str, place: str) -> str:
    try:
        content.encode("utf-8")
    except UnicodeEncodeError as error:
        message = f"{place or 'content'}: the text holds half a character (a lone surrogate)"
        raise InvalidInputError(message) from error
    return content


def _key(key: Any, place: str) -> str:
    if not isinstance(key, str):
        kind = type(key).__name__
        raise InvalidInputError(f"{place or 'content'}: the key {key!r} is a {kind}, not text")
    return _text(key, place)


def _join(place: str, key: Any) -> str:
    return f"{place}.{key}" if place else str(key)
