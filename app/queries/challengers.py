"""Read challengers: versions that are scored beside the active one and decide nothing."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.types import Document
from app.models import Challenger, ChallengerEnd, ScorecardVersion

MAY_RUN = ("draft", "approved")
"""Statuses of a version that may run; activated or rejected, it has ended as a challenger."""


def running_challengers(db: Session) -> tuple[str, ...]:
    """Name the versions that run as challengers now.

    Parameters
    ----------
    db : Session
        The store.

    Returns
    -------
    tuple of str
        Oldest start first: not stopped, and neither activated nor rejected since.
    """
    return tuple(row.version for row in _open(db, None))


def find_open_challenger(db: Session, version: str) -> Challenger | None:
    """Find the challenger of a version that runs now.

    Parameters
    ----------
    db : Session
        The store.
    version : str
        The version.

    Returns
    -------
    Challenger or None
        None where it does not run.
    """
    return next(iter(_open(db, version)), None)


def _open(db: Session, version: str | None) -> tuple[Challenger, ...]:
    wanted = (
        select(Challenger)
        .join(ScorecardVersion, ScorecardVersion.version == Challenger.version)
        .where(
            ScorecardVersion.status.in_(MAY_RUN),
            Challenger.id.not_in(select(ChallengerEnd.challenger_id)),
        )
        .order_by(Challenger.id)
    )
    if version is not None:
        wanted = wanted.where(Challenger.version == version)
    return tuple(db.scalars(wanted))


def list_challengers(db: Session, version: str | None = None) -> tuple[Document, ...]:
    """List the challengers there are and were.

    Parameters
    ----------
    db : Session
        The store.
    version : str or None
        Only of this version.

    Returns
    -------
    tuple of dict
        Newest first; see `challenger_document`.
    """
    wanted = (
        select(Challenger, ChallengerEnd, ScorecardVersion.status)
        .join(ScorecardVersion, ScorecardVersion.version == Challenger.version)
        .outerjoin(ChallengerEnd, ChallengerEnd.challenger_id == Challenger.id)
        .order_by(Challenger.id.desc())
    )
    if version is not None:
        wanted = wanted.where(Challenger.version == version)
    return tuple(challenger_document(*row) for row in db.execute(wanted).all())


def challenger_document(row: Challenger, end: ChallengerEnd | None, status: str) -> Document:
    """Describe a challenger.

    Parameters
    ----------
    row : Challenger
        Its start.
    end : ChallengerEnd or None
        Its end, if somebody stopped it.
    status : str
        Of its version now.

    Returns
    -------
    dict
        challenger_id, version, reason, started_by, started_at; ``stopped`` (actor, at and reason,
        or None); ``is_running``; and ``ended_by``: ``stopped``, or the status of its version
        where that ended it, or None.
    """
    stopped: Any = end and {"actor": end.actor, "at": end.at.isoformat(), "reason": end.reason}
    ended_by = "stopped" if end else (None if status in MAY_RUN else status)
    return {
        "challenger_id": row.id,
        "version": row.version,
        "reason": row.reason,
        "started_by": row.actor,
        "started_at": row.at.isoformat(),
        "stopped": stopped,
        "is_running": ended_by is None,
        "ended_by": ended_by,
    }
