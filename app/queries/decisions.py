"""Read recorded decisions, their seals and what they add up to."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session, undefer

from app.db import single_statement
from app.db.triggers import SEAL_LOCK
from app.domain.decisions import DecisionRecord, moment_text
from app.domain.types import Document
from app.errors import NotFoundError
from app.models import AuditEvent, Decision, DecisionSeal, ScorecardVersion

SEALED = "decisions.sealed"
"""The action of the event that carries a root."""

BIN_POINTS = 50
"""Width of a bin of the score distribution."""

_PAGE = 2_000
_ACTIVE = select(ScorecardVersion.version, ScorecardVersion.content_hash).where(
    ScorecardVersion.status == "active"
)
"""Asked at every decision, so built once."""


def find_active_key(db: Session) -> tuple[str, str] | None:
    """Find which version decides, with one small read.

    Parameters
    ----------
    db : Session
        The store.

    Returns
    -------
    tuple of str or None
        Name and content hash; None in a store that was never initialised.
    """
    with single_statement(db) as connection:
        row = connection.execute(_ACTIVE).first()
    return None if row is None else (row.version, row.content_hash)


def require_decision(db: Session, decision_id: str) -> Decision:
    """Find a recorded decision by its id.

    Parameters
    ----------
    db : Session
        The store.
    decision_id : str
        Such as ``d-0199d4c7a1b2...``.

    Returns
    -------
    Decision
        The row, read afresh.

    Raises
    ------
    NotFoundError
        If there is none.
    """
    wanted = select(Decision).where(Decision.id == decision_id)
    row = db.scalars(wanted.execution_options(populate_existing=True)).first()
    if row is None:
        raise NotFoundError(
            f"There is no recorded decision {decision_id!r}.", decision_id=decision_id
        )
    return row


def decision_record(row: Any) -> DecisionRecord:
    """Give what was hashed of a decision, as it is stored now.

    Parameters
    ----------
    row : Decision or Row
        With the columns of the table.

    Returns
    -------
    DecisionRecord
        Its hash is the row's, unless somebody changed the row.
    """
    return DecisionRecord(*(getattr(row, name) for name in DecisionRecord._fields))


def decision_document(row: Decision) -> Document:
    """Describe a recorded decision.

    Parameters
    ----------
    row : Decision
        The decision.

    Returns
    -------
    dict
        id, at, actor, party_id, version, content_hash, features, score (points),
        unrounded_score, band, contributions (in points), missing_features, reason_codes and
        row_hash.
    """
    return {
        "id": row.id,
        "at": row.at,
        "actor": row.actor,
        "party_id": row.party_id,
        "version": row.version,
        "content_hash": row.content_hash,
        "features": json.loads(row.features),
        "score": row.score,
        "unrounded_score": row.unrounded_score,
        "band": row.band,
        "contributions": json.loads(row.contributions),
        "missing_features": json.loads(row.missing_features),
        "reason_codes": json.loads(row.reason_codes),
        "row_hash": row.row_hash,
    }


def settled_until(db: Session) -> int:
    """Find the number up to which no decision can be added any more.

    On PostgreSQL a decision takes its number before it is committed: this waits for those that
    record at the moment, who hold ``SEAL_LOCK`` together. The lock ends with the transaction,
    which is to be ended at once.

    Parameters
    ----------
    db : Session
        The store, outside any transaction.

    Returns
    -------
    int
        0 where nothing was recorded.
    """
    if db.get_bind().dialect.name == "postgresql":
        db.execute(select(func.pg_advisory_xact_lock(SEAL_LOCK)))
    return last_number(db)


def last_number(db: Session) -> int:
    """Find the number of the newest decision.

    Parameters
    ----------
    db : Session
        The store.

    Returns
    -------
    int
        0 where nothing was recorded.
    """
    return db.scalar(select(func.max(Decision.seq))) or 0


def sealed_until(db: Session) -> int:
    """Find the number of the last decision that is sealed.

    Parameters
    ----------
    db : Session
        The store.

    Returns
    -------
    int
        0 where nothing was sealed.
    """
    return db.scalar(select(func.max(DecisionSeal.last_seq))) or 0


def list_row_hashes(db: Session, *, after: int, until: int, limit: int) -> list[tuple[int, str]]:
    """List decisions to be sealed.

    Parameters
    ----------
    db : Session
        The store.
    after, until : int
        Numbers above the first, up to the second.
    limit : int
        At most so many.

    Returns
    -------
    list of (int, str)
        Number and row hash, by number.
    """
    wanted = (
        select(Decision.seq, Decision.row_hash)
        .where(Decision.seq > after, Decision.seq <= until)
        .order_by(Decision.seq)
        .limit(limit)
    )
    return [(row.seq, row.row_hash) for row in db.execute(wanted)]


def find_end(db: Session, seq: int) -> str | None:
    """Find the id of the decision with a number.

    Parameters
    ----------
    db : Session
        The store.
    seq : int
        Its number.

    Returns
    -------
    str or None
        None where there is none.
    """
    return db.scalar(select(Decision.id).where(Decision.seq == seq))


def find_seal_of(db: Session, seq: int) -> DecisionSeal | None:
    """Find the seal that covers a decision, with its row hashes.

    Parameters
    ----------
    db : Session
        The store.
    seq : int
        Number of the decision.

    Returns
    -------
    DecisionSeal or None
        None where it is not sealed yet.
    """
    wanted = select(DecisionSeal).where(DecisionSeal.last_seq >= seq, DecisionSeal.first_seq <= seq)
    return db.scalars(wanted.options(undefer(DecisionSeal.row_hashes)).limit(1)).first()


def find_seal(db: Session, seal_id: int) -> DecisionSeal | None:
    """Find a seal by its id, with its row hashes, read afresh.

    Parameters
    ----------
    db : Session
        The store.
    seal_id : int
        Its number.

    Returns
    -------
    DecisionSeal or None
        The row.
    """
    wanted = select(DecisionSeal).where(DecisionSeal.id == seal_id)
    options = wanted.options(undefer(DecisionSeal.row_hashes))
    return db.scalars(options.execution_options(populate_existing=True)).first()


def list_seal_events(db: Session) -> list[tuple[int, str, str, Document]]:
    """List the events that carry roots.

    Parameters
    ----------
    db : Session
        The store, whose audit chain holds.

    Returns
    -------
    list of (int, str, str, dict)
        Number, hash, subject and payload of each, oldest first.
    """
    wanted = select(AuditEvent.seq, AuditEvent.hash, AuditEvent.subject, AuditEvent.payload)
    rows = db.execute(wanted.where(AuditEvent.action == SEALED).order_by(AuditEvent.seq))
    return [(row.seq, row.hash, row.subject, json.loads(row.payload)) for row in rows]


def stream_decisions(db: Session, *, after: int, until: int | None = None) -> Iterator[Any]:
    """Give every decision's columns in the order of their numbers, a page at a time.

    Parameters
    ----------
    db : Session
        The store.
    after : int
        Begin after this number.
    until : int or None
        Up to this number; None is all there are.

    Yields
    ------
    Row
        The columns of the table.
    """
    table = Decision.__table__
    last = after
    while True:
        page = select(table).where(table.c.seq > last).order_by(table.c.seq).limit(_PAGE)
        rows = db.execute(page if until is None else page.where(table.c.seq <= until)).all()
        if not rows:
            return
        yield from rows
        last = rows[-1].seq


def count_by_bin(
    db: Session, *, since: datetime | None, until: datetime | None, version: str | None
) -> list[Any]:
    """Count decisions by version, band and bin of the score.

    Parameters
    ----------
    db : Session
        The store.
    since, until : datetime or None
        From the first, before the second; None leaves the period open.
    version : str or None
        Only this version.

    Returns
    -------
    list of Row
        version, content_hash, band, bin (its number), n, lowest, highest and total (points).
    """
    bin_number = (Decision.score // BIN_POINTS).label("bin")
    keys = (Decision.version, Decision.content_hash, Decision.band, bin_number)
    wanted: Any = select(
        *keys,
        func.count().label("n"),
        func.min(Decision.score).label("lowest"),
        func.max(Decision.score).label("highest"),
        func.sum(Decision.score).label("total"),
    )
    return list(db.execute(_within(wanted, since, until, version).group_by(*keys).order_by(*keys)))


def _within(
    wanted: Any, since: datetime | None, until: datetime | None, version: str | None
) -> Any:
    if since is not None:
        wanted = wanted.where(Decision.at >= moment_text(since))
    if until is not None:
        wanted = wanted.where(Decision.at < moment_text(until))
    return wanted if version is None else wanted.where(Decision.version == version)
