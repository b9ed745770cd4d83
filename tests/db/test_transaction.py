"""One place commits: scopes join, failures leave nothing, and no session is too plain."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

import pytest
from sqlalchemy import create_engine, func, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.db import (
    create_store_engine,
    insert_at_once,
    is_in_transaction,
    open_session,
    require_no_transaction,
    single_statement,
    transaction,
)
from app.errors import ConflictError, OpenTransactionError, UnavailableError
from app.models import AuditEvent, PipelineRun
from app.services.audit_service import AuditService, record
from tests.support.rows import run_row

on_sqlite = pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)


@pytest.fixture(params=["open_session", "plain engine"])
def session(request: pytest.FixtureRequest, store_url: str) -> Iterator[Session]:
    """Open a session on an empty store, by our function or as anybody's script would."""
    if request.param == "open_session":
        with open_session(store_url) as db:
            yield db
        return
    engine = create_engine(store_url)
    with Session(engine) as db:
        yield db
    engine.dispose()


def _stored(url: str) -> list[str]:
    engine = create_store_engine(url)
    with engine.connect() as connection:
        ids = list(connection.scalars(select(PipelineRun.id).order_by(PipelineRun.id)))
    engine.dispose()
    return ids


def _event(db: Session, subject: str = "s") -> int:
    return record(db, actor="ada", action="test.done", subject=subject, payload={})


def test_the_end_of_the_scope_commits(session: Session, store_url: str) -> None:
    with transaction(session):
        session.add(run_row(id="a"))
        assert is_in_transaction(session)
    assert not is_in_transaction(session)
    assert _stored(store_url) == ["a"]


def _insert(db: Session, name: str) -> None:
    values = {key: value for key, value in vars(run_row(id=name)).items() if key[0] != "_"}
    insert_at_once(db, PipelineRun.__table__, [tuple(values.values())], tuple(values))  # type: ignore[arg-type] # a table


def _insert_and_fail(db: Session) -> None:
    _insert(db, "b")
    with single_statement(db) as connection:
        assert connection.scalar(select(func.count()).select_from(PipelineRun)) == 2
    raise ZeroDivisionError


def test_a_single_statement_is_stored_by_itself_but_belongs_to_the_scope_around_it(
    session: Session, store_url: str
) -> None:
    _insert(session, "a")
    assert _stored(store_url) == ["a"]
    with pytest.raises(ZeroDivisionError), transaction(session):
        _insert_and_fail(session)
    assert _stored(store_url) == ["a"]
    with pytest.raises(IntegrityError):
        _insert(session, "a")
    session.scalar(text("SELECT 1"))  # a read is open: it ends with the write, as in any scope
    _insert(session, "c")
    assert _stored(store_url) == ["a", "c"]
    assert not session.in_transaction()


def test_an_error_leaves_nothing_and_comes_out_unchanged(session: Session, store_url: str) -> None:
    def fail() -> None:
        with transaction(session):
            session.add(run_row(id="a"))
            session.flush()
            raise ConflictError("no")

    with pytest.raises(ConflictError, match="no"):
        fail()
    assert _stored(store_url) == []
    with transaction(session):
        session.add(run_row(id="b"))
    assert _stored(store_url) == ["b"]


def test_an_inner_scope_joins_the_outer_one(session: Session, store_url: str) -> None:
    def fail_after_an_inner_scope() -> None:
        with transaction(session):
            with transaction(session):
                session.add(run_row(id="a"))
            session.flush()
            assert is_in_transaction(session)
            raise ConflictError("later")

    with pytest.raises(ConflictError, match="later"):
        fail_after_an_inner_scope()
    assert _stored(store_url) == []


def test_half_a_change_is_not_stored(session: Session, store_url: str) -> None:
    """An inner scope fails, somebody swallows the error: the outer one still stores nothing."""

    def inner() -> None:
        with transaction(session):
            session.add(run_row(id="half"))
            session.flush()
            raise ConflictError("in the middle")

    def outer() -> None:
        with transaction(session):
            with pytest.raises(ConflictError, match="in the middle"):
                inner()
            session.add(run_row(id="other"))

    with pytest.raises(OpenTransactionError, match="nothing of the transaction is stored"):
        outer()
    assert _stored(store_url) == []


