"""Read the audit chain: the newest events, and all of it in constant memory."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.types import Document
from app.models import AuditEvent

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
    return tuple(
        {
            "seq": row.seq,
            "at": row.at,
            "actor": row.actor,
            "action": row.action,
            "subject": row.subject,
            "payload": json.loads(row.payload),
            "hash": row.hash,
        }
        for row in db.scalars(wanted)
    )


def stream_events(db: Session) -> Iterator[Any]:
    """Give every event's columns in the order of their numbers, a page at a time.

    Parameters
    ----------
    db : Session
        The store.

    Yields
    ------
    Row
        seq, at, actor, action, subject, payload, previous_hash, hash and hashed_text.
    """
    table = AuditEvent.__table__
    last: int | None = None
    while True:
        page = select(table).order_by(table.c.seq).limit(_PAGE)
        rows = db.execute(page if last is None else page.where(table.c.seq > last)).all()
        if not rows:
            return
        yield from rows
        last = rows[-1].seq
