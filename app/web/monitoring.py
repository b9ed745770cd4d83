"""Monitoring: figures over time, one report, and what people do about its alerts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import Path, Query, Response
from fastapi.responses import HTMLResponse

from app.domain.types import Document
from app.edge.routes import takes_seconds
from app.errors import ChancellorError, InvalidInputError
from app.findings import monitoring as findings
from app.queries.alerts import STATUSES
from app.services.listing_service import ListingService
from app.web.figures import Drawings, figure_source, figures
from app.web.monitoring_drawings import lines_over_time, over_time_drawings, report_drawings
from app.web.routing import Desk, OnDesk, go_to, page_router

router = page_router("/monitoring")

OVER_TIME, REPORT = "monitoring", "monitoring-report"
_SHOWN, _SHOWN_FIRST = 25, 8
_MOST_ALERTS = 100

Cursor = Annotated[str | None, Query(max_length=512)]
ReportId = Annotated[int, Path(ge=1, lt=1 << 31)]
VersionName = Annotated[str | None, Query(min_length=1, max_length=200)]


@router.get("")
@takes_seconds
def show_monitoring(
    desk: OnDesk, version: VersionName = None, alerts: Cursor = None, reports: Cursor = None
) -> HTMLResponse:
    """Show a version over time, the alerts and the reports."""
    return _overview(desk, version, alerts, reports)


@router.post("")
@takes_seconds
def monitor_now(desk: OnDesk) -> Response:
    """Make the report of a batch now."""
    version = desk.text("version") or None
    try:
        made = desk.use.monitoring.monitor(desk.text("batch_id"), version)
    except ChancellorError as error:
        desk.db.rollback()
        return _overview(desk, None, None, None, refused=error)
    return go_to(f"/monitoring/{made['report_id']}")


@router.get("/{report_id}")
def show_report(desk: OnDesk, report_id: ReportId) -> HTMLResponse:
    """Show what a report found."""
    return _report(desk, report_id)


@router.post("/{report_id}/acknowledge")
def acknowledge(desk: OnDesk, report_id: ReportId) -> Response:
    """Say that whoever signed in looked at an alert."""
    return _step(desk, report_id, "acknowledge")


@router.post("/{report_id}/close")
def close(desk: OnDesk, report_id: ReportId) -> Response:
    """Say that an alert is dealt with."""
    return _step(desk, report_id, "close")


def _step(desk: Desk, report_id: int, step: str) -> Response:
    alerts = desk.use.alerts
    take = alerts.acknowledge_all if step == "acknowledge" else alerts.close_all
    try:
        take([_alert_id(text) for text in desk.texts("alert_id")], note=desk.text("note"))
    except ChancellorError as error:
        return _report(desk, report_id, refused=error)
    return go_to(f"/monitoring/{report_id}")


def _alert_id(text: str) -> int:
    if not text.isdecimal() or len(text) > len(str(1 << 31)):
        raise InvalidInputError(f"{text[:40]!r} is no number of an alert.")
    return int(text)


def _overview(
    desk: Desk,
    version: str | None,
    alerts: str | None,
    reports: str | None,
    refused: ChancellorError | None = None,
) -> HTMLResponse:
    found, is_first = _lines(desk, version), alerts is None and reports is None
    drawn = figures(OVER_TIME, {"version": found["version"]}, over_time_drawings(found))
    return desk.render(
        "monitoring.html",
        refused=refused,
        found=found,
        figures=drawn,
        findings=findings,
        counts=desk.use.alerts.count_alerts(),
        alerts=desk.use.alerts.list_alerts(
            cursor=alerts, limit=_SHOWN_FIRST if is_first else _SHOWN
        ),
        is_first_page=is_first,
        reports=ListingService(desk.db, reports, _SHOWN).reports(),
        challengers=[one for one in desk.use.challengers.list_challengers() if one["is_running"]],
        n_due=desk.use.monitoring.count_due(),
        typed={name: desk.text(name) if refused else "" for name in ("batch_id", "version")},
    )


def _lines(desk: Desk, version: str | None) -> Document:
    policy = desk.use.policies.get_policy()["content"]
    return lines_over_time(
        desk.use.monitoring.over_time(version), policy["max_psi"], policy["max_false_alerts"]
    )


def _report(
    desk: Desk, report_id: int, refused: ChancellorError | None = None
) -> HTMLResponse:  # fmt: skip
    report = desk.use.monitoring.get_report(report_id)
    of_batch = {"batch_id": report["batch_id"], "version": report["version"]}
    typed: dict[str, Any] = {"alert_ids": (), "note": ""}
    if refused is not None:
        typed = {"alert_ids": desk.texts("alert_id"), "note": desk.text("note")}
    return desk.render(
        "monitoring_report.html",
        refused=refused,
        report=report,
        alerts=sorted(
            desk.use.alerts.list_alerts(**of_batch, limit=_MOST_ALERTS)["items"],
            key=lambda alert: (STATUSES.index(alert["status"]), alert["p_value"] or 0.0),
        ),
        figures=figures(REPORT, {"report": str(report_id)}, report_drawings(report)),
        findings=findings,
        typed=typed,
    )


@figure_source(OVER_TIME)
def _over_time_again(desk: Desk, facts: Mapping[str, str]) -> Drawings:
    """Draw a version over time again, in a process that did not make the page."""
    return over_time_drawings(_lines(desk, facts.get("version") or None))


@figure_source(REPORT)
def _report_again(desk: Desk, facts: Mapping[str, str]) -> Drawings:
    """Draw the figures of a report again, in a process that did not make the page."""
    number = facts.get("report", "")
    if not number.isdecimal() or len(number) > len(str(1 << 31)):
        raise InvalidInputError(f"{number[:40]!r} is no number of a report.")
    return report_drawings(desk.use.monitoring.get_report(int(number)))
