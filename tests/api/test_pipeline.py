"""A run from its trigger to the draft that it made, over HTTP, executed by the service."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.db import close_engine, open_session
from app.domain.scorecard import load_scorecard
from app.main import create_app
from app.services.key_service import KeyService
from app.services.store import initialise_store
from tests.api.conftest import Running
from tests.support.portfolio import party, write_batch
from tests.support.service import served
from tests.support.small_portfolio import THROUGH, write_portfolio

SECONDS_FOR_A_RUN = 240
TRIGGER = "/api/pipeline/trigger/ml_training_pipeline"


@pytest.fixture
def training(store_url: str, tmp_path: Path) -> Iterator[dict[str, httpx.Client]]:
    """Clients by role of a service over a store of the small card, which executes runs."""
    files = write_portfolio(tmp_path / "files", "adopts")
    initialise_store(card=load_scorecard(files.card), actor="tester")
    with open_session() as db:
        service = KeyService(db, actor="tester")
        keys = {
            role: service.create(owner=role, role=role)["key"] for role in ("analyst", "viewer")
        }
    with served(create_app()) as url:
        clients = {
            role: httpx.Client(
                base_url=url,
                headers={"Authorization": f"Bearer {key}"},
                trust_env=False,
                timeout=60,
            )
            for role, key in keys.items()
        }
        _upload(clients["analyst"], files)
        yield clients
        for client in clients.values():
            client.close()
    close_engine(store_url)


def _upload(client: httpx.Client, files: Any) -> None:
    csv = {"Content-Type": "text/csv"}
    batch = {"batch_id": "BATCH_001", "party_id": "party", "scored_at": "scored"}
    events = {
        "party_id": "party",
        "event_date": "written_off",
        "event_type": "write_off",
        "through": THROUGH,
    }
    for path, query, file in (
        ("batches", batch, files.batch),
        ("outcomes", events, files.outcomes),
    ):
        answer = client.post(f"/api/{path}", params=query, content=file.read_bytes(), headers=csv)
        assert answer.status_code == 201, answer.text


def _ended(client: httpx.Client, run: dict[str, Any]) -> dict[str, Any]:
    until = time.monotonic() + SECONDS_FOR_A_RUN
    while run["status"] in {"queued", "running"}:
        assert time.monotonic() < until, run
        time.sleep(0.25)
        run = client.get(f"/api/pipeline/status/{run['run_id']}").json()
    return run


@pytest.mark.slow
def test_a_triggered_run_trains_a_model_and_proposes_a_draft(
    training: dict[str, httpx.Client],
) -> None:
    analyst, viewer = training["analyst"], training["viewer"]
    asked = {"Idempotency-Key": "march", "X-Request-ID": "the-run-of-march"}
    answer = analyst.post(TRIGGER, json={"batch_id": "BATCH_001"}, headers=asked)
    assert answer.status_code == 202, answer.text
    run = answer.json()
    assert (run["requested_by"], run["request_id"]) == ("analyst", "the-run-of-march")
    again = analyst.post(TRIGGER, json={"batch_id": "BATCH_001"}, headers=asked)
    assert again.json()["run_id"] == run["run_id"]
    other = analyst.post(
        TRIGGER, json={"batch_id": "BATCH_001", "config": {"validation": "auto"}}, headers=asked
    )
    assert other.json().get("run_id", run["run_id"]) == run["run_id"]
    run = _ended(viewer, run)
    assert run["status"] == "succeeded", run
    assert [step["status"] for step in run["steps"]] == ["succeeded"] * 5
    checks = {check["check"]: check["status"] for step in run["steps"] for check in step["checks"]}
    assert checks["auc_roc"] == "passed"
    (model,) = viewer.get("/api/pipeline/models").json()["items"]
    details = viewer.get(f"/api/pipeline/models/{model['model_id']}").json()
    assert set(details["feature_importance"]) == {"a", "b", "c"}
    assert details["versions"] == ["ml_v2"]
    draft = viewer.get("/api/scoring/versions/ml_v2").json()
    assert (draft["status"], draft["model_id"]) == ("draft", model["model_id"])
    compared = viewer.get("/api/scoring/versions/compare", params={"a": "v1", "b": "ml_v2"})
    assert compared.status_code == 200, compared.text
    events = viewer.get("/api/audit", params={"subject": f"run:{run['run_id']}"}).json()["items"]
    assert {event["payload"]["request_id"] for event in events} == {"the-run-of-march"}
    listed = viewer.get("/api/pipeline/runs", params={"status": "succeeded"}).json()["items"]
    assert [one["run_id"] for one in listed] == [run["run_id"]]


def test_a_run_that_waits_is_cancelled_at_once(sqlite_running: Running, tmp_path: Path) -> None:
    """This service executes no runs, so what is triggered waits."""

    content = write_batch(tmp_path / "b.csv", [party("p1")]).read_bytes()
    with sqlite_running.client("analyst") as client:
        client.post(
            "/api/batches",
            params={"batch_id": "B1", "party_id": "id", "scored_at": "on"},
            content=content,
            headers={"Content-Type": "text/csv"},
        )
        run = client.post(TRIGGER, json={"batch_id": "B1"}).json()
        assert run["status"] == "queued"
        place = f"/api/pipeline/cancel/{run['run_id']}"
        cancelled = client.post(place, json={"reason": "too early"})
        assert (cancelled.status_code, cancelled.json()["status"]) == (202, "cancelled")
        again = client.post(place)
        assert (again.status_code, again.json()["code"]) == (409, "conflict")
        scoring = client.post(
            "/api/pipeline/trigger/scoring_pipeline", json={"batch_id": ["B1"], "config": {}}
        )
        assert scoring.status_code == 202, scoring.text
        wrong = client.post("/api/pipeline/trigger/nothing", json={"batch_id": "B1"})
        assert (wrong.status_code, wrong.json()["code"]) == (404, "not_found")
        for body in ({"batch_id": []}, {"batch_id": "B1", "config": {"window": 90}}):
            assert client.post(TRIGGER, json=body).status_code == 422
