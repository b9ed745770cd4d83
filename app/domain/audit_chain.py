"""The text of an audit event, its hash, and what holds a chain of events together."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from json.encoder import encode_basestring as quoted
from typing import Any, NamedTuple, NoReturn, TypeAlias

from app.domain.canonical import canonical_json
from app.domain.counted import counted
from app.errors import AuditChainError, InvalidInputError

GENESIS_HASH = "0" * 64
"""What the first event names as the hash before it."""


class StoredEvent(NamedTuple):
    """The columns of one event in their order; what is stored may be anything, until checked."""

    seq: Any
    at: Any
    actor: Any
    action: Any
    subject: Any
    payload: Any
    previous_hash: Any
    hash: Any
    hashed_text: Any


Page: TypeAlias = Sequence[tuple[Any, ...]]
"""Consecutive events, each with the columns of ``StoredEvent``."""


@dataclass(frozen=True, slots=True)
class ChainLink:
    """Hold what is hashed of one event.

    Attributes
    ----------
    seq : int
        From 1, without gaps.
    at : str
        UTC time in ISO 8601 with microseconds.
    actor, action, subject : str
        Who did what to what.
    payload : str
        Canonical JSON.
    previous_hash : str
        Hash of the event before, 64 hex digits.
    """

    seq: int
    at: str
    actor: str
    action: str
    subject: str
    payload: str
    previous_hash: str


def event_text(link: ChainLink) -> str:
    """Give the exact text that is hashed: canonical JSON of every field.

    Parameters
    ----------
    link : ChainLink
        The event.

    Returns
    -------
    str
        The same for the same event, for ever.

    Examples
    --------
    >>> link = ChainLink(1, "2026-01-01T00:00:00.000000+00:00", "ada", "a", "s", "{}", "0")
    >>> event_text(link)[:32]
    '{"action":"a","actor":"ada","at"'
    """
    return canonical_json(asdict(link))


def event_time(moment: datetime) -> str:
    """Write a time as events carry it: of one length, so that texts sort as times do.

    Parameters
    ----------
    moment : datetime
        In UTC.

    Returns
    -------
    str
        ISO 8601 with microseconds.

    Examples
    --------
    >>> event_time(datetime(2026, 3, 31, tzinfo=UTC))
    '2026-03-31T00:00:00.000000+00:00'
    """
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def hash_text(text: str) -> str:
    """Give the SHA-256 of a text's UTF-8 bytes, as 64 hex digits.

    Parameters
    ----------
    text : str
        From ``event_text``.

    Returns
    -------
    str
        The hash.

    References
    ----------
    .. [1] NIST FIPS 180-4, Secure Hash Standard, 2015; the example is its message "abc".

    Examples
    --------
    >>> hash_text("abc")[:16]
    'ba7816bf8f01cfea'
    """
    return hashlib.sha256(text.encode()).hexdigest()


def checked_pages(
    pages: Iterable[Page], seq: int = 0, last_hash: str = GENESIS_HASH
) -> Iterator[Page]:
    """Give stored events page by page, once each was checked against the one before.

    The columns have to be what was hashed, in type and to the letter, the text has to have the
    stored hash, the number and the hash before have to follow.

    Parameters
    ----------
    pages : iterable of sequence of tuple
        By number; no page is empty.
    seq : int
        Number of the event before the first of them; 0 where it begins the chain.
    last_hash : str
        The hash of that event.

    Yields
    ------
    sequence of tuple
        The pages as given.

    Raises
    ------
    AuditChainError
        Names the first event that is gone or is not what was written.

    Examples
    --------
    >>> list(checked_pages([[(2, "at", "ada", "a", "s", "{}", "0", "1", "{}")]]))
    Traceback (most recent call last):
    ...
    app.errors.AuditChainError: event 1 is gone: the next one stored is 2
    """
    sha256 = hashlib.sha256
    for page in pages:
        for row in page:
            seq += 1
            stored, at, actor, action, subject, payload, previous_hash, own_hash, text = row
            try:  # written out, field by field: this runs for every event of a long history
                as_written = (
                    stored == seq
                    and previous_hash == last_hash
                    and text
                    == f'{{"action":{quoted(action)},"actor":{quoted(actor)},"at":{quoted(at)},'
                    f'"payload":{quoted(payload)},"previous_hash":{quoted(previous_hash)},'
                    f'"seq":{stored},"subject":{quoted(subject)}}}'
                    and sha256(text.encode()).hexdigest() == own_hash
                )
            except (TypeError, ValueError):  # no text at all, or half a character in it
                as_written = False
            if not as_written:
                _name_fault(StoredEvent._make(row), seq, last_hash)
            last_hash = own_hash
        yield page


def check_end(seq: int, last_hash: str, head_seq: int, head_hash: str) -> None:
    """Hold the last event of a chain against the head that is kept apart from it.

    Parameters
    ----------
    seq, last_hash : int, str
        Number and hash of the last event.
    head_seq, head_hash : int, str
        The same as the head has them.

    Raises
    ------
    AuditChainError
        If the tail was cut, or head or last event were replaced.

    Examples
    --------
    >>> check_end(6, "ab", 7, "cd")
    Traceback (most recent call last):
    ...
    app.errors.AuditChainError: event 7 is gone: the head counts 7 events
    """
    if (seq, last_hash) == (head_seq, head_hash):
        return
    if seq < head_seq:
        raise AuditChainError(
            f"event {seq + 1} is gone: the head counts {counted(head_seq, 'event')}",
            seq=seq + 1,
        )
    raise AuditChainError(
        f"event {seq} is not the one that the head names: head or event was replaced", seq=seq
    )


def _name_fault(row: StoredEvent, expected: int, previous: str) -> NoReturn:
    if row.seq != expected:
        raise AuditChainError(
            f"event {expected} is gone: the next one stored is {row.seq}", seq=expected
        )
    if _is_altered(row):
        raise AuditChainError(
            f"event {expected} was edited: its columns are not what was hashed", seq=expected
        )
    if hash_text(row.hashed_text) != row.hash:
        raise AuditChainError(
            f"event {expected} was edited: its text does not have the stored hash", seq=expected
        )
    before = f"does not follow event {expected - 1}" if expected > 1 else "is not the first"
    raise AuditChainError(
        f"event {expected} {before}: one of them was replaced"
        if row.previous_hash != previous
        else f"event {expected} is not what was written",
        seq=expected,
    )


def _is_altered(row: StoredEvent) -> bool:
    seq, *texts, own_hash, told = row
    if not all(isinstance(value, str) for value in (*texts, own_hash, told)):
        return True
    try:
        return event_text(ChainLink(seq, *texts)) != str(told)
    except InvalidInputError:  # half a character
        return True
