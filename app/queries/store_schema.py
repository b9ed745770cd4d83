"""Read what the database itself holds of the schema: revision and triggers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.db.damage import damage_named, damaged
from app.db.migrate import current_revision

_TRIGGERS = {
    "sqlite": "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'",
    "postgresql": (
        "SELECT t.tgname, p.prosrc FROM pg_trigger t JOIN pg_class c ON c.oid = t.tgrelid "
        "JOIN pg_proc p ON p.oid = t.tgfoid WHERE NOT t.tgisinternal "
        "AND t.tgenabled IN ('O', 'A') AND c.relnamespace = current_schema()::regnamespace"
    ),
}


def check_tables(db: Session, tables: Sequence[str]) -> None:
    """Have SQLite check the pages of tables, and their indexes against their rows.

    PostgreSQL checks its pages by checksums, where these are on, as it reads them; its indexes it
    does not check by itself.

    Parameters
    ----------
    db : Session
        The store.
    tables : sequence of str
        Names of our own tables.

    Raises
    ------
    StoreDamagedError
        Says what SQLite found first.
    """
    if db.get_bind().dialect.name != "sqlite":
        return
    for table in tables:
        with damage_named():
            found = db.execute(text(f"PRAGMA integrity_check({table})")).scalars().all()
        if found != ["ok"]:
            raise damaged(f"{table}: {found[0]}")


def find_revision(db: Session) -> str | None:
    """Find the migration that the store is at.

    Parameters
    ----------
    db : Session
        The store.

    Returns
    -------
    str or None
        None before the first migration.
    """
    return current_revision(db.connection())


def read_triggers(db: Session) -> dict[str, str]:
    """Read the triggers that are in force and what they do.

    Parameters
    ----------
    db : Session
        The store.

    Returns
    -------
    dict of str to str
        Name to definition, as ``app.db.triggers.trigger_definitions`` gives them; a disabled
        trigger is left out.
    """
    rows = db.execute(text(_TRIGGERS[db.get_bind().dialect.name].replace("::", r"\:\:")))
    return {str(name): str(definition) for name, definition in rows}


def count_dangling_rows(db: Session) -> dict[str, int]:
    """Count the rows whose reference leads nowhere.

    SQLite holds foreign keys only for connections that ask for it, and lets the schema be
    changed meanwhile; PostgreSQL holds them for everybody, so nothing is read there.

    Parameters
    ----------
    db : Session
        The store.

    Returns
    -------
    dict of str to int
        By table; empty where all is well.
    """
    if db.get_bind().dialect.name != "sqlite":
        return {}
    return dict(Counter(str(row[0]) for row in db.execute(text("PRAGMA foreign_key_check"))))
