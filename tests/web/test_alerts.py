"""Alerts come first on the overview, and a person answers each with a note."""

from __future__ import annotations

from pathlib import Path

from app.db import open_session
from app.domain.scorecard import Scorecard
from app.services.alert_service import AlertService
from app.services.batch_service import BatchService
from app.services.scorecard_version_service import ScorecardVersionService
from tests.support.alerts import open_degradation
from tests.support.desk_client import signed_in
from tests.support.portfolio import party, write_batch
from tests.support.service import Running


def test_open_alerts_come_first_and_are_acknowledged_with_a_note(
    empty_desk: Running, tmp_path: Path
) -> None:
    batch = write_batch(tmp_path / "batch.csv", [party("P1"), party("P2")])
    with open_session(empty_desk.store.database_url) as db:
        BatchService(db).import_file(batch, batch_id="B1", party_id="id", scored_at="on")
        ids = open_degradation(db, "B1", "v1", [f"band {number}" for number in range(7)])
    with signed_in(empty_desk, "viewer") as viewer:
        page = viewer.get("/").text
        assert "7 alerts are open" in page
        assert ">band 6 ranks worse.</a>" in page
        assert "band 1 ranks worse." not in page
        assert "All 7 open alerts" in page
        assert "Acknowledge alert" not in page
    with signed_in(empty_desk, "approver") as approver:
        place = f"/alerts/{ids[-1]}/acknowledge"
        refused = approver.send(place, note=" ")
        assert (refused.status_code, "Not done." in refused.text) == (422, True)
        done = approver.send(place, note="a new branch")
        assert (done.status_code, done.headers["location"]) == (303, "/")
        page = approver.get("/").text
        assert "6 alerts are open" in page
        assert "band 6 ranks worse." not in page
        again = approver.send(place, note="again")
        assert again.status_code == 409
        assert "was acknowledged by approver" in again.text
        assert approver.send("/alerts/x/acknowledge", note="x").status_code == 422
        assert approver.send("/alerts/99/acknowledge", note="x").status_code == 404
    with open_session(empty_desk.store.database_url) as db:
        assert AlertService(db).get_alert(ids[-1])["acknowledged"]["note"] == "a new branch"


def test_a_challenger_is_started_and_stopped_on_the_page_of_its_version(
    empty_desk: Running,
) -> None:
    with open_session(empty_desk.store.database_url) as db:
        versions = ScorecardVersionService(db, actor="ada")
        card = Scorecard.from_document(versions.get_active()["content"])
        versions.add_version(card.with_weights({"network_size": 8.0}))
    with signed_in(empty_desk, "analyst") as analyst:
        assert "v2 is not compared in monitoring" in analyst.get("/versions/v2").text
        place = "/versions/v2/challenger"
        assert analyst.send(place, reason="").status_code == 422
        assert analyst.send(place, reason="see").headers["location"] == "/versions/v2"
        assert "v2 runs as a challenger" in analyst.get("/versions/v2").text
        assert analyst.send(place, reason="again").status_code == 409
        assert analyst.send(f"{place}/stop", reason="enough").status_code == 303
        stopped = analyst.get("/versions/v2").text
        assert "v2 is not compared in monitoring" in stopped
        assert "<strong>analyst</strong> stopped the challenger v2" in stopped
        assert analyst.send("/versions/v9/challenger", reason="x").status_code == 404
        assert "challenger" not in analyst.get("/versions/v1").text
    with signed_in(empty_desk, "viewer") as viewer:
        assert "Start as a challenger" not in viewer.get("/versions/v2").text
