"""Read pipeline runs."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.errors import NotFoundError
from app.models import PipelineRun

LIVE = ("queued", "running")


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


def list_runs(db: Session, *, limit: int) -> tuple[PipelineRun, ...]:
    """List the newest runs.

    Parameters
    ----------
    db : Session
        The store.
    limit : int
        How many at most.

    Returns
    -------
    tuple of PipelineRun
        Newest first.
    """
    newest = select(PipelineRun).order_by(PipelineRun.created_at.desc(), PipelineRun.id)
    return tuple(db.scalars(newest.limit(limit)))


def require_run(db: Session, run_id: str) -> PipelineRun:
    """Find a run by its id.

    Parameters
    ----------
    db : Session
        The store.
    run_id : str
        The run.

    Returns
    -------
    PipelineRun
        The row, read afresh.

    Raises
    ------
    NotFoundError
        If there is none.
    """
    row = db.get(PipelineRun, run_id, populate_existing=True)
    if row is None:
        raise NotFoundError(f"There is no pipeline run {run_id!r}.", run_id=run_id)
    return row
