"""A session is opened on a store of this release, or the error says what to do."""

from __future__ import annotations

from datetime import UTC
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url

from app.db import close_engine, open_session, session, transaction, utc_now
from app.errors import ConflictError, StoreNotInitialisedError, UnavailableError


def test_where_no_file_is_the_error_says_init(home: Path) -> None:
    with pytest.raises(StoreNotInitialisedError, match="run chancellor init") as caught:
        open_session()
    assert str(home) in caught.value.message
    assert not home.exists()


def test_an_empty_database_is_no_store(empty_url: str) -> None:
    if empty_url.startswith("sqlite"):
        Path(empty_url.removeprefix("sqlite:///")).touch()
    with pytest.raises(StoreNotInitialisedError, match="run chancellor init"):
        open_session(empty_url)


def _set_revision(url: str, revision: str) -> None:
    engine = create_engine(url)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :r"), {"r": revision})
    engine.dispose()


def test_a_store_of_a_later_release_is_left_alone(store_url: str) -> None:
    _set_revision(store_url, "9999")
    with pytest.raises(ConflictError, match="another release made it") as caught:
        open_session(store_url)
    assert caught.value.facts["found"] == "9999"


def test_a_store_without_a_revision_is_to_be_upgraded(store_url: str) -> None:
    engine = create_engine(store_url)
    with engine.begin() as connection:
        connection.execute(text("DELETE FROM alembic_version"))
    engine.dispose()
    with pytest.raises(ConflictError, match=r"backup, then run chancellor init --upgrade"):
        open_session(store_url)


def test_a_server_that_is_not_there_is_unavailable(tmp_path: Path) -> None:
    with pytest.raises(UnavailableError, match="does not answer"):
        open_session(f"postgresql://nobody@/nothing?host={tmp_path}")


@pytest.mark.parametrize(
    "empty_url", [pytest.param("postgres", marks=pytest.mark.postgres)], indirect=True
)
def test_passwords_are_not_shown(empty_url: str) -> None:
    with pytest.raises(StoreNotInitialisedError) as caught:
        open_session(empty_url.replace("postgres@", "postgres:secret@"))
    assert "secret" not in caught.value.message


def test_the_url_of_the_settings_is_the_default(store_url: str) -> None:
    with open_session() as db:
        assert db.get_bind().engine.url == make_url(store_url)


def test_a_process_keeps_few_engines(store_url: str, tmp_path: Path) -> None:
    for number in range(6):
        Path(tmp_path / f"{number}.db").touch()
        with pytest.raises(StoreNotInitialisedError):
            open_session(f"sqlite:///{tmp_path}/{number}.db")
    assert len(session._engines) <= 4
    with open_session(store_url) as db:
        assert db.scalar(text("SELECT count(*) FROM audit_head")) == 1
    close_engine(store_url)
    assert store_url not in session._engines


def test_sessions_read_while_another_writes(store_url: str) -> None:
    opened = open_session(store_url)
    with opened as writer, open_session(store_url) as reader, transaction(writer):
        assert reader.scalar(text("SELECT count(*) FROM audit_events")) == 0


def test_the_clock_is_utc() -> None:
    assert utc_now().tzinfo is UTC
