"""What an asset notes on the run's row as it works, for other processes to read."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import dagster as dg
import structlog
from dagster import DagsterExecutionInterruptedError
from sqlalchemy.orm import Session

from app.db import open_session, utc_now
from app.domain.pipelines import RUN_TAG
from app.domain.types import Document
from app.edge.errors import recorded_error
from app.errors import UnavailableError
from app.services.run_progress import note_checks, note_step, take_up

SECONDS_BETWEEN_NOTES = 0.5

_AT_WORK: ContextVar[tuple[str, str] | None] = ContextVar("asset_at_work", default=None)
_last_note_at = 0.0


@contextmanager
def noting(run: dg.DagsterRun, asset: str) -> Iterator[None]:
    """Note that an asset of a run works, and how it failed if it does.

    Parameters
    ----------
    run : DagsterRun
        The run; of one that is not on our record nothing is noted.
    asset : str
        Name of the asset.

    Raises
    ------
    ConflictError
        If the run has ended on our record, or another Dagster run has it.
    """
    run_id = run.tags.get(RUN_TAG)
    if run_id is None:
        yield
        return
    with open_session() as db:
        take_up(db, run_id, run.run_id, asset)
    token = _AT_WORK.set((run_id, asset))
    try:
        yield
    except (KeyboardInterrupt, DagsterExecutionInterruptedError):
        _note_end(run_id, asset, "cancelled", error=None)
        raise
    except Exception as error:
        _note_end(run_id, asset, "failed", error=recorded_error(error))
        raise
    finally:
        _AT_WORK.reset(token)


def note_materialised(run: dg.DagsterRun, asset: str, stage: Document) -> None:
    """Note that an asset is done.

    Parameters
    ----------
    run : DagsterRun
        The run.
    asset : str
        Name of the asset.
    stage : dict
        The document that it hands on.
    """
    run_id = run.tags.get(RUN_TAG)
    if run_id is not None:
        _note_end(run_id, asset, "succeeded", stage=stage)


def note_progress(stage: str, done: int, total: int) -> None:
    """Note how far the asset at work has come, twice a second at most.

    Parameters
    ----------
    stage : str
        What is being done.
    done, total : int
        Steps finished, and steps in all.
    """
    global _last_note_at  # noqa: PLW0603 - one run works in a process
    at_work = _AT_WORK.get()
    if at_work is None or time.monotonic() - _last_note_at < SECONDS_BETWEEN_NOTES:
        return
    _last_note_at = time.monotonic()
    _note_step(*at_work, progress={"stage": stage, "done": done, "total": total})


def note_check_results(
    run: dg.DagsterRun, asset: str, results: Iterable[dg.AssetCheckResult]
) -> None:
    """Note what the checks of an asset showed.

    Parameters
    ----------
    run : DagsterRun
        The run.
    asset : str
        The asset that was checked.
    results : iterable of AssetCheckResult
        What Dagster is told.
    """
    run_id = run.tags.get(RUN_TAG)
    found = {str(one.check_name): (_status(one), one.description or "") for one in results}
    if run_id is not None and found:
        _write(lambda db: note_checks(db, run_id, asset, found))


def _status(result: dg.AssetCheckResult) -> str:
    if result.passed:
        return "passed"
    return "failed" if result.severity == dg.AssetCheckSeverity.ERROR else "warned"


def _note_end(run_id: str, asset: str, status: str, **changes: Any) -> None:
    now = utc_now().isoformat()
    _note_step(run_id, asset, status=status, finished_at=now, progress=None, **changes)


def _note_step(run_id: str, asset: str, **changes: Any) -> None:
    _write(lambda db: note_step(db, run_id, asset, **changes))


def _write(note: Callable[[Session], None]) -> None:
    """Write a note; a database that does not answer costs the note, not the run."""
    try:
        with open_session() as db:
            note(db)
    except UnavailableError as error:
        structlog.get_logger().warning("run_note_lost", reason=error.message)
