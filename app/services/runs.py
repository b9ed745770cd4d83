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
from app.services.processes import process_started_at
from app.services.run_documents import (
    EXECUTION,
    STEPS,
    ended_steps,
    execution_of,
    run_document,
    set_execution,
    steps_of,
)
from app.services.run_events import record_run
from app.services.run_processes import is_lost
from app.settings import default_actor

LOST = "its process ended without a word (killed, or the machine stopped)"


class RunService:
    """Keep the record of pipeline runs, for the processes that execute them.

    People ask for runs, follow and cancel them through
    :class:`app.services.pipeline_service.PipelineService`.

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

    def queue(
        self,
        *,
        pipeline: str,
        batch_ids: Sequence[str],
        config: Document,
        run_id: str | None = None,
        **facts: str | None,
    ) -> Document:
        """Put a run on the record that another process will execute, after those before it.

        Parameters
        ----------
        pipeline : str
            Name of the job.
        batch_ids : sequence of str
            Its batches.
        config : dict
            Its settings.
        run_id : str or None
            A UUID; None makes one.
        **facts : str or None
            What else is known of it: ``request_id``, ``idempotency_key``.

        Returns
        -------
        dict
            The run, ``queued``. It belongs to no process until one begins it, and outlives all.

        Raises
        ------
        NotFoundError
            If there is no such batch.
        ConflictError
            If a batch is withdrawn.

        Notes
        -----
        Writes: one row of ``pipeline_runs``, the event ``run.queued``.
        """
        with transaction(self.db):
            for batch_id in batch_ids:
                require_batch(self.db, batch_id)
            execution = {name: value for name, value in facts.items() if value is not None}
            run = PipelineRun(
                id=run_id or str(uuid.uuid4()),
                pipeline=pipeline,
                batch_ids=list(batch_ids),
                config={**config, EXECUTION: execution},
                status="queued",
                requested_by=self.actor,
                created_at=utc_now(),
            )
            self.db.add(run)
            self.db.flush()
            self._record("run.queued", run, {"batch_ids": list(batch_ids), "config": config})
            return run_document(run)

    def start(self, *, pipeline: str, batch_ids: Sequence[str], config: Document) -> Document:
        """Put a run on the record that this process executes at once, before any that is queued.

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
            If a batch is withdrawn, or another run is running; nothing is left behind.

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
            The run, ``running``. Dagster knows it by the same id.

        Raises
        ------
        NotFoundError
            If there is no such run.
        ConflictError
            If it is not queued, or another run is running; it names that run.

        Notes
        -----
        Writes: the row's process and start, the event ``run.started``; a running run whose
        process is gone is marked failed first, with ``run.failed``.
        """
        with self._one_at_a_time():
            run = require_run(self.db, run_id, lock=True)
            if run.status != "queued":
                raise ConflictError(f"Run {run_id} is {run.status}, not queued.", run_id=run_id)
            self._reap()
            self._refuse_second()
            run.status = "running"
            run.pid = os.getpid()
            run.pid_started_at = process_started_at(os.getpid())
            run.dagster_run_id = run.id
            run.started_at = utc_now()
            set_execution(run, host=platform.node())
            self.db.flush()
            self._record("run.started", run, {"pid": run.pid})
            return run_document(run)

    def finish(self, run_id: str, *, result: Document) -> Document:
        """Put the end of a run on the record.

        Parameters
        ----------
        run_id : str
            The run.
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
            error = (result.get("error") or {}).get("message")
            self.end(run, result["status"], error, result=result)
            return run_document(run)

    def stopped(self, run_id: str, *, reason: str) -> Document:
        """Put on the record that a run was stopped before its end.

        Parameters
        ----------
        run_id : str
            The run.
        reason : str
            Why, where nobody asked for it on the record.

        Returns
        -------
        dict
            The run, ``cancelled``.

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
            self.end(run, "cancelled", _why_cancelled(run) or reason)
            return run_document(run)

    def reap(self) -> tuple[Document, ...]:
        """Mark the running runs whose process is gone as failed, or cancelled if it was asked for.

        Returns
        -------
        tuple of dict
            The runs that were marked.

        Notes
        -----
        Writes: each run's end, and ``run.failed`` or ``run.cancelled`` for each.
        """
        if not any(is_lost(run) for run in list_live_runs(self.db)):
            return ()
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
            The run, as :func:`app.services.run_documents.run_document`.

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

    def end(
        self, run: PipelineRun, status: str, error: str | None, *, result: Document | None = None
    ) -> None:
        """End a run, inside the transaction that read its row.

        Parameters
        ----------
        run : PipelineRun
            A live run, locked.
        status : {'succeeded', 'failed', 'cancelled'}
            How it ended.
        error : str or None
            Why, in a sentence.
        result : dict or None
            Its result document; None keeps what was noted.

        Notes
        -----
        Writes: the row's end, the event ``run.STATUS``.
        """
        steps = ended_steps(steps_of(run), status)
        noted = run.result or {}
        run.result = {**(noted if result is None else result), STEPS: steps}
        run.status = status
        run.error = error
        run.finished_at = utc_now()
        self.db.flush()
        self._record(f"run.{status}", run, {"dagster_run_id": run.dagster_run_id, "error": error})

    def _require_live(self, run_id: str) -> PipelineRun:
        run = require_run(self.db, run_id, lock=True)
        if run.status not in LIVE:
            raise ConflictError(f"Run {run_id} has already {run.status}.", run_id=run_id)
        return run

    def _refuse_second(self) -> None:
        for run in list_live_runs(self.db):
            if run.status == "running":
                raise ConflictError(
                    f"Run {run.id} of {run.pipeline} on {', '.join(run.batch_ids)} is running "
                    f"(process {run.pid}, asked for by {run.requested_by}); one run at a time: "
                    "wait until it has ended.",
                    run_id=run.id,
                    status=run.status,
                    pid=run.pid,
                    requested_by=run.requested_by,
                )

    def _reap(self) -> tuple[Document, ...]:
        gone = [
            require_run(self.db, run.id, lock=True)
            for run in list_live_runs(self.db)
            if is_lost(run)
        ]
        gone = [run for run in gone if is_lost(run)]  # as it is now that it is locked
        for run in gone:
            asked = _why_cancelled(run)
            self.end(run, "cancelled" if asked else "failed", asked or LOST)
        return tuple(run_document(run) for run in gone)

    @contextmanager
    def _one_at_a_time(self) -> Iterator[None]:
        """Write; where the database refuses a second running run, say that another came first."""
        try:
            with transaction(self.db):
                yield
        except IntegrityError as error:
            raise ConflictError("Another run has just begun; one run at a time.") from error

    def _record(self, action: str, run: PipelineRun, payload: Document) -> None:
        record_run(self.db, actor=self.actor, action=action, run=run, **payload)


def _why_cancelled(run: PipelineRun) -> str | None:
    asked = execution_of(run).get("cancel")
    return None if asked is None else f"cancelled by {asked['by']}: {asked['reason']}"
