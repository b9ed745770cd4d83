"""Emergency rollbacks: which wait for an approver, and that one looked at them."""

from __future__ import annotations

from app.api.documents import versions as documents
from app.api.routing import api_router
from app.domain.types import Document
from app.edge.access import Use
from app.edge.problems import documented

router = api_router("/api/scoring/emergencies", "versions")


@router.get("", response_model=documents.Emergencies, responses=documented())
def list_emergencies(use: Use) -> Document:
    """List the emergency rollbacks that no approver has acknowledged, the oldest first."""
    return {"items": use.versions.list_emergencies()}


@router.post(
    "/acknowledge", response_model=documents.Acknowledged, responses=documented(404, 409, body=True)
)
def acknowledge_emergencies(use: Use, given: documents.Acknowledgement) -> Document:
    """Acknowledge every emergency rollback that waits, as an approver who did none of them."""
    return use.versions.acknowledge_emergency(reason=given.reason)
