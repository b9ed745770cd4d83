"""Batches: the list with what became of them, one batch, and bringing in a file."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Path, Query
from fastapi.responses import HTMLResponse, Response

from app.domain.types import Document
from app.edge.aside import HeldFile
from app.edge.problems import Refusal
from app.errors import ChancellorError, IntakeError
from app.services.intake_overview import IntakeOverview
from app.web.fault_words import fault_rows, fault_title
from app.web.routing import Desk, OnDesk, go_to, page_router
from app.web.run_forms import run_form
from app.web.uploading import DATE_FORMATS, imported, received

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
    return desk.render("batch_new.html", **_nothing_yet())


@router.post("/preview")
async def preview(desk: OnDesk) -> HTMLResponse:
    """Show what a file holds before anything is stored."""
    try:
        held = await received(desk)
    except (ChancellorError, Refusal) as error:
        return desk.render("batch_new.html", refused=error, **_nothing_yet(desk.text("batch_id")))
    return await _shown(desk, held)


@router.post("")
async def store(desk: OnDesk) -> Response:
    """Store the file that was looked at."""
    try:
        held = await received(desk)
    except (ChancellorError, Refusal) as error:
        return desk.render("batch_new.html", refused=error, **_nothing_yet(desk.text("batch_id")))
    try:
        stored = await imported(
            desk, "batch", held, batch_id=desk.text("batch_id"), **_meanings(desk)
        )
    except IntakeError:
        return await _shown(desk, held)  # which shows the faults as a table
    except (ChancellorError, Refusal) as error:
        return await _shown(desk, held, error)
    held.discard()
    return go_to(f"/batches/{stored['batch_id']}")


@router.get("/{batch_id}")
def show_batch(desk: OnDesk, batch_id: BatchId) -> HTMLResponse:
    """Show one batch: facts, labels, runs and models."""
    batch = IntakeOverview(desk.db).get_batch(batch_id)
    return desk.render("batch.html", batch=batch, form=run_form(desk))


def _meanings(desk: Desk) -> Document:
    scored_at = desk.text("scored_at")
    return {
        "party_id": desk.text("party_id"),
        "scored_at": desk.text("scored_on") if scored_at == ONE_DATE else scored_at,
        "date_format": desk.text("date_format") or None,
        "allow_missing_features": bool(desk.text("allow_missing_features")),
    }


async def _shown(
    desk: Desk, held: HeldFile, refused: ChancellorError | Refusal | None = None
) -> HTMLResponse:
    given = {**_meanings(desk), "batch_id": desk.text("batch_id")}
    try:
        found = await imported(desk, "preview of a batch", held, **given)
    except (ChancellorError, Refusal) as error:
        nothing = _nothing_yet(given["batch_id"])
        return desk.render("batch_new.html", refused=refused or error, **nothing)
    context: dict[str, Any] = {
        "found": found,
        "held": held.name,
        "given": given,
        "faults": fault_rows(found["faults"]),
        "title": fault_title(found["file"], found["n_faults"]),
        "date_formats": DATE_FORMATS,
        "scored_on": desk.text("scored_on"),
    }
    answer = desk.render("batch_preview.html", refused=refused, **context)
    if found["faults"] and refused is None:
        answer.status_code = 422
    return answer


def _nothing_yet(batch_id: str = "") -> dict[str, Any]:
    return {"given": {"batch_id": batch_id}}
