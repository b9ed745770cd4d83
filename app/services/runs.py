"""Pipeline runs on the record: one at a time, none left running when its process is gone."""

from __future__ import annotations

import os
import platform
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.db import transaction, utc_now
from app.domain.types import Document
from app.errors import ConflictError
from app.models import PipelineRun
from app.queries.batches import require_batch
from app.queries.runs import LIVE, list_live_runs, list_runs, require_run
from app.services.audit_service import record
from app.services.processes import is_alive, process_started_at
from app.settings import default_actor

LOST = "its process ended without a word (killed, or the machine stopped)"


class RunService:
    """Keep the record of pipeline runs.

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

    def queue(self, *, pipeline: str, batch_ids: Sequence[str], config: Document) -> Document:
        """Put a run on the record that another process will execute.

        Parameters
        ----------
        pipeline : str
            Name of the job.
        batch_ids : sequence of str
            Its batches.
        config : dict
            Its settings.

        Returns
        -------
        dict
            The run, ``queued``. Until it begins it belongs to this process.

        Raises
        ------
        NotFoundError
            If there is no such batch.
        ConflictError
            If a batch is withdrawn, or another run is live; it names that run.

        Notes
        -----
        Writes: one row of ``pipeline_runs``, the event ``run.queued``; a live run whose
        process is gone is marked failed first, with ``run.failed``.
        """
        with self._one_at_a_time():
            for batch_id in batch_ids:
                require_batch(self.db, batch_id)
            self._reap()
            self._refuse_second()
            run = PipelineRun(
                id=str(uuid.uuid4()),
                pipeline=pipeline,
                batch_ids=list(batch_ids),
                config={**config, "host": platform.node()},
                status="queued",
                pid=os.getpid(),
                pid_started_at=process_started_at(os.getpid()),
                requested_by=self.actor,
                created_at=utc_now(),
            )
            self.db.add(run)
            self.db.flush()
            self._record("run.queued", run, {"batch_ids": list(batch_ids), "config": config})
            return run_document(run)

    def start(self, *, pipeline: str, batch_ids: Sequence[str], config: Document) -> Document:
        """Put a run on the record that this process executes at once.

        Parameters
        ----------
        pipeline : str
            Name of the job.
        batch_ids : sequence of str
            Its batches.
        config : dict
            Its settings.

        Returns
        -------
        dict
            The run, ``running``.

        Raises
        ------
        NotFoundError
            If there is no such batch.
        ConflictError
            If a batch is withdrawn, or another run is live; nothing is left behind.

        Notes
        -----
        Writes: what :meth:`queue` and :meth:`begin` write, in one transaction.
        """
        with self._one_at_a_time():
            queued = self.queue(pipeline=pipeline, batch_ids=batch_ids, config=config)
            return self.begin(queued["run_id"])

    def begin(self, run_id: str) -> Document:
        """Put on the record that this process now executes a queued run.

        Parameters
        ----------
        run_id : str
            The run.

        Returns
        -------
        dict
            The run, ``running``.

        Raises
        ------
        NotFoundError
            If there is no such run.
        ConflictError
            If it is not queued.

        Notes
        -----
        Writes: the row's process and start, the event ``run.started``.
        """
        with self._one_at_a_time():
            run = require_run(self.db, run_id)
            if run.status != "queued":
                raise ConflictError(f"Run {run_id} is {run.status}, not queued.", run_id=run_id)
            run.status = "running"
            run.pid = os.getpid()
            run.pid_started_at = process_started_at(os.getpid())
            run.started_at = utc_now()
            self.db.flush()
            self._record("run.started", run, {"pid": run.pid})
            return run_document(run)

    def finish(self, run_id: str, *, dagster_run_id: str | None, result: Document) -> Document:
        """Put the end of a run on the record.

        Parameters
        ----------
        run_id : str
            The run.
        dagster_run_id : str or None
            Dagster's name for it; None if it never came to that.
        result : dict
            The result document; its ``status`` is ``succeeded`` or ``failed``, its ``error`` a
            document or None.

        Returns
        -------
        dict
            The run.

        Raises
        ------
        NotFoundError
            If there is no such run.
        ConflictError
            If it has ended already.

        Notes
        -----
        Writes: the row's end, the event ``run.succeeded`` or ``run.failed``.
        """
        with transaction(self.db):
            run = self._require_live(run_id)
            run.dagster_run_id = dagster_run_id
            run.result = result
            self._end(run, result["status"], (result.get("error") or {}).get("message"))
            return run_document(run)

    def cancel(self, run_id: str, *, reason: str) -> Document:
        """Put on the record that a run was stopped before its end.

        Parameters
        ----------
        run_id : str
            The run.
        reason : str
            Why it was stopped.

        Returns
        -------
        dict
            The run.

        Raises
        ------
        NotFoundError
            If there is no such run.
        ConflictError
            If it has ended already.

        Notes
        -----
        Writes: the row's end, the event ``run.cancelled``.
        """
        with transaction(self.db):
            run = self._require_live(run_id)
            self._end(run, "cancelled", reason)
            return run_document(run)

    def reap(self) -> tuple[Document, ...]:
        """Mark the live runs whose process is gone as failed.

        Returns
        -------
        tuple of dict
            The runs that were marked.

        Notes
        -----
        Writes: each run's end, and ``run.failed`` for each.
        """
        with transaction(self.db):
            return self._reap()

    def get_run(self, run_id: str) -> Document:
        """Read one run.

        Parameters
        ----------
        run_id : str
            The run.

        Returns
        -------
        dict
            The run with its result.

        Raises
        ------
        NotFoundError
            If there is no such run.
        """
        return run_document(require_run(self.db, run_id))

    def list_runs(self, limit: int = 50) -> tuple[Document, ...]:
        """List the newest runs, newest first.

        Parameters
        ----------
        limit : int
            How many at most.

        Returns
        -------
        tuple of dict
            The runs.
        """
        return tuple(run_document(run) for run in list_runs(self.db, limit=limit))

    def _require_live(self, run_id: str) -> PipelineRun:
        run = require_run(self.db, run_id)
        if run.status not in LIVE:
            raise ConflictError(f"Run {run_id} has already {run.status}.", run_id=run_id)
        return run

    def _refuse_second(self) -> None:
        for run in list_live_runs(self.db):
            raise ConflictError(
                f"Run {run.id} of {run.pipeline} on {', '.join(run.batch_ids)} is {run.status} "
                f"(process {run.pid}, asked for by {run.requested_by}); one run at a time: wait "
                "until it has ended.",
                run_id=run.id,
                status=run.status,
                pid=run.pid,
                requested_by=run.requested_by,
            )

    def _reap(self) -> tuple[Document, ...]:
        gone = [run for run in list_live_runs(self.db) if is_lost(run)]
        for run in gone:
            self._end(run, "failed", LOST)
        return tuple(run_document(run) for run in gone)

    @contextmanager
    def _one_at_a_time(self) -> Iterator[None]:
        """Write; where the database refuses a second live run, say that another came first."""
        try:
            with transaction(self.db):
                yield
        except IntegrityError as error:
            raise ConflictError("Another run has just begun; one run at a time.") from error

    def _end(self, run: PipelineRun, status: str, error: str | None) -> None:
        run.status = status
        run.error = error
        run.finished_at = utc_now()
        self.db.flush()
        self._record(f"run.{status}", run, {"dagster_run_id": run.dagster_run_id, "error": error})

    def _record(self, action: str, run: PipelineRun, payload: Document) -> None:
        record(
            self.db,
            actor=self.actor,
            action=action,
            subject=f"run:{run.id}",
            payload={"pipeline": run.pipeline, **payload},
        )


def is_lost(run: PipelineRun) -> bool:
    """Say whether a live run's process is gone; of another machine's process nothing is known.

    Parameters
    ----------
    run : PipelineRun
        A queued or running run.

    Returns
    -------
    bool
        True if nobody will ever finish it.
    """
    if run.config.get("host") != platform.node() or run.pid is None or run.pid_started_at is None:
        return False
    return not is_alive(run.pid, started_at=run.pid_started_at)


def run_document(run: PipelineRun) -> Document:
    """Give a run as a JSON-ready mapping.

    Parameters
    ----------
    run : PipelineRun
        The row.

    Returns
    -------
    dict
        Its columns; times in ISO form.
    """
    times = {
        name: None if (at := getattr(run, name)) is None else at.isoformat()
        for name in ("created_at", "started_at", "finished_at")
    }
    return {
        "run_id": run.id,
        "pipeline": run.pipeline,
        "batch_ids": list(run.batch_ids),
        "config": run.config,
        "status": run.status,
        "dagster_run_id": run.dagster_run_id,
        "pid": run.pid,
        "result": run.result,
        "error": run.error,
        "requested_by": run.requested_by,
        **times,
    }
