"""Outcomes: what was brought in, and bringing in a file of events."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query
from fastapi.responses import HTMLResponse, Response

from app.domain.outcomes import EVENT_TYPES
from app.domain.types import Document
from app.edge.aside import HeldFile
from app.edge.problems import Refusal
from app.errors import ChancellorError, IntakeError
from app.services.intake_overview import IntakeOverview
from app.web.fault_words import fault_rows, fault_title
from app.web.routing import Desk, OnDesk, go_to, page_router
from app.web.uploading import DATE_FORMATS, imported, received

router = page_router("/outcomes")

Cursor = Annotated[str | None, Query(max_length=512)]


@router.get("")
def list_outcomes(desk: OnDesk, cursor: Cursor = None) -> HTMLResponse:
    """List the files of outcomes, the newest first."""
    return desk.render("outcomes.html", page=IntakeOverview(desk.db).list_outcomes(cursor))


@router.get("/new")
def choose_file(desk: OnDesk) -> HTMLResponse:
    """Ask for a file of outcomes."""
    return desk.render("outcomes_new.html", through="")


@router.post("/preview")
async def preview(desk: OnDesk) -> HTMLResponse:
    """Show what a file holds before anything is stored."""
    try:
        held = await received(desk)
    except (ChancellorError, Refusal) as error:
        return desk.render("outcomes_new.html", refused=error, through=desk.text("through"))
    return await _shown(desk, held)


@router.post("")
async def store(desk: OnDesk) -> Response:
    """Store the file that was looked at."""
    try:
        held = await received(desk)
    except (ChancellorError, Refusal) as error:
        return desk.render("outcomes_new.html", refused=error, through=desk.text("through"))
    given = _meanings(desk)
    past_due = given["days_past_due"]
    try:
        await imported(
            desk,
            "outcomes",
            held,
            **given | {"days_past_due": None if past_due == "-" else past_due},
        )
    except IntakeError:
        return await _shown(desk, held)  # which shows the faults as a table
    except (ChancellorError, Refusal) as error:
        return await _shown(desk, held, error)
    held.discard()
    return go_to("/outcomes")


def _meanings(desk: Desk) -> Document:
    names = ("party_id", "event_date", "event_type", "through", "days_past_due")
    return {name: desk.text(name) for name in names} | {
        "date_format": desk.text("date_format") or None
    }


async def _shown(
    desk: Desk, held: HeldFile, refused: ChancellorError | Refusal | None = None
) -> HTMLResponse:
    given = _meanings(desk)
    try:
        found = await imported(desk, "preview of outcomes", held, **given)
    except (ChancellorError, Refusal) as error:
        return desk.render(
            "outcomes_new.html", refused=refused or error, through=desk.text("through")
        )
    context: dict[str, Any] = {
        "found": found,
        "held": held.name,
        "given": given,
        "faults": fault_rows(found["faults"]),
        "title": fault_title(found["file"], found["n_faults"]),
        "date_formats": DATE_FORMATS,
        "event_types": EVENT_TYPES,
    }
    answer = desk.render("outcomes_preview.html", refused=refused, **context)
    if found["faults"] and refused is None:
        answer.status_code = 422
    return answer
