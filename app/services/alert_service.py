"""Alerts: what a monitoring report found past a threshold, and what people did about it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy.orm import Session

from app.db import transaction, utc_now
from app.domain.rights import require_person
from app.domain.types import Document
from app.errors import ConflictError, InvalidInputError
from app.models import AlertStep
from app.queries import alerts as queries
from app.queries.alerts import AlertStatus
from app.queries.audit import require_head
from app.queries.pages import DEFAULT_ROWS
from app.services.audit_service import record
from app.services.version_cases import require_text
from app.settings import default_actor

LONGEST_NOTE = 4_000
"""Characters."""


class AlertService:
    """List, acknowledge and close alerts; a monitoring report opens them.

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

    def list_alerts(
        self,
        *,
        status: AlertStatus | None = None,
        batch_id: str | None = None,
        version: str | None = None,
        kind: str | None = None,
        report_id: int | None = None,
        cursor: str | None = None,
        limit: int = DEFAULT_ROWS,
    ) -> Document:
        """List alerts a page at a time: open ones first, then those acknowledged, then closed.

        Parameters
        ----------
        status : {'open', 'acknowledged', 'closed'} or None
            Only these.
        batch_id, version, kind : str or None
            Exact values to match.
        report_id : int or None
            Only those that this report opened.
        cursor : str or None
            ``next_cursor`` of the page before.
        limit : int
            Rows of a page.

        Returns
        -------
        dict
            ``items``, each as :meth:`get_alert` without ``deliveries``, the newest first within a
            status; and ``next_cursor``.

        Raises
        ------
        InvalidInputError
            If there is no such status, or the cursor is of another list.
        """
        if status is not None and status not in queries.STATUSES:
            raise InvalidInputError(
                f"An alert is {', '.join(queries.STATUSES[:-1])} or {queries.STATUSES[-1]}, not "
                f"{status!r}.",
                status=status,
            )
        exact: dict[str, Any] = {"batch_id": batch_id, "version": version, "kind": kind}
        return queries.read_alerts(
            self.db, status=status, cursor=cursor, limit=limit, report_id=report_id, **exact
        )

    def count_alerts(self) -> dict[str, int]:
        """Count the alerts by status.

        Returns
        -------
        dict of str to int
            ``open``, ``acknowledged`` and ``closed``.
        """
        return queries.count_alerts(self.db)

    def get_alert(self, alert_id: int) -> Document:
        """Read one alert.

        Parameters
        ----------
        alert_id : int
            Its id.

        Returns
        -------
        dict
            alert_id, kind, subject, sentence, value, threshold, p_value, batch_id, version,
            report_id, opened_at, status, ``acknowledged`` and ``closed`` (actor, at and note, or
            None), and ``deliveries``: receiver, at, status_code, fault and is_delivered of each
            attempt, oldest first.

        Raises
        ------
        NotFoundError
            If there is no such alert.
        """
        row = queries.require_alert(self.db, alert_id)
        steps = queries.steps_of(self.db, [alert_id]).get(alert_id, {})
        attempts = queries.attempts_of(self.db, alert_id)
        return {
            **queries.alert_document(row, steps),
            "deliveries": [queries.attempt_document(attempt) for attempt in attempts],
        }

    def acknowledge(self, alert_id: int, *, note: str) -> Document:
        """Say that a person looked at an alert, and what they make of it.

        Writes: one row of ``alert_steps`` and the event ``alert.acknowledged``.

        Parameters
        ----------
        alert_id : int
            Its id.
        note : str
            What was found; not blank.

        Returns
        -------
        dict
            As :meth:`get_alert`.

        Raises
        ------
        InvalidInputError
            If the note is blank or too long.
        NotFoundError
            If there is no such alert.
        NotPermittedError
            If the actor is a program: people acknowledge.
        ConflictError
            If somebody acknowledged it already.
        """
        return self._take_steps((alert_id,), "acknowledged", note)[0]

    def acknowledge_all(self, alert_ids: Sequence[int], *, note: str) -> tuple[Document, ...]:
        """Acknowledge several alerts with one note: all of them, or none.

        Writes: one row of ``alert_steps`` and one event ``alert.acknowledged`` for each.

        Parameters
        ----------
        alert_ids : sequence of int
            Those that the person saw, at least one.
        note : str
            What was found; not blank.

        Returns
        -------
        tuple of dict
            Each as :meth:`get_alert`, in the same order.

        Raises
        ------
        InvalidInputError
            If no alert is named, or the note is blank or too long.
        NotFoundError
            If one of them does not exist.
        NotPermittedError
            If the actor is a program: people acknowledge.
        ConflictError
            If somebody acknowledged one of them already.
        """
        return self._take_steps(alert_ids, "acknowledged", note)

    def close(self, alert_id: int, *, note: str) -> Document:
        """Say that an alert is dealt with; nothing opens it again.

        Writes: one row of ``alert_steps`` and the event ``alert.closed``.

        Parameters
        ----------
        alert_id : int
            Its id.
        note : str
            What was done; not blank.

        Returns
        -------
        dict
            As :meth:`get_alert`.

        Raises
        ------
        InvalidInputError
            If the note is blank or too long.
        NotFoundError
            If there is no such alert.
        NotPermittedError
            If the actor is a program: people close.
        ConflictError
            If nobody acknowledged it yet, or it is closed.
        """
        return self._take_steps((alert_id,), "closed", note)[0]

    def close_all(self, alert_ids: Sequence[int], *, note: str) -> tuple[Document, ...]:
        """Close several alerts with one note: all of them, or none.

        Writes: one row of ``alert_steps`` and one event ``alert.closed`` for each.

        Parameters
        ----------
        alert_ids : sequence of int
            Those that the person saw, at least one.
        note : str
            What was done; not blank.

        Returns
        -------
        tuple of dict
            Each as :meth:`get_alert`, in the same order.

        Raises
        ------
        InvalidInputError
            If no alert is named, or the note is blank or too long.
        NotFoundError
            If one of them does not exist.
        NotPermittedError
            If the actor is a program: people close.
        ConflictError
            If nobody acknowledged one of them yet, or it is closed.
        """
        return self._take_steps(alert_ids, "closed", note)

    def _take_steps(self, alert_ids: Sequence[int], kind: str, note: str) -> tuple[Document, ...]:
        said = require_text(note, "note")
        if len(said) > LONGEST_NOTE:
            raise InvalidInputError(
                f"A note has at most {LONGEST_NOTE:,} characters, this one has {len(said):,}.",
                n_characters=len(said),
            )
        require_person(self.actor, "acknowledge and close alerts")
        if not alert_ids:
            raise InvalidInputError("Name at least one alert.")
        with transaction(self.db):
            require_head(self.db, lock=True)  # who comes second reads what the first wrote
            return tuple(self._take_step(alert_id, kind, said) for alert_id in alert_ids)

    def _take_step(self, alert_id: int, kind: str, said: str) -> Document:
        row = queries.require_alert(self.db, alert_id)
        _require_next(alert_id, kind, queries.steps_of(self.db, [alert_id]).get(alert_id, {}))
        seq = record(
            self.db,
            actor=self.actor,
            action=f"alert.{kind}",
            subject=f"alert:{alert_id}",
            payload={"note": said, **_facts(queries.opened_alert(row))},
        )
        now = utc_now()
        self.db.add(
            AlertStep(
                alert_id=alert_id, kind=kind, note=said, actor=self.actor, at=now, audit_seq=seq
            )
        )
        self.db.flush()
        return self.get_alert(alert_id)


def _facts(alert: Document) -> Document:
    return {name: alert[name] for name in ("kind", "subject", "batch_id", "version", "report_id")}


def _require_next(alert_id: int, kind: str, steps: dict[str, AlertStep]) -> None:
    done = steps.get(kind)
    if done is not None:
        raise ConflictError(
            f"Alert {alert_id} was {kind} by {done.actor} on {done.at:%Y-%m-%d %H:%M} UTC: "
            f"{done.note}",
            alert_id=alert_id,
            actor=done.actor,
        )
    if kind == "closed" and "acknowledged" not in steps:
        raise ConflictError(
            f"Nobody has acknowledged alert {alert_id} yet: acknowledge it before you close it.",
            alert_id=alert_id,
        )
