"""The record: every change, whether the chain holds, and the chain to take away."""

from __future__ import annotations

import re
import secrets
import tempfile
from collections.abc import Iterator
from typing import Annotated, Any, TextIO
from urllib.parse import urlencode

from fastapi import Query, Response
from fastapi.responses import StreamingResponse

from app.db import utc_now
from app.domain.audit_chain import StoredEvent
from app.domain.types import Document, Progress
from app.edge.access import Service, open_store
from app.edge.prepared import Computing, Failed, Ready
from app.edge.routes import takes_seconds
from app.errors import InvalidInputError, TamperingError
from app.queries.audit import require_head
from app.queries.overview import find_last_checkpoint
from app.services.audit_service import AuditService, event_moment
from app.services.checkpoint_service import SIGNED
from app.services.listing_service import ListingService
from app.web.routing import Desk, OnDesk, go_to, page_router

router = page_router("/audit")

Exact = Annotated[str, Query(max_length=200)]
Cursor = Annotated[str, Query(max_length=500)]

FILTERS = ("actor", "action", "subject", "since", "until")
_ROWS = 50
_CHUNK = 1 << 16
_SOON = 0.5
_NAME = re.compile(r"[0-9a-f]{16}")


@router.get("")
def show_events(
    desk: OnDesk,
    actor: Exact = "",
    action: Exact = "",
    subject: Exact = "",
    since: Exact = "",
    until: Exact = "",
    cursor: Cursor = "",
    verification: Exact = "",
) -> Response:
    """Show the events that match, newest first."""
    typed = {"actor": actor, "action": action, "subject": subject, "since": since, "until": until}
    asked: dict[str, str] = {name: value.strip() for name, value in typed.items() if value.strip()}
    refused = None
    found: Document = {"items": [], "next_cursor": None}
    try:
        found = ListingService(desk.db, cursor or None, _ROWS).events(**asked)
    except InvalidInputError as error:
        refused = error
    head = require_head(desk.db)
    checkpoint = find_last_checkpoint(desk.db, SIGNED)
    return desk.render(
        "audit.html",
        refused=refused,
        typed=typed,
        asked=asked,
        query=urlencode(asked),
        events=found["items"],
        is_first_page=not cursor,
        following=found["next_cursor"] and urlencode({**asked, "cursor": found["next_cursor"]}),
        head=head,
        checkpoint=checkpoint,
        verification=_verification(desk, verification) if verification else None,
    )


@router.post("/verify")
def verify(desk: OnDesk) -> Response:
    """Begin to verify the whole chain; the page that follows shows how far it is."""
    name = secrets.token_hex(8)
    _take(desk.service, name)
    return go_to(f"/audit?verification={name}")


@router.get("/events.jsonl")
@takes_seconds
def export_events(
    desk: OnDesk,
    actor: Exact = "",
    action: Exact = "",
    subject: Exact = "",
    since: Exact = "",
    until: Exact = "",
) -> Response:
    """Give the events that match as a file, once the whole chain was checked."""
    exact = {"actor": actor, "action": action, "subject": subject}
    wanted = _wanted({name: value for name, value in exact.items() if value}, since, until)
    file: TextIO = tempfile.TemporaryFile("w+", encoding="utf-8", newline="")  # noqa: SIM115 - closed when it was sent
    try:
        desk.use.audit.export(file, wanted=wanted)
        size = file.tell()
        file.seek(0)
    except BaseException:
        file.close()
        raise
    headers = {
        "Content-Disposition": 'attachment; filename="audit-events.jsonl"',
        "Content-Length": str(size),
    }
    return StreamingResponse(_chunks(file), headers=headers, media_type="application/x-ndjson")


def _chunks(file: TextIO) -> Iterator[str]:
    with file:
        while chunk := file.read(_CHUNK):
            yield chunk


def _wanted(exact: dict[str, str], since: str, until: str) -> Any:
    first = event_moment(since.strip()) if since.strip() else ""
    after = event_moment(until.strip(), after=True) if until.strip() else None

    def wanted(event: StoredEvent) -> bool:
        is_in_time = event.at >= first and (after is None or event.at < after)
        return is_in_time and all(getattr(event, name) == value for name, value in exact.items())

    return wanted


def _verification(desk: Desk, name: str) -> Document:
    """Say how far a verification is, or what it found."""
    if not _NAME.fullmatch(name):
        raise InvalidInputError("There is no such verification.", verification=name[:40])
    state = _take(desk.service, name)
    if isinstance(state, Ready):
        return {"state": "held", "seconds": state.seconds, **state.document}
    if isinstance(state, Computing):
        return {"state": "going", "stage": state.stage, "done": state.done, "total": state.total}
    if isinstance(state.error, TamperingError):
        return {"state": "broken", "sentence": state.error.message, "at": state.at}
    return {"state": "failed", "sentence": type(state.error).__name__, "at": state.at}


def _take(service: Service, name: str) -> Ready | Computing | Failed:
    """Verify beside the requests: a chain of a million events takes eight seconds."""

    def compute(progress: Progress) -> Document:
        at = utc_now()
        with open_store(service) as db:
            return {**AuditService(db).verify(progress), "at": at}

    return service.prepared.take(("audit verification", name), compute, wait_seconds=_SOON)
