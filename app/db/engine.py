"""Engines for both databases: pragmas, and a plain BEGIN for reads on SQLite."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url

from app.db.damage import name_damage

BEGIN = "chancellor_begin"
PRAGMAS = (
    "PRAGMA busy_timeout = 30000",
    "PRAGMA foreign_keys = ON",
    "PRAGMA recursive_triggers = ON",
)
_CONNECTIONS = 20
_SECONDS_TO_CONNECT = 5


def create_store_engine(url: str) -> Engine:
    """Create an engine for the store.

    Parameters
    ----------
    url : str
        Full SQLAlchemy URL of a SQLite file or a PostgreSQL database.

    Returns
    -------
    Engine
        On SQLite with WAL, foreign keys, a busy timeout of 30 s, and transactions that begin
        plain: a reader never waits. ``transaction`` takes the lock to write. Damage in either
        database comes out as ``StoreDamagedError``.
    """
    if make_url(url).get_backend_name() != "sqlite":
        engine = create_engine(
            url,
            pool_pre_ping=True,  # a server that was restarted is found before a statement is lost
            pool_size=_CONNECTIONS,
            pool_timeout=_SECONDS_TO_CONNECT,
            connect_args={"connect_timeout": _SECONDS_TO_CONNECT},
        )
        event.listen(engine, "handle_error", name_damage)
        return engine
    database = make_url(url).database
    if database and database != ":memory:":
        Path(database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url, connect_args={"timeout": 30})
    event.listen(engine, "handle_error", name_damage)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_to_read)
    return engine


def _prepare_sqlite(connection: Any, record: object) -> None:
    del record
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in (*PRAGMAS, "PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL"):
        cursor.execute(pragma)
    cursor.close()


def _begin_to_read(connection: Connection) -> None:
    """Begin plain; ``transaction`` takes the write lock, a migration asks for it."""
    begin = connection.get_execution_options().get(BEGIN, "BEGIN")
    connection.exec_driver_sql(begin)
