"""Damage is told apart from a database that does not answer, on both drivers."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session

from app.db import open_session, transaction
from app.db.damage import damage_named, find_damage
from app.errors import AuditChainError, StoreDamagedError
from app.services.audit_service import AuditService, record
from tests.support.attack import without_triggers


@pytest.mark.parametrize(
    ("error", "damage"),
    [
        (psycopg.errors.DataCorrupted("invalid page\nCONTEXT: x"), "invalid page"),
        (psycopg.errors.IndexCorrupted("index is broken"), "index is broken"),
        (psycopg.OperationalError("the connection is closed"), None),
        (psycopg.errors.UniqueViolation("duplicate key"), None),
        (sqlite3.OperationalError("Could not decode to UTF-8 column 'hash'"),
         "Could not decode to UTF-8 column 'hash'"),
        (sqlite3.OperationalError("database is locked"), None),
        (ValueError("malformed"), None),
        (None, None),
    ],
)  # fmt: skip
def test_a_drivers_error_is_damage_or_not(error: BaseException | None, damage: str | None) -> None:
    assert find_damage(error) == damage


def test_a_file_that_is_no_database_is_damaged(tmp_path: Path) -> None:
    file = tmp_path / "chancellor.db"
    file.write_bytes(b"nonsense" * 1000)
    with pytest.raises(StoreDamagedError, match="not a database"):
        open_session(f"sqlite:///{file}")


def test_another_error_passes_as_it_is() -> None:
    with pytest.raises(ZeroDivisionError), damage_named():
        _ = 1 // 0


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("seq", [1, 3])
@pytest.mark.parametrize("own_engine", [True, False])
def test_an_event_that_is_no_text_is_named(store_url: str, seq: int, *, own_engine: bool) -> None:
    """SQLite stores bytes as text that are none; also a session that is not ours says so."""
    with open_session(store_url) as db, transaction(db):
        for _ in range(3):
            record(db, actor="ada", action="a", subject="s", payload={})
    plain = create_engine(store_url)
    with without_triggers(store_url), plain.begin() as connection:
        connection.execute(
            text("UPDATE audit_events SET actor = CAST(x'ff' AS TEXT) WHERE seq = :seq"),
            {"seq": seq},
        )
    with (
        open_session(store_url) if own_engine else Session(plain) as db,
        pytest.raises(AuditChainError, match=f"event {seq} cannot be read") as caught,
    ):
        AuditService(db).verify_chain()
    assert caught.value.facts["seq"] == seq
    plain.dispose()


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
def test_an_index_that_hides_an_event_is_found(store_url: str) -> None:
    """Every row is as written; only who looks by subject is told less."""
    with open_session(store_url) as db, transaction(db):
        for number in range(3):
            record(db, actor="ada", action="a", subject=f"subject-{number}", payload={})
    plain = create_engine(store_url)
    with plain.connect() as connection:
        connection.execute(text("PRAGMA wal_checkpoint(TRUNCATE)"))
        found = "SELECT rootpage FROM sqlite_master WHERE name = 'ix_audit_events_subject'"
        root = connection.execute(text(found)).scalar_one()
        size = connection.execute(text("PRAGMA page_size")).scalar_one()
    plain.dispose()
    file = Path(store_url.removeprefix("sqlite:///"))
    from app.db import close_engine  # noqa: PLC0415 - nobody may have the file open

    close_engine(store_url)
    content = bytearray(file.read_bytes())
    page = content[(root - 1) * size : root * size]
    content[(root - 1) * size : root * size] = page.replace(b"subject-1", b"subject-9")
    file.write_bytes(content)
    with open_session(store_url) as db:
        assert len(AuditService(db).list_events()) == 3
        assert AuditService(db).list_events(subject="subject-1") == ()
        with pytest.raises(StoreDamagedError, match="ix_audit_events_subject"):
            AuditService(db).verify_chain()
