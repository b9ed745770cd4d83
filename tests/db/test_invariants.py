"""What direct SQL cannot do, on either database: each attempt is refused and changes nothing."""

from __future__ import annotations

import sqlite3
from typing import Any

import pytest
from sqlalchemy import UniqueConstraint, insert, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from app.db.rules import RULES
from app.db.triggers import APPEND_ONLY, KEPT, REFERENCES
from app.domain.audit_chain import GENESIS_HASH
from tests.support.filled import TABLES, Filled, on_postgres, on_sqlite

GUARDED_BY_A_RULE = {"one_active_version", "one_delivery_per_receiver"}


@pytest.mark.parametrize("table", sorted(APPEND_ONLY))
def test_a_row_of_history_is_never_updated(filled: Filled, table: str) -> None:
    for column in TABLES[table].columns:
        answer = filled.attempt(f'UPDATE {table} SET "{column.name}" = "{column.name}"')
        assert f"{table} is append-only" in answer


@pytest.mark.parametrize("table", sorted(APPEND_ONLY | KEPT))
def test_a_row_that_is_kept_is_never_deleted(filled: Filled, table: str) -> None:
    assert f"{table} is append-only" in filled.attempt(f"DELETE FROM {table}")


@on_postgres
@pytest.mark.parametrize("table", sorted(APPEND_ONLY | KEPT))
def test_a_kept_table_is_never_emptied(filled: Filled, table: str) -> None:
    assert "is append-only" in filled.attempt(f"TRUNCATE {table} CASCADE")


@on_sqlite
@pytest.mark.parametrize("verb", ["INSERT OR REPLACE", "REPLACE"])
@pytest.mark.parametrize("table", sorted(APPEND_ONLY | KEPT))
def test_a_kept_row_is_never_replaced(filled: Filled, table: str, verb: str) -> None:
    """By each unique key alone, on a connection without our pragmas, as SQLite's shell opens it."""
    before = filled.snapshot()
    connection = sqlite3.connect(filled.engine.url.database or "")
    row = connection.execute(f"SELECT * FROM {table} LIMIT 1")
    names = [column[0] for column in row.description]
    values = dict(zip(names, row.fetchone(), strict=True))
    for key in (APPEND_ONLY | KEPT)[table]:
        forged = {name: _other(table, name, value) for name, value in values.items()}
        forged |= {name: values.get(name, 1) for name in key}
        columns = ", ".join(f'"{name}"' for name in forged)
        marks = ", ".join("?" * len(forged))
        with pytest.raises(sqlite3.IntegrityError, match="chancellor: "):
            connection.execute(f"{verb} INTO {table} ({columns}) VALUES ({marks})",
                               list(forged.values()))  # fmt: skip
        connection.rollback()
    connection.close()
    assert filled.snapshot() == before


def _other(table: str, column: str, value: Any) -> Any:
    """Give a value that meets every constraint and collides with no unique key."""
    keys = {name for key in (APPEND_ONLY | KEPT)[table] for name in key}
    if column not in keys:
        return value
    if isinstance(value, int):
        return 1 if table == "audit_head" else value + 1000
    return {"batch": "outcome_import", "model": "version"}.get(value, f"{value}-other")


@pytest.mark.parametrize("table", sorted(APPEND_ONLY | KEPT))
def test_every_unique_key_of_a_kept_table_is_guarded(table: str) -> None:
    keys = {tuple(column.name for column in TABLES[table].primary_key)}
    for constraint in TABLES[table].constraints:
        if isinstance(constraint, UniqueConstraint):
            keys.add(tuple(column.name for column in constraint.columns))
    for index in TABLES[table].indexes:
        if index.unique and index.name not in GUARDED_BY_A_RULE:
            keys.add(tuple(column.name for column in index.columns))
    is_text_key = TABLES[table].primary_key.columns[0].type.python_type is str
    keys |= {("rowid",)} if is_text_key else set()
    assert set((APPEND_ONLY | KEPT)[table]) == keys


def test_every_table_is_kept_but_the_runs() -> None:
    assert set(TABLES) - set(APPEND_ONLY) - set(KEPT) == {"pipeline_runs"}


@on_postgres
def test_postgres_does_not_overwrite_on_conflict(filled: Filled) -> None:
    answer = filled.attempt(
        "INSERT INTO label_sets SELECT * FROM label_sets ON CONFLICT (id) DO UPDATE SET id = 7"
    )
    assert "label_sets is append-only" in answer


@on_sqlite
@pytest.mark.parametrize("verb", ["UPDATE OR REPLACE", "UPDATE OR IGNORE", "UPDATE OR ROLLBACK"])
def test_no_conflict_clause_of_sqlite_gets_past(filled: Filled, verb: str) -> None:
    assert "append-only" in filled.attempt(f"{verb} policies SET content_hash = 'x'")
    assert "frozen" in filled.attempt(f"{verb} scorecard_versions SET number = 1")


CONTENT = [
    ("version", "'v9'"),
    ("number", "9"),
    ("origin", "'model'"),
    ("name", "'other'"),
    ("features", '\'{"a": 2, "b": 1}\''),
    ("content", "'{}'"),
    ("content_hash", "'x'"),
    ("evidence_hash", "'x'"),
    ("base_version", "NULL"),
    ("model_id", "'m-1'"),
    ("despite_advice", "NOT despite_advice"),
    ("created_at", "'2001-01-01 00:00:00.000000'"),
    ("created_by", "'eve'"),
    ("requested_by", "'eve'"),
    ("note", "'other'"),
    ("id", "99"),
]


