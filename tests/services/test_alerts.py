"""Alerts: people acknowledge and close them; each receiver gets each of them once."""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime, timedelta

import pytest
import structlog
from sqlalchemy.orm import Session

from app.db import open_session
from app.errors import ConflictError, InvalidInputError, NotFoundError, NotPermittedError
from app.queries.audit import list_events
from app.services.alert_delivery import AlertDelivery
from app.services.alert_service import AlertService
from app.services.webhook_receiver import Receiver, receiver_of
from app.settings import Settings
from tests.conftest import Store
from tests.support.alerts import SECRET, documented_check, open_alert
from tests.support.receiver import receiver
from tests.support.rows import fill_every_table

NOON = datetime(2026, 3, 31, 12, tzinfo=UTC)


@pytest.fixture
def filled(db: Session) -> Session:
    fill_every_table(db)
    return db


def test_people_acknowledge_and_close_with_a_note_on_the_record(filled: Session) -> None:
    alert_id = open_alert(filled, "income")
    alerts = AlertService(filled, actor="grace")
    with pytest.raises(ConflictError, match="acknowledge it before you close it"):
        alerts.close(alert_id, note="done")
    with pytest.raises(InvalidInputError):
        alerts.acknowledge(alert_id, note="  ")
    for program in ("model:m-1", " Dagster:degradation"):
        with pytest.raises(NotPermittedError, match="is not a person"):
            AlertService(filled, actor=program).acknowledge(alert_id, note="seen")
    seen = alerts.acknowledge(alert_id, note="a new branch")
    assert (seen["status"], seen["acknowledged"]["actor"]) == ("acknowledged", "grace")
    with pytest.raises(ConflictError, match=r"was acknowledged by grace on .*: a new branch"):
        AlertService(filled, actor="hal").acknowledge(alert_id, note="me too")
    closed = AlertService(filled, actor="hal").close(alert_id, note="refined")
    assert (closed["status"], closed["closed"]["note"]) == ("closed", "refined")
    with pytest.raises(ConflictError, match="was closed by hal"):
        alerts.close(alert_id, note="again")
    events = list_events(filled, subject=f"alert:{alert_id}", limit=9)
    assert [(one["actor"], one["action"], one["payload"]["note"]) for one in events] == [
        ("hal", "alert.closed", "refined"),
        ("grace", "alert.acknowledged", "a new branch"),
    ]
    with pytest.raises(NotFoundError):
        alerts.get_alert(99)
    with pytest.raises(InvalidInputError, match="at least one"):
        alerts.close_all([], note="done")


def test_open_alerts_are_listed_first_a_page_at_a_time(filled: Session) -> None:
    ids = [open_alert(filled, name) for name in ("a", "b", "c", "d")]
    alerts = AlertService(filled, actor="grace")
    alerts.acknowledge(ids[3], note="seen")
    first = alerts.list_alerts(limit=3)
    rest = alerts.list_alerts(limit=3, cursor=first["next_cursor"])
    assert [one["alert_id"] for one in first["items"]] == [ids[2], ids[1], ids[0]]
    assert [one["status"] for one in rest["items"]] == ["acknowledged", "closed"]
    assert rest["next_cursor"] is None
    assert alerts.count_alerts() == {"open": 3, "acknowledged": 1, "closed": 1}
    named = alerts.list_alerts(status="open", kind="feature_csi", batch_id="B1", version="v1")
    assert len(named["items"]) == 3
    assert alerts.list_alerts(batch_id="B2")["items"] == []
    with pytest.raises(InvalidInputError, match="not 'new'"):
        alerts.list_alerts(status="new")  # type: ignore[arg-type] # as a caller might


