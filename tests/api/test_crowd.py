"""More requests at once than threads or connections: each is answered, none waits for another."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import httpx
import pytest

from app.main import DRAWING_AT_ONCE, SLOW_AT_ONCE
from app.services.audit_service import AuditService
from app.web import figures
from tests.api.conftest import Running
from tests.support.desk_client import signed_in

AT_ONCE, EACH = 96, 4
"""There are 40 threads and 30 connections to PostgreSQL."""


@pytest.mark.slow
def test_a_crowd_is_served_and_nobody_waits_for_a_connection_that_a_waiting_one_holds(
    running: Running,
) -> None:
    body = {"parties": [{"party_id": "P1", "features": {"kyc_verified": 1}}]}

    reads = ("/api/batches", "/api/policy", "/api/scoring/versions/v1")

    def ask(number: int) -> list[int]:
        role, path = ("viewer", reads[number // 2 % 3])
        if number % 2:
            role, path = ("service", "/api/scoring/score")
        with httpx.Client(base_url=running.url, headers=running.headers(role), timeout=60,
                          trust_env=False) as client:  # fmt: skip
            return [
                (client.post(path, json=body) if number % 2 else client.get(path)).status_code
                for _ in range(EACH)
            ]

    with ThreadPoolExecutor(AT_ONCE) as crowd:
        statuses = [status for one in crowd.map(ask, range(AT_ONCE)) for status in one]
    assert statuses == [200] * (AT_ONCE * EACH)


def test_scoring_answers_while_more_verify_the_chain_than_there_are_threads(
    sqlite_running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    verify, begun, go_on = AuditService.verify, [], Event()

    def waiting(self: AuditService) -> object:
        begun.append(1)
        assert go_on.wait(60)
        return verify(self)

    monkeypatch.setattr(AuditService, "verify", waiting)
    body = {"parties": [{"party_id": "P1", "features": {"kyc_verified": 1}}]}

    def ask(_: int) -> int:
        with sqlite_running.client("viewer") as client:
            return client.get("/api/audit/verify").status_code

    with ThreadPoolExecutor(60) as crowd:
        asked = crowd.map(ask, range(60))
        with sqlite_running.client("service") as client:
            while len(begun) < SLOW_AT_ONCE:
                time.sleep(0.01)
            assert client.post("/api/scoring/score", json=body).status_code == 200
        assert len(begun) == SLOW_AT_ONCE
        go_on.set()
        assert set(asked) == {200}


def test_scoring_answers_while_more_figures_wait_than_there_are_threads(
    sqlite_running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, go_on = [], Event()

    def waiting(_desk: object, _facts: object) -> figures.Drawings:
        begun.append(1)
        assert go_on.wait(60)
        return {}

    monkeypatch.setitem(figures.SOURCES, "sample", waiting)
    body = {"parties": [{"party_id": "P1", "features": {"kyc_verified": 1}}]}
    with signed_in(sqlite_running, "viewer") as viewer, ThreadPoolExecutor(60) as crowd:
        asked = crowd.map(lambda n: viewer.get(f"/figures/sample/roc/{n}.svg"), range(60))
        try:
            while len(begun) < DRAWING_AT_ONCE:
                time.sleep(0.01)
            with sqlite_running.client("service") as client:
                assert client.post("/api/scoring/score", json=body).status_code == 200
            assert len(begun) == DRAWING_AT_ONCE
        finally:
            go_on.set()
        assert {answer.status_code for answer in asked} == {404}
