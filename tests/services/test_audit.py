"""The chain names the first event that is not what was written, on both databases."""

from __future__ import annotations

import json
import threading
import tracemalloc
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.orm import Session

from app.db import open_session, transaction
from app.db.triggers import trigger_definitions
from app.domain.audit_chain import GENESIS_HASH, ChainLink, event_text, hash_text
from app.errors import AuditChainError, InvalidInputError
from app.models import AuditEvent
from app.queries import audit as audit_queries
from app.services.audit_service import AuditService, record

N_EVENTS = 7
COLUMNS = [column.name for column in AuditEvent.__table__.columns if column.name != "seq"]


def _record_many(db: Session, n: int, actor: str = "ada") -> None:
    with transaction(db):
        for number in range(n):
            record(db, actor=actor, action="test.done", subject=f"thing:{number % 3}",
                   payload={"number": number, "text": "é € 日本"})  # fmt: skip


@pytest.fixture
def chain(store_url: str) -> Iterator[Session]:
    """Open a session on a store with a chain of seven events."""
    with open_session(store_url) as db:
        _record_many(db, N_EVENTS)
        yield db


@pytest.fixture
def attacker(chain: Session, store_url: str) -> Iterator[Engine]:
    """Give an attacker with the right to change the schema: the triggers are gone first."""
    chain.rollback()
    engine = create_engine(store_url)
    dialect = engine.dialect.name
    with engine.begin() as connection:
        for name in trigger_definitions(dialect):
            for table in ("audit_events", "audit_head"):
                if name.startswith(table):
                    on = "" if dialect == "sqlite" else f" ON {table}"
                    connection.exec_driver_sql(f"DROP TRIGGER {name}{on}")
    yield engine
    engine.dispose()


def _tamper(engine: Engine, *statements: str, **values: Any) -> None:
    with engine.begin() as connection:
        for statement in statements:
            connection.execute(text(statement), values if ":" in statement else {})


def _first_bad(db: Session) -> int | None:
    with pytest.raises(AuditChainError) as caught:
        AuditService(db).verify()
    seq = caught.value.facts["seq"]
    assert seq is None or f"event {seq}" in caught.value.message
    db.rollback()
    return seq


def test_a_chain_as_written_verifies(chain: Session) -> None:
    seen: list[tuple[str, int, int]] = []
    result = AuditService(chain).verify_chain(lambda *step: seen.append(step))
    newest = AuditService(chain).list_events(limit=1)[0]
    assert result == {
        "verified": True, "n_events": N_EVENTS, "head": newest["hash"], "checkpoint": None,
    }  # fmt: skip
    assert seen[-1] == ("verify", N_EVENTS, N_EVENTS)


def test_an_empty_chain_verifies(store_url: str) -> None:
    with open_session(store_url) as db:
        assert AuditService(db).verify_chain() == {
            "verified": True, "n_events": 0, "head": GENESIS_HASH, "checkpoint": None,
        }  # fmt: skip


@pytest.mark.parametrize("seq", [1, 4, N_EVENTS])
@pytest.mark.parametrize("column", COLUMNS)
def test_an_edited_value_is_named(chain: Session, attacker: Engine, column: str, seq: int) -> None:
    _tamper(attacker, f"UPDATE audit_events SET {column} = {column} || ' ' WHERE seq = {seq}")
    assert _first_bad(chain) == seq


def test_an_edited_number_is_named(chain: Session, attacker: Engine) -> None:
    _tamper(attacker, "UPDATE audit_events SET seq = 99 WHERE seq = 4")
    assert _first_bad(chain) == 4


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_a_value_of_another_type_is_named(chain: Session, attacker: Engine) -> None:
    """SQLite stores anything in any column."""
    _tamper(attacker, "UPDATE audit_events SET payload = x'ff00' WHERE seq = 3")
    assert _first_bad(chain) == 3


def test_a_deleted_middle_is_named(chain: Session, attacker: Engine) -> None:
    _tamper(attacker, "DELETE FROM audit_events WHERE seq IN (3, 4)")
    assert _first_bad(chain) == 3


def test_a_deleted_first_is_named(chain: Session, attacker: Engine) -> None:
    _tamper(attacker, "DELETE FROM audit_events WHERE seq = 1")
    assert _first_bad(chain) == 1


def test_a_deleted_last_is_named(chain: Session, attacker: Engine) -> None:
    _tamper(attacker, f"DELETE FROM audit_events WHERE seq = {N_EVENTS}")
    assert _first_bad(chain) == N_EVENTS


def test_an_emptied_chain_is_named(chain: Session, attacker: Engine) -> None:
    _tamper(attacker, "DELETE FROM audit_events")
    assert _first_bad(chain) == 1


def _forged(engine: Engine, seq: int) -> dict[str, Any]:
    """Forge an event whose own hash is right."""
    with engine.connect() as connection:
        found = connection.execute(
            text("SELECT at, actor, action, subject, payload, previous_hash FROM audit_events "
                 "WHERE seq = :seq"), {"seq": seq},
        ).one()  # fmt: skip
    payload = json.loads(found.payload) | {"number": 1000}
    link = ChainLink(seq, found.at, "eve", found.action, found.subject,
                     json.dumps(payload), found.previous_hash)  # fmt: skip
    told = event_text(link)
    return {"actor": "eve", "payload": link.payload, "told": told, "hash": hash_text(told)}


