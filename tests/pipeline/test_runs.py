"""Real Dagster runs on small portfolios: what passes, what stops, and what is on the record."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import dagster as dg
import pytest

from app.db import open_session, transaction
from app.domain.pipelines import TRAINING
from app.errors import ConflictError, InvalidInputError, NotFoundError, UnavailableError
from app.models import PipelineRun
from app.pipeline.execution import execute_run, run_pipeline
from app.pipeline.home import open_instance
from app.queries.evidence import list_verdicts
from app.services.audit_service import AuditService
from app.services.run_documents import set_execution
from app.services.runs import RunService
from app.services.scorecard_version_service import ScorecardVersionService


def _checks(document):
    """Read the check results of a run from Dagster's own event log."""
    with open_instance() as instance:
        records = instance.get_records_for_run(document["dagster_run_id"]).records
        events = [record.event_log_entry.dagster_event for record in records]
        found = [event.asset_check_evaluation_data for event in events if event is not None
                 and event.event_type == dg.DagsterEventType.ASSET_CHECK_EVALUATION]  # fmt: skip
    return {check.check_name: check for check in found}


def _actions(subject: str) -> list[str]:
    with open_session() as db:
        events = AuditService(db).list_events(subject=subject)
    return [event["action"] for event in reversed(events)]


def test_a_run_that_adopts_leaves_a_draft_and_every_gate_as_a_passed_check(stored):
    stored("adopts")

    document = run_pipeline(batch_ids=["B1"], actor="ada")

    assert document["status"] == "succeeded"
    assert (document["advice"], document["version"]) == ("adopt", "ml_v2")
    assert (document["gate_failed"], document["error"]) == (False, None)
    assert all(document["stages"].values())
    checks = _checks(document)
    assert len(checks) == 9
    assert all(check.passed for check in checks.values())
    with open_session() as db:
        draft = ScorecardVersionService(db).get_version("ml_v2")
        run = RunService(db).get_run(document["run_id"])
    assert (draft["status"], draft["requested_by"]) == ("draft", "ada")
    assert run["status"] == "succeeded"
    assert run["dagster_run_id"] == document["dagster_run_id"]
    assert run["result"]["version"] == "ml_v2"
    assert _actions(f"run:{document['run_id']}") == ["run.queued", "run.started", "run.succeeded"]


@pytest.mark.slow
def test_dagster_keeps_counts_hashes_and_the_table_of_gates_of_each_asset(stored):
    stored("adopts")
    document = run_pipeline(batch_ids=["B1"], actor="ada")

    with open_instance() as instance:
        run = instance.get_run_by_id(document["dagster_run_id"])
        labels = instance.get_latest_materialization_event(dg.AssetKey("generate_scorecard_labels"))
        draft = instance.get_latest_materialization_event(dg.AssetKey("refine_scorecard"))
        partitions = instance.get_dynamic_partitions("batches")

    assert run.tags["chancellor/actor"] == "ada"
    assert run.tags["chancellor/run_id"] == document["run_id"]
    assert run.tags["dagster/partition"] == "B1"
    assert list(partitions) == ["B1"]
    metadata = labels.asset_materialization.metadata
    assert metadata["n_labelled"].value == 1500
    assert metadata["gates"].value.startswith("| gate | verdict |")
    assert (
        draft.asset_materialization.metadata["content_hash"].value
        == (document["stages"]["refinement"]["content_hash"])
    )


def test_keep_ends_well_without_a_draft(stored):
    stored("keeps")

    document = run_pipeline(batch_ids=["B1"], actor="ada")

    assert document["status"] == "succeeded"
    assert (document["advice"], document["version"]) == ("keep", None)
    assert (document["gate_failed"], document["error"]) == (False, None)
    improves = _checks(document)["improves_on_baseline"]
    assert not improves.passed
    assert improves.severity == dg.AssetCheckSeverity.WARN
    assert "weight_change" not in _checks(document)


@pytest.mark.slow
@pytest.mark.parametrize("at_check", [1, 2, 4], ids=["labels", "model", "draft"])
def test_a_store_that_does_not_answer_a_check_ends_the_run_with_its_error(
    stored, monkeypatch, at_check
):
    stored("adopts")
    answers = iter(range(1, 5))

    def answer(*asked):
        if next(answers) == at_check:
            raise UnavailableError("the database does not answer")
        return list_verdicts(*asked)

    monkeypatch.setattr("app.pipeline.checks.list_verdicts", answer)

    document = run_pipeline(batch_ids=["B1"], actor="ada")

    error = {"code": "unavailable", "message": "the database does not answer", "facts": {}}
    assert (document["status"], document["error"]) == ("failed", error)


