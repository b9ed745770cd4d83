"""The overview: what decides now, and what waits."""

from __future__ import annotations

from fastapi.responses import HTMLResponse

from app.web.routing import OnDesk, page_router

router = page_router()


@router.get("/")
def overview(desk: OnDesk) -> HTMLResponse:
    """Show which version decides."""
    versions = desk.use.versions.list_versions()
    active = next((one for one in versions if one["status"] == "active"), None)
    return desk.render("overview.html", active=active)
