"""Load rows as they were into an empty store: triggers and keys stand aside meanwhile.

History tables refuse whatever does not come in its order, a version that is active at once, an
event that does not follow the head. Rows that were history elsewhere are loaded past those rules,
in one transaction, and every rule is in force again before it commits.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, MetaData, Table, func, literal, select, text
from sqlalchemy.orm import Session

from app.errors import OpenTransactionError

REVISIONS = "alembic_version"
SEEDED = frozenset({"audit_head"})
"""Tables of which a migration itself makes the first row."""

_TRIGGERS = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' ORDER BY rowid"
_FOREIGN_KEYS = (
    "SELECT conrelid\\:\\:regclass\\:\\:text, conname, pg_get_constraintdef(oid) "
    "FROM pg_constraint WHERE contype = 'f' "
    "AND connamespace = current_schema()\\:\\:regnamespace ORDER BY conname"
)
_COUNTER = "SELECT pg_get_serial_sequence(:table, :column)"
_BLOCK_BYTES = 1 << 20


def stored_tables(connection: Connection) -> tuple[Table, ...]:
    """Read which tables a store's database has, whatever release made it.

    Parameters
    ----------
    connection : Connection
        On the database.

    Returns
    -------
    tuple of Table
        By name, without Alembic's own.
    """
    found = MetaData()
    found.reflect(connection)
    return tuple(found.tables[name] for name in sorted(found.tables) if name != REVISIONS)


def filled_tables(db: Session) -> tuple[str, ...]:
    """Name the tables that hold more than a migration put there.

    Parameters
    ----------
    db : Session
        Any session on the database.

    Returns
    -------
    tuple of str
        Empty for a database that was never a store, or only migrated.
    """
    return tuple(
        table.name
        for table in stored_tables(db.connection())
        if table.name not in SEEDED
        and db.execute(select(literal(1)).select_from(table).limit(1)).first() is not None
    )


@contextmanager
def guards_put_aside(db: Session) -> Iterator[None]:
    """Put triggers and foreign keys aside, and what the migrations seeded; then put all back.

    At the end every foreign key was checked, and counters go on after the largest number.

    Parameters
    ----------
    db : Session
        The target, inside ``transaction(db)``.

    Raises
    ------
    IntegrityError
        If a row names another that is not there; SQLAlchemy's.
    """
    if db.get_bind().dialect.name == "sqlite":
        guards = _sqlite_guards(db)
    else:
        guards = _postgresql_guards(db)
    with guards:
        for name in SEEDED:
            db.execute(text(f'DELETE FROM "{name}"'))  # noqa: S608 - a name of our own
        yield


@contextmanager
def _sqlite_guards(db: Session) -> Iterator[None]:
    triggers = db.execute(text(_TRIGGERS)).all()
    for name, _ in triggers:
        db.execute(text(f'DROP TRIGGER "{name}"'))
    db.execute(text("PRAGMA defer_foreign_keys = ON"))  # the commit checks them
    yield
    for _, definition in triggers:
        db.connection().exec_driver_sql(definition)


@contextmanager
def _postgresql_guards(db: Session) -> Iterator[None]:
    tables = stored_tables(db.connection())
    keys = db.execute(text(_FOREIGN_KEYS)).all()
    for table in tables:
        db.execute(text(f'ALTER TABLE "{table.name}" DISABLE TRIGGER USER'))
    for table, name, _ in keys:
        db.execute(text(f'ALTER TABLE {table} DROP CONSTRAINT "{name}"'))
    yield
    for table, name, definition in keys:
        db.execute(text(f'ALTER TABLE {table} ADD CONSTRAINT "{name}" {definition}'))
    for table in tables:
        db.execute(text(f'ALTER TABLE "{table.name}" ENABLE TRIGGER USER'))
        _set_counters(db, table)


def _set_counters(db: Session, table: Table) -> None:
    for column in table.primary_key:
        where = {"table": f'"{table.name}"', "column": column.name}
        counter = db.scalar(text(_COUNTER), where)
        largest = None if counter is None else db.scalar(select(func.max(column)))
        if largest is not None:
            db.execute(text("SELECT setval(:counter, :n)"), {"counter": counter, "n": largest})


def write_copy(db: Session, table: Table, file: Path) -> int:
    """Write the rows of a PostgreSQL table as COPY gives them, in the order of their keys.

    Parameters
    ----------
    db : Session
        Any session, in the snapshot that is wanted.
    table : Table
        From ``stored_tables``.
    file : Path
        What to write; made anew.

    Returns
    -------
    int
        Rows.
    """
    order = ", ".join(f'"{column.name}"' for column in table.primary_key)
    rows = f'SELECT {_names(table.c.keys())} FROM "{table.name}" ORDER BY {order}'  # noqa: S608 - names of our own tables
    with _driver(db).cursor() as cursor, file.open("wb") as out:
        with cursor.copy(f"COPY ({rows}) TO STDOUT") as copy:
            for block in copy:
                out.write(block)
        return int(cursor.rowcount)


def read_copy(db: Session, table: str, columns: Sequence[str], file: Path) -> int:
    """Load into a PostgreSQL table what ``write_copy`` wrote.

    Parameters
    ----------
    db : Session
        The target, inside ``guards_put_aside``.
    table : str
        Its name.
    columns : sequence of str
        In the order in which they were written.
    file : Path
        What was written.

    Returns
    -------
    int
        Rows.
    """
    with _driver(db).cursor() as cursor, file.open("rb") as source:
        with cursor.copy(f'COPY "{table}" ({_names(columns)}) FROM STDIN') as copy:
            while block := source.read(_BLOCK_BYTES):
                copy.write(block)
        return int(cursor.rowcount)


def _names(columns: Sequence[str]) -> str:
    return ", ".join(f'"{name}"' for name in columns)


def _driver(db: Session) -> Any:
    driver = db.connection().connection.driver_connection
    if driver is None:
        raise OpenTransactionError("the session has no driver connection")
    return driver
