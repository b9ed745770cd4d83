"""A schedule and two sensors propose a training, on the record and at most once for one state."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import dagster as dg
import pytest

from app.db import open_session
from app.pipeline.definitions import defs
from app.pipeline.execution import execute_run
from app.services.pipeline_service import PipelineService
from app.services.scorecard_version_service import ScorecardVersionService
from tests.support.alerts import open_degradation

FIRST = datetime(2026, 4, 1, 6, tzinfo=UTC)


def _sensor(name: str) -> str:
    """Evaluate a sensor as Dagster's daemon does; it asks for no run itself, and says why."""
    with dg.DagsterInstance.ephemeral() as instance:
        found = defs.get_repository_def().get_sensor_def(name)
        tick = found.evaluate_tick(dg.build_sensor_context(instance))
    assert tick.run_requests == []
    return str(tick.skip_message)


def _schedule() -> str:
    with dg.DagsterInstance.ephemeral() as instance:
        context = dg.build_schedule_context(instance, scheduled_execution_time=FIRST)
        found = defs.get_repository_def().get_schedule_def("monthly_retraining")
        tick = found.evaluate_tick(context)
    assert not tick.run_requests
    return str(tick.skip_message)


def _runs() -> tuple[dict[str, Any], ...]:
    with open_session() as db:
        return PipelineService(db).list_runs()


def _cancel(run_id: str) -> None:
    with open_session() as db:
        PipelineService(db, actor="ada").cancel(run_id, reason="not now")


def test_where_too_little_matured_nothing_is_proposed(stored) -> None:
    stored(batches={"B1": 90})
    said = _sensor("new_outcomes")
    assert "No training is proposed: 90 parties" in said
    assert "asked for are 100 and 30 (policy min_labelled, min_bad_parties)" in said
    assert _runs() == ()


def test_enough_matured_outcomes_are_proposed_once(stored) -> None:
    stored(batches={"B1": 300, "B2": 300})
    said = _sensor("new_outcomes")
    (run,) = _runs()
    assert f"Training run {run['run_id']}, queued, was proposed by new_outcomes: 600" in said
    assert "It ends in a draft at most." in said
    assert (run["requested_by"], run["batch_ids"]) == ("dagster:new_outcomes", ["B1", "B2"])
    assert run["config"]["outcome_type"] == "default"
    assert f"training run {run['run_id']} has not ended" in _sensor("new_outcomes")
    assert "has not ended" in _schedule()
    _cancel(run["run_id"])
    assert f"{run['run_id']}, cancelled, was proposed" in _sensor("new_outcomes")
    assert len(_runs()) == 1  # a person said no to this state; the month asks again
    assert "was proposed by monthly_retraining" in _schedule()
    assert [one["requested_by"] for one in _runs()] == [
        "dagster:monthly_retraining", "dagster:new_outcomes",
    ]  # fmt: skip


@pytest.mark.slow
def test_a_proposed_training_ends_in_a_draft_and_the_next_waits_for_what_is_new(stored) -> None:
    stored()
    _sensor("new_outcomes")
    (run,) = _runs()
    assert execute_run(run["run_id"])["version"] == "ml_v2"
    with open_session() as db:
        versions = ScorecardVersionService(db)
        assert versions.get_active()["version"] == "v1"
        assert versions.get_version("ml_v2")["requested_by"] == "dagster:new_outcomes"
        open_degradation(db, "B1", "v1")
    for said in (_sensor("new_outcomes"), _sensor("degradation"), _schedule()):
        assert "No training is proposed: 0 parties, 0 of them bad, have matured since m-" in said
    stored(batches={"B2": 60}, is_new=False)
    said = _sensor("degradation")
    assert "was proposed by degradation: 60 parties" in said
    assert _runs()[0]["batch_ids"] == ["B1", "B2"]


def test_without_an_alert_of_the_active_version_nothing_is_proposed(stored) -> None:
    stored(batches={"B1": 300})
    assert _sensor("degradation") == "No alert says that the active version became worse."
