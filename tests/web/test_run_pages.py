"""Runs at the desk: started once however often the form is sent, watched live, cancelled."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from app.db import open_session
from app.domain.scorecard import load_scorecard
from app.edge import streams
from app.services.batch_service import BatchService
from app.services.key_service import KeyService
from app.services.outcome_service import OutcomeService
from app.services.pipeline_service import PipelineService
from app.services.store import initialise_store
from tests.conftest import Store
from tests.support.page_client import at_the_desk, hidden
from tests.support.portfolio import party, write_batch
from tests.support.service import Running, running_service
from tests.support.service_process import service_process
from tests.support.small_portfolio import THROUGH, write_portfolio

FORM = {
    "observation_window_days": "180", "outcome_type": "default", "validation": "auto",
    "pipeline": "ml_training_pipeline", "batch_id": "B1",
}  # fmt: skip


@pytest.fixture
def desk(sqlite_store: Store, tmp_path: Path) -> Iterator[Running]:
    """Serve a store with one small batch; runs wait."""
    file = write_batch(tmp_path / "b.csv", [party(f"P{i}") for i in range(4)])
    with open_session(sqlite_store.database_url) as db:
        BatchService(db).import_file(file, batch_id="B1", party_id="id", scored_at="on")
    with running_service(sqlite_store) as service:
        yield service


def _events(answer: httpx.Response) -> Iterator[tuple[str, dict[str, object]]]:
    name = ""
    for line in answer.iter_lines():
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        elif line.startswith("data: "):
            yield name, json.loads(line.removeprefix("data: "))


def test_a_form_that_is_sent_twice_starts_one_run_and_a_changed_one_another(desk: Running) -> None:
    with at_the_desk(desk) as client:
        form = hidden(client.get("/batches/B1")) | FORM
        first = client.post("/runs", data=form)
        assert first.headers["location"].startswith("/runs/")
        assert client.post("/runs", data=form).headers["location"] == first.headers["location"]
        changed = client.post("/runs", data=form | {"observation_window_days": "90"})
        assert changed.headers["location"] != first.headers["location"]
        waits = client.get(changed.headers["location"]).text
        assert "This run waits for 1 run before it" in waits
        assert '<noscript><meta http-equiv="refresh"' in waits
        refused = client.post("/runs", data=form | {"observation_window_days": "soon"})
        assert refused.status_code == 422
        assert 'value="soon"' in refused.text  # what was typed is kept
        page = client.get("/runs").text
        assert "0 runs work, 2 wait" in page
    with open_session(desk.store.database_url) as db:
        assert len(PipelineService(db).list_runs()) == 2


def test_a_waiting_run_is_watched_and_cancelled(
    desk: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streams, "MOST_PER_PERSON", 1)
    with at_the_desk(desk) as client:
        form = hidden(client.get("/batches/B1")) | FORM
        run = client.post("/runs", data=form).headers["location"]
        with client.stream("GET", f"{run}/events") as watched:
            assert watched.headers["content-type"].startswith("text/event-stream")
            events = _events(watched)
            name, view = next(events)
            assert (name, view["status"], view["is_live"]) == ("state", "queued", True)
            assert client.get(f"{run}/events").status_code == 429  # one watches already
            token = {"csrf_token": form["csrf_token"], "reason": "outcomes come tomorrow"}
            assert client.post(f"{run}/cancel", data=token).status_code == 303
            rest = list(events)
        assert [name for name, _ in rest] == ["state", "end"]
        assert rest[0][1]["title"] == "This run was cancelled by analyst: outcomes come tomorrow"
        page = client.get(run).text
        assert "What was stored before stays" in page
        assert "/events" not in page
        again = client.post(f"{run}/cancel", data=token)
        assert (again.status_code, "already cancelled" in again.text) == (409, True)
        assert client.get("/runs/nothing/events").status_code == 404


@pytest.mark.slow
def test_a_real_run_is_followed_from_the_queue_to_its_draft(
    store_url: str, home: Path, tmp_path: Path
) -> None:
    """By a worker process, on each database; the stream holds no connection between two looks."""
    files = write_portfolio(tmp_path / "files")
    initialise_store(card=load_scorecard(files.card), actor="tester")
    store = Store(home, store_url, str(home / "lake"))
    with open_session(store.database_url) as db:
        BatchService(db).import_file(
            files.batch, batch_id="B1", party_id="party", scored_at="scored"
        )
        OutcomeService(db).import_events(
            files.outcomes, party_id="party", event_date="written_off", event_type="write_off",
            through=THROUGH,
        )  # fmt: skip
    with running_service(store, execute_runs=True) as desk, at_the_desk(desk) as client:
        form = hidden(client.get("/batches/B1")) | FORM
        run = client.post("/runs", data=form).headers["location"]
        with client.stream("GET", f"{run}/events") as watched:
            found = list(_events(watched))
        assert found[-1][0] == "end"
        seen = [view["status"] for name, view in found if name == "state"]
        assert seen[-1] == "done"
        assert "running" in seen
        page = client.get(run).text
        assert "Values, limits and intervals of all gates" in page
        assert 'href="/versions/ml_v2/review">Review ml_v2' in page


@pytest.mark.slow
def test_an_open_stream_keeps_no_service_from_ending(sqlite_store: Store, tmp_path: Path) -> None:
    """It is told to end while a page is watched, and ends at once all the same."""
    file = write_batch(tmp_path / "b.csv", [party("P1")])
    with open_session(sqlite_store.database_url) as db:
        BatchService(db).import_file(file, batch_id="B1", party_id="id", scored_at="on")
        run = PipelineService(db).trigger(pipeline="scoring_pipeline", batch_ids=["B1"])
        key = KeyService(db, actor="tester").create(owner="ada", role="analyst")["key"]
    with (
        service_process(tmp_path, CHANCELLOR_EXECUTE_RUNS="false") as service,
        httpx.Client(base_url=service.url, timeout=30, trust_env=False) as client,
    ):
        client.post("/sign-in", data={"key": key})
        with client.stream("GET", f"/runs/{run['run_id']}/events") as watched:
            events = _events(watched)
            assert next(events)[0] == "state"
            told_at = time.monotonic()
            service.process.send_signal(signal.SIGTERM)
            assert list(events) == []  # the stream ends; the run has not
        service.process.wait(8)
        assert time.monotonic() - told_at < 5
