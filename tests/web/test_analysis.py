"""The page of outcomes over time: it waits in no request, and says what is wrong with its form."""

from __future__ import annotations

import time
from pathlib import Path

from app.db import open_session
from app.domain.scorecard import default_card
from app.services.batch_service import BatchService
from app.services.outcome_service import OutcomeService
from tests.conftest import Store
from tests.support.page_client import at_the_desk
from tests.support.portfolio import write_rows
from tests.support.service import running_service


def _page(client, **asked):
    for _ in range(100):
        answer = client.get("/analysis", params=asked)
        if "Refresh" not in answer.headers:
            return answer
        time.sleep(0.1)
    raise AssertionError("never computed")


def test_the_page_shows_curves_or_says_why_not(sqlite_store: Store, tmp_path: Path) -> None:
    with running_service(sqlite_store) as service, at_the_desk(service, "viewer") as viewer:
        empty = _page(viewer)
        assert empty.status_code == 200
        assert "There is no batch yet" in empty.text
        features = dict.fromkeys(default_card().features, "1")
        rows = [{"id": f"P{n}", "on": f"2024-0{1 + n % 2}-05", **features} for n in range(80)]
        events = [{"id": f"P{n}", "at": "2024-04-01"} for n in range(0, 80, 4)]
        with open_session(sqlite_store.database_url) as db:
            BatchService(db).import_file(
                write_rows(tmp_path / "b.csv", rows), batch_id="B", party_id="id", scored_at="on"
            )
            OutcomeService(db).import_events(
                write_rows(tmp_path / "o.csv", events), party_id="id", event_date="at",
                event_type="write_off", through="2024-12-31",
            )  # fmt: skip
        shown = _page(viewer, windows="30, 90", by="month").text
        assert "of those scored in 2024-01 had turned bad" in shown
        assert "0.0 % are bad within 30 days and 25.0 % within 90" in shown
        assert "days_past_due" in shown
        with service.client("viewer") as api:
            for path, key in (("vintages", "curves"), ("roll-rates", "states"),
                              ("windows", "definitions")):  # fmt: skip
                answer = api.get(f"/api/analysis/{path}", params={"batch": "B"})
                assert (answer.status_code, len(answer.json()[key]) > 0) == (200, True), path
            assert api.get("/api/analysis/vintages", params={"by": "week"}).status_code == 422
            missing = api.get("/api/analysis/windows", params={"outcome": "nothing"})
            assert missing.status_code == 404
            assert api.get("/api/scoring/versions/v1/fairness").status_code == 422
        wrong = viewer.get("/analysis", params={"windows": "soon"})
        assert wrong.status_code == 422
        assert "is not a whole number" in wrong.text
        assert 'value="soon"' in wrong.text
