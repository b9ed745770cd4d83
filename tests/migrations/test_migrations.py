"""Models and migrations are one schema, and the way back and forth works with rows in place."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from alembic import op
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import MetaData, create_engine, inspect, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from app.db import close_engine, create_store_engine, migrate, open_session, upgrade
from app.db.triggers import definitions_of, list_triggers, trigger_definitions
from app.errors import ConflictError
from app.migrations import frozen_triggers
from app.models import Base
from app.queries.store_schema import read_triggers
from app.services.audit_service import AuditService
from app.services.store import initialise_store
from tests.support.rows import fill_every_table

MIGRATIONS = Path(migrate.__file__).parents[1] / "migrations"
VERSIONS = MIGRATIONS / "versions"
FROZEN = {
    "versions/0001_the_first_schema.py":
        "c908b556a9529216e9ee5baf67aa72e182636a0632cea1ba19bd11bd1e11fc99",
    "frozen/0001.json":
        "97afc913d13c11154ebac2b93d79d52e9420f6a3322eb907c8d9b8684c133ff0",
}  # fmt: skip
"""What stores were made with is never edited; a release adds its files here."""


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


def test_there_and_back_with_rows_in_place(store_url: str) -> None:
    """Every row that both schemas can hold is there before, between and after."""
    initialise_store(actor="tester")
    with open_session(store_url) as db:
        fill_every_table(db, of_first_schema=True)
    close_engine(store_url)
    newest = _everything(store_url)
    migrate.downgrade(store_url, "0001")
    older = _everything(store_url)
    assert _triggers(store_url) == _definitions_at_0001(store_url)
    for table, rows in older.items():
        assert [{name: row[name] for name in rows[0]} for row in newest[table]] == rows, table
    upgrade(store_url)
    again = _everything(store_url)
    for table, rows in older.items():
        assert [{name: row[name] for name in rows[0]} for row in again[table]] == rows, table
    assert _triggers(store_url) == _expected(store_url)
    test_models_and_migrations_agree(store_url)
    with open_session(store_url) as db:
        assert AuditService(db).verify()["verified"]
        with pytest.raises(DBAPIError, match="append-only"):
            db.execute(text("DELETE FROM activations"))


def test_what_the_older_schema_cannot_tell_is_not_lost(store_url: str) -> None:
    """An approval that was withdrawn would count again."""
    initialise_store(actor="tester")
    with open_session(store_url) as db:
        fill_every_table(db)
    close_engine(store_url)
    before = _everything(store_url)
    with pytest.raises(ConflictError, match="an approval that was withdrawn"):
        migrate.downgrade(store_url, "0001")
    assert _everything(store_url) == before
    assert _triggers(store_url) == _expected(store_url)


def _everything(url: str) -> dict[str, list[dict[str, object]]]:
    engine = create_store_engine(url)
    found = MetaData()
    found.reflect(engine)
    with engine.connect() as connection:
        rows = {
            name: [dict(row) for row in connection.execute(select(table)).mappings()]
            for name, table in found.tables.items()
            if name != "alembic_version"
        }
    engine.dispose()
    return {name: found for name, found in rows.items() if found}


def _definitions_at_0001(url: str) -> dict[str, str]:
    dialect = "sqlite" if url.startswith("sqlite") else "postgresql"
    frozen = frozen_triggers.frozen_triggers(dialect, before="0002")
    return definitions_of(frozen.values())


@pytest.mark.parametrize("dialect", frozen_triggers.DIALECTS)
def test_the_frozen_triggers_add_up_to_the_live_ones(dialect: str) -> None:
    """Run ``python -m app.migrations.frozen_triggers REVISION`` after a change of the rules."""
    live = {trigger.name: trigger for trigger in list_triggers(dialect)}
    assert frozen_triggers.frozen_triggers(dialect) == live


def test_each_revision_has_its_frozen_triggers() -> None:
    revisions = {path.name[:4] for path in VERSIONS.glob("[0-9]*.py")}
    assert {path.stem for path in frozen_triggers.FOLDER.iterdir()} == revisions
    for path in VERSIONS.glob("[0-9]*.py"):
        source = path.read_text(encoding="utf-8")
        assert "apply_triggers(revision)" in source
        assert "revert_triggers(revision)" in source
        assert "app.db.triggers" not in source, "the live module does not stay what it is now"
        assert "app.models" not in source, "the models do not either"


def test_a_file_is_written_beside_its_successors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a later file speaks of is left to it; the sum stays the live module."""
    for file in frozen_triggers.FOLDER.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    monkeypatch.setattr(frozen_triggers, "FOLDER", tmp_path)
    live = {dialect: list_triggers(dialect) for dialect in frozen_triggers.DIALECTS}
    (tmp_path / "0001.json").write_text(_without("0001", {"reviews_update"}), encoding="utf-8")
    for revision in ("9998", "9999"):
        frozen_triggers.freeze_triggers(revision)
    document = json.loads((tmp_path / "9998.json").read_text(encoding="utf-8"))
    assert [one["name"] for one in document["sqlite"]["create"]] == ["reviews_update"]
    assert [one["name"] for one in document["postgresql"]["create"]] == ["reviews_update"]
    assert not json.loads((tmp_path / "9999.json").read_text(encoding="utf-8"))["sqlite"]["create"]
    (tmp_path / "9998.json").rename(tmp_path / "9999.json")
    document = json.loads(frozen_triggers.freeze_triggers("9998").read_text(encoding="utf-8"))
    assert document["sqlite"] == {"drop": [], "create": []}
    for dialect, triggers in live.items():
        found = frozen_triggers.frozen_triggers(dialect)
        assert found == {trigger.name: trigger for trigger in triggers}


