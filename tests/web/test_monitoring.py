"""Monitoring on the desk: figures over time, a report with its alerts, and its forms."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.db import open_session
from app.domain.scorecard import load_scorecard
from app.queries.versions import require_active
from app.services.alert_service import AlertService
from app.services.challenger_service import ChallengerService
from app.services.monitoring_service import MonitoringService
from app.services.policy_service import PolicyService
from app.services.scorecard_version_service import ScorecardVersionService
from app.services.scoring_service import ScoringService, card_of
from tests.conftest import Store
from tests.support.desk_client import signed_in
from tests.support.monitored import CARD, import_month, import_outcomes, monthly_rows
from tests.support.portfolio import store_with_card
from tests.support.service import Running, running_service


@pytest.fixture
def monitored_desk(home: Path, sqlite_template: Path, tmp_path: Path) -> Iterator[Running]:
    """Serve three monitored months, the last of which drifted and turned bad."""
    with store_with_card(load_scorecard(CARD), home, sqlite_template) as db:
        PolicyService(db).set_policy({"watched_outcome": "default", "watched_window_days": 60})
        versions = ScorecardVersionService(db, actor="ada")
        draft = versions.add_version(card_of(require_active(db)).with_weights({"a": 60.0}))
        ChallengerService(db, actor="ada").start(draft["version"], reason="watch it")
        for month, kinds in (
            (1, {}),
            (2, {}),
            (3, {"shift": 0.3, "riskier": 2.0, "new": "mining"}),
        ):
            rows = monthly_rows(month, **kinds)
            file = import_month(db, tmp_path, rows, f"M{month}")
            ScoringService(db, actor="ada").score_batch(f"M{month}")
            import_outcomes(db, file, "2024-09-30")
        made = MonitoringService(db, actor="ada").monitor_due()
        assert made["failures"] == []
    with running_service(
        Store(home, f"sqlite:///{home / 'chancellor.db'}", str(home / "lake"))
    ) as desk:
        yield desk


def test_the_pages_say_what_was_found_and_take_an_answer(monitored_desk: Running) -> None:
    with open_session(monitored_desk.store.database_url) as db:
        open_alerts = AlertService(db).list_alerts(status="open")["items"]
        last = MonitoringService(db).list_reports()[0]
    assert {one["batch_id"] for one in open_alerts} == {"M3"}
    place = f"/monitoring/{last['report_id']}"
    with signed_in(monitored_desk, "viewer") as viewer:
        page = viewer.get("/monitoring").text
        assert f"{len(open_alerts)} alerts are open" in page
        assert "Scores of 1 of 2 compared batches moved past 0.10" in page
        assert "more turned bad than expected" in page
        assert "as a challenger" in page
        report = viewer.get(place).text
        assert f"{len(open_alerts)} alerts wait for an answer" in report
        assert "mining (40)" in report
        assert "More turned bad than expected in band" in report
        assert ">v2</a>" in report
        assert "Acknowledge alert" not in report
        for address in re.findall(r'(/figures/[^"]*\.csv[^"]*)"', page + report):
            table = viewer.get(address.replace("&amp;", "&"))
            assert (table.status_code, table.text.count("\r\n") > 1) == (200, True)
    alert_id = open_alerts[0]["alert_id"]
    with signed_in(monitored_desk, "approver") as approver:
        form = {"alert_id": str(alert_id), "note": "a new branch"}
        assert approver.send(f"{place}/close", **form).status_code == 409
        assert approver.send(f"{place}/acknowledge", **form).headers["location"] == place
        assert "<strong>approver</strong> acknowledged it" in approver.get(place).text
        assert approver.send(f"{place}/close", **{**form, "note": "refined"}).status_code == 303
        assert "“refined”" in approver.get(place).text
        assert approver.send(f"{place}/close", **{**form, "alert_id": "x"}).status_code == 422
        others = [str(one["alert_id"]) for one in open_alerts[1:]]
        too_many = approver.send(
            f"{place}/acknowledge", alert_id=[*others, str(alert_id)], note="x"
        )
        assert too_many.status_code == 409  # one is closed: none is acknowledged
        assert f"Acknowledge all {len(others)} with one note" in approver.get(place).text
        assert approver.send(f"{place}/acknowledge", alert_id=others, note="x").status_code == 303
        assert "Each alert was answered" in approver.get(place).text


@pytest.mark.slow
def test_a_batch_is_monitored_from_the_page(monitored_desk: Running) -> None:
    with signed_in(monitored_desk, "analyst") as analyst:
        done = analyst.send("/monitoring", batch_id="M2", version="v2")
        assert done.status_code == 303
        assert 'under <a href="/versions/v2">' in analyst.get(done.headers["location"]).text
        wrong = analyst.send("/monitoring", batch_id="M9")
        assert (wrong.status_code, 'value="M9"' in wrong.text) == (404, True)
        assert analyst.get("/monitoring/999").status_code == 404
        assert analyst.get("/monitoring?version=v9").status_code == 404


def test_a_store_without_reports_says_how_to_get_the_first(empty_desk: Running) -> None:
    with signed_in(empty_desk, "viewer") as viewer:
        page = viewer.get("/monitoring").text
    assert "No batch was monitored under v1 yet" in page
    assert "chancellor monitor BATCH" in page
