"""Running a job in this process, on the record."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from dagster import DagsterExecutionInterruptedError

from app.db import open_session
from app.domain.pipelines import ACTOR_TAG, REQUEST_TAG, RUN_TAG, TRAINING
from app.domain.types import Document, Progress
from app.edge.errors import recorded_error
from app.errors import ConflictError, InvalidInputError, UnavailableError
from app.pipeline.definitions import defs
from app.pipeline.home import open_instance
from app.pipeline.interruption import was_asked_to_end
from app.pipeline.lost_runs import close_lost_runs
from app.pipeline.progress import heard_by
from app.pipeline.request import batches
from app.pipeline.result import result_document
from app.services.runs import RunService

SECONDS_TO_WAIT_FOR_DATABASE = 120.0
SECONDS_BETWEEN_TRIES = 1.0

_SILENT = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


def run_pipeline(
    *,
    batch_ids: Sequence[str],
    window: int = 180,
    outcome: str = "default",
    validation: str = "auto",
    base_version: str | None = None,
    actor: str | None = None,
    progress: Progress | None = None,
) -> Document:
    """Run ``ml_training_pipeline`` in this process, against the store's own Dagster home.

    Parameters
    ----------
    batch_ids : sequence of str
        Batches that train together; the run's partition is the last of them.
    window : int
        Observation window in days.
    outcome : str
        Name of the outcome definition, or ``final_flag``.
    validation : str
        ``auto``, ``out_of_time`` or ``cross_validation``.
    base_version : str or None
        The version to refine; None is the active one.
    actor : str or None
        The person on the record; None is the OS user.
    progress : Progress or None
        Called as ``progress(stage, done, total)``.

    Returns
    -------
    dict
        ``run_id`` and the document of :func:`app.pipeline.result.result_document`. A failed
        gate is not raised: the document says so, and names the error.

    Raises
    ------
    InvalidInputError
        If no batch is named.
    NotFoundError
        If there is no store.
    ConflictError
        If another run is live.
    """
    if not batch_ids:
        raise InvalidInputError("Name at least one batch to run the pipeline on.")
    settings = {
        "observation_window_days": window,
        "outcome_type": outcome,
        "validation": validation,
        "base_version": base_version,
    }
    with open_session() as db:
        runs = RunService(db, actor=actor)
        run = runs.start(pipeline=TRAINING, batch_ids=batch_ids, config=settings)
        return _run_on_record(runs, run, progress)


def execute_run(run_id: str, *, progress: Progress | None = None) -> Document:
    """Run in this process what another process put on the record as queued.

    Parameters
    ----------
    run_id : str
        The run.
    progress : Progress or None
        Called as ``progress(stage, done, total)``.

    Returns
    -------
    dict
        As :func:`run_pipeline`.

    Raises
    ------
    NotFoundError
        If there is no such run.
    ConflictError
        If it is not queued, or another run is running.
    """
    with open_session() as db:
        requested_by = RunService(db).get_run(run_id)["requested_by"]
        runs = RunService(db, actor=requested_by)
        return _run_on_record(runs, runs.begin(run_id), progress)


def _run_on_record(runs: RunService, run: Document, progress: Progress | None) -> Document:
    run_id = run["run_id"]
    runs.db.rollback()  # no transaction stays open through a fit
    with _ended_on_record(runs, run_id):
        result = _execute(run, progress=progress)
        if was_asked_to_end() and result["status"] != "succeeded":
            raise KeyboardInterrupt  # which Dagster answered with a failed run
    _put_on_record(lambda: runs.finish(run_id, result=result))
    return {"run_id": run_id, **result}


@contextmanager
def _ended_on_record(runs: RunService, run_id: str) -> Iterator[None]:
    """Leave no run live when Dagster itself fails or a person interrupts."""
    try:
        yield
    except BaseException as error:
        if was_asked_to_end():
            _put_on_record(lambda: runs.stopped(run_id, reason="asked to end"))
        elif isinstance(error, KeyboardInterrupt | DagsterExecutionInterruptedError):
            _put_on_record(lambda: runs.stopped(run_id, reason="interrupted at the keyboard"))
        else:
            failed = {"status": "failed", "error": recorded_error(error)}
            _put_on_record(lambda: runs.finish(run_id, result=failed))
        raise


def _put_on_record(end: Callable[[], object]) -> None:
    """Write the end of a run; a database that is away for a while costs no run that is done."""
    deadline = time.monotonic() + SECONDS_TO_WAIT_FOR_DATABASE
    was_away = False
    while True:
        try:
            end()
        except UnavailableError:
            if time.monotonic() > deadline:
                raise
            was_away = True
            time.sleep(SECONDS_BETWEEN_TRIES)
        except ConflictError:
            if not was_away:
                raise
            return  # it was written, and only the answer was lost
        else:
            return


def _execute(run: Document, *, progress: Progress | None) -> Document:
    request = {"batch_ids": run["batch_ids"], **run["config"]}
    request_id = run["request_id"]
    with _quiet_dagster(), open_instance() as instance, heard_by(progress):
        close_lost_runs(instance)
        instance.add_dynamic_partitions(str(batches.name), run["batch_ids"])
        result = defs.resolve_job_def(run["pipeline"]).execute_in_process(
            instance=instance,
            run_id=run["dagster_run_id"],
            partition_key=run["batch_ids"][-1],
            run_config={"resources": {"request": {"config": request}}, **_SILENT},
            tags={
                ACTOR_TAG: run["requested_by"],
                RUN_TAG: run["run_id"],
                **({} if request_id is None else {REQUEST_TAG: request_id}),
            },
            raise_on_error=False,
        )
    return result_document(run["pipeline"], result)


@contextmanager
def _quiet_dagster() -> Iterator[None]:
    """Keep Dagster's own log lines off the terminal; its event log in the home has them all."""
    logger = logging.getLogger("dagster")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(level)