def test_a_receiver_gets_each_alert_once_signed_and_again_only_after_a_failure(
    filled: Session,
) -> None:
    check, seen = documented_check(), set[str]()
    ids = [open_alert(filled, name) for name in ("income", "Zürich")]
    now = NOON
    with receiver(answers=[500, 302]) as received:
        delivery = AlertDelivery(filled, Receiver(received.url, SECRET), clock=lambda: now)

        def deliver() -> tuple[int, int, int]:
            done = delivery.deliver()
            return done["n_delivered"], done["n_failed"], done["n_waiting"]

        with structlog.testing.capture_logs() as logs:
            assert deliver() == (0, 2, 2)  # both refused; a redirection is not followed
            now += timedelta(seconds=9)
            assert deliver() == (0, 0, 2)
            now += timedelta(seconds=1)
            assert deliver() == (2, 0, 0)
            now += timedelta(days=1)
            assert deliver() == (0, 0, 0)
    assert {request.path for request in received.requests} == {"/alerts/a-token"}
    assert [one["alert_id"] for one in logs if one["event"] == "alert"] == ids
    assert SECRET not in str(logs)
    assert "a-token" not in str(logs)
    moments = [NOON, NOON, *[NOON + timedelta(seconds=10)] * 2]
    for request, at, is_new in zip(
        received.requests, moments, [True, True, False, False], strict=True
    ):
        headers = request.headers
        assert check(SECRET, headers, request.body, seen, at.timestamp()) is is_new
        renamed = headers | {"Chancellor-Delivery": "of somebody who overheard it"}
        assert not check(SECRET, renamed, request.body, seen, at.timestamp())
        assert json.loads(request.body)["alert_id"] in ids
        with pytest.raises(ValueError, match="wrong signature"):
            check(SECRET, headers, request.body + b" ", seen, at.timestamp())
        with pytest.raises(ValueError, match="wrong signature"):
            check("another secret of 20", headers, request.body, seen, at.timestamp())
        with pytest.raises(ValueError, match="too old"):
            check(SECRET, headers, request.body, seen, at.timestamp() + 301)
    attempts = AlertService(filled).get_alert(ids[0])["deliveries"]
    assert [(one["status_code"], one["fault"], one["is_delivered"]) for one in attempts] == [
        (None, None, True), (500, "answered 500", False), (204, None, True),
    ]  # fmt: skip
    assert "a-token" not in str(attempts)


def test_two_who_deliver_at_once_send_each_alert_once(filled: Session, store: Store) -> None:
    for number in range(4):
        open_alert(filled, f"feature {number}")
    filled.close()
    with receiver() as received:
        received.seconds = 0.1

        def deliver() -> None:
            with open_session(store.database_url) as db:
                AlertDelivery(db, Receiver(received.url, SECRET)).deliver()

        threads = [threading.Thread(target=deliver) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(received.requests) == 4
    assert len({request.headers["Chancellor-Delivery"] for request in received.requests}) == 4


def test_a_receiver_that_does_not_answer_ends_the_round_and_a_closed_alert_waits_for_nobody(
    sqlite_db: Session,
) -> None:
    fill_every_table(sqlite_db)
    ids = [open_alert(sqlite_db, name) for name in ("a", "b")]
    with receiver() as received:
        received.seconds = 0.5
        slow = Receiver(received.url, SECRET, seconds=0.1)
        done = AlertDelivery(sqlite_db, slow).deliver()
        assert (done["n_failed"], done["fault"]) == (1, "no answer within 0.1 s")
    gone = AlertDelivery(sqlite_db, Receiver(received.url, SECRET)).deliver()
    assert (gone["n_failed"], gone["fault"]) == (1, "no answer: ConnectError")
    alerts = AlertService(sqlite_db, actor="grace")
    for alert_id in ids:
        alerts.acknowledge(alert_id, note="seen")
        alerts.close(alert_id, note="done")
    assert AlertDelivery(sqlite_db, slow).deliver()["n_waiting"] == 0


@pytest.mark.parametrize(
    ("url", "secret", "why"),
    [
        ("https://a.example/", "", "has 0 characters"),
        ("https://a.example/", "fifteen letters", "has 15 characters"),
        ("ftp://a.example/", SECRET, "not an http or https address"),
        ("https://", SECRET, "not an http or https address"),
        ("http://[::1/x", SECRET, "not an http or https address"),
        ("https://ada:pw@a.example/", SECRET, "names a user"),
        ("https://a.example/ x", SECRET, "not an http or https address"),
        ("https://a.example/#x", SECRET, "ends in a fragment"),
    ],
)
def test_an_address_without_a_usable_secret_is_refused(url: str, secret: str, why: str) -> None:
    settings = Settings(webhook_url=url, webhook_secret=secret)
    with pytest.raises(InvalidInputError, match=why) as refused:
        receiver_of(settings)
    assert "fifteen" not in str(refused.value)
    assert "pw" not in str(refused.value)
    assert SECRET not in repr(settings) + repr(Receiver(url, SECRET))


def test_without_an_address_alerts_only_go_to_the_log(sqlite_db: Session) -> None:
    fill_every_table(sqlite_db)
    open_alert(sqlite_db, "income")
    assert receiver_of(Settings()) is None
    done = [AlertDelivery(sqlite_db, None).deliver() for _ in range(2)]
    assert [one["n_logged"] for one in done] == [1, 0]
