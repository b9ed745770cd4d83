"""What is around every request: limits, headers, one log line, no traceback and no value."""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs

from app.db import close_engine, open_session
from app.main import create_app
from app.services.key_service import KeyService
from app.settings import Settings
from tests.api.conftest import Running
from tests.conftest import Store
from tests.support.service import served
from tests.support.versions import register_model

JSON = {"Content-Type": "application/json"}


@contextmanager
def _service(store: Store, *, is_open: bool = False, **limits: Any) -> Iterator[httpx.Client]:
    with open_session(store.database_url) as db:
        key = KeyService(db, actor="tester").create(owner="ada", role="admin")["key"]
    headers = {} if is_open else {"Authorization": f"Bearer {key}"}
    with (
        served(create_app(Settings(execute_runs=False, **limits), is_open=is_open)) as url,
        httpx.Client(base_url=url, headers=headers, trust_env=False, timeout=30) as client,
    ):
        yield client
    close_engine(store.database_url)


def _wait_for(is_so: Callable[[], bool]) -> None:
    """Wait for a log line, which is written after the answer left."""
    until = time.monotonic() + 20
    while not is_so():
        assert time.monotonic() < until
        time.sleep(0.01)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{", "malformed_json"),
        (b'{"a": NaN}', "malformed_json"),
        (b'{"a": 1e999}', "malformed_json"),
        (b'{"a": 1, "a": 2}', "malformed_json"),
        (b'{"a": 9223372036854775808}', "malformed_json"),
        (b'{"a": ' + b"1" * 5_000 + b"}", "malformed_json"),
        (b"\xff", "malformed_json"),
        (b'{"a": "\\u0000"}', "unusable_text"),
        (b'{"a": "\\ud800"}', "unusable_text"),
        (b"[" * 33 + b"]" * 33, "too_deep"),
        (b"[" * 100_000, "too_deep"),
    ],
)
def test_json_that_not_every_part_can_take_is_refused(
    sqlite_running: Running, body: bytes, code: str
) -> None:
    with sqlite_running.client("admin") as client:
        answer = client.put("/api/policy", content=body, headers=JSON)
        assert (answer.status_code, answer.json()["code"]) == (400, code)
        assert client.put("/api/policy", content=b"{}").status_code == 415


def test_every_answer_carries_its_id_and_headers_that_protect(sqlite_running: Running) -> None:
    with sqlite_running.client("viewer") as client:
        for path in ("/healthz", "/api/policy", "/api/nowhere", "/api/batches/B%00"):
            answer = client.get(path)
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
            assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
            assert answer.headers["Cache-Control"] == "no-store"
            assert len(answer.headers["X-Request-ID"]) == 32
            assert "server" not in answer.headers
        odd = client.get("/healthz", headers={"X-Request-ID": "a b;c=d"})
        assert odd.headers["X-Request-ID"] != "a b;c=d"


def test_a_key_that_asks_too_often_is_told_when_to_come_back(sqlite_store: Store) -> None:
    with _service(sqlite_store, requests_per_minute=60) as client:
        statuses = [client.get("/api/policy") for _ in range(14)]
        refused = [one for one in statuses if one.status_code == 429]
        assert refused
        assert all(int(one.headers["Retry-After"]) >= 1 for one in refused)
        assert client.get("/healthz").status_code == 200


def test_what_takes_too_long_is_answered_and_goes_on(sqlite_store: Store) -> None:
    """Another process holds SQLite's write lock: the answer comes in time, the change later."""
    file = sqlite_store.database_url.removeprefix("sqlite:///")
    other = sqlite3.connect(file, isolation_level=None)
    with _service(sqlite_store, request_seconds=0.5) as client:
        client.get("/api/policy")
        other.execute("BEGIN IMMEDIATE")
        try:
            slow = client.put("/api/policy", json={"min_auc_roc": 0.7})
        finally:
            other.execute("ROLLBACK")
            other.close()
        assert (slow.status_code, slow.json()["code"]) == (503, "timeout")
        assert "Retry-After" in slow.headers
        until = time.monotonic() + 20
        while '"min_auc_roc":0.7' not in client.get("/api/policy").text.replace(" ", ""):
            assert time.monotonic() < until  # on a busy machine the look itself may be too late


def test_a_fault_of_ours_is_a_problem_document_without_traceback(running: Running) -> None:
    """A model row that lacks what every training writes."""
    with open_session(running.store.database_url) as db:
        model = register_model(db).id
    with capture_logs() as logs, running.client("viewer") as client:
        answer = client.get(f"/api/pipeline/models/{model}")
        _wait_for(lambda: any(line["event"] == "request" for line in logs))
    assert (answer.status_code, answer.json()["code"]) == (500, "internal")
    assert "Traceback" not in answer.text
    (failed,) = [line for line in logs if line["event"] == "failed"]
    assert failed["error"] == "KeyError"
    assert any("models.py" in frame for frame in failed["frames"])
    (line,) = [line for line in logs if line["event"] == "request"]
    assert line["status"] == 500


