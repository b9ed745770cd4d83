"""Batches: the list with what became of them, one batch, and bringing in a file."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Query
from fastapi.responses import HTMLResponse, Response

from app.domain.types import Document
from app.services.intake_overview import IntakeOverview
from app.web.routing import Desk, OnDesk, page_router
from app.web.run_forms import run_form
from app.web.uploading import Intake

router = page_router("/batches")

Cursor = Annotated[str | None, Query(max_length=512)]
BatchId = Annotated[str, Path(max_length=64)]
ONE_DATE = "@date"


@router.get("")
def list_batches(desk: OnDesk, cursor: Cursor = None) -> HTMLResponse:
    """List the batches, the newest first, with the newest labels of each."""
    return desk.render("batches.html", page=IntakeOverview(desk.db).list_batches(cursor))


@router.get("/new")
def choose_file(desk: OnDesk) -> HTMLResponse:
    """Ask for a file of parties."""
    return _INTAKE.choose(desk)


@router.post("/preview")
async def preview(desk: OnDesk) -> HTMLResponse:
    """Show what a file holds before anything is stored."""
    return await _INTAKE.look(desk)


@router.post("")
async def store(desk: OnDesk) -> Response:
    """Store the file that was looked at."""
    return await _INTAKE.store(desk)


@router.get("/{batch_id}")
def show_batch(desk: OnDesk, batch_id: BatchId) -> HTMLResponse:
    """Show one batch: facts, labels, runs and models."""
    batch = IntakeOverview(desk.db).get_batch(batch_id)
    return desk.render("batch.html", batch=batch, form=run_form(desk))


def _given(desk: Desk) -> Document:
    scored_at = desk.text("scored_at")
    return {
        "batch_id": desk.text("batch_id"),
        "party_id": desk.text("party_id"),
        "scored_at": desk.text("scored_on") if scored_at == ONE_DATE else scored_at,
        "date_format": desk.text("date_format") or None,
        "allow_missing_features": bool(desk.text("allow_missing_features")),
        "groups": list(desk.texts("group")),
    }


_INTAKE = Intake(
    kind="batch",
    preview="preview of a batch",
    choose_page="batch_new.html",
    shown_page="batch_preview.html",
    given=_given,
    options=dict,
    next_address=lambda stored: f"/batches/{stored['batch_id']}",
    context={},
)
