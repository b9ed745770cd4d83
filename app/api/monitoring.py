"""Monitoring: reports, alerts, and the challengers that run beside the active version."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Query

from app.api.documents import monitoring as documents
from app.api.documents.common import LIMIT, Cursor, Limit, Page
from app.api.routing import PathName, api_router
from app.domain.types import Document
from app.edge.access import Db, Use
from app.edge.problems import documented
from app.edge.routes import takes_seconds
from app.services.listing_service import ListingService

router = api_router("/api/monitoring", "monitoring")

Number = Annotated[int, Path(ge=1, lt=1 << 31)]
Exact = Annotated[
    str | None, Query(min_length=1, max_length=200, description="Exactly this value.")
]  # fmt: skip
_STEP = documented(404, 409, body=True)


@router.get("/reports", response_model=Page[documents.ReportSummary], responses=documented())
def list_reports(
    db: Db,
    batch_id: Exact = None,
    version: Exact = None,
    cursor: Cursor = None,
    limit: Limit = LIMIT,
) -> Document:
    """List the monitoring reports, the newest first."""
    return ListingService(db, cursor, limit).reports(batch_id=batch_id, version=version)


@router.get("/reports/{report_id}", response_model=documents.Report, responses=documented(404, 409))
def get_report(use: Use, report_id: Number) -> Document:
    """Give everything that a report found."""
    return use.monitoring.get_report(report_id)


@router.post("/reports", response_model=documents.Report, responses=documented(404, 409, body=True))
@takes_seconds
def monitor(use: Use, given: documents.NewReport) -> Document:
    """Make the report of a batch now, or give the one that is made of the same."""
    return use.monitoring.monitor(given.batch_id, given.version)


@router.get("/over-time", response_model=documents.OverTime, responses=documented(404, 409))
@takes_seconds
def over_time(use: Use, version: Exact = None) -> Document:
    """Lay the newest report of each batch under a version side by side."""
    return use.monitoring.over_time(version)


@router.get("/alerts", response_model=Page[documents.AlertSummary], responses=documented())
def list_alerts(
    use: Use,
    status: documents.AlertStatus | None = None,
    batch_id: Exact = None,
    version: Exact = None,
    kind: Exact = None,
    report_id: Annotated[int | None, Query(ge=1, lt=1 << 31)] = None,
    cursor: Cursor = None,
    limit: Limit = LIMIT,
) -> Document:
    """List the alerts: open ones first, then those acknowledged, then closed; newest first."""
    return use.alerts.list_alerts(
        status=status,
        batch_id=batch_id,
        version=version,
        kind=kind,
        report_id=report_id,
        cursor=cursor,
        limit=limit,
    )


@router.get("/alerts/{alert_id}", response_model=documents.Alert, responses=documented(404))
def get_alert(use: Use, alert_id: Number) -> Document:
    """Give one alert, with every attempt to deliver it."""
    return use.alerts.get_alert(alert_id)


@router.post("/alerts/{alert_id}/acknowledge", response_model=documents.Alert, responses=_STEP)
def acknowledge_alert(use: Use, alert_id: Number, given: documents.NewNote) -> Document:
    """Say that the caller looked at an alert, and what they make of it."""
    return use.alerts.acknowledge(alert_id, note=given.note)


@router.post("/alerts/{alert_id}/close", response_model=documents.Alert, responses=_STEP)
def close_alert(use: Use, alert_id: Number, given: documents.NewNote) -> Document:
    """Say that an alert that was acknowledged is dealt with."""
    return use.alerts.close(alert_id, note=given.note)


@router.get("/challengers", response_model=documents.Challengers, responses=documented(404))
def list_challengers(use: Use, version: Exact = None) -> Document:
    """List the challengers there are and were, the newest first."""
    return {"items": use.challengers.list_challengers(version)}


@router.post("/challengers", status_code=201, response_model=documents.Challenger, responses=_STEP)
def start_challenger(use: Use, given: documents.NewChallenger) -> Document:
    """Compare a draft with the active version in each report from now on."""
    return use.challengers.start(given.version, reason=given.reason)


@router.post("/challengers/{version}/stop", response_model=documents.Challenger, responses=_STEP)
def stop_challenger(use: Use, version: PathName, given: documents.ChallengerStop) -> Document:
    """Leave a challenger out of the reports from now on."""
    return use.challengers.stop(version, reason=given.reason)
