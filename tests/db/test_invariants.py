"""What direct SQL cannot do, on either database: each attempt is refused and changes nothing."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import Engine, Table, UniqueConstraint, create_engine, insert, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from app.db import close_engine, create_store_engine, open_session
from app.db.triggers import APPEND_ONLY, KEPT, STATUS_STEPS
from app.domain.audit_chain import GENESIS_HASH
from app.domain.lifecycle import STATUSES, TRANSITIONS
from app.models import Base, Review, ScorecardVersion
from app.services.store import initialise_store
from app.settings import Settings
from tests.support.rows import HASH, fill_every_table, review_row, version_row

TABLES = Base.metadata.tables
POSTGRES = pytest.param("postgres", marks=pytest.mark.postgres)
on_sqlite = pytest.mark.parametrize("filled", ["sqlite"], indirect=True)
on_postgres = pytest.mark.parametrize("filled", [POSTGRES], indirect=True)


@dataclass(frozen=True, slots=True)
class Filled:
    """A store with a row in every table, and an outsider's way in."""

    url: str
    engine: Engine

    def snapshot(self) -> dict[str, list[Any]]:
        """Read everything."""
        with self.engine.connect() as connection:
            return {
                name: [tuple(row) for row in connection.execute(select(table))]
                for name, table in TABLES.items()
            }

    def attempt(self, *statements: str) -> str:
        """Run statements in one transaction that must be refused; give the answer."""
        before = self.snapshot()
        with pytest.raises(DBAPIError) as caught:
            self._run(statements)
        assert self.snapshot() == before
        return str(caught.value.orig)

    def _run(self, statements: Sequence[str]) -> None:
        with self.engine.begin() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)


@pytest.fixture(scope="module", params=["sqlite", POSTGRES])
def filled(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Filled]:
    """Fill one store for all attempts: none of them changes it."""
    home = tmp_path_factory.mktemp("invariants")
    url = f"sqlite:///{home / 'chancellor.db'}"
    if request.param == "postgres":
        server = request.getfixturevalue("postgres_server")
        name = server.create_database(request.getfixturevalue("postgres_template"))
        url = server.url(name)
    initialise_store(actor="tester", settings=Settings(home=home, database_url=url))
    with open_session(url) as db:
        fill_every_table(db)
    engine = create_engine(url)  # plain, as anybody's own script would have it
    yield Filled(url, engine)
    engine.dispose()
    close_engine(url)
    if request.param == "postgres":
        server.drop_database(name)


@pytest.fixture
def changes(filled: Filled) -> Iterator[Session]:
    """Open a session whose changes are all taken back."""
    engine = create_store_engine(filled.url)
    with Session(engine) as db:
        yield db
        db.rollback()
    engine.dispose()


def _some_column(table: Table) -> str:
    return next(column.name for column in table.columns if not column.primary_key)


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
    is_text_key = TABLES[table].primary_key.columns[0].type.python_type is str
    keys |= {("rowid",)} if is_text_key else set()
    assert set((APPEND_ONLY | KEPT)[table]) == keys


def test_every_table_is_kept_but_the_runs() -> None:
    assert set(TABLES) - set(APPEND_ONLY) - set(KEPT) == {"pipeline_runs"}


@on_postgres
def test_postgres_does_not_overwrite_on_conflict(filled: Filled) -> None:
    answer = filled.attempt(
        "INSERT INTO policies SELECT * FROM policies ON CONFLICT (id) DO UPDATE SET id = 7"
    )
    assert "policies is append-only" in answer


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


def test_the_database_knows_the_steps_of_the_transition_table() -> None:
    steps = {(before, after) for (before, _), after in TRANSITIONS.items() if before != after}
    assert set(STATUS_STEPS) == steps


OTHER_STEPS = [
    (before, after)
    for before in STATUSES
    for after in STATUSES
    if before != after and (before, after) not in STATUS_STEPS
]


@pytest.mark.parametrize(("before", "after"), OTHER_STEPS)
def test_a_step_outside_the_transition_table_is_refused(
    changes: Session, before: str, after: str
) -> None:
    """Bring an approved version to each status by allowed steps first."""
    _retire_v1(changes)
    changes.add(review_row("v2", "grace"))
    changes.flush()
    ways = {
        "draft": (), "approved": ("approved",), "rejected": ("rejected",), "active": ("active",),
        "inactive": ("active", "inactive"),
    }  # fmt: skip
    for status in ways[before]:
        _move(changes, "v2", status)
    with pytest.raises(DBAPIError, match="not a step of the transition table"):
        _move(changes, "v2", after)


def _retire_v1(db: Session) -> None:
    _move(db, "v1", "inactive")


def _move(db: Session, version: str, status: str) -> None:
    db.execute(
        text("UPDATE scorecard_versions SET status = :status WHERE version = :version"),
        {"status": status, "version": version},
    )


