"""Read the audit chain: the newest events, and all of it in constant memory."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.domain.types import Document
from app.errors import AuditChainError
from app.models import AuditEvent, AuditHead

_PAGE = 5_000


def list_events(
    db: Session, *, actor: str | None, action: str | None, subject: str | None, limit: int
) -> tuple[Document, ...]:
    """Give the newest events that match, newest first.

    Parameters
    ----------
    db : Session
        The store.
    actor, action, subject : str or None
        Exact values to match; None matches all.
    limit : int
        At most so many.

    Returns
    -------
    tuple of dict
        seq, at, actor, action, subject, payload and hash.
    """
    wanted = select(AuditEvent).order_by(AuditEvent.seq.desc()).limit(limit)
    filters = (
        (AuditEvent.actor, actor),
        (AuditEvent.action, action),
        (AuditEvent.subject, subject),
    )
    for column, value in filters:
        if value is not None:
            wanted = wanted.where(column == value)
    return tuple(event_document(row) for row in db.scalars(wanted))


def event_document(row: AuditEvent) -> Document:
    """Describe an event.

    Parameters
    ----------
    row : AuditEvent
        The row.

    Returns
    -------
    dict
        seq, at, actor, action, subject, payload and hash.
    """
    return {
        "seq": row.seq,
        "at": row.at,
        "actor": row.actor,
        "action": row.action,
        "subject": row.subject,
        "payload": json.loads(row.payload),
        "hash": row.hash,
    }


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
        If the head is gone.
    """
    wanted = select(AuditHead.seq, AuditHead.hash).where(AuditHead.id == 1)
    head = db.execute(wanted.with_for_update() if lock else wanted).one_or_none()
    if head is None:
        raise AuditChainError("the head of the audit chain is gone", seq=None)
    return head


def stream_events(db: Session, *, after: int | None = None) -> Iterator[Any]:
    """Give every event's columns in the order of their numbers, a page at a time.

    Parameters
    ----------
    db : Session
        The store.
    after : int or None
        Begin after this number; None begins with whatever comes first.

    Yields
    ------
    Row
        seq, at, actor, action, subject, payload, previous_hash, hash and hashed_text.
    """
    table = AuditEvent.__table__
    last = after
    while True:
        page = select(table).order_by(table.c.seq).limit(_PAGE)
        rows = db.execute(page if last is None else page.where(table.c.seq > last)).all()
        if not rows:
            return
        yield from rows
        last = rows[-1].seq
