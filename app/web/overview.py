"""The overview: what decides now, what waits for whoever looks, what ran, how scores moved."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import Path, Response

from app.charts.catalogue import Drawing
from app.domain.types import Document
from app.errors import ChancellorError
from app.services.score_distributions import last_distribution
from app.web.figures import Drawings, figure_source, figures
from app.web.routing import Desk, OnDesk, go_to, page_router

router = page_router()

SOURCE = "overview"
AlertId = Annotated[int, Path(ge=1, lt=1 << 31)]
_NOTHING_TYPED: Document = {"alert_id": 0, "note": ""}


@router.get("/")
def overview(desk: OnDesk) -> Response:
    """Show what a person needs to see first."""
    return _page(desk)


@router.post("/emergencies/acknowledge")
def acknowledge_emergencies(desk: OnDesk) -> Response:
    """Acknowledge every emergency rollback that waits for it."""
    try:
        desk.use.versions.acknowledge_emergency(
            reason=desk.text("reason"), newest=desk.text("newest")
        )
    except ChancellorError as error:
        return _page(desk, refused=error)
    return go_to("/")


@router.post("/alerts/{alert_id}/acknowledge")
def acknowledge_alert(desk: OnDesk, alert_id: AlertId) -> Response:
    """Say that whoever signed in looked at an alert."""
    try:
        desk.use.alerts.acknowledge(alert_id, note=desk.text("note"))
    except ChancellorError as error:
        return _page(desk, refused=error, typed={"alert_id": alert_id, "note": desk.text("note")})
    return go_to("/")


def _page(desk: Desk, **context: Any) -> Response:
    found = {"typed": _NOTHING_TYPED, **desk.use.overview.get_overview()}
    drawn = figures(SOURCE, {}, _drawings(found["distribution"]))
    return desk.render("overview.html", **{**found, **context}, figures=drawn)


@figure_source(SOURCE)
def _drawn_again(desk: Desk, facts: Mapping[str, str]) -> Drawings:
    """Draw the scores of the last batch again; they depend on nothing but the store."""
    del facts
    return _drawings(last_distribution(desk.db, desk.service.lake))


def _drawings(distribution: Document | None) -> dict[str, Drawing]:
    if distribution is None or distribution["problem"]:
        return {}
    shown = {name: distribution[name] for name in ("bins", "before", "after")}
    return {"scores": Drawing("score_distribution", shown)}