def test_an_unknown_status_is_refused(filled: Filled) -> None:
    filled.attempt("UPDATE scorecard_versions SET status = 'best' WHERE version = 'v2'")


@pytest.mark.parametrize("status", [status for status in STATUSES if status != "draft"])
def test_a_version_starts_as_a_draft(changes: Session, status: str) -> None:
    changes.add(version_row("v4", 4, status=status))
    with pytest.raises(DBAPIError, match="starts as a draft"):
        changes.flush()


def test_there_is_never_a_second_active_version(filled: Filled) -> None:
    _activate_a_second(filled, "UPDATE")


@on_sqlite
def test_a_second_active_version_does_not_replace_the_first(filled: Filled) -> None:
    """Without the trigger the first one would vanish, and no delete trigger would see it."""
    _activate_a_second(filled, "UPDATE OR REPLACE")


def _activate_a_second(filled: Filled, verb: str) -> None:
    before = filled.snapshot()
    with Session(filled.engine) as db:
        db.add(review_row("v2", "grace"))
        db.flush()
        with pytest.raises(DBAPIError, match="one version is active: retire it first"):
            db.execute(text(f"{verb} scorecard_versions SET status = 'active' WHERE number = 2"))
        db.rollback()
    assert filled.snapshot() == before


def test_two_sessions_cannot_activate_two_versions_at_once(filled: Filled) -> None:
    """The partial unique index holds where the trigger sees only its own snapshot."""
    names = [index.name for index in TABLES["scorecard_versions"].indexes if index.unique]
    assert names == ["one_active_version"]
    with filled.engine.connect() as connection:
        dialect = {
            "sqlite": "SELECT sql FROM sqlite_master WHERE name = 'one_active_version'",
            "postgresql": "SELECT indexdef FROM pg_indexes WHERE indexname = 'one_active_version'",
        }[filled.engine.dialect.name]
        definition = connection.exec_driver_sql(dialect).scalar_one()
    assert "UNIQUE" in definition
    assert "'active'" in definition


@pytest.mark.parametrize("status", ["approved", "active"])
def test_a_draft_without_a_review_goes_nowhere(filled: Filled, status: str) -> None:
    steps = ["UPDATE scorecard_versions SET status = 'inactive' WHERE version = 'v1'"]
    move = f"UPDATE scorecard_versions SET status = '{status}' WHERE version = 'v2'"
    assert "approval of its content" in filled.attempt(*steps, move)


@pytest.mark.parametrize(
    "review",
    [{"content_hash": "b" * 64}, {"evidence_hash": "b" * 64}, {"kind": "reject"}],
    ids=["other content", "other evidence", "a rejection"],
)
def test_a_review_of_something_else_does_not_count(
    changes: Session, review: dict[str, str]
) -> None:
    changes.add(review_row("v2", "grace", **review))
    changes.flush()
    with pytest.raises(DBAPIError, match="approval of its content"):
        _move(changes, "v2", "approved")


def test_a_review_of_the_content_counts(changes: Session) -> None:
    changes.add(review_row("v2", "grace"))
    changes.flush()
    _move(changes, "v2", "approved")


@pytest.mark.parametrize(
    ("version", "reviewer"),
    [("v2", "ada"), ("v2", " ADA "), ("ml_v3", "model:m-1"), ("ml_v3", "grace")],
    ids=["the author", "the author, spelt otherwise", "the model", "who asked despite the advice"],
)
def test_a_maker_does_not_approve(changes: Session, version: str, reviewer: str) -> None:
    changes.add(review_row(version, reviewer))
    with pytest.raises(DBAPIError, match="maker and checker must be two people"):
        changes.flush()


def test_another_person_approves_and_a_maker_rejects(changes: Session) -> None:
    changes.add_all([review_row("ml_v3", "ada"), review_row("v2", "ada", kind="reject")])
    changes.flush()
    assert changes.scalar(select(Review.id).where(Review.version == "ml_v3")) is not None


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


@pytest.mark.parametrize(("origin", "model_id"), [("model", None), ("person", "m-1")])
def test_a_model_version_names_its_model_and_no_other_does(
    changes: Session, origin: str, model_id: str | None
) -> None:
    changes.add(version_row("v4", 4, origin=origin, model_id=model_id))
    with pytest.raises(DBAPIError):
        changes.flush()


def test_a_row_does_not_name_what_is_not_there(changes: Session) -> None:
    changes.add(version_row("v4", 4, base_version="v99"))
    with pytest.raises(DBAPIError):
        changes.flush()


def test_the_way_in_is_open_for_what_is_allowed(changes: Session) -> None:
    """The refusals above are not those of a broken connection."""
    changes.add(version_row("v4", 4))
    changes.flush()
    found = changes.scalars(select(ScorecardVersion).where(ScorecardVersion.number == 4)).one()
    assert (found.content_hash, list(found.features)) == (HASH, ["b", "a"])
