"""Real services and workers, killed at the worst moment, on both databases: no wrong state."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import dagster as dg
import pytest

from app.db import open_session
from app.domain.pipelines import SCORING, TRAINING
from app.pipeline.home import open_instance
from app.services.audit_service import AuditService
from app.services.embedded_runs import EmbeddedRuns
from app.services.pipeline_service import PipelineService
from app.services.run_supervisor import RunSupervisor
from app.settings import get_settings

SERVICE = "from app.services.run_supervisor import RunSupervisor; RunSupervisor().run()"
PATIENCE_SECONDS = 300.0
ENDED = ("succeeded", "failed", "cancelled")


@contextmanager
def _service() -> Iterator[subprocess.Popen[bytes]]:
    """Run a service of its own process until the block ends, whether it was killed or not."""
    process = subprocess.Popen([sys.executable, "-c", SERVICE])
    try:
        yield process
    finally:
        process.kill()
        process.wait()


@contextmanager
def _supervised() -> Iterator[RunSupervisor]:
    supervisor = RunSupervisor()
    supervisor.start()
    try:
        yield supervisor
    finally:
        supervisor.stop()


def _trigger(pipeline: str = SCORING, **asked: Any) -> str:
    with open_session() as db:
        service = PipelineService(db, actor="ada", request_id="req-7")
        return str(service.trigger(pipeline=pipeline, batch_ids=["B1"], **asked)["run_id"])


def _long() -> str:
    return _trigger(TRAINING, config={"validation": "cross_validation"})


def _read(run_id: str) -> dict[str, Any]:
    with open_session() as db:
        return PipelineService(db).get_run(run_id)


def _wait(run_id: str, until: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        run = _read(run_id)
        if until(run):
            return run
        time.sleep(0.1)
    pytest.fail(f"waited in vain: {_read(run_id)}")


def _ended(run_id: str) -> dict[str, Any]:
    return _wait(run_id, lambda run: run["status"] in ENDED)


def _in_training(run_id: str) -> dict[str, Any]:
    """Wait until the run trains and reports progress: the middle of it."""
    return _wait(run_id, lambda run: run["steps"][3]["progress"] is not None)


def _actions(run_id: str) -> list[str]:
    with open_session() as db:
        events = AuditService(db).list_events(subject=f"run:{run_id}")
        assert AuditService(db).verify()["n_events"] > 0  # raises where the chain is broken
    return [event["action"] for event in reversed(events)]


def _dagster_status(run_id: str) -> dg.DagsterRunStatus:
    with open_instance() as instance:
        return instance.get_run_by_id(run_id).status


@pytest.mark.slow
def test_runs_are_executed_in_order_and_tell_how_far_they_are(store_url, stored):
    stored("keeps")
    first, second = _trigger(TRAINING), _trigger(SCORING)
    with _supervised():
        done, after = _ended(first), _ended(second)
    assert (done["status"], after["status"]) == ("succeeded", "succeeded")
    assert after["started_at"] > done["finished_at"]
    assert [step["status"] for step in done["steps"]] == ["succeeded"] * 5
    assert all(step["duration_seconds"] >= 0 for step in done["steps"])
    checks = {check["check"]: check for step in done["steps"] for check in step["checks"]}
    assert checks["sample_size"]["status"] == "passed"
    assert checks["improves_on_baseline"]["status"] == "warned"
    assert checks["weight_change"]["status"] == "skipped"
    assert done["result"]["advice"] == "keep"
    assert [step["asset"] for step in after["steps"]] == [
        "score_batch", "monitoring_report",
    ]  # fmt: skip
    assert after["result"]["stages"]["scores"]["n_rows"] == 1500
    with open_instance() as instance:
        tags = instance.get_run_by_id(second).tags
    assert (tags["chancellor/actor"], tags["chancellor/request_id"]) == ("ada", "req-7")
    with open_session() as db:
        events = AuditService(db).list_events(subject=f"run:{second}")
    assert {(one["actor"], one["payload"]["request_id"]) for one in events} == {("ada", "req-7")}


@pytest.mark.slow
def test_a_failed_gate_is_told_by_its_check_and_the_queue_goes_on(stored):
    stored("adopts", batches={"B1": 80})
    failing, after = _trigger(TRAINING), _trigger(SCORING)
    with _supervised():
        failed, done = _ended(failing), _ended(after)
    assert failed["status"] == "failed"
    assert failed["result"]["gate_failed"]
    assert failed["steps"][1]["checks"][0]["status"] == "failed"
    assert [step["status"] for step in failed["steps"]][2:] == ["skipped"] * 3
    assert done["status"] == "succeeded"


@pytest.mark.slow
def test_a_killed_worker_leaves_its_run_failed_and_the_queue_goes_on(store_url, stored):
    stored("adopts", batches={"B1": 40_000})
    lost, after = _long(), _trigger()
    with _service():
        os.kill(_in_training(lost)["pid"], signal.SIGKILL)
        failed, done = _ended(lost), _ended(after)
        _wait_for_dagster(lost, dg.DagsterRunStatus.FAILURE)
    assert failed["status"] == "failed"
    assert "without a word" in failed["error"]
    assert [step["status"] for step in failed["steps"]] == [
        "succeeded", "succeeded", "succeeded", "failed", "skipped",
    ]  # fmt: skip
    assert done["status"] == "succeeded"
    assert _actions(lost) == ["run.queued", "run.started", "run.failed"]


def _wait_for_dagster(run_id: str, status: dg.DagsterRunStatus) -> None:
    _wait(run_id, lambda _run: _dagster_status(run_id) == status)


@pytest.mark.slow
def test_a_killed_service_costs_no_run_and_the_next_service_goes_on(store_url, stored):
    stored("keeps", batches={"B1": 6_000})
    running, waiting = _long(), _trigger()
    with _service() as service:
        worker = _in_training(running)["pid"]
        service.send_signal(signal.SIGKILL)
        service.wait()
    assert _read(waiting)["status"] == "queued"
    with _service():
        done, after = _ended(running), _ended(waiting)
    assert (done["status"], done["pid"]) == ("succeeded", worker)
    assert after["status"] == "succeeded"
    for run_id in (running, waiting):
        assert _actions(run_id) == ["run.queued", "run.started", "run.succeeded"]


@pytest.mark.slow
def test_a_machine_that_stops_leaves_a_run_that_the_next_service_marks_failed(store_url, stored):
    stored("adopts", batches={"B1": 40_000})
    lost, after = _long(), _trigger()
    with _service() as service:
        worker = _in_training(lost)["pid"]
        for process in (service.pid, worker):
            os.kill(process, signal.SIGKILL)
        service.wait()
    assert _read(lost)["status"] == "running"
    with _service():
        failed, done = _ended(lost), _ended(after)
        _wait_for_dagster(lost, dg.DagsterRunStatus.FAILURE)
    assert (failed["status"], done["status"]) == ("failed", "succeeded")
    assert _actions(lost) == ["run.queued", "run.started", "run.failed"]


@pytest.mark.slow
def test_cancelling_ends_exactly_the_running_process_and_the_queue_goes_on(store_url, stored):
    stored("adopts", batches={"B1": 40_000})
    run_id, after = _long(), _trigger()
    with _service():
        _in_training(run_id)
        with open_session() as db:
            service = PipelineService(db, actor="bob")
            asked = service.cancel(run_id, reason="wrong window")
            assert service.cancel(run_id)["cancel"]["reason"] == "wrong window"
        ended, done = _ended(run_id), _ended(after)
    assert (asked["status"], asked["cancel"]["by"]) == ("running", "bob")
    assert (ended["status"], ended["error"]) == ("cancelled", "cancelled by bob: wrong window")
    assert ended["steps"][3]["status"] == "cancelled"
    assert done["status"] == "succeeded"
    assert _actions(run_id) == [
        "run.queued", "run.started", "run.cancel_requested", "run.cancelled",
    ]  # fmt: skip
    assert _dagster_status(run_id) in (
        dg.DagsterRunStatus.CANCELED,
        dg.DagsterRunStatus.FAILURE,
    )


@pytest.mark.slow
def test_two_services_on_one_store_execute_each_run_once(store_url, stored):
    stored("keeps")
    runs = [_trigger() for _ in range(3)]
    with _service(), _service():
        ended = [_ended(run_id) for run_id in runs]
    assert [run["status"] for run in ended] == ["succeeded"] * 3
    for run_id in runs:
        assert _actions(run_id) == ["run.queued", "run.started", "run.succeeded"]
    begins = [run["started_at"] for run in ended]
    ends = [run["finished_at"] for run in ended]
    assert all(end < begin for end, begin in zip(ends, begins[1:], strict=False))


def test_a_worker_that_cannot_begin_fails_its_run_and_says_why(stored, monkeypatch):
    stored("keeps")
    run_id = _trigger()
    monkeypatch.setattr("app.services.workers.sys.executable", "/bin/false")
    runs = EmbeddedRuns(get_settings())
    deadline = time.monotonic() + 30
    with open_session() as db:
        while _read(run_id)["status"] == "queued" and time.monotonic() < deadline:
            runs.look(db)
            db.rollback()
    assert "could not begin (exit code 1)" in _read(run_id)["error"]
