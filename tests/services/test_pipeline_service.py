"""What people ask of runs, on both databases: trigger, follow, page, cancel, ask twice."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest

from app.db import open_session, transaction, utc_now
from app.domain.pipelines import CHECKS, PIPELINES, SCORING, TRAINING
from app.edge.errors import error_code
from app.errors import ConflictError, InvalidInputError, NotFoundError, QualityGateError
from app.models import PipelineRun
from app.services import dagster_runs
from app.services.audit_service import AuditService
from app.services.batch_service import BatchService
from app.services.embedded_runs import EmbeddedRuns
from app.services.pipeline_service import PipelineService
from app.services.run_documents import set_execution
from app.services.run_progress import note_checks, note_step, take_up
from app.services.run_results import QUALITY_GATE
from app.services.runs import RunService
from app.settings import get_settings
from tests.support.portfolio import party, write_batch


@pytest.fixture
def asked(db, tmp_path):
    path = write_batch(tmp_path / "batch.csv", [party("A"), party("B")])
    BatchService(db, actor="ada").import_file(path, batch_id="B1", party_id="id", scored_at="on")
    return PipelineService(db, actor="ada", request_id="req-7")


def _trigger(asked, **changes):
    return asked.trigger(**{"pipeline": TRAINING, "batch_ids": ["B1"]} | changes)


def test_a_trigger_queues_a_run_with_every_setting_and_says_who_asked(asked, db):
    run = _trigger(asked, config={"observation_window_days": 365})
    assert (run["status"], run["requested_by"], run["request_id"]) == ("queued", "ada", "req-7")
    assert run["config"] == {
        "observation_window_days": 365,
        "outcome_type": "default",
        "validation": "auto",
        "base_version": None,
    }
    assert [step["asset"] for step in run["steps"]] == list(PIPELINES[TRAINING])
    assert {step["status"] for step in run["steps"]} == {"waiting"}
    assert (run["result"], run["cancel"], run["duration_seconds"]) == (None, None, None)
    (event,) = AuditService(db).list_events(subject=f"run:{run['run_id']}")
    assert (event["action"], event["actor"]) == ("run.queued", "ada")
    assert event["payload"]["request_id"] == "req-7"


@pytest.mark.parametrize(
    ("changes", "error", "words"),
    [
        ({"pipeline": "nightly"}, NotFoundError, "ml_training_pipeline, scoring_pipeline"),
        ({"config": {"window": 9}}, InvalidInputError, "observation_window_days, outcome_type"),
        ({"config": {"observation_window_days": True}}, InvalidInputError, "whole number"),
        ({"config": {"observation_window_days": 0}}, InvalidInputError, "from 1"),
        ({"config": {"validation": "none"}}, InvalidInputError, "out_of_time, cross_validation"),
        ({"config": {"validation": []}}, InvalidInputError, "one of auto"),
        ({"config": {"outcome_type": "gossip"}}, NotFoundError, "There is: default"),
        ({"config": {"base_version": "v9"}}, NotFoundError, "There is: v1"),
        ({"config": {"base_version": 1}}, InvalidInputError, "name of a version"),
        ({"pipeline": SCORING, "config": {"validation": "auto"}}, InvalidInputError, "takes base"),
        ({"batch_ids": []}, InvalidInputError, "at least one"),
        ({"batch_ids": ["B1", "B1"]}, InvalidInputError, "each once"),
        ({"batch_ids": ["B9"]}, NotFoundError, "B9"),
    ],
)
def test_what_cannot_be_run_is_refused_with_what_is_allowed(asked, changes, error, words):
    with pytest.raises(error, match=words):
        _trigger(asked, **changes)
    assert asked.list_runs() == ()


def test_the_same_key_gives_the_same_run_and_another_request_is_a_conflict(asked, db):
    first = _trigger(asked, idempotency_key="k")
    assert _trigger(asked, idempotency_key="k", config={"validation": "auto"}) == first
    RunService(db, actor="ada").begin(first["run_id"])
    assert _trigger(asked, idempotency_key="k")["status"] == "running"
    with pytest.raises(ConflictError, match="another request"):
        _trigger(asked, idempotency_key="k", config={"observation_window_days": 90})
    assert _trigger(asked, idempotency_key="other")["run_id"] != first["run_id"]
    bobs = PipelineService(db, actor="bob").trigger(
        pipeline=TRAINING, batch_ids=["B1"], idempotency_key="k"
    )
    assert bobs["run_id"] != first["run_id"]
    assert len(asked.list_runs()) == 3


def test_the_same_key_at_the_same_moment_makes_one_run(asked, db, store):
    db.rollback()
    start, found = threading.Barrier(6), []

    def ask() -> None:
        with open_session(store.database_url) as mine:
            start.wait()
            found.append(_trigger(PipelineService(mine, actor="ada"), idempotency_key="k"))

    threads = [threading.Thread(target=ask) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len({run["run_id"] for run in found}) == 1
    assert len(found) == 6
    assert len(asked.list_runs()) == 1


def test_pages_hold_every_run_once_while_new_ones_come_in(asked):
    made = [_trigger(asked)["run_id"] for _ in range(5)]
    first = asked.list_runs(limit=2)
    _trigger(asked)
    second = asked.list_runs(limit=2, after=first[-1]["run_id"])
    third = asked.list_runs(limit=2, after=second[-1]["run_id"])
    assert [run["run_id"] for run in (*first, *second, *third)] == made[::-1]
    asked.cancel(made[0])
    assert [run["run_id"] for run in asked.list_runs(status="cancelled")] == [made[0]]
    assert asked.list_runs(pipeline=SCORING) == ()
    with pytest.raises(NotFoundError):
        asked.list_runs(after="no-such-run")


def test_a_queued_run_is_cancelled_at_once_and_never_begins(asked, db):
    run = _trigger(asked)
    ended = asked.cancel(run["run_id"], reason="wrong month")
    assert (ended["status"], ended["error"]) == ("cancelled", "cancelled by ada: wrong month")
    assert {step["status"] for step in ended["steps"]} == {"skipped"}
    with pytest.raises(ConflictError, match="not queued"):
        RunService(db).begin(run["run_id"])
    with pytest.raises(ConflictError, match="already cancelled"):
        asked.cancel(run["run_id"])
    with pytest.raises(NotFoundError):
        asked.cancel("no-such-run")


def test_a_run_of_a_machine_that_is_gone_ends_some_time_after_a_person_cancels_it(asked, db, store):
    run_id = _trigger(asked)["run_id"]
    RunService(db, actor="ada").begin(run_id)
    with transaction(db):
        set_execution(db.get_one(PipelineRun, run_id), host="elsewhere")
    supervised = EmbeddedRuns(get_settings())
    assert asked.cancel(run_id, reason="that machine burnt")["status"] == "running"
    supervised.look(db)
    assert asked.get_run(run_id)["status"] == "running"
    with transaction(db):
        row = db.get_one(PipelineRun, run_id)
        long_ago = (utc_now() - timedelta(minutes=6)).isoformat()
        set_execution(row, cancel={**row.config["execution"]["cancel"], "at": long_ago})
    supervised.look(db)
    ended = asked.get_run(run_id)
    assert (ended["status"], ended["error"]) == (
        "cancelled", "cancelled by ada: that machine burnt",
    )  # fmt: skip
    with pytest.raises(ConflictError):
        take_up(db, run_id, run_id, "train_model_asset")


def test_the_first_dagster_run_that_begins_has_the_run_for_good(asked, db):
    run_id = _trigger(asked)["run_id"]
    take_up(db, run_id, "first", "score_batch")
    take_up(db, run_id, "first", "generate_scorecard_labels")
    with pytest.raises(ConflictError, match="second stops here"):
        take_up(db, run_id, "second", "score_batch")
    run = asked.get_run(run_id)
    assert run["dagster_run_id"] == "first"
    assert [step["status"] for step in run["steps"]][:2] == ["running", "running"]
    take_up(db, "a run of Dagster's own pages", "third", "score_batch")  # is none of ours


@pytest.mark.parametrize("status", [dagster_runs.SUCCEEDED, dagster_runs.CANCELLED])
def test_a_run_that_began_and_ended_between_two_looks_at_dagster_was_started(asked, db, status):
    run_id = _trigger(asked)["run_id"]
    take_up(db, run_id, "theirs", "score_batch")
    with transaction(db):
        dagster_runs._mirror(db, db.get(PipelineRun, run_id), status, "")
    run = asked.get_run(run_id)
    assert run["started_at"] == run["steps"][0]["started_at"] <= run["finished_at"]
    events = AuditService(db).list_events(subject=f"run:{run_id}")
    assert [event["action"] for event in reversed(events)] == [
        "run.queued", "run.started", f"run.{run['status']}",
    ]  # fmt: skip


def test_what_is_noted_of_assets_and_checks_is_read_by_others_and_closed_with_the_run(
    asked, db, store
):
    run = _trigger(asked)
    run_id = run["run_id"]
    runs = RunService(db, actor="ada")
    runs.begin(run_id)
    began = "2026-01-01T00:00:00+00:00"
    note_step(
        db, run_id, "score_batch", status="succeeded", started_at=began,
        finished_at="2026-01-01T00:00:02.500000+00:00",
    )  # fmt: skip
    at = {"stage": "validate", "done": 3, "total": 10}
    note_step(db, run_id, "train_model_asset", status="running", started_at=began, progress=at)
    note_checks(db, run_id, "generate_scorecard_labels", {"sample_size": ("passed", "Enough.")})
    with open_session(store.database_url) as other:
        steps = PipelineService(other).get_run(run_id)["steps"]
    assert steps[0]["duration_seconds"] == 2.5
    assert steps[3]["progress"] == at
    check = steps[1]["checks"][0]
    assert (check["check"], check["status"], check["sentence"]) == (
        "sample_size", "passed", "Enough.",
    )  # fmt: skip
    failed = {"status": "failed", "error": {"message": "no"}}
    ended = runs.finish(run_id, result=failed)
    assert [step["status"] for step in ended["steps"]] == [
        "succeeded", "skipped", "skipped", "failed", "skipped",
    ]  # fmt: skip
    assert [check["status"] for check in ended["steps"][1]["checks"]] == ["passed", "skipped"]
    note_step(db, run_id, "score_batch", status="running")
    assert runs.get_run(run_id) == ended
    assert ended["result"] == failed


def test_a_failed_gate_has_the_code_that_faces_know_it_by():
    assert error_code(QualityGateError) == QUALITY_GATE


def test_every_asset_and_check_of_the_graph_is_a_step():
    import json  # noqa: PLC0415 - one test reads the snapshot
    from pathlib import Path  # noqa: PLC0415 - the same

    snapshot = Path(__file__).parent.parent / "pipeline" / "asset_graph.json"
    graph = json.loads(snapshot.read_text(encoding="utf-8"))
    assert {name: sorted(assets) for name, assets in PIPELINES.items()} == {
        name: job["assets"] for name, job in graph["jobs"].items()
    }
    assert {f"{asset}:{check}" for asset, checks in CHECKS.items() for check in checks} == set(
        graph["checks"]
    )
