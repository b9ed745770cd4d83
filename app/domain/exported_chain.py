"""The exported audit chain: JSON Lines that a third party can check with any SHA-256."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from json.encoder import encode_basestring as quoted
from operator import itemgetter

from app.domain.audit_chain import Page, StoredEvent
from app.errors import AuditChainError

_read_line = itemgetter("hash", "hashed_text")
_read_fields = itemgetter(*StoredEvent._fields[:7])


def exported_line(own_hash: str, hashed_text: str) -> str:
    r"""Write one event as a line: its hash, and the exact text that has this hash.

    Parameters
    ----------
    own_hash : str
        64 hex digits.
    hashed_text : str
        As stored.

    Returns
    -------
    str
        One JSON object and a line feed; in a JSON text no other can occur.

    Examples
    --------
    >>> exported_line("ab", '{"action":"a"}')
    '{"hash":"ab","hashed_text":"{\\"action\\":\\"a\\"}"}\n'
    """
    return f'{{"hash":{quoted(own_hash)},"hashed_text":{quoted(hashed_text)}}}\n'


def exported_pages(lines: Iterable[bytes]) -> Iterator[Page]:
    r"""Read exported events; what they say is for ``checked_pages`` to check.

    Parameters
    ----------
    lines : iterable of bytes
        The lines of an exported file, UTF-8.

    Yields
    ------
    sequence of tuple
        In the order of the lines, one event a page.

    Raises
    ------
    AuditChainError
        Names the first line that is no exported event.

    Examples
    --------
    >>> list(exported_pages([b'{"hash":"ab"}']))
    Traceback (most recent call last):
    ...
    app.errors.AuditChainError: line 1, event 1, is no exported event
    """
    for number, line in enumerate(lines, start=1):
        try:
            own_hash, text = _read_line(json.loads(line.decode("utf-8")))
            event = (*_read_fields(json.loads(text)), own_hash, text)
        except (ValueError, TypeError, KeyError, RecursionError) as error:
            raise AuditChainError(
                f"line {number}, event {number}, is no exported event", seq=number
            ) from error
        yield (event,)
