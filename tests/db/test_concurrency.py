"""Many processes write at once: each waits for its turn, none fails, no number is lost."""

from __future__ import annotations

import multiprocessing
from itertools import pairwise
from typing import Any

import pytest
from sqlalchemy import create_engine, select
from sqlalchemy.orm import Session

from app.db import open_session, transaction, upgrade
from app.models import AuditEvent, PipelineRun
from app.services.audit_service import AuditService, record
from tests.support.rows import run_row

SPAWN = multiprocessing.get_context("spawn")
N_WRITERS = 4
N_EACH = 15


def _write(url: str, writer: int, start: Any, answers: Any) -> None:
    """Read, then write: what a deferred BEGIN on SQLite loses half of the time."""
    try:
        db = open_session(url) if writer % 2 else Session(create_engine(url))
        start.wait()
        for number in range(N_EACH):
            db.execute(select(PipelineRun.id)).all()
            with transaction(db):
                run_id = f"{writer}-{number}"
                db.add(run_row(id=run_id))
                record(db, actor=str(writer), action="run.done", subject=run_id, payload={})
        db.close()
        answers.put(None)
    except BaseException as error:  # noqa: BLE001 - the parent shows it
        answers.put(f"writer {writer}: {error!r}")


def _upgrade(url: str, _number: int, start: Any, answers: Any) -> None:
    try:
        start.wait()
        upgrade(url)
        answers.put(None)
    except BaseException as error:  # noqa: BLE001 - the parent shows it
        answers.put(repr(error))


def _at_once(work: Any, url: str, n: int) -> list[str]:
    start, answers = SPAWN.Barrier(n), SPAWN.Queue()
    processes = [SPAWN.Process(target=work, args=(url, k, start, answers)) for k in range(n)]
    for process in processes:
        process.start()
    failures = [answer for _ in processes if (answer := answers.get(timeout=120)) is not None]
    for process in processes:
        process.join(30)
    return failures


@pytest.mark.slow
def test_writers_of_several_processes_wait_for_each_other(store_url: str) -> None:
    assert _at_once(_write, store_url, N_WRITERS) == []
    with open_session(store_url) as db:
        events = db.execute(select(AuditEvent).order_by(AuditEvent.seq)).scalars().all()
        assert [event.seq for event in events] == list(range(1, N_WRITERS * N_EACH + 1))
        assert all(later.previous_hash == before.hash for before, later in pairwise(events))
        assert len(db.scalars(select(PipelineRun.id)).all()) == N_WRITERS * N_EACH
        assert AuditService(db).verify()["n_events"] == N_WRITERS * N_EACH
        for writer in range(N_WRITERS):  # each writer's own events are in its order
            mine = [event.subject for event in events if event.actor == str(writer)]
            assert mine == [f"{writer}-{number}" for number in range(N_EACH)]


@pytest.mark.slow
def test_two_processes_may_create_the_schema_at_once(empty_url: str) -> None:
    assert _at_once(_upgrade, empty_url, 3) == []
    with open_session(empty_url) as db:
        assert AuditService(db).verify()["n_events"] == 0
