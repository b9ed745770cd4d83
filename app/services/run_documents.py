"""A run as a document: what was asked for, and how far each asset and check has come."""

from __future__ import annotations

from copy import deepcopy
from datetime import datetime

from app.db import utc_now
from app.domain.pipelines import CHECKS, PIPELINES
from app.domain.types import Document
from app.models import PipelineRun

EXECUTION = "execution"
STEPS = "steps"
STAGES = "stages"
LIVE = ("queued", "running")


def run_document(run: PipelineRun) -> Document:
    """Give a run as a JSON-ready mapping.

    Parameters
    ----------
    run : PipelineRun
        The row.

    Returns
    -------
    dict
        run_id, pipeline, batch_ids, config (the settings), status (``queued``, ``running``,
        ``succeeded``, ``failed`` or ``cancelled``), requested_by, request_id, created_at,
        started_at, finished_at (ISO, UTC), duration_seconds (so far, while it runs; None before),
        ``steps`` (see below), ``cancel`` (None, or by, at and reason of the request), error
        (a sentence or None), ``result`` (the result document; None while live), dagster_run_id,
        pid and host.

        A step is an asset: ``asset``, ``status`` (``waiting``, ``running``, ``succeeded``,
        ``failed``, ``cancelled`` or ``skipped``), ``started_at``, ``finished_at``,
        ``duration_seconds``, ``progress`` (None, or stage, done and total), ``error`` (None, or
        code, message and facts) and ``checks``: of each, ``check``, ``status`` (``waiting``,
        ``passed``, ``warned``, ``failed`` or ``skipped``), ``sentence`` and ``at``.
    """
    execution = execution_of(run)
    known = run.result or {}
    result = {name: value for name, value in known.items() if name != STEPS}
    return {
        "run_id": run.id,
        "pipeline": run.pipeline,
        "batch_ids": list(run.batch_ids),
        "config": {name: value for name, value in run.config.items() if name != EXECUTION},
        "status": run.status,
        "requested_by": run.requested_by,
        "request_id": execution.get("request_id"),
        "created_at": _iso(run.created_at),
        "started_at": _iso(run.started_at),
        "finished_at": _iso(run.finished_at),
        "duration_seconds": _seconds(run.started_at, run.finished_at),
        "steps": [_with_duration(step) for step in steps_of(run)],
        "cancel": _cancel(execution),
        "error": run.error,
        "result": None if run.status in LIVE or not result else result,
        "dagster_run_id": run.dagster_run_id,
        "pid": run.pid,
        "host": execution.get("host"),
    }


def execution_of(run: PipelineRun) -> Document:
    """Give what is known of how a run is executed: host, request_id, idempotency_key, cancel.

    Parameters
    ----------
    run : PipelineRun
        The row.

    Returns
    -------
    dict
        A copy.
    """
    return dict(run.config.get(EXECUTION) or {})


def is_on_dagster(run: PipelineRun) -> bool:
    """Say whether a Dagster that others operate has a run.

    Parameters
    ----------
    run : PipelineRun
        The row.

    Returns
    -------
    bool
        False as long as none has it, and where a process that we know by its host does.
    """
    return run.dagster_run_id is not None and execution_of(run).get("host") is None


def set_execution(run: PipelineRun, **facts: object) -> None:
    """Change what is known of how a run is executed.

    Parameters
    ----------
    run : PipelineRun
        The row, locked.
    **facts : object
        JSON-ready values.
    """
    run.config = {**run.config, EXECUTION: {**execution_of(run), **facts}}


def steps_of(run: PipelineRun) -> list[Document]:
    """Give the steps of a run, all waiting where none was noted yet.

    Parameters
    ----------
    run : PipelineRun
        The row.

    Returns
    -------
    list of dict
        A copy, one per asset of the pipeline, in order.
    """
    noted: list[Document] | None = (run.result or {}).get(STEPS)
    return deepcopy(noted) if noted is not None else waiting_steps(run.pipeline)


def waiting_steps(pipeline: str) -> list[Document]:
    """Give the steps of a pipeline before any has begun.

    Parameters
    ----------
    pipeline : str
        Its name; an unknown one has no steps.

    Returns
    -------
    list of dict
        One per asset, in order.

    Examples
    --------
    >>> [step["asset"] for step in waiting_steps("scoring_pipeline")]
    ['score_batch', 'monitoring_report']
    >>> waiting_steps("ml_training_pipeline")[1]["checks"][0]
    {'check': 'sample_size', 'status': 'waiting', 'sentence': None, 'at': None}
    """
    return [
        {
            "asset": asset,
            "status": "waiting",
            "started_at": None,
            "finished_at": None,
            "progress": None,
            "error": None,
            "checks": [
                {"check": check, "status": "waiting", "sentence": None, "at": None}
                for check in CHECKS[asset]
            ],
        }
        for asset in PIPELINES.get(pipeline, ())
    ]


def ended_steps(steps: list[Document], status: str) -> list[Document]:
    """Close the steps of a run that has ended: nothing waits or runs any more.

    Parameters
    ----------
    steps : list of dict
        As noted.
    status : {'succeeded', 'failed', 'cancelled'}
        How the run ended.

    Returns
    -------
    list of dict
        What waited is skipped; what ran ended as the run did.

    Examples
    --------
    >>> steps = waiting_steps("scoring_pipeline")
    >>> steps[0]["status"] = "running"
    >>> ended_steps(steps, "cancelled")[0]["status"]
    'cancelled'
    """
    now = utc_now().isoformat()
    for step in steps:
        if step["status"] == "waiting":
            step["status"] = "skipped"
        elif step["status"] == "running":
            step.update(status=status, finished_at=now)
        step["progress"] = None
        for check in step["checks"]:
            if check["status"] == "waiting":
                check["status"] = "skipped"
    return steps


def _cancel(execution: Document) -> Document | None:
    asked = execution.get("cancel")
    return None if asked is None else {name: asked[name] for name in ("by", "at", "reason")}


def _with_duration(step: Document) -> Document:
    began, ended = (
        None if (at := step[name]) is None else datetime.fromisoformat(at)
        for name in ("started_at", "finished_at")
    )
    return {**step, "duration_seconds": _seconds(began, ended)}


def _iso(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()


def _seconds(began: datetime | None, ended: datetime | None) -> float | None:
    if began is None:
        return None
    return round(((ended or utc_now()) - began).total_seconds(), 3)
