"""Many processes write at once: each waits for its turn, none fails, no number is lost."""

from __future__ import annotations

import multiprocessing
from itertools import pairwise
from typing import Any

import pytest
from sqlalchemy import create_engine, select
from sqlalchemy.orm import Session

from app.db import open_session, transaction, upgrade
from app.domain.checkpoint import open_checkpoint, parse_public_key
from app.models import AuditEvent, PipelineRun
from app.services.audit_service import AuditService, record
from app.services.checkpoint_service import CheckpointService
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


def _sign_and_verify(url: str, number: int, start: Any, answers: Any) -> None:
    """Sign checkpoints, verify and export, in the middle of what the others write."""
    try:
        with open_session(url) as db:
            start.wait()
            for turn in range(N_EACH):
                if number % 2:
                    with transaction(db):
                        record(db, actor=str(number), action="a", subject=f"s{turn}", payload={})
                else:
                    signed = CheckpointService(db, actor=str(number)).sign()
                    found = AuditService(db).verify_chain()
                    assert found["n_events"] >= signed["event_seq"]
                    db.rollback()
        answers.put(None)
    except BaseException as error:  # noqa: BLE001 - the parent shows it
        answers.put(f"process {number}: {error!r}")


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
def test_checkpoints_signed_while_others_write_hold_and_share_one_key(store_url: str) -> None:
    with open_session(store_url) as db, transaction(db):
        record(db, actor="ada", action="store.initialised", subject="store", payload={})
    assert _at_once(_sign_and_verify, store_url, N_WRITERS) == []
    with open_session(store_url) as db:
        service = AuditService(db)
        signed = service.list_events(action="audit.checkpoint_signed", limit=1000)
        keys = service.list_events(action="audit.key_added")
        assert len(signed) == N_WRITERS // 2 * N_EACH
        assert len(keys) == 1
        assert service.verify_chain()["n_events"] == 1 + 1 + N_WRITERS * N_EACH
        key = parse_public_key(keys[0]["payload"]["public_key"].encode())
        for event in signed:
            checkpoint = open_checkpoint(event["payload"], key)
            assert checkpoint.seq == event["seq"] - 1  # nothing came between head and record
            service.verify_chain(checkpoint=checkpoint)


@pytest.mark.slow
def test_two_processes_may_create_the_schema_at_once(empty_url: str) -> None:
    assert _at_once(_upgrade, empty_url, 3) == []
    with open_session(empty_url) as db:
        assert AuditService(db).verify()["n_events"] == 0
