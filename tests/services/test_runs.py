"""Runs on the record, on both databases: one at a time, none left live without its process."""

from __future__ import annotations

import time

import pytest

from app.db import transaction
from app.errors import ConflictError, NotFoundError
from app.models import PipelineRun
from app.queries.runs import list_live_runs
from app.services.audit_service import AuditService
from app.services.batch_service import BatchService
from app.services.runs import RunService
from tests.support.portfolio import party, write_batch

JOB = "ml_training_pipeline"


@pytest.fixture
def runs(db, tmp_path):
    path = write_batch(tmp_path / "batch.csv", [party("A"), party("B")])
    BatchService(db, actor="ada").import_file(path, batch_id="B1", party_id="id", scored_at="on")
    return RunService(db, actor="ada")


def _queue(runs: RunService):
    return runs.queue(pipeline=JOB, batch_ids=["B1"], config={})


def test_a_run_goes_from_queued_to_its_end_with_an_event_for_each_step(runs, db):
    queued = _queue(runs)
    assert (queued["status"], queued["requested_by"]) == ("queued", "ada")
    began = runs.begin(queued["run_id"])
    assert began["status"] == "running"
    assert began["started_at"] >= queued["created_at"]
    result = {"status": "failed", "error": {"message": "a gate failed"}}
    ended = runs.finish(queued["run_id"], result=result)
    assert (ended["status"], ended["error"]) == ("failed", "a gate failed")
    assert ended["result"] == result
    assert ended["finished_at"] >= began["started_at"]
    subject = f"run:{queued['run_id']}"
    events = AuditService(db).list_events(subject=subject)
    assert [one["action"] for one in events] == ["run.failed", "run.started", "run.queued"]
    assert runs.list_runs() == (ended,)


def test_only_one_run_is_live_and_the_refusal_names_it(runs):
    live, waiting = _queue(runs), _queue(runs)
    runs.begin(live["run_id"])
    with pytest.raises(ConflictError, match=f"{live['run_id']}.* is running"):
        runs.begin(waiting["run_id"])
    with pytest.raises(ConflictError, match=live["run_id"]):
        runs.start(pipeline=JOB, batch_ids=["B1"], config={})
    assert len(runs.list_runs()) == 2
    runs.stopped(live["run_id"], reason="not today")
    assert runs.begin(waiting["run_id"])["status"] == "running"


def test_the_database_itself_refuses_a_second_running_row(runs, db, monkeypatch):
    first = _queue(runs)
    runs.begin(first["run_id"])
    row = db.get_one(PipelineRun, first["run_id"])
    second = {
        column.name: getattr(row, column.name) for column in PipelineRun.__table__.columns
    } | {"id": "second", "status": "queued"}
    with transaction(db):
        db.add(PipelineRun(**second))
    monkeypatch.setattr(RunService, "_refuse_second", lambda _self: None)  # both looked at once
    with pytest.raises(ConflictError, match="has just begun"):
        runs.begin("second")


def test_a_run_that_starts_at_once_is_running_or_leaves_nothing_behind(runs, db, monkeypatch):
    assert runs.start(pipeline=JOB, batch_ids=["B1"], config={})["status"] == "running"
    monkeypatch.setattr(RunService, "_refuse_second", lambda _self: None)  # both looked at once
    with pytest.raises(ConflictError, match="one run at a time"):
        runs.start(pipeline=JOB, batch_ids=["B1"], config={})
    assert len(list_live_runs(db)) == 1


def test_a_lost_run_is_marked_failed_before_the_next_one(runs, db):
    lost = _queue(runs)
    runs.begin(lost["run_id"])
    with transaction(db):
        db.get_one(PipelineRun, lost["run_id"]).pid_started_at = time.time() - 86_400
    runs.begin(_queue(runs)["run_id"])
    assert runs.get_run(lost["run_id"])["status"] == "failed"
    assert len(list_live_runs(db)) == 1


def test_unknown_and_withdrawn_batches_and_unknown_runs_are_named(runs, db):
    with pytest.raises(NotFoundError, match="B9"):
        runs.queue(pipeline=JOB, batch_ids=["B1", "B9"], config={})
    with pytest.raises(NotFoundError, match="no-such"):
        runs.get_run("no-such")
    BatchService(db, actor="ada").withdraw("B1", reason="wrong month")
    with pytest.raises(ConflictError, match="withdrawn"):
        _queue(runs)
