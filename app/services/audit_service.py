"""The audit chain: one event per change, written in the change's own transaction."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from sqlalchemy import func, insert, select, update
from sqlalchemy.orm import Session

from app.db import is_in_transaction, utc_now
from app.domain.audit_chain import GENESIS_HASH, ChainLink, event_text, hash_text
from app.domain.canonical import canonical_json
from app.domain.types import Document, Progress
from app.errors import AuditChainError, OpenTransactionError
from app.models import AuditEvent, AuditHead
from app.queries import audit as audit_queries


def record(
    db: Session, *, actor: str, action: str, subject: str, payload: Mapping[str, Any]
) -> int:
    """Append one event to the audit chain, inside the change's own transaction.

    Writes: one ``audit_events`` row, and the head.

    Parameters
    ----------
    db : Session
        The store, inside ``transaction(db)``.
    actor : str
        The person on the record.
    action : str
        For example ``version.approved``.
    subject : str
        For example ``version:ml_v2``.
    payload : mapping
        JSON-ready facts of the change.

    Returns
    -------
    int
        The event's number; numbers have no gaps.

    Raises
    ------
    OpenTransactionError
        If no transaction is open.
    """
    if not is_in_transaction(db):
        raise OpenTransactionError("an audit event is written inside transaction(db)")
    db.flush()
    head = db.execute(
        select(AuditHead.seq, AuditHead.hash).where(AuditHead.id == 1).with_for_update()
    ).one_or_none()
    if head is None:
        raise AuditChainError("the head of the audit chain is gone", seq=None)
    link = ChainLink(
        seq=head.seq + 1,
        at=utc_now().isoformat(timespec="microseconds"),
        actor=actor,
        action=action,
        subject=subject,
        payload=canonical_json(dict(payload)),
        previous_hash=head.hash,
    )
    text = event_text(link)
    db.execute(
        insert(AuditEvent).values(
            seq=link.seq,
            at=link.at,
            actor=link.actor,
            action=link.action,
            subject=link.subject,
            payload=link.payload,
            previous_hash=link.previous_hash,
            hash=hash_text(text),
            hashed_text=text,
        )
    )
    db.execute(
        update(AuditHead).where(AuditHead.id == 1).values(seq=link.seq, hash=hash_text(text))
    )
    return link.seq


class AuditService:
    """Read and verify the audit chain.

    Parameters
    ----------
    db : Session
        The store.
    actor : str, optional
        Who asks; reading leaves no event.
    lake : object, optional
        Not used; every service takes it.
    """

    def __init__(self, db: Session, actor: str | None = None, lake: object = None) -> None:
        del actor, lake
        self.db = db

    def list_events(
        self,
        *,
        actor: str | None = None,
        action: str | None = None,
        subject: str | None = None,
        limit: int = 100,
    ) -> tuple[Document, ...]:
        """Give the newest events that match, newest first.

        Parameters
        ----------
        actor, action, subject : str, optional
            Exact values to match.
        limit : int
            At most so many.

        Returns
        -------
        tuple of dict
            seq, at, actor, action, subject, payload and hash.
        """
        return audit_queries.list_events(
            self.db, actor=actor, action=action, subject=subject, limit=limit
        )

    def verify(self, progress: Progress | None = None) -> Document:
        """Walk the whole chain in constant memory and check every link.

        Parameters
        ----------
        progress : callable, optional
            Called as ``progress("verify", done, total)``.

        Returns
        -------
        dict
            verified (True), n_events, and the head's seq and hash.

        Raises
        ------
        AuditChainError
            Names the first event that is not what was written, or is gone.
        """
        head = self.db.execute(select(AuditHead.seq, AuditHead.hash)).one_or_none()
        if head is None:
            raise AuditChainError("the head of the audit chain is gone", seq=None)
        total = self.db.scalar(select(func.count()).select_from(AuditEvent)) or 0
        expected_seq, previous = 1, GENESIS_HASH
        for row in audit_queries.stream_events(self.db):
            _check_row(row, expected_seq, previous)
            previous = row.hash
            if progress is not None and expected_seq % 1000 == 0:
                progress("verify", expected_seq, total)
            expected_seq += 1
        if (expected_seq - 1, previous) != (head.seq, head.hash):
            _raise_tail(expected_seq, head.seq)
        if progress is not None:
            progress("verify", total, max(total, 1))
        return {"verified": True, "n_events": expected_seq - 1, "head": previous}


def _check_row(row: Any, expected_seq: int, previous: str) -> None:
    if row.seq != expected_seq:
        raise AuditChainError(
            f"event {expected_seq} is gone: the next one stored is {row.seq}", seq=expected_seq
        )
    link = ChainLink(
        row.seq, row.at, row.actor, row.action, row.subject, row.payload, row.previous_hash
    )
    if event_text(link) != row.hashed_text:
        raise AuditChainError(
            f"event {row.seq} was edited: its columns are not what was hashed", seq=row.seq
        )
    if hashlib.sha256(row.hashed_text.encode()).hexdigest() != row.hash:
        raise AuditChainError(
            f"event {row.seq} was edited: its text does not have the stored hash", seq=row.seq
        )
    if row.previous_hash != previous:
        raise AuditChainError(
            f"event {row.seq} does not follow event {row.seq - 1}: one of them was replaced",
            seq=row.seq,
        )


def _raise_tail(next_seq: int, head_seq: int) -> None:
    if next_seq <= head_seq:
        raise AuditChainError(
            f"event {next_seq} is gone: the head says that there were {head_seq} events",
            seq=next_seq,
        )
    raise AuditChainError(
        f"event {next_seq - 1} is not the one that the head names: head or event was replaced",
        seq=next_seq - 1,
    )