def _ask_with_secrets(running: Running) -> list[str]:
    """Send values that must not be in any log line, in every way that fails or works."""
    bodies: list[dict[str, Any]] = [
        {"parties": [{"party_id": "SECRET-ID", "features": {"kyc_verified": 0.12345}}]},
        {"parties": [{"party_id": "SECRET-ID", "features": {"kyc_verified": "SECRET-TEXT"}}]},
        {"parties": [{"party_id": "SECRET-ID", "features": {"kyc_verified": {"SECRET-KEY": 1}}}]},
        {"SECRET-FIELD": 1},
    ]
    with running.client("service") as client:
        for body in bodies:
            client.post("/api/scoring/score?record=true", json=body)
        client.get("/api/scoring/scores/SECRET-PATH?q=SECRET-QUERY")
    httpx.get(
        f"{running.url}/api/policy",
        headers={"Authorization": "Bearer SECRET-TOKEN"},
        trust_env=False,
    )
    return ["SECRET", "0.12345", *(key.split("_", 2)[2] for key in running.keys.values())]


def test_logs_hold_no_secret_and_no_feature_of_a_party(running: Running) -> None:
    with capture_logs() as logs:
        secrets = _ask_with_secrets(running)
        _wait_for(lambda: len([line for line in logs if line["event"] == "request"]) == 6)
    lines = [json.dumps(line, default=str) for line in logs]
    assert [line for line in lines for secret in secrets if secret in line] == []


@pytest.fixture
def opened(sqlite_store: Store) -> Iterator[httpx.Client]:
    with _service(sqlite_store, is_open=True) as client:
        yield client


def test_without_keys_everybody_here_is_the_os_user_with_every_right(
    opened: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOGNAME", "owner-of-the-laptop")
    assert opened.put("/api/policy", json={"min_auc_roc": 0.61}).status_code == 200
    assert opened.get("/api/policy").json()["created_by"] == "owner-of-the-laptop"


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Host": "[::1"},
    ],
)
def test_without_keys_no_page_of_another_site_is_served(
    opened: httpx.Client, headers: dict[str, str]
) -> None:
    answer = opened.get("/api/policy", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (403, "not_from_here")


def test_metrics_count_by_route_and_never_by_value(running: Running) -> None:
    with running.client("viewer") as client:
        client.get("/api/batches/NO-SUCH-BATCH")
        text = client.get("/metrics").text
    line = (
        'chancellor_requests_total{method="GET",route="/api/batches/{batch_id}",status="404"} 1.0'
    )
    assert line in text
    assert "NO-SUCH-BATCH" not in text
    assert 'chancellor_runs{status="queued"} 0.0' in text


def test_readiness_names_the_part_that_is_away(running: Running) -> None:
    lake = running.store.home / "lake"
    with httpx.Client(base_url=running.url, trust_env=False) as client:
        assert client.get("/readyz").json()["ready"] is True
        lake.rename(lake.with_name("moved"))
        away = client.get("/readyz")
        assert away.status_code == 503
        assert [name for name, part in away.json()["parts"].items() if not part["ok"]] == ["lake"]
        assert client.get("/healthz").status_code == 200
        lake.with_name("moved").rename(lake)
        assert client.get("/readyz").status_code == 200


def test_readiness_asks_the_dagster_that_is_named(sqlite_store: Store) -> None:
    """Nobody listens there: the part is away, and its place is not told."""
    with _service(sqlite_store, dagster_url="http://127.0.0.1:9") as client:
        away = client.get("/readyz")
    assert away.status_code == 503
    assert [name for name, part in away.json()["parts"].items() if not part["ok"]] == ["dagster"]
    assert "127.0.0.1" not in away.text


def test_the_service_starts_before_its_store_and_recovers(home: Any) -> None:
    from app.services.store import initialise_store  # noqa: PLC0415 - after the home is set

    del home
    with served(create_app()) as url, httpx.Client(base_url=url, trust_env=False) as client:
        key = {"Authorization": f"Bearer chancellor_{'0' * 12}_{'A' * 43}"}
        early = client.get("/api/policy", headers=key)
        assert (early.status_code, early.json()["code"]) == (503, "store_not_initialised")
        initialise_store(actor="tester")
        assert client.get("/api/policy", headers=key).status_code == 401


def test_decisions_are_sealed_as_time_goes_by(sqlite_store: Store) -> None:
    party = {"parties": [{"party_id": "P1", "features": {}}]}
    with _service(sqlite_store, seal_seconds=0.2) as client:
        assert client.post("/api/scoring/score", json=party).status_code == 200
        until = time.monotonic() + 20
        query = {"action": "decisions.sealed"}
        while not client.get("/api/audit", params=query).json()["items"]:
            assert time.monotonic() < until


@pytest.mark.slow
def test_many_at_once_are_all_answered(running: Running) -> None:
    results: list[int] = []

    def ask(path: str) -> Callable[[], None]:
        def run() -> None:
            with running.client("admin") as client:
                results.extend(client.get(path).status_code for _ in range(5))

        return run

    threads = [threading.Thread(target=ask("/api/scoring/versions")) for _ in range(30)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert results == [200] * 150
