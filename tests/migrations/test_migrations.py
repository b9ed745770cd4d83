"""Models and migrations are one schema, and the way back and forth works with rows in place."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, inspect, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from app.db import close_engine, create_store_engine, migrate, open_session, upgrade
from app.db.triggers import trigger_definitions, trigger_statements
from app.models import Base
from app.queries.store_schema import read_triggers
from app.services.audit_service import AuditService
from app.services.store import initialise_store
from tests.support.rows import fill_every_table

VERSIONS = Path(migrate.__file__).parents[1] / "migrations" / "versions"


def _triggers(url: str) -> dict[str, str]:
    engine = create_store_engine(url)
    with Session(engine) as db:
        found = read_triggers(db)
    engine.dispose()
    return found


def _expected(url: str) -> dict[str, str]:
    return trigger_definitions("sqlite" if url.startswith("sqlite") else "postgresql")


def test_models_and_migrations_agree(store_url: str) -> None:
    engine = create_store_engine(store_url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        differences = compare_metadata(context, Base.metadata)
    engine.dispose()
    assert differences == []


def test_checks_of_models_and_migrations_agree(store_url: str, tmp_path: Path) -> None:
    """Alembic does not compare CHECK constraints: create the models beside, and compare."""
    migrated = create_store_engine(store_url)
    if store_url.startswith("sqlite"):
        other = create_store_engine(f"sqlite:///{tmp_path / 'models.db'}")
    else:
        other = create_engine(store_url, connect_args={"options": "-c search_path=models"})
        with migrated.begin() as connection:
            connection.execute(text("CREATE SCHEMA models"))
    Base.metadata.create_all(other)
    for table in Base.metadata.tables:
        checks = [
            {
                (found["name"], found["sqltext"])
                for found in inspect(one).get_check_constraints(table)
            }
            for one in (migrated, other)
        ]
        assert checks[0] == checks[1], table
    other.dispose()
    migrated.dispose()


def test_a_store_has_every_trigger(store_url: str) -> None:
    assert _triggers(store_url) == _expected(store_url)


def test_back_and_forth_with_rows_in_place(store_url: str) -> None:
    initialise_store(actor="tester")
    with open_session(store_url) as db:
        fill_every_table(db)
    close_engine(store_url)
    migrate.downgrade(store_url)
    engine = create_store_engine(store_url)
    assert set(inspect(engine).get_table_names()) == {"alembic_version"}
    with engine.connect() as connection:
        assert migrate.current_revision(connection) is None
    assert _triggers(store_url) == {}
    engine.dispose()
    upgrade(store_url)
    assert _triggers(store_url) == _expected(store_url)
    initialise_store(actor="tester")
    with open_session(store_url) as db:
        fill_every_table(db)
        assert AuditService(db).verify()["verified"]
        with pytest.raises(DBAPIError, match="append-only"):
            db.execute(text("DELETE FROM batches"))


def test_upgrading_twice_changes_nothing(store_url: str) -> None:
    before = _triggers(store_url)
    upgrade(store_url)
    assert _triggers(store_url) == before


def test_an_upgrade_that_fails_leaves_nothing(
    empty_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Schema changes are transactional on both databases."""
    good = trigger_statements

    def broken(dialect: str) -> tuple[str, ...]:
        return (*good(dialect), "CREATE TRIGGER nonsense")

    monkeypatch.setattr("app.db.triggers.trigger_statements", broken)
    with pytest.raises(DBAPIError):
        upgrade(empty_url)
    monkeypatch.undo()
    engine = create_store_engine(empty_url)
    assert set(inspect(engine).get_table_names()) <= {"alembic_version"}
    engine.dispose()
    upgrade(empty_url)
    with open_session(empty_url) as db:
        assert AuditService(db).verify()["n_events"] == 0


def test_the_revisions_are_one_line() -> None:
    script = ScriptDirectory.from_config(migrate.alembic_config())
    assert script.get_bases() == ["0001"]
    assert len(script.get_heads()) == 1
    assert len(list(script.walk_revisions())) == len(list(VERSIONS.glob("[0-9]*.py")))


def test_no_migration_alters_in_batch() -> None:
    """Alembic's batch mode copies a table on SQLite and silently drops its triggers."""
    for path in VERSIONS.glob("[0-9]*.py"):
        assert "batch_alter_table" not in path.read_text(encoding="utf-8")


def test_the_schema_can_be_upgraded_from_the_shell(
    store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import runpy  # noqa: PLC0415 - only here
    import sys  # noqa: PLC0415 - only here

    migrate.downgrade(store_url)
    monkeypatch.delitem(sys.modules, "app.db.migrate")  # as `python -m` would find it
    runpy.run_module("app.db.migrate", run_name="__main__")
    assert _triggers(store_url) == _expected(store_url)