def _without(revision: str, names: set[str]) -> str:
    document = json.loads((frozen_triggers.FOLDER / f"{revision}.json").read_text("utf-8"))
    for part in document.values():
        part["create"] = [one for one in part["create"] if one["name"] not in names]
    return json.dumps(document)


def test_what_stores_were_made_with_is_never_edited() -> None:
    found = {name: hashlib.sha256((MIGRATIONS / name).read_bytes()).hexdigest() for name in FROZEN}
    assert found == FROZEN


def test_an_upgrade_that_fails_leaves_nothing(
    empty_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Schema changes are transactional on both databases."""
    good = frozen_triggers.apply_triggers

    def broken(revision: str) -> None:
        good(revision)
        op.execute("CREATE TRIGGER nonsense")

    monkeypatch.setattr(frozen_triggers, "apply_triggers", broken)
    with pytest.raises(DBAPIError):
        upgrade(empty_url)
    monkeypatch.undo()
    engine = create_store_engine(empty_url)
    assert set(inspect(engine).get_table_names()) <= {"alembic_version"}
    engine.dispose()
    upgrade(empty_url)
    with open_session(empty_url) as db:
        assert AuditService(db).verify()["n_events"] == 0


@pytest.mark.parametrize("empty_url", ["sqlite"], indirect=True)
def test_an_upgrade_that_breaks_a_reference_is_refused(
    empty_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Foreign keys are off while SQLite copies tables, so all are checked at the end."""
    good = frozen_triggers.apply_triggers

    def dangling(revision: str) -> None:
        good(revision)
        if revision == "0002":
            op.execute("DROP TRIGGER score_sets_references")
            op.execute(
                "INSERT INTO score_sets (batch_id, version, file_path, file_hash, n_rows, "
                "mean_score, band_shares, created_at, created_by) "
                "VALUES ('B9', 'v9', '', '', 1, 600, '{}', '2024-01-01', 'eve')"
            )

    monkeypatch.setattr(frozen_triggers, "apply_triggers", dangling)
    with pytest.raises(ConflictError, match="name what is not there"):
        upgrade(empty_url)


def test_the_revisions_are_one_line() -> None:
    script = ScriptDirectory.from_config(migrate.alembic_config())
    assert script.get_bases() == ["0001"]
    assert len(script.get_heads()) == 1
    assert len(list(script.walk_revisions())) == len(list(VERSIONS.glob("[0-9]*.py")))


def test_a_batch_alter_puts_the_triggers_aside() -> None:
    """Alembic's batch mode copies a table on SQLite and silently drops its triggers."""
    for path in VERSIONS.glob("[0-9]*.py"):
        source = path.read_text(encoding="utf-8")
        assert "batch_alter_table" not in source or "with triggers_put_aside():" in source


def test_the_schema_can_be_upgraded_from_the_shell(
    store_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import runpy  # noqa: PLC0415 - only here
    import sys  # noqa: PLC0415 - only here

    migrate.downgrade(store_url)
    monkeypatch.delitem(sys.modules, "app.db.migrate")  # as `python -m` would find it
    runpy.run_module("app.db.migrate", run_name="__main__")
    assert _triggers(store_url) == _expected(store_url)
