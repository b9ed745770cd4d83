"""Runs on a real Dagster webserver of the test's own, on a loopback port."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.db import open_session
from app.domain.pipelines import SCORING, TRAINING
from app.errors import ConflictError, UnavailableError
from app.services.audit_service import AuditService
from app.services.dagster_client import DagsterClient
from app.services.pipeline_service import PipelineService
from app.services.run_supervisor import RunSupervisor
from tests.support.ports import free_port

# The default coordinator queues for a daemon; this one launches at once, and no daemon is needed.
CONFIGURATION = """\
telemetry:
  enabled: false
nux:
  enabled: false
run_coordinator:
  module: dagster.core.run_coordinator
  class: DefaultRunCoordinator
"""
PATIENCE_SECONDS = 300.0
pytestmark = pytest.mark.slow


def _wait(what: str, until: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        if found := until():
            return found
        time.sleep(0.2)
    pytest.fail(f"waited in vain for {what}")


@pytest.fixture
def webserver(
    stored: Callable[..., None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[..., str]]:
    """Make a store, start a webserver over it, and point Chancellor at it."""
    started: list[subprocess.Popen[bytes]] = []

    def start(truth: str, n: int) -> str:
        stored(truth, batches={"B1": n})
        dagster_home = tmp_path / "operated-by-others"
        dagster_home.mkdir()
        (dagster_home / "dagster.yaml").write_text(CONFIGURATION, encoding="utf-8")
        port = free_port()
        command = ["-m", "dagster_webserver", "-m", "app.pipeline.definitions",
                   "-h", "127.0.0.1", "-p", str(port)]  # fmt: skip
        with (tmp_path / "webserver.log").open("wb") as log:
            started.append(
                subprocess.Popen(
                    [sys.executable, *command],
                    env={**os.environ, "DAGSTER_HOME": str(dagster_home)},
                    stdout=log,
                    stderr=log,
                )
            )
        url = f"http://127.0.0.1:{port}"
        _wait("the webserver", lambda: _answers(url, started[0]))
        monkeypatch.setenv("CHANCELLOR_DAGSTER_URL", url)
        return url

    yield start
    for process in started:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def _answers(url: str, process: subprocess.Popen[bytes]) -> bool:
    assert process.poll() is None, "the webserver has ended"
    try:
        with DagsterClient(url) as client:
            client.require(TRAINING)
    except UnavailableError:
        return False
    return True


@pytest.fixture
def supervisor() -> Iterator[Callable[[], RunSupervisor]]:
    made: list[RunSupervisor] = []

    def start() -> RunSupervisor:
        made.append(RunSupervisor())
        made[-1].start()
        return made[-1]

    yield start
    for one in made:
        one.stop()


def _trigger(pipeline: str = TRAINING, **asked: Any) -> str:
    with open_session() as db:
        service = PipelineService(db, actor="ada", request_id="req-7")
        return str(service.trigger(pipeline=pipeline, batch_ids=["B1"], **asked)["run_id"])


def _read(run_id: str) -> dict[str, Any]:
    with open_session() as db:
        return PipelineService(db).get_run(run_id)


def _ended(run_id: str) -> dict[str, Any]:
    def find() -> dict[str, Any] | None:
        run = _read(run_id)
        return run if run["status"] in ("succeeded", "failed", "cancelled") else None

    found: dict[str, Any] = _wait(f"the end of {run_id}", find)
    return found


def _actions(run_id: str) -> list[str]:
    with open_session() as db:
        events = AuditService(db).list_events(subject=f"run:{run_id}")
        AuditService(db).verify()
    return [event["action"] for event in reversed(events)]


def test_runs_go_to_dagster_in_order_and_come_back_with_their_result(
    store_url, webserver, supervisor
):
    url = webserver("keeps", 1500)
    first, second = _trigger(), _trigger(SCORING)
    supervisor()
    done, after = _ended(first), _ended(second)
    assert (done["status"], after["status"]) == ("succeeded", "succeeded")
    assert done["dagster_run_id"] not in (None, first)
    assert done["pid"] is None
    assert done["result"]["advice"] == "keep"
    assert [step["status"] for step in done["steps"]] == ["succeeded"] * 5
    assert after["result"]["stages"]["scores"]["n_rows"] == 1500
    assert after["started_at"] >= done["finished_at"]
    assert _actions(first) == ["run.queued", "run.started", "run.succeeded"]
    with DagsterClient(url) as client:
        assert client.status(done["dagster_run_id"]) == "SUCCESS"
        assert client.find("chancellor/request_id", "req-7") == after["dagster_run_id"]
        assert client.find("chancellor/actor", "ada") == after["dagster_run_id"]


def test_a_failed_gate_comes_back_from_dagster_as_it_does_from_a_worker(webserver, supervisor):
    webserver("does not rank", 1500)
    run_id = _trigger()
    supervisor()
    failed = _ended(run_id)
    assert failed["status"] == "failed"
    assert failed["result"]["gate_failed"]
    assert "auc_roc failed" in failed["error"]
    assert "The advice is keep" in failed["error"]
    assert failed["result"]["stages"]["refinement"] is None
    checks = {check["check"]: check for step in failed["steps"] for check in step["checks"]}
    assert checks["auc_roc"]["status"] == "failed"


def test_cancelling_ends_the_run_in_dagster_and_on_our_record(store_url, webserver, supervisor):
    url = webserver("adopts", 40_000)
    run_id, after = _trigger(config={"validation": "cross_validation"}), _trigger(SCORING)
    supervisor()
    _wait("progress", lambda: _read(run_id)["steps"][3]["progress"])
    with open_session() as db:
        asked = PipelineService(db, actor="bob").cancel(run_id, reason="wrong window")
    assert (asked["status"], asked["cancel"]["by"]) == ("running", "bob")
    ended, done = _ended(run_id), _ended(after)
    assert (ended["status"], ended["error"]) == ("cancelled", "cancelled by bob: wrong window")
    assert done["status"] == "succeeded"
    with DagsterClient(url) as client:
        assert client.status(ended["dagster_run_id"]) in ("CANCELED", "FAILURE")
    assert _actions(run_id) == [
        "run.queued", "run.started", "run.cancel_requested", "run.cancelled",
    ]  # fmt: skip


def test_a_run_submitted_twice_is_executed_once(webserver, supervisor):
    """As after a service that was killed between Dagster's answer and its own note."""
    url = webserver("keeps", 1500)
    run_id = _trigger(SCORING)
    request = {"batch_ids": ["B1"], "base_version": None}
    with DagsterClient(url) as client:
        twice = [
            client.launch(
                SCORING,
                partitions=("B1",),
                run_config={"resources": {"request": {"config": request}}},
                tags={"chancellor/run_id": run_id, "chancellor/actor": "ada"},
            )
            for _ in range(2)
        ]
        supervisor()
        done = _ended(run_id)
        assert done["status"] == "succeeded"
        assert done["dagster_run_id"] in twice
        ends = _wait(
            "both ends",
            lambda: (found := sorted(str(client.status(one)) for one in twice))
            and "STARTED" not in found and "STARTING" not in found and found,
        )  # fmt: skip
        assert ends == ["FAILURE", "SUCCESS"]


def test_dagster_that_does_not_answer_is_said_and_nothing_is_stored(stored, monkeypatch):
    stored("keeps")
    monkeypatch.setenv("CHANCELLOR_DAGSTER_URL", f"http://127.0.0.1:{free_port()}")
    with pytest.raises(UnavailableError, match="does not answer"):
        _trigger()
    with open_session() as db:
        assert PipelineService(db).list_runs() == ()


def test_what_dagster_refuses_is_a_conflict_and_no_webserver_at_all_is_unavailable(webserver):
    url = webserver("keeps", 1500)
    with DagsterClient(url) as client:
        with pytest.raises(UnavailableError, match="has not loaded nightly"):
            client.require("nightly")
        with pytest.raises(ConflictError, match="refused"):
            client.launch(SCORING, partitions=("B1",), run_config={"ops": 1}, tags={})
        assert client.status("00000000-0000-0000-0000-000000000000") is None
        client.terminate("00000000-0000-0000-0000-000000000000")
    answer = httpx.MockTransport(lambda _request: httpx.Response(200, text="a login page"))
    with DagsterClient(url, answer) as client, pytest.raises(UnavailableError):
        client.require(SCORING)
