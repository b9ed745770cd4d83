"""The overview: what decides now, what waits for whoever looks, what ran, how scores moved."""

from __future__ import annotations

from fastapi.responses import HTMLResponse

from app.web.routing import OnDesk, page_router

router = page_router()


@router.get("/")
def overview(desk: OnDesk) -> HTMLResponse:
    """Show what a person needs to see first."""
    return desk.render("overview.html", **desk.use.overview.get_overview())