@pytest.mark.parametrize(("column", "value"), CONTENT, ids=[name for name, _ in CONTENT])
def test_the_content_of_a_version_is_frozen(filled: Filled, column: str, value: str) -> None:
    answer = filled.attempt(f"UPDATE scorecard_versions SET {column} = {value} WHERE number = 2")
    assert "the content of a version is frozen" in answer


def test_every_column_of_a_version_but_its_state_is_frozen() -> None:
    state = {"status", "activated_at", "deactivated_at"}
    columns = {column.name for column in TABLES["scorecard_versions"].columns}
    assert columns - state == {name for name, _ in CONTENT}


HEAD = [
    "UPDATE audit_head SET hash = 'x'",
    "UPDATE audit_head SET seq = seq - 1",
    "UPDATE audit_head SET seq = seq + 2",
    "UPDATE audit_head SET seq = 0",
    "UPDATE audit_head SET seq = seq + 1, hash = 'x'",
    "UPDATE audit_head SET id = 2",
    f"INSERT INTO audit_head (id, seq, hash) VALUES (2, 0, '{GENESIS_HASH}')",
    f"INSERT INTO audit_head (id, seq, hash) VALUES (1, 0, '{GENESIS_HASH}')",
]


@pytest.mark.parametrize("statement", HEAD)
def test_the_head_of_the_chain_moves_only_with_an_event(filled: Filled, statement: str) -> None:
    filled.attempt(statement)


@on_postgres
def test_an_event_has_the_hash_of_its_text(filled: Filled) -> None:
    """SQLite has no SHA-256: there ``audit verify`` tells."""
    answer = filled.attempt(
        "INSERT INTO audit_events (seq, at, actor, action, subject, payload, previous_hash, hash, "
        "hashed_text) SELECT seq + 1, '', 'eve', 'a', 's', '{}', hash, 'h', 't' FROM audit_head"
    )
    assert "the hash of an event is that of its text" in answer


@pytest.mark.parametrize(
    ("seq", "previous"),
    [("seq + 2", "hash"), ("seq + 1", "'x'"), ("-1", "hash")],
    ids=["a gap", "another past", "before the first"],
)
def test_an_event_follows_the_head(filled: Filled, seq: str, previous: str) -> None:
    answer = filled.attempt(
        "INSERT INTO audit_events (seq, at, actor, action, subject, payload, previous_hash, hash, "
        f"hashed_text) SELECT {seq}, '', 'eve', 'a', 's', '{{}}', {previous}, 'h', '' "
        "FROM audit_head"
    )
    assert "follows the head" in answer


def test_a_label_is_what_its_status_says(changes: Session) -> None:
    label = dict(changes.execute(select(TABLES["ground_truth_labels"])).mappings().one())
    label.pop("id")
    for status, value in (("bad", 0), ("good", 1), ("immature", 1), ("good", None), ("fine", 0)):
        row = label | {"status": status, "label_value": value}
        savepoint = changes.begin_nested()
        with pytest.raises(DBAPIError):
            changes.execute(insert(TABLES["ground_truth_labels"]).values(row))
        savepoint.rollback()


REFERENCE_IDS = [f"{table}.{column}" for table, column, _, _ in REFERENCES]


@pytest.mark.parametrize("reference", REFERENCES, ids=REFERENCE_IDS)
def test_a_row_does_not_name_what_is_not_there(
    filled: Filled, reference: tuple[str, str, str, str]
) -> None:
    """On a connection that did not ask SQLite for foreign keys."""
    table, column, _, _ = reference
    with filled.engine.connect() as connection:
        row = dict(connection.execute(select(TABLES[table])).mappings().first() or {})
    row |= {name: _other(table, name, value) for name, value in row.items() if value is not None}
    row[column] = "nothing" if TABLES[table].columns[column].type.python_type is str else 999
    if table == "scorecard_versions":
        row |= {"status": "draft"} | ({"origin": "model"} if column == "model_id" else {})
    before = filled.snapshot()
    with pytest.raises(DBAPIError), filled.engine.begin() as connection:
        connection.execute(insert(TABLES[table]).values(row))
    assert filled.snapshot() == before


def test_every_foreign_key_is_among_the_references() -> None:
    keys = {
        (table.name, key.parent.name, key.column.table.name, key.column.name)
        for table in TABLES.values()
        for key in table.foreign_keys
    }
    of_decisions = ("decisions", "version", "scorecard_versions", "version")
    assert keys == {*REFERENCES, of_decisions}
    assert any((rule.table, rule.name) == ("decisions", "by_the_active") for rule in RULES)


@on_sqlite
def test_the_references_are_guarded_without_the_pragma(filled: Filled) -> None:
    connection = sqlite3.connect(filled.engine.url.database or "")
    assert connection.execute("PRAGMA foreign_keys").fetchone() == (0,)
    with pytest.raises(sqlite3.IntegrityError, match="ground_truth_labels names what is not there"):
        connection.execute(
            "INSERT INTO ground_truth_labels (label_set_id, batch_id, party_id, outcome_type, "
            "status, scored_at) VALUES (999, 'B1', 'p', 'default', 'excluded', '2024-01-01')"
        )
    connection.close()
