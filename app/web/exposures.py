"""Exposures: the lists of who was granted credit, and bringing in one."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query
from fastapi.responses import HTMLResponse, Response

from app.domain.types import Document
from app.services.listing_service import ListingService
from app.web.routing import Desk, OnDesk, page_router
from app.web.uploading import Intake

router = page_router("/exposures")

Cursor = Annotated[str | None, Query(max_length=512)]
NO_COLUMN = "-"


@router.get("")
def list_exposures(desk: OnDesk, cursor: Cursor = None) -> HTMLResponse:
    """List who was granted credit, the newest list first."""
    return desk.render("exposures.html", page=ListingService(desk.db, cursor).exposure_imports())


@router.get("/new")
def choose_file(desk: OnDesk) -> HTMLResponse:
    """Ask for a list of who was granted credit."""
    return _INTAKE.choose(desk)


@router.post("/preview")
async def preview(desk: OnDesk) -> HTMLResponse:
    """Show what a list holds before anything is stored."""
    return await _INTAKE.look(desk)


@router.post("")
async def store(desk: OnDesk) -> Response:
    """Store the list that was looked at."""
    return await _INTAKE.store(desk)


def _given(desk: Desk) -> Document:
    return {
        "party_id": desk.text("party_id"),
        "granted_on": desk.text("granted_on"),
        "date_format": desk.text("date_format") or None,
    }


def _options(given: Document) -> Document:
    granted_on = given["granted_on"]
    return {**given, "granted_on": None if granted_on in {"", NO_COLUMN} else granted_on}


_INTAKE = Intake(
    kind="exposures",
    preview="preview of exposures",
    choose_page="exposures_new.html",
    shown_page="exposures_preview.html",
    given=_given,
    options=_options,
    next_address=lambda _stored: "/exposures",
    context={},
)