REHASHED = (
    "UPDATE audit_events SET actor = :actor, payload = :payload, hashed_text = :told, "
    "hash = :hash WHERE seq = {seq}"
)


def test_a_row_hashed_anew_breaks_the_next(chain: Session, attacker: Engine) -> None:
    _tamper(attacker, REHASHED.format(seq=4), **_forged(attacker, 4))
    assert _first_bad(chain) == 5


def test_the_last_row_hashed_anew_is_not_what_the_head_names(
    chain: Session, attacker: Engine
) -> None:
    _tamper(attacker, REHASHED.format(seq=N_EVENTS), **_forged(attacker, N_EVENTS))
    assert _first_bad(chain) == N_EVENTS


def test_a_head_with_another_hash_is_named(chain: Session, attacker: Engine) -> None:
    _tamper(attacker, "UPDATE audit_head SET hash = 'x'")
    assert _first_bad(chain) == N_EVENTS


def test_a_head_put_back_does_not_hide_the_events_after_it(
    chain: Session, attacker: Engine
) -> None:
    _tamper(attacker, "UPDATE audit_head SET seq = 5, "
            "hash = (SELECT hash FROM audit_events WHERE seq = 5)")  # fmt: skip
    assert _first_bad(chain) == N_EVENTS


def test_a_head_put_forward_is_named(chain: Session, attacker: Engine) -> None:
    _tamper(attacker, "UPDATE audit_head SET seq = seq + 1")
    assert _first_bad(chain) == N_EVENTS + 1


def test_a_head_that_is_gone_is_named_and_stops_writing(chain: Session, attacker: Engine) -> None:
    _tamper(attacker, "DELETE FROM audit_head")
    assert _first_bad(chain) is None
    with pytest.raises(AuditChainError, match="head of the audit chain is gone"):
        _record_many(chain, 1)


def test_an_event_added_before_the_first_is_named(chain: Session, attacker: Engine) -> None:
    _tamper(
        attacker,
        "INSERT INTO audit_events (seq, at, actor, action, subject, payload, previous_hash, hash, "
        "hashed_text) SELECT 0, at, actor, action, subject, payload, previous_hash, hash, "
        "hashed_text FROM audit_events WHERE seq = 1",
    )
    assert _first_bad(chain) == 1


def test_what_two_events_say_cannot_be_exchanged(chain: Session, attacker: Engine) -> None:
    swap = "UPDATE audit_events SET seq = {} WHERE seq = {}"
    _tamper(attacker, swap.format(99, 2), swap.format(2, 3), swap.format(3, 99))
    assert _first_bad(chain) == 2


def test_a_payload_without_a_canonical_form_is_refused_before_anything_is_written(
    chain: Session,
) -> None:
    with pytest.raises(InvalidInputError), transaction(chain):
        record(chain, actor="ada", action="a", subject="s", payload={"x": float("nan")})
    assert AuditService(chain).verify()["n_events"] == N_EVENTS


def test_events_are_listed_newest_first_and_by_each_column(chain: Session) -> None:
    _record_many(chain, 1, actor="grace")
    service = AuditService(chain)
    assert [event["seq"] for event in service.list_events()] == list(range(N_EVENTS + 1, 0, -1))
    assert [event["seq"] for event in service.list_events(actor="grace")] == [8]
    assert [event["seq"] for event in service.list_events(subject="thing:2")] == [6, 3]
    assert service.list_events(action="test.undone") == ()
    newest = service.list_events(limit=1)[0]
    assert newest["payload"] == {"number": 0, "text": "é € 日本"}
    assert newest["at"].endswith("+00:00")


def test_writers_at_once_leave_a_chain_without_gap(store_url: str) -> None:
    n_writers, n_each = 6, 8
    failures: list[BaseException] = []
    start = threading.Barrier(n_writers)

    def write(number: int) -> None:
        try:
            with open_session(store_url) as db:
                start.wait()
                for _ in range(n_each):
                    _record_many(db, 2, actor=str(number))
        except BaseException as error:  # noqa: BLE001 - the test shows it
            failures.append(error)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(n_writers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    with open_session(store_url) as db:
        total = n_writers * n_each * 2
        assert AuditService(db).verify()["n_events"] == total
        assert [e["seq"] for e in AuditService(db).list_events(limit=total)][::-1] == list(
            range(1, total + 1)
        )


def test_verifying_while_others_write_raises_no_alarm(
    chain: Session, store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Events come in after each page was read: by their own session, as in another process."""
    monkeypatch.setattr(audit_queries, "_PAGE", 3)
    read = audit_queries.stream_pages
    left = [5, 4, 1]

    def read_and_write(db: Session, *, after: int | None = None) -> Iterator[Any]:
        yield from read(db, after=after)
        db.rollback()  # without a snapshot, as on PostgreSQL
        if left:
            with open_session(store_url) as other:
                _record_many(other, left.pop())

    monkeypatch.setattr(audit_queries, "stream_pages", read_and_write)
    assert AuditService(chain).verify()["n_events"] == N_EVENTS + 10


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_verifying_takes_the_same_memory_for_a_longer_chain(
    store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_queries, "_PAGE", 100)
    peaks = []
    with open_session(store_url) as db:
        for n in (500, 1500):
            _record_many(db, n)
            AuditService(db).verify()
            tracemalloc.start()
            AuditService(db).verify()
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()
            db.rollback()
    assert peaks[1] < 1.2 * peaks[0]
