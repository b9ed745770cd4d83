"""The audit chain."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query

from app.api.documents import store as documents
from app.api.documents.common import LIMIT, Cursor, Limit, Page
from app.api.routing import api_router
from app.domain.types import Document
from app.edge.access import Db, Use
from app.edge.problems import documented
from app.edge.routes import takes_seconds
from app.services.listing_service import ListingService

router = api_router("/api/audit", "audit")

Exact = Annotated[str | None, Query(max_length=200, description="Exactly this value.")]


@router.get("", response_model=Page[documents.Event], responses=documented())
def list_events(
    db: Db,
    actor: Exact = None,
    action: Exact = None,
    subject: Exact = None,
    cursor: Cursor = None,
    limit: Limit = LIMIT,
) -> Document:
    """List the events of the audit chain that match, the newest first."""
    return ListingService(db, cursor, limit).events(actor=actor, action=action, subject=subject)


@router.get("/verify", response_model=documents.Verified, responses=documented(409))
@takes_seconds
def verify(use: Use) -> Document:
    """Walk the whole chain and check every link; 409 names the first that was altered."""
    return use.audit.verify()
