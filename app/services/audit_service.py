"""The audit chain: one event per change, written in the change's own transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, TextIO

from sqlalchemy import insert, update
from sqlalchemy.orm import Session

from app.db import is_in_transaction, utc_now
from app.db.damage import damage_named
from app.domain.audit_chain import (
    GENESIS_HASH,
    ChainLink,
    Page,
    StoredEvent,
    check_end,
    checked_pages,
    event_text,
    event_time,
    hash_text,
)
from app.domain.canonical import canonical_json
from app.domain.checkpoint import Checkpoint, verified_chain
from app.domain.exported_chain import exported_line
from app.domain.types import Document, Progress
from app.errors import InvalidInputError, OpenTransactionError
from app.log import request_id
from app.models import AuditEvent, AuditHead
from app.queries import audit as audit_queries
from app.queries.store_schema import check_tables

_DAY_LENGTH = len("2026-03-31")


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
        since: str | None = None,
        until: str | None = None,
        limit: int = 100,
    ) -> tuple[Document, ...]:
        """Give the newest events that match, newest first.

        Parameters
        ----------
        actor, action, subject : str, optional
            Exact values to match.
        since, until : str, optional
            The first and the last day, or instant, in ISO 8601; both count, and no zone is UTC.
        limit : int
            At most so many.

        Returns
        -------
        tuple of dict
            seq, at, actor, action, subject, payload and hash.

        Raises
        ------
        InvalidInputError
            If a time is not one.
        """
        return audit_queries.list_events(
            self.db,
            actor=actor,
            action=action,
            subject=subject,
            since=None if since is None else event_moment(since),
            before=None if until is None else event_moment(until, after=True),
            limit=limit,
        )

    def verify(
        self, progress: Progress | None = None, *, checkpoint: Checkpoint | None = None
    ) -> Document:
        """Verify the whole chain, and every recorded decision against it.

        Parameters
        ----------
        progress : callable, optional
            Called as ``progress(stage, done, total)``.
        checkpoint : Checkpoint, optional
            As for ``verify_chain``.

        Returns
        -------
        dict
            What ``verify_chain`` returns, and decisions: n_decisions and n_sealed.

        Raises
        ------
        AuditChainError
            Names the first event that is not what was written, or is gone.
        StoreDamagedError
            If the database contradicts itself.
        TamperingError
            Names the first decision that is not what was recorded, or is gone.
        """
        from app.services.decision_checks import (  # noqa: PLC0415 - seals record events
            require_unaltered_decisions,
        )

        chain = self.verify_chain(progress, checkpoint=checkpoint)
        return {**chain, "decisions": require_unaltered_decisions(self.db, progress)}

    def verify_chain(
        self, progress: Progress | None = None, *, checkpoint: Checkpoint | None = None
    ) -> Document:
        """Walk the whole chain in constant memory and check every link.

        Parameters
        ----------
        progress : callable, optional
            Called as ``progress("verify", done, total)``.
        checkpoint : Checkpoint, optional
            What was signed of this store, from ``signed_checkpoint``: the event that it names
            has to be there as it was.

        Returns
        -------
        dict
            verified (True), n_events, the hash of the last one as head, and what is proven of
            the checkpoint, or None.

        Raises
        ------
        AuditChainError
            Names the first event that is not what was written, or is gone.
        StoreDamagedError
            If the database contradicts itself.
        """
        with damage_named():
            result = verified_chain(self._walk(progress), checkpoint)
            check_tables(self.db, (AuditEvent.__tablename__, AuditHead.__tablename__))
        return result

    def export(
        self,
        out: TextIO,
        progress: Progress | None = None,
        *,
        wanted: Callable[[StoredEvent], bool] | None = None,
    ) -> Document:
        """Write the chain as JSON Lines, each event checked before it is written.

        Parameters
        ----------
        out : text file
            Gets one line per event: ``hash``, and ``hashed_text``, the exact text hashed.
        progress : callable, optional
            Called as ``progress("export", done, total)``.
        wanted : callable, optional
            Says of each event whether it is written; all are checked.

        Returns
        -------
        dict
            n_events, checked, and the hash of the last one as head.

        Raises
        ------
        AuditChainError
            Names the first event that is not what was written; it is not exported.
        """
        n_events, last_hash = 0, GENESIS_HASH
        with damage_named():
            for page in self._walk(progress, "export"):
                for event in map(StoredEvent._make, page):
                    if wanted is None or wanted(event):
                        out.write(exported_line(event.hash, event.hashed_text))
                    n_events, last_hash = event.seq, event.hash
        return {"n_events": n_events, "head": last_hash}

    def _walk(self, progress: Progress | None, stage: str = "verify") -> Iterator[Page]:
        """Give every event once it was checked, and check the end of the chain last."""
        total = audit_queries.count_events(self.db)
        seq, last_hash = 0, GENESIS_HASH
        head, reached = audit_queries.require_head(self.db), False
        while (
            not reached
        ):  # others may append meanwhile: every event of a head read before is there
            stored = audit_queries.stream_pages(self.db, after=seq or None)
            for page in checked_pages(stored, seq, last_hash):
                yield page
                last = StoredEvent._make(page[-1])
                seq, last_hash = last.seq, last.hash
                if progress is not None:
                    progress(stage, seq, max(total, seq))
            if seq < head.seq:
                break
            head = audit_queries.require_head(self.db)
            reached = head.seq <= seq
        check_end(seq, last_hash, head.seq, head.hash)
        if progress is not None:
            progress(stage, max(seq, 1), max(seq, 1))


def event_moment(text: str, *, after: bool = False) -> str:
    """Write a time as events carry it.

    Parameters
    ----------
    text : str
        A day, or an instant in ISO 8601; no zone is UTC.
    after : bool
        Give the first moment that is later than all that the text says.

    Returns
    -------
    str
        Comparable with the times of events as text.

    Raises
    ------
    InvalidInputError
        If it is no time.

    Examples
    --------
    >>> event_moment("2026-03-31", after=True)
    '2026-04-01T00:00:00.000000+00:00'
    """
    try:
        moment = datetime.fromisoformat(text)
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
        if after:
            moment += timedelta(days=1) if len(text) <= _DAY_LENGTH else timedelta(microseconds=1)
    except (ValueError, OverflowError) as error:
        raise InvalidInputError(
            f"{text!r} is no day or time: write 2026-03-31, or 2026-03-31T14:30 in UTC", value=text
        ) from error
    return event_time(moment)
