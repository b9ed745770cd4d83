"""Runs on a Dagster that others operate: submitted, followed and cancelled over its webserver.

Dagster decides about the process; our row says what was asked for and mirrors how it goes. A run's
first asset takes the row for its Dagster run (``app.services.run_progress``), so that no run is
executed twice even where two services submitted it.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from app.db import transaction, utc_now
from app.domain.pipelines import ACTOR_TAG, REQUEST_TAG, RUN_TAG
from app.domain.types import Document
from app.errors import ConflictError
from app.models import PipelineRun
from app.queries.runs import LIVE, list_live_runs, require_run
from app.services.dagster_client import DagsterClient
from app.services.run_documents import STAGES, execution_of, is_on_dagster, set_execution, steps_of
from app.services.run_events import record_run
from app.services.run_results import result_of
from app.services.runs import RunService

SECONDS_TO_SUBMIT = 60.0
SECONDS_TO_HEED = 60.0
STARTED, SUCCEEDED, FAILED, CANCELLED = (
    ("STARTED", "CANCELING"), "SUCCESS", "FAILURE", "CANCELED",
)  # fmt: skip
ENDED = (SUCCEEDED, FAILED)
FORGOTTEN = "Dagster no longer knows the run"


class DagsterRuns:
    """Submit, follow and cancel runs on a Dagster webserver, one at a time.

    Parameters
    ----------
    client : DagsterClient
        The webserver.
    """

    def __init__(self, client: DagsterClient) -> None:
        self.client = client
        self._me = str(uuid.uuid4())

    def look(self, db: Session) -> None:
        """Do what is to be done now.

        Parameters
        ----------
        db : Session
            The store.

        Raises
        ------
        UnavailableError
            If Dagster does not answer.

        Notes
        -----
        Writes: what Dagster says of each run that it was given, and the events ``run.started``
        and ``run.succeeded``, ``run.failed`` or ``run.cancelled``.
        """
        db.expire_all()
        RunService(db).reap()  # of ``chancellor pipeline run`` on this machine
        for run in list_live_runs(db):
            if is_on_dagster(run):
                self._follow(db, run)
        live = list_live_runs(db)
        if live and not any(run.status == "running" or run.dagster_run_id for run in live):
            self._submit(db, live[0].id)

    def leave(self) -> None:
        """Stop looking: Dagster goes on, and the next service follows."""
        self.client.close()

    def _submit(self, db: Session, run_id: str) -> None:
        run = self._claim(db, run_id)
        if run is None:
            return
        try:
            dagster_run_id = self.client.find(RUN_TAG, run_id) or self._launch(run)
        except ConflictError as error:
            _end_queued(db, run_id, error.message)
            return
        with transaction(db):
            row = require_run(db, run_id, lock=True)
            is_ours = row.status in LIVE and row.dagster_run_id in (None, dagster_run_id)
            if is_ours:
                row.dagster_run_id = dagster_run_id
        if not is_ours:  # cancelled, or submitted by another service, in between
            self.client.terminate(dagster_run_id)

    def _claim(self, db: Session, run_id: str) -> PipelineRun | None:
        """Say that this service submits the run, unless another has just said so."""
        with transaction(db):
            run = require_run(db, run_id, lock=True)
            claim = execution_of(run).get("submitting")
            if run.status != "queued" or run.dagster_run_id is not None:
                return None
            if claim is not None and claim["by"] != self._me and not _is_over(claim["at"]):
                return None
            set_execution(run, submitting={"by": self._me, "at": utc_now().isoformat()})
            return run

    def _launch(self, run: PipelineRun) -> str:
        settings = {name: value for name, value in run.config.items() if name != "execution"}
        request = {"batch_ids": list(run.batch_ids), **settings}
        request_id = execution_of(run).get("request_id")
        return self.client.launch(
            run.pipeline,
            partitions=tuple(run.batch_ids),
            run_config={"resources": {"request": {"config": request}}},
            tags={
                ACTOR_TAG: run.requested_by,
                RUN_TAG: run.id,
                **({} if request_id is None else {REQUEST_TAG: request_id}),
            },
        )

    def _follow(self, db: Session, run: PipelineRun) -> None:
        dagster_run_id = str(run.dagster_run_id)
        status = self.client.status(dagster_run_id)
        if status in (*STARTED, "QUEUED", "STARTING", "NOT_STARTED"):
            self._pass_on_cancelling(db, run)
        said = self.client.failure(dagster_run_id) if status == FAILED else ""
        with transaction(db):
            _mirror(db, require_run(db, run.id, lock=True), status, said)

    def _pass_on_cancelling(self, db: Session, run: PipelineRun) -> None:
        """Ask Dagster to end the run, once; where nobody heeds that, have it marked as ended."""
        asked = execution_of(run).get("cancel")
        if asked is None:
            return
        if not asked["signalled"]:
            self.client.terminate(str(run.dagster_run_id))
            with transaction(db):
                set_execution(
                    require_run(db, run.id, lock=True), cancel={**asked, "signalled": True}
                )
        elif utc_now() - datetime.fromisoformat(asked["at"]) > timedelta(seconds=SECONDS_TO_HEED):
            self.client.terminate(str(run.dagster_run_id), at_once=True)


def _mirror(db: Session, run: PipelineRun, status: str | None, said: str) -> None:
    if run.status not in LIVE:
        return
    runs = RunService(db, actor=run.requested_by)
    if status in STARTED and run.status == "queued":
        if any(other.status == "running" for other in list_live_runs(db)):
            return  # a run of this machine: ours is shown as running once that has ended
        run.status = "running"
        _note_start(db, run, utc_now())
        return
    begun = [step["started_at"] for step in steps_of(run) if step["started_at"]]
    if status in (CANCELLED, *ENDED) and run.started_at is None and begun:
        _note_start(db, run, datetime.fromisoformat(min(begun)))  # between two looks
    if status == CANCELLED or (status == FAILED and execution_of(run).get("cancel")):
        asked = execution_of(run).get("cancel") or {"by": "somebody", "reason": "in Dagster"}
        runs.end(run, "cancelled", f"cancelled by {asked['by']}: {asked['reason']}")
    elif status in ENDED:
        result = noted_result(run, succeeded=status == SUCCEEDED, said=said)
        runs.end(run, result["status"], (result["error"] or {}).get("message"), result=result)
    elif status is None:
        runs.end(run, "failed", FORGOTTEN)


def _note_start(db: Session, run: PipelineRun, at: datetime) -> None:
    run.started_at = at
    db.flush()
    record_run(
        db, actor=run.requested_by, action="run.started", run=run,
        dagster_run_id=run.dagster_run_id,
    )  # fmt: skip


def noted_result(run: PipelineRun, *, succeeded: bool, said: str) -> Document:
    """Describe a run that has ended on Dagster by what its assets noted on our row.

    Parameters
    ----------
    run : PipelineRun
        The row.
    succeeded : bool
        What Dagster says.
    said : str
        Dagster's own reason for a failure; it counts where no asset noted one.

    Returns
    -------
    dict
        As :func:`app.services.run_results.result_of`.
    """
    steps = steps_of(run)
    stages: Mapping[str, Document] = (run.result or {}).get(STAGES, {})
    errors = [step["error"] for step in steps if step["error"] is not None]
    if said:
        errors.append({"code": "unexpected", "message": said, "facts": {}})
    return result_of(
        run.pipeline,
        str(run.dagster_run_id),
        succeeded=succeeded,
        handed_on=stages,
        errors=errors,
        check_failed=any(
            check["status"] in ("failed", "warned") for step in steps for check in step["checks"]
        ),
    )


def _is_over(at: str) -> bool:
    return utc_now() - datetime.fromisoformat(at) > timedelta(seconds=SECONDS_TO_SUBMIT)


def _end_queued(db: Session, run_id: str, why: str) -> None:
    with transaction(db):
        run = require_run(db, run_id, lock=True)
        if run.status == "queued" and run.dagster_run_id is None:
            RunService(db, actor=run.requested_by).end(run, "failed", why)
