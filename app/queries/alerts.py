"""Read alerts, what people did with them, and what became of their delivery."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, Select, and_, func, or_, select
from sqlalchemy.orm import Session

from app.domain.cursors import read_cursor, write_cursor
from app.domain.types import Document
from app.errors import NotFoundError
from app.models import Alert, AlertAttempt, AlertStep
from app.queries.pages import DEFAULT_ROWS

AlertStatus = Literal["open", "acknowledged", "closed"]
STATUSES: tuple[AlertStatus, ...] = ("open", "acknowledged", "closed")
"""What is open comes first; the number of steps taken is the place in this list."""

_n_steps = select(func.count(AlertStep.id)).where(AlertStep.alert_id == Alert.id).scalar_subquery()


@dataclass(frozen=True, slots=True)
class Undelivered:
    """An alert that a receiver has not taken yet.

    Attributes
    ----------
    alert : dict
        As `opened_alert`.
    n_failed : int
        Attempts so far.
    last_at : datetime or None
        When the last of them was.
    """

    alert: Document
    n_failed: int
    last_at: datetime | None


def require_alert(db: Session, alert_id: int) -> Alert:
    """Find an alert by its id.

    Parameters
    ----------
    db : Session
        The store.
    alert_id : int
        Its id.

    Returns
    -------
    Alert
        The row.

    Raises
    ------
    NotFoundError
        If there is none.
    """
    row = db.get(Alert, alert_id)
    if row is None:
        raise NotFoundError(
            f"There is no alert {alert_id}. See: chancellor alerts list", alert_id=alert_id
        )
    return row


def steps_of(db: Session, alert_ids: Iterable[int]) -> dict[int, dict[str, AlertStep]]:
    """Find what people did with alerts.

    Parameters
    ----------
    db : Session
        The store.
    alert_ids : iterable of int
        Their ids.

    Returns
    -------
    dict of int to dict
        By alert, of those that somebody looked at: the row by its kind.
    """
    found: dict[int, dict[str, AlertStep]] = {}
    wanted = select(AlertStep).where(AlertStep.alert_id.in_(list(alert_ids)))
    for step in db.scalars(wanted.order_by(AlertStep.id)):
        found.setdefault(step.alert_id, {})[step.kind] = step
    return found


def attempts_of(db: Session, alert_id: int) -> tuple[AlertAttempt, ...]:
    """List the attempts to deliver an alert.

    Parameters
    ----------
    db : Session
        The store.
    alert_id : int
        Its id.

    Returns
    -------
    tuple of AlertAttempt
        Oldest first.
    """
    wanted = select(AlertAttempt).where(AlertAttempt.alert_id == alert_id)
    return tuple(db.scalars(wanted.order_by(AlertAttempt.id)))


def read_alerts(
    db: Session,
    *,
    status: AlertStatus | None = None,
    cursor: str | None = None,
    limit: int = DEFAULT_ROWS,
    **exact: str | int | None,
) -> Document:
    """Read a page of alerts: open ones first, then those acknowledged, each the newest first.

    Parameters
    ----------
    db : Session
        The store.
    status : {'open', 'acknowledged', 'closed'} or None
        Only these.
    cursor : str or None
        Where the page before ended; None for the first.
    limit : int
        Rows of a page.
    **exact : str, int or None
        Values of ``batch_id``, ``version``, ``kind`` and ``report_id``; None is any.

    Returns
    -------
    dict
        ``items`` as `alert_document`, and ``next_cursor``: None on the last page. An alert that
        somebody acknowledges meanwhile may be seen twice.

    Raises
    ------
    InvalidInputError
        If the cursor is of another list.
    """
    wanted = select(Alert, _n_steps).where(*_matching(status, exact))
    if cursor is not None:
        n_steps, last = read_cursor(cursor, (int, int))
        after = and_(_n_steps == n_steps, Alert.id < last)
        wanted = wanted.where(or_(_n_steps > n_steps, after))
    rows = db.execute(wanted.order_by(_n_steps, Alert.id.desc()).limit(limit + 1)).all()
    page = rows[:limit]
    steps = steps_of(db, [row[0].id for row in page])
    is_last = len(rows) <= limit
    return {
        "items": [alert_document(row[0], steps.get(row[0].id, {})) for row in page],
        "next_cursor": None if is_last else write_cursor((page[-1][1], page[-1][0].id)),
    }


def count_alerts(db: Session, **exact: str | int | None) -> dict[str, int]:
    """Count the alerts by status.

    Parameters
    ----------
    db : Session
        The store.
    **exact : str, int or None
        As for `read_alerts`.

    Returns
    -------
    dict of str to int
        Every status, also those without an alert.
    """
    counted = db.execute(
        _grouped(select(_n_steps.label("n_steps"), Alert.id).where(*_matching(None, exact)))
    ).all()
    return dict.fromkeys(STATUSES, 0) | {STATUSES[row[0]]: row[1] for row in counted}


def _grouped(rows: Select[Any]) -> Select[Any]:
    found = rows.subquery()
    return select(found.c.n_steps, func.count()).group_by(found.c.n_steps)


def _matching(
    status: AlertStatus | None, exact: dict[str, str | int | None]
) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = [
        getattr(Alert, name) == value for name, value in exact.items() if value is not None
    ]
    if status is not None:
        found.append(_n_steps == STATUSES.index(status))
    return found


def list_undelivered(db: Session, receiver: str) -> tuple[Undelivered, ...]:
    """List the alerts that a receiver has not taken; a closed one needs no delivery any more.

    Parameters
    ----------
    db : Session
        The store.
    receiver : str
        As the record names it.

    Returns
    -------
    tuple of Undelivered
        Oldest first.
    """
    taken = select(AlertAttempt.alert_id).where(
        AlertAttempt.receiver == receiver, AlertAttempt.is_delivered
    )
    closed = select(AlertStep.alert_id).where(AlertStep.kind == "closed")
    failed = (
        select(
            AlertAttempt.alert_id,
            func.count(AlertAttempt.id).label("n"),
            func.max(AlertAttempt.id).label("last_id"),
        )
        .where(AlertAttempt.receiver == receiver)
        .group_by(AlertAttempt.alert_id)
        .subquery()
    )
    wanted = (
        select(Alert, failed.c.n, AlertAttempt.at)
        .outerjoin(failed, failed.c.alert_id == Alert.id)
        .outerjoin(AlertAttempt, AlertAttempt.id == failed.c.last_id)
        .where(Alert.id.not_in(taken), Alert.id.not_in(closed))
        .order_by(Alert.id)
    )
    return tuple(
        Undelivered(opened_alert(row[0]), row[1] or 0, row[2]) for row in db.execute(wanted)
    )


def opened_alert(row: Alert) -> Document:
    """Describe what was found, which never changes: what a receiver is sent.

    Parameters
    ----------
    row : Alert
        The alert.

    Returns
    -------
    dict
        alert_id, kind, subject, sentence, value, threshold, p_value, batch_id, version, report_id
        and opened_at.
    """
    return {
        "alert_id": row.id,
        "kind": row.kind,
        "subject": row.subject,
        "sentence": row.sentence,
        "value": row.value,
        "threshold": row.threshold,
        "p_value": row.p_value,
        "batch_id": row.batch_id,
        "version": row.version,
        "report_id": row.report_id,
        "opened_at": row.opened_at.isoformat(),
    }


def alert_document(row: Alert, steps: dict[str, AlertStep]) -> Document:
    """Describe an alert as it stands.

    Parameters
    ----------
    row : Alert
        The alert.
    steps : dict of str to AlertStep
        What people did with it, by kind.

    Returns
    -------
    dict
        What `opened_alert` gives, ``status``, and ``acknowledged`` and ``closed``: actor, at and
        note, or None.
    """
    done = {
        kind: None
        if kind not in steps
        else {
            "actor": steps[kind].actor,
            "at": steps[kind].at.isoformat(),
            "note": steps[kind].note,
        }
        for kind in ("acknowledged", "closed")
    }
    return {**opened_alert(row), "status": STATUSES[len(steps)], **done}


def attempt_document(row: AlertAttempt) -> Document:
    """Describe an attempt to deliver an alert.

    Parameters
    ----------
    row : AlertAttempt
        The attempt.

    Returns
    -------
    dict
        receiver, at, status_code, fault and is_delivered.
    """
    return {
        "receiver": row.receiver,
        "at": row.at.isoformat(),
        "status_code": row.status_code,
        "fault": row.fault,
        "is_delivered": row.is_delivered,
    }
