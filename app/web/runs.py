"""Pipeline runs: the list, one run watched as it works, starting and cancelling."""

from __future__ import annotations

import hashlib
from http import HTTPStatus
from typing import Annotated

from fastapi import Path, Query, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.concurrency import run_in_threadpool

from app.domain.pipelines import TRAINING
from app.domain.types import Document
from app.edge.access import Service, open_store
from app.edge.streams import Streams
from app.errors import ChancellorError
from app.services.intake_overview import IntakeOverview
from app.services.listing_service import ListingService
from app.services.pipeline_service import PipelineService
from app.web.routing import Desk, OnDesk, go_to, page_router
from app.web.run_forms import run_form
from app.web.run_words import run_view

router = page_router("/runs")

_MOST_DIGITS = 10
Cursor = Annotated[str | None, Query(max_length=512)]
RunId = Annotated[str, Path(max_length=200)]


@router.get("")
def list_runs(desk: OnDesk, cursor: Cursor = None) -> HTMLResponse:
    """List the runs, the newest first."""
    return desk.render("runs.html", page=ListingService(desk.db, cursor).runs())


@router.post("")
def start(desk: OnDesk) -> Response:
    """Ask for a run; the same form sent twice gives the same run."""
    first = desk.text("batch_id")
    others = [name.strip() for name in desk.text("other_batches").split(",") if name.strip()]
    try:
        run = desk.use.pipelines.trigger(
            pipeline=desk.text("pipeline"),
            batch_ids=[first, *others],
            config=_settings(desk),
            idempotency_key=_key_of(desk),
        )
    except ChancellorError as error:
        batch = IntakeOverview(desk.db).get_batch(first)
        return desk.render("batch.html", refused=error, batch=batch, form=run_form(desk))
    return go_to(f"/runs/{run['run_id']}")


@router.get("/{run_id}")
def show_run(desk: OnDesk, run_id: RunId) -> HTMLResponse:
    """Show how far a run is, or how it ended."""
    run = desk.use.pipelines.get_run(run_id)
    return desk.render("run.html", run=run, view=_view(desk.use.pipelines, run))


@router.get("/{run_id}/events")
async def watch(desk: OnDesk, run_id: RunId) -> Response:
    """Send how far a run is, each time that it has come further."""
    service = desk.service
    await run_in_threadpool(_look, service, run_id)  # 404 before a stream begins
    streams: Streams = desk.request.app.state.streams

    async def look() -> Document:
        return await run_in_threadpool(_look, service, run_id)

    return streams.open(desk.caller.actor, look, lambda view: not view["is_live"])


@router.post("/{run_id}/cancel")
def cancel(desk: OnDesk, run_id: RunId) -> Response:
    """Cancel a run."""
    try:
        desk.use.pipelines.cancel(run_id, reason=desk.text("reason") or "no reason given")
    except ChancellorError as error:
        run = desk.use.pipelines.get_run(run_id)
        view = _view(desk.use.pipelines, run)
        return desk.render("run.html", refused=error, run=run, view=view)
    return RedirectResponse(f"/runs/{run_id}", HTTPStatus.SEE_OTHER)


def _look(service: Service, run_id: str) -> Document:
    """Read how far a run is on a session of its own, and give the connection back."""
    with open_store(service) as db:
        pipelines = PipelineService(db)
        return _view(pipelines, pipelines.get_run(run_id))


def _view(pipelines: PipelineService, run: Document) -> Document:
    is_queued = run["status"] == "queued"
    return run_view(run, pipelines.count_ahead(run["run_id"]) if is_queued else 0)


def _settings(desk: Desk) -> Document:
    found: Document = {"base_version": desk.text("base_version") or None}
    if desk.text("pipeline") == TRAINING:
        days = desk.text("observation_window_days")
        found |= {
            "observation_window_days": int(days)
            if days.isdecimal() and len(days) < _MOST_DIGITS
            else days,
            "outcome_type": desk.text("outcome_type"),
            "validation": desk.text("validation"),
        }
    return found


def _key_of(desk: Desk) -> str:
    """Name a form that was shown once and what was typed into it: sent twice, it is one request."""
    names = (
        "nonce", "pipeline", "batch_id", "other_batches", "base_version",
        "observation_window_days", "outcome_type", "validation",
    )  # fmt: skip
    return hashlib.sha256("\0".join(desk.text(name) for name in names).encode()).hexdigest()
