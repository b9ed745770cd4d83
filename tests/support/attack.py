"""What somebody does who owns the database: the triggers of the chain are gone for a while."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import create_engine, text

CHAIN = ("audit_events", "audit_head")


@contextmanager
def without_triggers(url: str) -> Iterator[None]:
    """Take the triggers of the audit chain away, and put them back.

    Parameters
    ----------
    url : str
        A store's database, SQLite or PostgreSQL.

    Yields
    ------
    None
        Whoever connects inside may write anything into the chain.
    """
    engine = create_engine(url)
    kept: list[str] = []
    try:
        with engine.begin() as connection:
            if engine.dialect.name == "sqlite":
                found = connection.execute(
                    text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' "
                         "AND tbl_name IN ('audit_events', 'audit_head')")
                ).all()  # fmt: skip
                kept = [row.sql for row in found]
                for row in found:
                    connection.exec_driver_sql(f"DROP TRIGGER {row.name}")
            else:
                for table in CHAIN:
                    connection.exec_driver_sql(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        yield
        with engine.begin() as connection:
            if engine.dialect.name != "sqlite":
                for table in CHAIN:
                    connection.exec_driver_sql(f"ALTER TABLE {table} ENABLE TRIGGER USER")
            for statement in kept:
                connection.exec_driver_sql(statement)
    finally:
        engine.dispose()
