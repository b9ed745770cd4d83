"""The whole way over HTTP: a real ``chancellor serve``, killed in the middle of a run."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.db import open_session
from app.services.audit_service import AuditService
from app.services.key_service import KeyService
from tests.support.service_process import service_process

PATIENCE_SECONDS = 300.0
TRIGGER = "/api/pipeline/trigger/ml_training_pipeline"


def _client(url: str, key: str) -> httpx.Client:
    headers = {"Authorization": f"Bearer {key}"}
    return httpx.Client(base_url=url, headers=headers, trust_env=False, timeout=60)


def _follow(
    client: httpx.Client, run_id: str, until: Callable[[dict[str, Any]], bool]
) -> dict[str, Any]:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        run: dict[str, Any] = client.get(f"/api/pipeline/status/{run_id}").json()
        if until(run):
            return run
        time.sleep(0.2)
    pytest.fail(f"waited in vain: {run}")


def _ended(run: dict[str, Any]) -> bool:
    return run["status"] in ("succeeded", "failed", "cancelled")


@pytest.mark.slow
def test_a_service_killed_in_the_middle_costs_no_run(store_url, stored, tmp_path: Path):
    stored("keeps", batches={"B1": 6_000})
    with open_session() as db:
        key = KeyService(db, actor="tester").create(owner="ada", role="analyst")["key"]
    once = {"Idempotency-Key": "month-end"}
    with service_process(tmp_path) as service, _client(service.url, key) as client:
        asked = client.post(TRIGGER, json={"batch_id": "B1"}, headers=once)
        assert asked.status_code == 202, asked.text
        first = asked.json()["run_id"]
        second = client.post(TRIGGER, json={"batch_id": "B1"}).json()["run_id"]
        _follow(client, first, lambda run: run["steps"][3]["progress"] is not None)
        service.kill()
    with service_process(tmp_path) as service, _client(service.url, key) as client:
        again = client.post(TRIGGER, json={"batch_id": "B1"}, headers=once).json()
        assert again["run_id"] == first
        done, after = _follow(client, first, _ended), _follow(client, second, _ended)
        assert client.get("/api/pipeline/runs").json()["items"][1]["run_id"] == first
    assert (done["status"], after["status"]) == ("succeeded", "succeeded")
    assert done["requested_by"] == "ada"
    with open_session() as db:
        for run_id in (first, second):
            events = AuditService(db).list_events(subject=f"run:{run_id}")
            assert [one["action"] for one in events] == [
                "run.succeeded", "run.started", "run.queued",
            ]  # fmt: skip
            assert {one["actor"] for one in events} == {"ada"}
            assert len({one["payload"]["request_id"] for one in events}) == 1
        AuditService(db).verify()
