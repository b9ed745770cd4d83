"""PostgreSQL goes away under a running service, and comes back."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from sqlalchemy import func, select

from app.db import close_engine, open_session, upgrade
from app.main import create_app
from app.models import Decision
from app.services.key_service import KeyService
from app.services.store import initialise_store
from tests.support.postgres import Server, running_server
from tests.support.service import served

pytestmark = [pytest.mark.slow, pytest.mark.postgres]

SCORE = {"parties": [{"party_id": "P1", "features": {"kyc_verified": 1}}]}
SECONDS_AWAY = 10.0


@contextmanager
def _service(
    server: Server, home: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[str, httpx.Client]]:
    url = server.url(server.create_database())
    monkeypatch.setenv("CHANCELLOR_DATABASE_URL", url)
    upgrade(url)
    initialise_store(actor="tester")
    with open_session(url) as db:
        key = KeyService(db, actor="tester").create(owner="ada", role="admin")["key"]
    headers = {"Authorization": f"Bearer {key}"}
    with (
        served(create_app()) as place,
        httpx.Client(base_url=place, headers=headers, trust_env=False, timeout=30) as client,
    ):
        assert client.get("/api/policy").status_code == 200
        yield url, client
    close_engine(url)
    assert home.exists()


class _Scoring(threading.Thread):
    """Score without a pause until told to end; count the answers by status."""

    def __init__(self, client: httpx.Client) -> None:
        super().__init__()
        self.ending = threading.Event()
        self.statuses: dict[int, int] = {}
        self._headers = client.headers
        self._url = client.base_url

    def run(self) -> None:
        with httpx.Client(
            base_url=self._url, headers=self._headers, trust_env=False, timeout=30
        ) as client:
            while not self.ending.is_set():
                answer = client.post("/api/scoring/score", json=SCORE)
                status = answer.status_code
                self.statuses[status] = self.statuses.get(status, 0) + 1
                if status == 503:
                    assert int(answer.headers["Retry-After"]) > 0
                    assert answer.json()["code"] == "unavailable"
                    time.sleep(0.05)


def test_while_the_database_is_away_requests_get_503_and_nothing_is_lost(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running_server() as server, _service(server, home, monkeypatch) as (url, client):
        scoring = [_Scoring(client) for _ in range(3)]
        for one in scoring:
            one.start()
        while sum(one.statuses.get(200, 0) for one in scoring) < 20:
            time.sleep(0.01)
        server.stop()
        until = time.monotonic() + SECONDS_AWAY
        seen = set()
        while time.monotonic() < until:
            for method, path in (
                ("GET", "/api/policy"),
                ("PUT", "/api/policy"),
                ("GET", "/readyz"),
            ):
                answer = client.request(method, path, json={} if method == "PUT" else None)
                seen.add(answer.status_code)
                assert "Traceback" not in answer.text
            assert client.get("/healthz").status_code == 200
        assert seen == {503}
        before = sum(one.statuses.get(200, 0) for one in scoring)
        server.start()
        until = time.monotonic() + 20
        while sum(one.statuses.get(200, 0) for one in scoring) < before + 20:
            assert time.monotonic() < until, [one.statuses for one in scoring]
            time.sleep(0.05)
        for one in scoring:
            one.ending.set()
            one.join()
        assert all(set(one.statuses) <= {200, 503} for one in scoring)
        assert client.get("/readyz").status_code == 200
        assert client.get("/api/audit/verify").json()["verified"] is True
        with open_session(url) as db:
            stored = db.scalar(select(func.count()).select_from(Decision))
        answered = sum(one.statuses[200] for one in scoring)
        # what was committed as the server went down may not have been answered
        assert answered <= (stored or 0) <= answered + len(scoring)


def test_a_server_that_answers_nobody_is_given_up_in_time(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server is there but stopped in its tracks: the time limit answers."""

    monkeypatch.setenv("CHANCELLOR_REQUEST_SECONDS", "1")
    with running_server() as server, _service(server, home, monkeypatch) as (_, client):
        children = Path(f"/proc/{server.process.pid}/task/{server.process.pid}/children")
        pids = [server.process.pid, *map(int, children.read_text().split())]
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        try:
            answer = client.get("/api/policy")
            assert (answer.status_code, answer.json()["code"]) == (503, "timeout")
            assert client.get("/healthz").status_code == 200
        finally:
            for pid in pids:
                os.kill(pid, signal.SIGCONT)
        until = time.monotonic() + 20
        while client.get("/api/policy").status_code != 200:
            assert time.monotonic() < until
