"""Read pipeline runs."""

from __future__ import annotations

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from app.errors import NotFoundError
from app.models import PipelineRun

LIVE = ("queued", "running")
STATUSES = (*LIVE, "succeeded", "failed", "cancelled")


def list_live_runs(db: Session) -> tuple[PipelineRun, ...]:
    """List the runs that have not ended.

    Parameters
    ----------
    db : Session
        The store.

    Returns
    -------
    tuple of PipelineRun
        Oldest first.
    """
    live = select(PipelineRun).where(PipelineRun.status.in_(LIVE))
    return tuple(db.scalars(live.order_by(PipelineRun.created_at, PipelineRun.id)))


def list_runs(
    db: Session,
    *,
    limit: int,
    after: str | None = None,
    pipeline: str | None = None,
    status: str | None = None,
) -> tuple[PipelineRun, ...]:
    """List the newest runs that match.

    Parameters
    ----------
    db : Session
        The store.
    limit : int
        How many at most.
    after : str or None
        Id of a run; those that follow it in this order.
    pipeline, status : str or None
        Exact values to match.

    Returns
    -------
    tuple of PipelineRun
        Newest first; of the same moment by id.

    Raises
    ------
    NotFoundError
        If there is no run ``after``.
    """
    newest = select(PipelineRun).order_by(PipelineRun.created_at.desc(), PipelineRun.id)
    if pipeline is not None:
        newest = newest.where(PipelineRun.pipeline == pipeline)
    if status is not None:
        newest = newest.where(PipelineRun.status == status)
    if after is not None:
        last = require_run(db, after)
        newest = newest.where(
            or_(
                PipelineRun.created_at < last.created_at,
                and_(PipelineRun.created_at == last.created_at, PipelineRun.id > last.id),
            )
        )
    return tuple(db.scalars(newest.limit(limit)))


def find_run(db: Session, run_id: str, *, lock: bool = False) -> PipelineRun | None:
    """Find a run by its id.

    Parameters
    ----------
    db : Session
        The store.
    run_id : str
        The run.
    lock : bool
        Whether other writers of this row wait for the transaction's end.

    Returns
    -------
    PipelineRun or None
        The row, read afresh; None if there is none.
    """
    return db.get(PipelineRun, run_id, populate_existing=True, with_for_update=lock or None)


def require_run(db: Session, run_id: str, *, lock: bool = False) -> PipelineRun:
    """Find a run by its id, which must exist.

    Parameters
    ----------
    db : Session
        The store.
    run_id : str
        The run.
    lock : bool
        Whether other writers of this row wait for the transaction's end.

    Returns
    -------
    PipelineRun
        The row, read afresh.

    Raises
    ------
    NotFoundError
        If there is none.
    """
    row = find_run(db, run_id, lock=lock)
    if row is None:
        raise NotFoundError(f"There is no pipeline run {run_id!r}.", run_id=run_id)
    return row


def count_runs(db: Session) -> dict[str, int]:
    """Count the runs by status.

    Parameters
    ----------
    db : Session
        The store.

    Returns
    -------
    dict of str to int
        Every status, also those without a run.
    """
    counted = db.execute(select(PipelineRun.status, func.count()).group_by(PipelineRun.status))
    return dict.fromkeys(STATUSES, 0) | {row[0]: row[1] for row in counted}
