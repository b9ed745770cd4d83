"""Engines for both databases: pragmas, and a plain BEGIN for reads on SQLite."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import ExceptionContext, make_url
from sqlalchemy.exc import InvalidatePoolError, OperationalError
from sqlalchemy.pool import ConnectionPoolEntry

from app.db.damage import name_damage
from app.errors import UnavailableError

BEGIN = "chancellor_begin"
PRAGMAS = (
    "PRAGMA busy_timeout = 30000",
    "PRAGMA foreign_keys = ON",
    "PRAGMA recursive_triggers = ON",
)
_CONNECTIONS = 20
_SECONDS_TO_CONNECT = 5
_SECONDS_OF_TRUST = 1.0
_BACK_AT = "chancellor_back_at"


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
        database comes out as ``StoreDamagedError``; a connection to PostgreSQL that is lost, or
        cannot be had, as ``UnavailableError``.
    """
    if make_url(url).get_backend_name() != "sqlite":
        engine = create_engine(
            url,
            pool_size=_CONNECTIONS,
            pool_timeout=_SECONDS_TO_CONNECT,
            connect_args={"connect_timeout": _SECONDS_TO_CONNECT},
            hide_parameters=True,
        )
        event.listen(engine, "handle_error", name_damage)
        event.listen(engine, "handle_error", _name_what_is_lost)
        event.listen(engine, "checkin", _note_return)
        event.listen(engine, "checkout", _ask_after_rest)
        return engine
    database = make_url(url).database
    if database and database != ":memory:":
        Path(database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(
        url,
        pool_size=_CONNECTIONS,
        pool_timeout=_SECONDS_TO_CONNECT,
        connect_args={"timeout": 30},
        hide_parameters=True,
    )
    event.listen(engine, "handle_error", name_damage)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_to_read)
    return engine


def _note_return(_connection: Any, record: ConnectionPoolEntry) -> None:
    record.info[_BACK_AT] = time.monotonic()


def _ask_after_rest(connection: Any, record: ConnectionPoolEntry, _proxy: object) -> None:
    """Find a server that was restarted before a statement is lost, without asking each time."""
    import psycopg  # noqa: PLC0415 - of no use to a store on SQLite

    if time.monotonic() - record.info.get(_BACK_AT, time.monotonic()) < _SECONDS_OF_TRUST:
        return
    try:
        connection.execute("SELECT 1")
        connection.rollback()
    except psycopg.Error as error:
        raise InvalidatePoolError("the database closed the connection") from error


def _prepare_sqlite(connection: Any, record: object) -> None:
    del record
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in (*PRAGMAS, "PRAGMA journal_mode = WAL", "PRAGMA synchronous = FULL"):
        cursor.execute(pragma)
    cursor.close()


def _name_what_is_lost(context: ExceptionContext) -> BaseException | None:
    """Say what to do when the server went away; the pool's own test of a connection goes on."""
    never_there = context.connection is None and isinstance(
        context.sqlalchemy_exception, OperationalError
    )
    if context.is_pre_ping or not (context.is_disconnect or never_there):
        return None
    return unavailable(context.original_exception)


def unavailable(error: BaseException) -> UnavailableError:
    """Give the error for a database that went away.

    Parameters
    ----------
    error : BaseException
        The driver's.

    Returns
    -------
    UnavailableError
        Says what to do.
    """
    return UnavailableError(
        f"the database does not answer: {str(error).strip()}. What was not "
        "committed is not stored. When it runs again, look with chancellor doctor and repeat the "
        "command."
    )


def _begin_to_read(connection: Connection) -> None:
    """Begin plain; ``transaction`` takes the write lock, a migration asks for it."""
    begin = connection.get_execution_options().get(BEGIN, "BEGIN")
    connection.exec_driver_sql(begin)
