"""Versions: what was active when, each card as a table, and a draft of one's own."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Query, Response
from fastapi.responses import HTMLResponse

from app.domain.document import parse_document
from app.domain.scorecard import Scorecard
from app.errors import ChancellorError, InvalidInputError, NotFoundError, StaleContentError
from app.findings.actions import action_words
from app.findings.card_tables import band_lines, feature_lines
from app.services.listing_service import ListingService
from app.web.review_forms import WEIGHT_FIELD, Typed
from app.web.routing import Desk, OnDesk, go_to, page_router

router = page_router()

VersionName = Annotated[str, Path(min_length=1, max_length=200)]
Cursor = Annotated[str | None, Query(max_length=512)]
_SHOWN = 25
_MOST_PASTED = 1 << 19


@router.get("/versions")
def versions(desk: OnDesk, cursor: Cursor = None) -> HTMLResponse:
    """Show what was active when, and the versions, the newest first."""
    found = ListingService(desk.db, cursor, _SHOWN).versions()
    return desk.render(
        "versions.html",
        versions=found["items"],
        next_cursor=found["next_cursor"],
        is_first=cursor is None,
        spans=desk.use.versions.time_line(),
        emergencies=desk.use.versions.list_emergencies(),
    )


@router.get("/versions/new")
def new_version(desk: OnDesk) -> HTMLResponse:
    """Ask for a draft of one's own."""
    return _ask(desk)


@router.post("/versions")
def add_version(desk: OnDesk) -> Response:
    """File a draft of one's own against the active version."""
    try:
        made = desk.use.versions.add_version(_drafted(desk), note=desk.text("note") or None)
    except ChancellorError as error:
        desk.db.rollback()
        return _ask(desk, error)
    return go_to(f"/versions/{made['version']}/review")


@router.get("/versions/{version}")
def version(desk: OnDesk, version: VersionName) -> HTMLResponse:
    """Show one card as a readable table."""
    return _show(desk, version)


@router.post("/versions/{version}/challenger")
def start_challenger(desk: OnDesk, version: VersionName) -> Response:
    """Score a draft beside the active version from the next report on."""
    try:
        desk.use.challengers.start(version, reason=desk.text("reason"))
    except NotFoundError:
        raise
    except ChancellorError as error:
        return _show(desk, version, error)
    return go_to(f"/versions/{version}")


@router.post("/versions/{version}/challenger/stop")
def stop_challenger(desk: OnDesk, version: VersionName) -> Response:
    """Leave a challenger out of the reports from now on."""
    try:
        desk.use.challengers.stop(version, reason=desk.text("reason"))
    except NotFoundError:
        raise
    except ChancellorError as error:
        return _show(desk, version, error)
    return go_to(f"/versions/{version}")


def _show(desk: Desk, version: str, refused: ChancellorError | None = None) -> HTMLResponse:
    found = desk.use.versions.get_version(version)
    return desk.render(
        "version.html",
        refused=refused,
        version=found,
        lines=feature_lines(found["content"]),
        bands=band_lines(found["content"]),
        action_words=action_words,
        conversation=desk.use.versions.conversation(version),
        challengers=desk.use.challengers.list_challengers(version),
        typed_reason="" if refused is None else desk.text("reason"),
    )


def _ask(desk: Desk, refused: ChancellorError | None = None) -> HTMLResponse:
    active = desk.use.versions.get_active()
    return desk.render(
        "version_new.html",
        refused=refused,
        active=active,
        lines=feature_lines(active["content"]),
        typed=Typed() if refused is None else Typed.of(desk.form, "draft"),
        weight_field=WEIGHT_FIELD,
    )


def _drafted(desk: Desk) -> Scorecard:
    """Read the card that somebody pasted, or the weights that they typed."""
    pasted = desk.text("document")
    if len(pasted) > _MOST_PASTED:  # reading YAML takes 10 s a megabyte
        raise InvalidInputError(
            f"The card is longer than {_MOST_PASTED:,} characters: file it with the command line."
        )
    if pasted:
        return Scorecard.from_document(parse_document(pasted))
    active = desk.use.versions.get_active()
    if desk.text("content_hash") != active["content_hash"]:
        raise StaleContentError(
            f"{active['version']} became active after you opened this page. Reload it: the weights "
            "below were typed for another card."
        )
    card = Scorecard.from_document(active["content"])
    weights = {name: _weight(desk, name) for name in card.features}
    return card.with_weights(weights)


def _weight(desk: Desk, name: str) -> float:
    text = desk.text(WEIGHT_FIELD + name)
    try:
        return float(text)
    except ValueError:
        raise InvalidInputError(f"The weight of {name} is no number: {text[:40]!r}.") from None
