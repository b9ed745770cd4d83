"""Where a page of a list ended, as an opaque text."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from app.errors import InvalidInputError

_LONGEST = 512
_BIG = 1 << 63
_FIRST_YEAR, _LAST_YEAR = 1, 9999


def write_cursor(key: Sequence[Any]) -> str:
    """Write the sort key of the last row of a page.

    Parameters
    ----------
    key : sequence of str, int or datetime
        In the order of the sorting.

    Returns
    -------
    str
        URL-safe text.

    Examples
    --------
    >>> write_cursor((7, "B1"))
    'WzcsIkIxIl0'
    """
    plain = [value.isoformat() if isinstance(value, datetime) else value for value in key]
    text = json.dumps(plain, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read_cursor(cursor: str, kinds: Sequence[type]) -> tuple[Any, ...]:
    """Read the sort key that a page ended with.

    Parameters
    ----------
    cursor : str
        From `write_cursor`, by way of somebody outside.
    kinds : sequence of type
        ``str``, ``int`` or ``datetime``, in the order of the sorting.

    Returns
    -------
    tuple
        The key.

    Raises
    ------
    InvalidInputError
        If it is not a cursor of this list.

    Examples
    --------
    >>> read_cursor("WzcsIkIxIl0", (int, str))
    (7, 'B1')
    >>> read_cursor("nonsense", (int,))
    Traceback (most recent call last):
    app.errors.InvalidInputError: That is no cursor of this list: take next_cursor as it was given.
    """
    wrong = InvalidInputError("That is no cursor of this list: take next_cursor as it was given.")
    try:
        padded = cursor[:_LONGEST].encode("ascii") + b"=" * (-len(cursor[:_LONGEST]) % 4)
        values = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        if not isinstance(values, list) or len(values) != len(kinds):
            raise wrong
        return tuple(_typed(value, kind) for value, kind in zip(values, kinds, strict=True))
    except (ValueError, TypeError, binascii.Error, RecursionError) as error:
        raise wrong from error


def _typed(value: Any, kind: type) -> Any:
    if kind is datetime:
        moment = datetime.fromisoformat(value)
        if moment.tzinfo is None or not _FIRST_YEAR < moment.year < _LAST_YEAR:
            raise ValueError(value)
        return moment
    if isinstance(value, str) and kind is str and "\0" not in value:
        value.encode()  # half a character is no text
        return value
    if type(value) is int and kind is int and -_BIG <= value < _BIG:
        return value
    raise TypeError(value)
