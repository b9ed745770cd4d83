"""The audit chain: one event per change, written in the change's own transaction."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import insert, update
from sqlalchemy.orm import Session

from app.db import is_in_transaction, utc_now
from app.domain.audit_chain import GENESIS_HASH, ChainLink, event_text, hash_text
from app.domain.canonical import canonical_json
from app.domain.types import Document, Progress
from app.errors import AuditChainError, OpenTransactionError
from app.log import request_id
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
        JSON-ready facts of the change; inside an HTTP request its ``request_id`` is added.

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
    head = audit_queries.require_head(db, lock=True)
    facts = dict(payload)
    if (request := request_id.get()) is not None:
        facts.setdefault("request_id", request)
    link = ChainLink(
        seq=head.seq + 1,
        at=utc_now().isoformat(timespec="microseconds"),
        actor=actor,
        action=action,
        subject=subject,
        payload=canonical_json(facts),
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
        """Verify the whole chain, and every recorded decision against it.

        Parameters
        ----------
        progress : callable, optional
            Called as ``progress(stage, done, total)``.

        Returns
        -------
        dict
            What ``verify_chain`` returns, and decisions: n_decisions and n_sealed.

        Raises
        ------
        AuditChainError
            Names the first event that is not what was written, or is gone.
        TamperingError
            Names the first decision that is not what was recorded, or is gone.
        """
        from app.services.decision_checks import (  # noqa: PLC0415 - seals record events
            require_unaltered_decisions,
        )

        chain = self.verify_chain(progress)
        return {**chain, "decisions": require_unaltered_decisions(self.db, progress)}

    def verify_chain(self, progress: Progress | None = None) -> Document:
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
        total = audit_queries.count_events(self.db)
        seq, last_hash = 0, GENESIS_HASH
        head, reached = audit_queries.require_head(self.db), False
        while (
            not reached
        ):  # others may append meanwhile: every event of a head read before is there
            for row in audit_queries.stream_events(self.db, after=seq or None):
                _check_row(row, seq + 1, last_hash)
                seq, last_hash = row.seq, row.hash
                if progress is not None and seq % 1000 == 0:
                    progress("verify", seq, max(total, seq))
            if seq < head.seq:
                break
            head = audit_queries.require_head(self.db)
            reached = head.seq <= seq
        if (seq, last_hash) != (head.seq, head.hash):
            _raise_tail(seq + 1, head.seq)
        if progress is not None:
            progress("verify", max(seq, 1), max(seq, 1))
        return {"verified": True, "n_events": seq, "head": last_hash}


def _check_row(row: Any, expected_seq: int, previous: str) -> None:
    if row.seq != expected_seq:
        raise AuditChainError(
            f"event {expected_seq} is gone: the next one stored is {row.seq}", seq=expected_seq
        )
    link = ChainLink(
        row.seq, row.at, row.actor, row.action, row.subject, row.payload, row.previous_hash
    )
    if not all(isinstance(value, str) for value in row[1:]) or event_text(link) != row.hashed_text:
        raise AuditChainError(
            f"event {row.seq} was edited: its columns are not what was hashed", seq=row.seq
        )
    if hash_text(row.hashed_text) != row.hash:
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
