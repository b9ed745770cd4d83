"""Outcomes: what was brought in, and bringing in a file of events."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query
from fastapi.responses import HTMLResponse, Response

from app.domain.outcomes import EVENT_TYPES
from app.domain.types import Document
from app.services.intake_overview import IntakeOverview
from app.web.routing import Desk, OnDesk, page_router
from app.web.uploading import Intake

router = page_router("/outcomes")

Cursor = Annotated[str | None, Query(max_length=512)]
_ROLES = ("party_id", "event_date", "event_type", "through", "days_past_due")
NO_COLUMN = "-"


@router.get("")
def list_outcomes(desk: OnDesk, cursor: Cursor = None) -> HTMLResponse:
    """List the files of outcomes, the newest first."""
    return desk.render("outcomes.html", page=IntakeOverview(desk.db).list_outcomes(cursor))


@router.get("/new")
def choose_file(desk: OnDesk) -> HTMLResponse:
    """Ask for a file of outcomes."""
    return _INTAKE.choose(desk)


@router.post("/preview")
async def preview(desk: OnDesk) -> HTMLResponse:
    """Show what a file holds before anything is stored."""
    return await _INTAKE.look(desk)


@router.post("")
async def store(desk: OnDesk) -> Response:
    """Store the file that was looked at."""
    return await _INTAKE.store(desk)


def _given(desk: Desk) -> Document:
    date_format = desk.text("date_format") or None
    return {name: desk.text(name) for name in _ROLES} | {"date_format": date_format}


def _options(given: Document) -> Document:
    past_due = given["days_past_due"]
    return {**given, "days_past_due": None if past_due in {"", NO_COLUMN} else past_due}


_INTAKE = Intake(
    kind="outcomes",
    preview="preview of outcomes",
    choose_page="outcomes_new.html",
    shown_page="outcomes_preview.html",
    given=_given,
    options=_options,
    next_address=lambda _stored: "/outcomes",
    context={"event_types": EVENT_TYPES},
)
