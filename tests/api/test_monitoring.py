"""Alerts and challengers over HTTP: the same services, with the rights of the table."""

from __future__ import annotations

from pathlib import Path

from app.db import open_session
from app.domain.scorecard import Scorecard
from app.services.batch_service import BatchService
from app.services.scorecard_version_service import ScorecardVersionService
from tests.api.conftest import Running
from tests.support.alerts import open_alert
from tests.support.portfolio import party, write_batch
from tests.support.rows import fill_every_table

REPORTS = "/api/monitoring/reports"
ALERTS, CHALLENGERS = "/api/monitoring/alerts", "/api/monitoring/challengers"


def test_an_alert_is_listed_acknowledged_and_closed(running: Running) -> None:
    with open_session(running.store.database_url) as db:
        fill_every_table(db)
        alert_id = open_alert(db, "income")
    place = f"{ALERTS}/{alert_id}"
    with running.client("approver") as approver, running.client("viewer") as viewer:
        first = viewer.get(ALERTS, params={"limit": 1}).json()
        rest = viewer.get(ALERTS, params={"limit": 1, "cursor": first["next_cursor"]}).json()
        listed = [(one["alert_id"], one["status"]) for one in first["items"] + rest["items"]]
        assert listed == [(alert_id, "open"), (1, "closed")]
        assert viewer.post(f"{place}/acknowledge", json={"note": "seen"}).status_code == 403
        assert approver.post(f"{place}/close", json={"note": "done"}).status_code == 409
        assert approver.post(f"{place}/acknowledge", json={"note": " "}).status_code == 422
        assert approver.post(f"{place}/acknowledge", json={"note": "seen"}).status_code == 200
        closed = approver.post(f"{place}/close", json={"note": "done"}).json()
        assert (closed["status"], closed["closed"]["actor"]) == ("closed", "approver")
        assert closed == viewer.get(place).json()
        assert viewer.get(f"{ALERTS}/99").status_code == 404
        assert viewer.get(f"{ALERTS}/{2**40}").status_code == 422


def test_a_challenger_is_started_listed_and_stopped(sqlite_running: Running) -> None:
    with open_session(sqlite_running.store.database_url) as db:
        versions = ScorecardVersionService(db, actor="ada")
        card = Scorecard.from_document(versions.get_active()["content"])
        draft = versions.add_version(card.with_weights({"network_size": 8.0}))["version"]
    with sqlite_running.client("analyst") as analyst, sqlite_running.client("viewer") as viewer:
        given = {"version": draft, "reason": "watch it"}
        assert viewer.post(CHALLENGERS, json=given).status_code == 403
        made = analyst.post(CHALLENGERS, json=given)
        assert (made.status_code, made.json()["is_running"]) == (201, True)
        assert analyst.post(CHALLENGERS, json=given).status_code == 409
        stopped = analyst.post(f"{CHALLENGERS}/{draft}/stop", json={"reason": "enough"}).json()
        assert stopped["ended_by"] == "stopped"
        assert viewer.get(CHALLENGERS, params={"version": draft}).json()["items"] == [stopped]


def test_a_batch_is_monitored_once_and_its_report_is_read(
    sqlite_running: Running, tmp_path: Path
) -> None:
    parties = [party(f"P{age}", company_age_years=age % 12) for age in range(40)]
    file = write_batch(tmp_path / "batch.csv", parties)
    with open_session(sqlite_running.store.database_url) as db:
        BatchService(db).import_file(file, batch_id="B1", party_id="id", scored_at="on")
    with sqlite_running.client("analyst") as analyst, sqlite_running.client("viewer") as viewer:
        assert viewer.post(REPORTS, json={"batch_id": "B1"}).status_code == 403
        assert analyst.post(REPORTS, json={"batch_id": "B9"}).status_code == 404
        made = analyst.post(REPORTS, json={"batch_id": "B1"})
        assert (made.status_code, made.json()["n"]) == (200, 40)
        again = analyst.post(REPORTS, json={"batch_id": "B1", "version": "v1"}).json()
        assert again == made.json() == viewer.get(f"{REPORTS}/{again['report_id']}").json()
        (listed,) = viewer.get(REPORTS, params={"batch_id": "B1"}).json()["items"]
        assert (listed["report_id"], listed["psi"]) == (again["report_id"], again["score"]["psi"])
        (point,) = viewer.get("/api/monitoring/over-time").json()["batches"]
        assert point["report_id"] == again["report_id"]
        assert viewer.get(f"{REPORTS}/99").status_code == 404
