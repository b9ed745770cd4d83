"""A real service is asked to end in the middle of a delivery: each alert arrives once."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from app.db import close_engine, open_session
from app.domain.scorecard import load_scorecard
from app.queries.alerts import list_undelivered
from app.services.audit_service import AuditService
from app.services.monitoring_service import MonitoringService
from app.services.scoring_service import ScoringService
from app.services.webhook_receiver import Receiver
from tests.conftest import Store
from tests.support.alerts import SECRET, documented_check, open_alert
from tests.support.monitored import CARD, import_month, monthly_rows
from tests.support.portfolio import store_with_card
from tests.support.receiver import receiver, wait_until
from tests.support.rows import fill_every_table
from tests.support.service_process import service_process


@pytest.mark.slow
def test_each_alert_arrives_once_through_a_restart(store: Store, tmp_path: Path) -> None:
    with open_session(store.database_url) as db:
        fill_every_table(db)
        ids = [open_alert(db, "income")]
    with receiver(answers=[500, 204]) as received:
        environment = {
            "CHANCELLOR_WEBHOOK_URL": received.url,
            "CHANCELLOR_WEBHOOK_SECRET": SECRET,
            "CHANCELLOR_EXECUTE_RUNS": "false",
        }
        with service_process(tmp_path, **environment) as first:
            received.wait_for(1)  # answered with 500
            received.seconds = 1.5
            with open_session(store.database_url) as db:
                ids.append(open_alert(db, "age"))
                ids.append(open_alert(db, "region"))
            received.wait_for(2)  # the receiver thinks
            first.process.send_signal(signal.SIGTERM)
            assert first.process.wait(20) in (0, -signal.SIGTERM)
            received.seconds = 0.0
            assert len(received.requests) == 2  # what was at hand ended, nothing else began
        with service_process(tmp_path, **environment) as second:
            with open_session(store.database_url) as db:
                ids.append(open_alert(db, "tenure"))
                name = Receiver(received.url, SECRET).name
                wait_until(lambda: _is_idle(db, name), 60)
            logged = first.log.read_text() + second.log.read_text()
    check, seen = documented_check(), set[str]()
    taken = [json.loads(one.body)["alert_id"] for one in received.requests[1:]]
    assert sorted(taken) == ids
    assert [check(SECRET, one.headers, one.body, seen) for one in received.requests[1:]] == (
        [True] * len(ids)
    )
    lines = [json.loads(line) for line in logged.splitlines() if line.startswith("{")]
    assert sorted(one["alert_id"] for one in lines if one["event"] == "alert") == ids
    assert SECRET not in logged
    assert "a-token" not in logged
    close_engine(store.database_url)


def _is_idle(db: Session, receiver_name: str) -> bool:
    found = list_undelivered(db, receiver_name)
    db.rollback()
    return not found


@pytest.mark.slow
def test_with_an_address_and_no_secret_nothing_is_served(
    sqlite_store: Store, tmp_path: Path
) -> None:
    assert sqlite_store.home.is_dir()
    with (
        pytest.raises(RuntimeError, match="CHANCELLOR_WEBHOOK_SECRET has 0 characters"),
        service_process(tmp_path, CHANCELLOR_WEBHOOK_URL="https://a.example/token"),
    ):
        pass
    assert "a.example/token" not in next(tmp_path.glob("service-*.log")).read_text()


@pytest.mark.slow
def test_a_service_monitors_what_is_due_and_sends_what_it_found(
    home: Path, sqlite_template: Path, tmp_path: Path
) -> None:
    (tmp_path / "card.yaml").write_text(CARD, encoding="utf-8")
    card = load_scorecard(tmp_path / "card.yaml")
    with store_with_card(card, home, sqlite_template) as db:
        for month, shift in ((1, 0.0), (2, 0.4)):
            import_month(db, tmp_path, monthly_rows(month, shift=shift), f"M{month}")
            ScoringService(db).score_batch(f"M{month}")
    with receiver() as received:
        environment = {
            "CHANCELLOR_WEBHOOK_URL": received.url,
            "CHANCELLOR_WEBHOOK_SECRET": SECRET,
            "CHANCELLOR_MONITOR_SECONDS": "0.5",
        }
        with service_process(tmp_path, **environment):
            received.wait_for(2, 60)
    found = {one["subject"]: one for one in (json.loads(r.body) for r in received.requests)}
    assert set(found) == {"score", "a"}
    assert found["a"]["batch_id"] == "M2"
    assert "a moved: CSI" in found["a"]["sentence"]
    with open_session() as db:
        assert MonitoringService(db).count_due() == 0
        made = AuditService(db).list_events(action="monitoring.reported")
    assert [one["actor"] for one in made] == ["chancellor:watcher"] * 2