def test_what_the_caller_had_not_flushed_is_committed_with_the_rest(
    session: Session, store_url: str
) -> None:
    assert session.scalar(select(func.count()).select_from(PipelineRun)) == 0
    session.add(run_row(id="pending"))
    with transaction(session):
        session.add(run_row(id="inside"))
    assert _stored(store_url) == ["inside", "pending"]


def test_what_the_caller_had_flushed_is_committed_with_the_rest(
    session: Session, store_url: str
) -> None:
    session.add(run_row(id="flushed"))
    session.flush()
    with transaction(session):
        session.add(run_row(id="inside"))
    assert _stored(store_url) == ["flushed", "inside"]


def test_a_change_to_a_row_read_before_is_kept(session: Session, store_url: str) -> None:
    with transaction(session):
        session.add(run_row(id="a"))
    run = session.scalars(select(PipelineRun)).one()
    run.error = "changed before the scope"
    with transaction(session):
        _event(session)
    with open_session(store_url) as fresh:
        assert fresh.scalars(select(PipelineRun.error)).one() == "changed before the scope"


def test_decisions_inside_rest_on_what_is_stored_now(session: Session, store_url: str) -> None:
    """A snapshot from before another's commit cannot be trusted, nor on SQLite written on."""
    with transaction(session):
        session.add(run_row(id="a", pipeline="before"))
    run = session.get_one(PipelineRun, "a")
    assert run.pipeline == "before"
    with open_session(store_url) as other, transaction(other):
        other.get_one(PipelineRun, "a").pipeline = "by another"
    with transaction(session):
        assert session.get_one(PipelineRun, "a").pipeline == "by another"
        session.add(run_row(id="b"))
    assert _stored(store_url) == ["a", "b"]


def test_an_unflushed_row_survives_a_stale_read(session: Session, store_url: str) -> None:
    session.execute(select(func.count()).select_from(PipelineRun)).all()
    session.add(run_row(id="mine"))
    with open_session(store_url) as other, transaction(other):
        other.add(run_row(id="theirs"))
    with transaction(session):
        _event(session)
    assert _stored(store_url) == ["mine", "theirs"]


def test_long_work_refuses_an_open_transaction(session: Session) -> None:
    require_no_transaction(session)
    with transaction(session), pytest.raises(OpenTransactionError, match="outside"):
        require_no_transaction(session)


def test_an_event_needs_a_transaction(session: Session) -> None:
    with pytest.raises(OpenTransactionError):
        _event(session)


def test_a_call_on_a_plain_session_persists(session: Session, store_url: str) -> None:
    with transaction(session):
        assert _event(session) == 1
    with open_session(store_url) as fresh:
        assert AuditService(fresh).verify()["n_events"] == 1
        assert fresh.scalar(select(AuditEvent.actor)) == "ada"


@on_sqlite
def test_foreign_keys_hold_on_any_engine(session: Session) -> None:
    with transaction(session):
        assert session.scalar(text("PRAGMA foreign_keys")) == 1
        assert session.scalar(text("PRAGMA busy_timeout")) == 30_000
        assert session.scalar(text("PRAGMA recursive_triggers")) == 1


@on_sqlite
def test_a_writer_holds_the_lock_from_its_first_moment(session: Session) -> None:
    """BEGIN IMMEDIATE: another writer waits at the door and does not fail in the middle."""
    database = session.get_bind().engine.url.database
    with transaction(session):
        other = sqlite3.connect(database, timeout=0.0, isolation_level=None)
        assert other.execute("SELECT count(*) FROM audit_events").fetchone() == (0,)
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")
        other.close()


def test_a_database_that_does_not_take_the_change_is_named_so(
    session: Session, store_url: str
) -> None:
    broken = {
        "sqlite": "INSERT INTO nowhere VALUES (1)",
        "postgresql": "SELECT pg_terminate_backend(pg_backend_pid())",
    }[session.get_bind().dialect.name]
    named = "did not take the change|does not answer"  # the latter where our engine lost it
    with pytest.raises(UnavailableError, match=named), transaction(session):
        session.execute(text(broken))
    assert not is_in_transaction(session)
    assert _stored(store_url) == []
