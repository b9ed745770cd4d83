"""What the desk says about a run: the same words in the page and in its live events."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from app.domain.counted import counted
from app.domain.types import Document
from app.edge import numbers
from app.edge.gate_words import GATE_TITLES
from app.services.run_documents import LIVE

STEP_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "score_batch": "Score the parties",
        "generate_scorecard_labels": "Label them with their outcomes",
        "monitoring_report": "Monitor them under the active version",
        "train_model_asset": "Train the model and judge it",
        "refine_scorecard": "Refine the card and draft a version",
    }
)
"""What each asset does, in words."""

SETTINGS: Mapping[str, str] = MappingProxyType(
    {
        "observation_window_days": "Observation window, days",
        "outcome_type": "Outcome definition",
        "validation": "Judged",
        "base_version": "Version",
    }
)
"""What each setting of a run is called."""

VALIDATIONS: Mapping[str, str] = MappingProxyType(
    {
        "auto": "by dates where the data allow it",
        "out_of_time": "on parties scored later",
        "cross_validation": "on parties left out, shuffled",
    }
)
"""What each way of validation means, in words."""

_AT_WORK = MappingProxyType(
    {
        "score_batch": "scoring the parties",
        "generate_scorecard_labels": "labelling the parties",
        "monitoring_report": "monitoring the parties",
        "train_model_asset": "training and judging the model",
        "refine_scorecard": "refining the card",
    }
)
_STEP = MappingProxyType(
    {
        "waiting": ("waiting", "none"),
        "running": ("running", "going"),
        "succeeded": ("done", "pass"),
        "failed": ("failed", "fail"),
        "cancelled": ("cancelled", "none"),
        "skipped": ("not reached", "none"),
    }
)
_CHECK = MappingProxyType(
    {
        "waiting": ("waiting", "none"),
        "passed": ("pass", "pass"),
        "warned": ("insufficient evidence", "insufficient"),
        "failed": ("fail", "fail"),
        "skipped": ("not run", "none"),
    }
)
RUN_STATUS: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "queued": ("queued", "none"),
        "running": ("running", "going"),
        "succeeded": ("done", "pass"),
        "failed": ("failed", "fail"),
        "cancelled": ("cancelled", "none"),
    }
)
"""Status of a run to its word and the class that colours it."""


def run_view(run: Document, n_ahead: int = 0) -> Document:
    """Say how far a run is.

    Parameters
    ----------
    run : dict
        As ``run_document`` gives it.
    n_ahead : int
        Live runs that were asked for before it.

    Returns
    -------
    dict
        Texts only, JSON-ready: ``title``, ``status`` and ``look`` (its class), ``is_live``,
        ``duration``, and ``steps``, each with ``asset``, ``name``, ``status``, ``look``,
        ``duration``, ``note`` and ``checks`` (``check``, ``name``, ``status``, ``look``,
        ``sentence``).
    """
    status, look = RUN_STATUS[run["status"]]
    return {
        "title": run_title(run, n_ahead),
        "status": status,
        "look": look,
        "is_live": run["status"] in LIVE,
        "duration": f"for {numbers.duration(run['duration_seconds'])}" if run["started_at"] else "",
        "steps": [_step(step) for step in run["steps"]],
    }


def run_title(run: Document, n_ahead: int = 0) -> str:
    """Say in one sentence how a run stands: the title of its page.

    Parameters
    ----------
    run : dict
        As ``run_document`` gives it.
    n_ahead : int
        Live runs that were asked for before it.

    Returns
    -------
    str
        What it waits for, what is being computed, or how it ended.

    Examples
    --------
    >>> run = {"status": "queued", "cancel": None}
    >>> run_title(run, 2)
    'This run waits for 2 runs before it; one works at a time'
    """
    if run["status"] == "queued":
        if n_ahead:
            return f"This run waits for {counted(n_ahead, 'run')} before it; one works at a time"
        return "This run is next: it begins as soon as a process takes it up"
    if run["status"] == "running":
        if run["cancel"]:
            return f"This run is being cancelled: {run['cancel']['reason']}"
        at_work = [step for step in run["steps"] if step["status"] == "running"]
        if at_work:
            return f"Now {_AT_WORK[at_work[0]['asset']]}"
        has_begun = any(step["status"] != "waiting" for step in run["steps"])
        return "Now between two steps" if has_begun else "Now getting ready"
    return _ending(run)


def _ending(run: Document) -> str:
    result = run["result"] or {}
    if run["status"] == "cancelled":
        return f"This run was {run['error'] or 'cancelled'}"
    if result.get("version"):
        return f"{result['version']} was drafted; the advice is {result['advice']}"
    if result.get("gate_failed"):
        return "A gate failed, so there is no draft"
    if run["status"] == "failed":
        return "This run failed"
    if result.get("advice"):
        return f"There is no draft: the advice is {result['advice']}"
    return _done(result.get("stages") or {})


def _done(stages: Document) -> str:
    scores, monitored = stages.get("scores"), stages.get("monitoring")
    if scores:
        return f"{counted(scores['n_rows'], 'party')} scored"
    if monitored:
        reports = counted(len(monitored["reports"]), "monitoring report")
        return f"{reports}, {counted(monitored['n_alerts'], 'alert')}"
    return "This run is done"


def _step(step: Document) -> Document:
    status, look = _STEP[step["status"]]
    return {
        "asset": step["asset"],
        "name": STEP_NAMES[step["asset"]],
        "status": status,
        "look": look,
        "duration": numbers.duration(step["duration_seconds"]),
        "note": _note(step),
        "checks": [_check(check) for check in step["checks"]],
    }


def _note(step: Document) -> str:
    if step["error"]:
        return str(step["error"]["message"])
    progress = step["progress"]
    if progress and step["status"] == "running":
        return f"{progress['stage']}, {progress['done']:,} of {progress['total']:,}"
    return ""


def _check(check: Document) -> Document:
    status, look = _CHECK[check["status"]]
    return {
        "check": check["check"],
        "name": GATE_TITLES[check["check"]],
        "status": status,
        "look": look,
        "sentence": check["sentence"] or "",
    }
