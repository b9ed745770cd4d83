"""Challengers: drafts that are scored on every batch beside the active version."""

from __future__ import annotations

from sqlalchemy.orm import Session

from app.db import transaction, utc_now
from app.domain.rights import require_person
from app.domain.types import Document
from app.errors import ConflictError
from app.models import Challenger, ChallengerEnd
from app.queries import challengers as queries
from app.queries.versions import require_version
from app.services.audit_service import record
from app.services.version_cases import lock_version, require_text
from app.settings import default_actor


class ChallengerService:
    """Start, stop and list challengers; a challenger decides nothing.

    Each monitoring report compares the challengers that run with the version of the report. One
    ends when somebody stops it, and by itself when its version is activated or rejected.

    Parameters
    ----------
    db : Session
        A session on the initialised database.
    actor : str or None
        The person on the record; None is the OS user.
    """

    def __init__(self, db: Session, actor: str | None = None) -> None:
        self.db = db
        self.actor = actor or default_actor()

    def start(self, version: str, *, reason: str) -> Document:
        """Score a draft beside the active version from the next report on.

        Writes: one row of ``challengers`` and the event ``challenger.started``.

        Parameters
        ----------
        version : str
            A draft, or an approved version that is not active yet.
        reason : str
            Why; not blank.

        Returns
        -------
        dict
            challenger_id, version, reason, started_by, started_at, ``stopped`` (None),
            ``is_running`` and ``ended_by``.

        Raises
        ------
        InvalidInputError
            If the reason is blank.
        NotFoundError
            If there is no such version.
        NotPermittedError
            If the actor is a program.
        ConflictError
            If the version was decided about, or runs as a challenger already.
        """
        said = require_text(reason, "reason")
        require_person(self.actor, "start challengers")
        with transaction(self.db):
            row = lock_version(self.db, version)
            if row.status not in queries.MAY_RUN:
                raise ConflictError(
                    f"{version} is {row.status}: a challenger is a draft or an approved version.",
                    version=version,
                    status=row.status,
                )
            running = queries.find_open_challenger(self.db, version)
            if running is not None:
                raise ConflictError(
                    f"{version} runs as a challenger since {running.at:%Y-%m-%d %H:%M} UTC, "
                    f"started by {running.actor}.",
                    version=version,
                )
            seq = record(
                self.db,
                actor=self.actor,
                action="challenger.started",
                subject=f"version:{version}",
                payload={"reason": said},
            )
            made = Challenger(
                version=version, reason=said, actor=self.actor, at=utc_now(), audit_seq=seq
            )
            self.db.add(made)
            self.db.flush()
            return queries.challenger_document(made, None, row.status)

    def stop(self, version: str, *, reason: str) -> Document:
        """Leave a challenger out of the reports from now on.

        Writes: one row of ``challenger_ends`` and the event ``challenger.stopped``.

        Parameters
        ----------
        version : str
            The version.
        reason : str
            Why; not blank.

        Returns
        -------
        dict
            As :meth:`start`, with ``stopped``: actor, at and reason.

        Raises
        ------
        InvalidInputError
            If the reason is blank.
        NotFoundError
            If there is no such version.
        NotPermittedError
            If the actor is a program.
        ConflictError
            If it does not run as a challenger.
        """
        said = require_text(reason, "reason")
        require_person(self.actor, "stop challengers")
        with transaction(self.db):
            row = lock_version(self.db, version)
            running = queries.find_open_challenger(self.db, version)
            if running is None:
                raise ConflictError(
                    f"{version}, {row.status}, does not run as a challenger.", version=version
                )
            seq = record(
                self.db,
                actor=self.actor,
                action="challenger.stopped",
                subject=f"version:{version}",
                payload={"reason": said, "challenger_id": running.id},
            )
            end = ChallengerEnd(
                challenger_id=running.id,
                reason=said,
                actor=self.actor,
                at=utc_now(),
                audit_seq=seq,
            )
            self.db.add(end)
            self.db.flush()
            return queries.challenger_document(running, end, row.status)

    def list_challengers(self, version: str | None = None) -> tuple[Document, ...]:
        """List the challengers there are and were.

        Parameters
        ----------
        version : str or None
            Only of this version.

        Returns
        -------
        tuple of dict
            As :meth:`start`, the newest first.

        Raises
        ------
        NotFoundError
            If there is no such version.
        """
        if version is not None:
            require_version(self.db, version)
        return queries.list_challengers(self.db, version)