@pytest.mark.slow
def test_a_failed_model_gate_blocks_the_draft_and_states_the_advice(stored):
    stored("does not rank")

    document = run_pipeline(batch_ids=["B1"], actor="ada")

    assert document["status"] == "failed"
    assert document["gate_failed"]
    assert document["error"]["code"] == "quality_gate"
    assert "auc_roc failed" in document["error"]["message"]
    assert "The advice is keep" in document["error"]["message"]
    assert document["stages"]["refinement"] is None
    check = _checks(document)["auc_roc"]
    assert not check.passed
    assert check.severity == dg.AssetCheckSeverity.ERROR
    with open_session() as db:
        assert RunService(db).get_run(document["run_id"])["status"] == "failed"


@pytest.mark.slow
def test_a_failed_label_gate_stops_the_run_before_training(stored):
    stored("adopts", batches={"B1": 80})

    document = run_pipeline(batch_ids=["B1"], actor="ada")

    assert document["gate_failed"]
    assert "sample_size failed" in document["error"]["message"]
    assert document["stages"]["model"] is None
    assert not _checks(document)["sample_size"].passed


@pytest.mark.slow
def test_an_expert_card_that_ranks_backwards_stops_training_and_shows_in_its_check(stored):
    stored("ranks backwards")

    document = run_pipeline(batch_ids=["B1"], actor="ada")

    assert document["gate_failed"]
    assert "expert_ranks" in document["error"]["message"]
    assert [gate["gate"] for gate in document["gates"] if gate["verdict"] == "fail"] == [
        "expert_ranks"
    ]
    with open_instance() as instance:
        key = dg.AssetCheckKey(dg.AssetKey("train_model_asset"), "expert_ranks")
        shown = instance.event_log_storage.get_asset_check_execution_history(key, limit=1)
    assert not shown[0].event.dagster_event.asset_check_evaluation_data.passed


@pytest.mark.slow
def test_small_batches_train_together_though_each_is_too_small(stored):
    stored("adopts", batches={"B1": 80, "B2": 700})

    document = run_pipeline(batch_ids=["B1", "B2"], actor="ada", validation="cross_validation")

    assert document["status"] == "succeeded"
    labels = document["stages"]["labels"]
    assert (labels["batch_ids"], labels["n_labelled"]) == (["B1", "B2"], 780)
    assert document["stages"]["model"]["batch_ids"] == ["B1", "B2"]
    sample_size = _checks(document)["sample_size"]
    assert sample_size.severity == dg.AssetCheckSeverity.WARN
    verdicts = [gate for gate in document["gates"] if gate["gate"] == "sample_size"]
    assert [gate["n"] for gate in verdicts] == [780]


def test_a_service_error_is_in_the_document_with_its_code(stored):
    stored("adopts")

    document = run_pipeline(batch_ids=["B1"], outcome="score", actor="ada")

    assert document["status"] == "failed"
    assert not document["gate_failed"]
    assert document["error"]["code"] == "circular_label"
    assert document["stages"]["scores"]["n_rows"] == 1500
    assert document["stages"]["labels"] is None


def test_an_unknown_batch_starts_no_run(stored):
    stored("adopts")
    with pytest.raises(NotFoundError, match="B9"):
        run_pipeline(batch_ids=["B9"], actor="ada")
    with pytest.raises(InvalidInputError):
        run_pipeline(batch_ids=[], actor="ada")
    with open_session() as db:
        assert RunService(db).list_runs() == ()


def test_a_second_run_is_refused_and_the_live_one_is_named(stored):
    stored("adopts")
    with open_session() as db:
        live = RunService(db, actor="bob").start(pipeline=TRAINING, batch_ids=["B1"], config={})
    with pytest.raises(ConflictError, match=live["run_id"]) as refused:
        run_pipeline(batch_ids=["B1"], actor="ada")
    assert refused.value.facts["requested_by"] == "bob"


@pytest.mark.slow
def test_a_run_whose_process_is_gone_is_marked_failed_and_makes_way(stored):
    stored("keeps")
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    with open_session() as db:
        lost = RunService(db, actor="bob").start(pipeline=TRAINING, batch_ids=["B1"], config={})
        with transaction(db):
            db.get_one(PipelineRun, lost["run_id"]).pid = gone.pid

    assert run_pipeline(batch_ids=["B1"], actor="ada")["status"] == "succeeded"

    with open_session() as db:
        reaped = RunService(db).get_run(lost["run_id"])
    assert reaped["status"] == "failed"
    assert "process" in reaped["error"]
    assert _actions(f"run:{lost['run_id']}") == [
        "run.queued", "run.started", "run.failed",
    ]  # fmt: skip


def test_a_run_of_another_machine_is_never_taken_for_dead(stored):
    stored("keeps")
    with open_session() as db:
        runs = RunService(db)
        elsewhere = runs.start(pipeline=TRAINING, batch_ids=["B1"], config={})
        with transaction(db):
            row = db.get_one(PipelineRun, elsewhere["run_id"])
            row.pid = 2**22 + 1
            set_execution(row, host="elsewhere")
        assert runs.reap() == ()


