"""Bulk rows, through the session's own driver connection and so in its transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from itertools import islice
from typing import Any

from sqlalchemy import Dialect, Table
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from app.db.transaction import is_in_transaction
from app.errors import OpenTransactionError

_CHUNK = 10_000


def bulk_insert(
    db: Session,
    table: Table,
    rows: Iterable[Sequence[Any]],
    columns: Sequence[str],
    *,
    on_chunk: Callable[[int], None] | None = None,
) -> int:
    """Insert many rows inside the open transaction: executemany on SQLite, COPY on PostgreSQL.

    Parameters
    ----------
    db : Session
        The store, inside ``transaction(db)``.
    table : Table
        Where the rows go.
    rows : iterable of sequence
        Values in the order of ``columns``, as Python objects.
    columns : sequence of str
        Column names; an integer primary key that is left out counts up by itself.
    on_chunk : callable, optional
        Called with the number of rows written so far.

    Returns
    -------
    int
        Rows written.

    Raises
    ------
    OpenTransactionError
        If no transaction is open: rows and their audit event belong together.
    IntegrityError
        If a row breaks a rule of the table; SQLAlchemy's, as from any other statement.
    """
    if not is_in_transaction(db):
        raise OpenTransactionError("bulk rows are written inside transaction(db)")
    db.flush()
    connection = db.connection()
    driver = connection.connection.driver_connection
    if driver is None:
        raise OpenTransactionError("the session has no driver connection")
    converters = [
        table.c[name].type.dialect_impl(connection.dialect).bind_processor(connection.dialect)
        for name in columns
    ]
    names = ", ".join(f'"{name}"' for name in columns)
    sql = _statement(connection.dialect.name, table.name, names, len(columns))
    write = _executemany if connection.dialect.name == "sqlite" else _copy
    written = 0
    source = iter(rows)
    with closing(driver.cursor()) as cursor:
        while chunk := list(islice(_converted(source, converters), _CHUNK)):
            try:
                write(cursor, sql, chunk)
            except connection.dialect.loaded_dbapi.Error as error:
                raise _as_usual(error, sql, connection.dialect) from error
            written += len(chunk)
            if on_chunk is not None:
                on_chunk(written)
    return written


def _statement(dialect: str, table: str, names: str, n_columns: int) -> str:
    if dialect == "sqlite":
        marks = ", ".join("?" * n_columns)
        return f'INSERT INTO "{table}" ({names}) VALUES ({marks})'  # noqa: S608 - names are the model's own
    return f'COPY "{table}" ({names}) FROM STDIN'


def _executemany(cursor: Any, sql: str, chunk: list[tuple[Any, ...]]) -> None:
    cursor.executemany(sql, chunk)


def _copy(cursor: Any, sql: str, chunk: list[tuple[Any, ...]]) -> None:
    with cursor.copy(sql) as copy:
        for row in chunk:
            copy.write_row(row)


def _as_usual(error: Exception, sql: str, dialect: Dialect) -> BaseException:
    """Wrap a driver's error as SQLAlchemy does, so that callers know one kind."""
    return DBAPIError.instance(sql, None, error, dialect.loaded_dbapi.Error, dialect=dialect)


def _converted(
    rows: Iterator[Sequence[Any]], converters: Sequence[Callable[[Any], Any] | None]
) -> Iterator[tuple[Any, ...]]:
    for row in rows:
        yield tuple(
            value if convert is None else convert(value)
            for value, convert in zip(row, converters, strict=True)
        )
