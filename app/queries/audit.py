"""Read the audit chain: the newest events, and all of it in constant memory."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, cast

from sqlalchemy import CursorResult, func, select
from sqlalchemy.orm import Session

from app.db.damage import damage_named
from app.domain.audit_chain import Page, StoredEvent
from app.domain.types import Document
from app.errors import AuditChainError, StoreDamagedError, UnavailableError
from app.models import AuditEvent, AuditHead

_PAGE = 2_000


def list_events(
    db: Session,
    *,
    actor: str | None = None,
    action: str | None = None,
    subject: str | None = None,
    since: str | None = None,
    before: str | None = None,
    limit: int,
) -> tuple[Document, ...]:
    """Give the newest events that match, newest first.

    Parameters
    ----------
    db : Session
        The store.
    actor, action, subject : str or None
        Exact values to match; None matches all.
    since, before : str or None
        At or after, and earlier than, a time as events carry it.
    limit : int
        At most so many.

    Returns
    -------
    tuple of dict
        seq, at, actor, action, subject, payload and hash.

    Raises
    ------
    AuditChainError
        If a payload is not what any event was written with.
    """
    wanted = select(AuditEvent.__table__).order_by(AuditEvent.seq.desc()).limit(limit)
    for column, value in (("actor", actor), ("action", action), ("subject", subject)):
        if value is not None:
            wanted = wanted.where(AuditEvent.__table__.c[column] == value)
    if since is not None:
        wanted = wanted.where(AuditEvent.at >= since)
    if before is not None:
        wanted = wanted.where(AuditEvent.at < before)
    return tuple(event_document(row) for row in db.execute(wanted))


def event_document(row: Any) -> Document:
    """Describe an event.

    Parameters
    ----------
    row : AuditEvent or Row
        All its columns.

    Returns
    -------
    dict
        seq, at, actor, action, subject, payload and hash.

    Raises
    ------
    AuditChainError
        If the payload is not what any event was written with.
    """
    return {
        "seq": row.seq,
        "at": row.at,
        "actor": row.actor,
        "action": row.action,
        "subject": row.subject,
        "payload": read_payload(row),
        "hash": row.hash,
    }


def read_payload(row: Any) -> Any:
    """Read the payload of one event.

    Parameters
    ----------
    row : Row
        seq and payload.

    Returns
    -------
    Any
        What was recorded, a mapping.

    Raises
    ------
    AuditChainError
        If it is no JSON.
    """
    try:
        return json.loads(row.payload)
    except (TypeError, ValueError) as error:
        raise AuditChainError(
            f"event {row.seq} was edited: its payload is no JSON; chancellor audit verify names "
            "the first event that is not what was written",
            seq=row.seq,
        ) from error


def count_events(db: Session) -> int:
    """Count the stored events.

    Parameters
    ----------
    db : Session
        The store.

    Returns
    -------
    int
        How many rows there are, whether the chain holds or not.
    """
    return db.scalar(select(func.count()).select_from(AuditEvent)) or 0


def require_head(db: Session, *, lock: bool = False) -> Any:
    """Read the number and hash of the newest event, as kept outside the chain.

    Parameters
    ----------
    db : Session
        The store.
    lock : bool
        Make other writers wait until this transaction ends.

    Returns
    -------
    Row
        seq and hash.

    Raises
    ------
    AuditChainError
        If the head is gone, or is no number with a hash.
    """
    wanted = select(AuditHead.seq, AuditHead.hash).where(AuditHead.id == 1)
    head = db.execute(wanted.with_for_update() if lock else wanted).one_or_none()
    if head is None:
        raise AuditChainError("the head of the audit chain is gone", seq=None)
    if not isinstance(head.seq, int) or not isinstance(head.hash, str):
        raise AuditChainError(
            "the head of the audit chain was edited: it is no number with a hash", seq=None
        )
    return head


def find_hash(db: Session, seq: int) -> str | None:
    """Find the hash of one event.

    Parameters
    ----------
    db : Session
        The store.
    seq : int
        The event's number.

    Returns
    -------
    str or None
        As stored; None where there is no such event.
    """
    return db.scalar(select(AuditEvent.hash).where(AuditEvent.seq == seq))


def stream_events(db: Session, *, after: int | None = None) -> Iterator[StoredEvent]:
    """Give every event in the order of their numbers, in constant memory.

    Parameters
    ----------
    db : Session
        The store.
    after : int or None
        Begin after this number; None begins with whatever comes first.

    Yields
    ------
    StoredEvent
        Its columns, unchecked.

    Raises
    ------
    AuditChainError
        Names the first event that the database cannot read.
    """
    for page in stream_pages(db, after=after):
        yield from map(StoredEvent._make, page)


def stream_pages(db: Session, *, after: int | None = None) -> Iterator[Page]:
    """Give every event in the order of their numbers, a page at a time.

    Parameters
    ----------
    db : Session
        The store.
    after : int or None
        Begin after this number; None begins with whatever comes first.

    Yields
    ------
    sequence of tuple
        The columns of ``StoredEvent`` as the driver gives them: no column has a type of ours, and
        a long chain is read in half the time.

    Raises
    ------
    AuditChainError
        Names the first event that the database cannot read.
    """
    last = after
    while True:
        try:
            page = _read_page(db, last, _PAGE)
        except StoreDamagedError:
            yield from _readable_events(db, last)
            return
        if not page:
            return
        yield page
        last = page[-1][0]


def _read_page(db: Session, after: int | None, n: int) -> Page:
    columns = AuditEvent.__table__.c
    wanted = select(*(columns[name] for name in StoredEvent._fields)).order_by(columns.seq).limit(n)
    if after is not None:
        wanted = wanted.where(columns.seq > after)
    with damage_named():
        result = cast("CursorResult[Any]", db.execute(wanted))
        cursor = result.cursor
        if cursor is None:
            raise UnavailableError("the database gave no rows of the audit chain")
        try:
            return cursor.fetchall()
        finally:
            result.close()


def _readable_events(db: Session, after: int | None) -> Iterator[Page]:
    """Give the events up to the one that cannot be read, and name that."""
    last = after
    while True:
        try:
            page = _read_page(db, last, 1)
        except StoreDamagedError as error:
            seq = (last or 0) + 1
            raise AuditChainError(
                f"event {seq} cannot be read: {error.facts['damage']}", seq=seq
            ) from error
        if not page:
            return
        yield page
        last = page[-1][0]