def test_a_number_that_another_process_inherited_does_not_keep_a_run_alive(stored):
    stored("keeps")
    with open_session() as db:
        runs = RunService(db)
        run = runs.start(pipeline=TRAINING, batch_ids=["B1"], config={})
        with transaction(db):
            db.get_one(PipelineRun, run["run_id"]).pid_started_at = time.time() - 86_400
        assert [one["run_id"] for one in runs.reap()] == [run["run_id"]]


def test_an_interrupted_run_is_on_record_as_cancelled(stored, monkeypatch):
    stored("keeps")

    def interrupt(*_args: object, **_named: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("app.pipeline.execution._execute", interrupt)
    with pytest.raises(KeyboardInterrupt):
        run_pipeline(batch_ids=["B1"], actor="ada")
    with open_session() as db:
        assert [run["status"] for run in RunService(db).list_runs()] == ["cancelled"]


def test_a_run_that_is_done_waits_for_a_database_that_is_away(stored, monkeypatch):
    stored("keeps")
    monkeypatch.setattr("app.pipeline.execution.SECONDS_BETWEEN_TRIES", 0.01)
    monkeypatch.setattr("app.pipeline.execution._execute", lambda *_args, **_named: result)
    result = {"status": "succeeded", "error": None}
    finish, what_happens = RunService.finish, iter(["away", "the answer is lost"])

    def finish_when_it_is_back(self: RunService, run_id: str, **named: object) -> object:
        now = next(what_happens, "there")
        if now == "away":
            raise UnavailableError("the database does not answer")
        done = finish(self, run_id, **named)
        if now == "the answer is lost":
            raise UnavailableError("the connection was lost while it committed")
        return done

    monkeypatch.setattr(RunService, "finish", finish_when_it_is_back)
    run_id = run_pipeline(batch_ids=["B1"], actor="ada")["run_id"]
    with open_session() as db:
        assert RunService(db).get_run(run_id)["status"] == "succeeded"
    assert _actions(f"run:{run_id}") == ["run.queued", "run.started", "run.succeeded"]


@pytest.mark.slow
def test_a_run_is_finished_once(stored):
    stored("keeps")
    document = run_pipeline(batch_ids=["B1"], actor="ada")
    with open_session() as db:
        with pytest.raises(ConflictError, match="already"):
            RunService(db).stopped(document["run_id"], reason="too late")
        with pytest.raises(ConflictError, match="not queued"):
            RunService(db).begin(document["run_id"])
    with pytest.raises(NotFoundError):
        execute_run("no-such-run")


@pytest.mark.slow
def test_a_queued_run_executes_in_a_process_of_its_own_for_who_asked(stored):
    stored("keeps")
    with open_session() as db:
        run = RunService(db, actor="bob").queue(pipeline=TRAINING, batch_ids=["B1"], config={})

    done = subprocess.run(
        [sys.executable, "-m", "app.pipeline.run_job", run["run_id"]],
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    with open_session() as db:
        ended = RunService(db).get_run(run["run_id"])
    assert (ended["status"], ended["requested_by"]) == ("succeeded", "bob")
    assert ended["pid"] != os.getpid()


@pytest.mark.slow
@pytest.mark.parametrize("seconds", [0.0, 0.3, 1.0, 2.0])
def test_a_process_that_is_asked_to_end_leaves_its_run_cancelled(stored, seconds):
    stored("adopts", batches={"B1": 40_000})
    with open_session() as db:
        run = RunService(db, actor="bob").queue(
            pipeline=TRAINING,
            batch_ids=["B1"],
            config={"validation": "cross_validation"},
        )
    child = subprocess.Popen([sys.executable, "-m", "app.pipeline.run_job", run["run_id"]],
                             stderr=subprocess.DEVNULL)  # fmt: skip
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        with open_session() as db:
            if RunService(db).get_run(run["run_id"])["status"] == "running":
                break
        time.sleep(0.05)
    time.sleep(seconds)
    child.send_signal(signal.SIGTERM)
    child.wait(timeout=60)
    with open_session() as db:
        assert RunService(db).get_run(run["run_id"])["status"] == "cancelled"


@pytest.mark.slow
def test_progress_is_heard_and_nothing_of_dagster_reaches_stdout_or_stderr(stored, capfd):
    stored("keeps")
    heard: list[str] = []
    capfd.readouterr()

    run_pipeline(
        batch_ids=["B1"], actor="ada", progress=lambda stage, _done, _total: heard.append(stage)
    )

    assert "validate" in heard
    assert capfd.readouterr() == ("", "")


@pytest.mark.slow
def test_dagsters_home_is_in_the_store_with_telemetry_off(stored, home):
    stored("keeps")
    run_pipeline(batch_ids=["B1"], actor="ada")
    configuration = (home / "dagster" / "dagster.yaml").read_text(encoding="utf-8")
    assert "telemetry:\n  enabled: false" in configuration
    with open_instance() as instance:
        assert not instance.telemetry_enabled
        assert not instance.nux_enabled
        assert instance.get_runs_count() == 1
