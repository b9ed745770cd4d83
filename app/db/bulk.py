"""Bulk rows, through the session's own driver connection and so in its transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

from sqlalchemy import Table
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
    """
    if not is_in_transaction(db):
        raise OpenTransactionError("bulk rows are written inside transaction(db)")
    db.flush()
    connection = db.connection()
    driver = connection.connection.driver_connection
    if driver is None:
        raise OpenTransactionError("the session has no driver connection")
    names = ", ".join(f'"{name}"' for name in columns)
    converters = [
        table.c[name].type.dialect_impl(connection.dialect).bind_processor(connection.dialect)
        for name in columns
    ]
    written = 0
    cursor = driver.cursor()
    source = iter(rows)
    while chunk := list(islice(_converted(source, converters), _CHUNK)):
        if connection.dialect.name == "sqlite":
            marks = ", ".join("?" * len(columns))
            cursor.executemany(f'INSERT INTO "{table.name}" ({names}) VALUES ({marks})', chunk)  # noqa: S608 - names are the model's own
        else:
            with cursor.copy(f'COPY "{table.name}" ({names}) FROM STDIN') as copy:
                for row in chunk:
                    copy.write_row(row)
        written += len(chunk)
        if on_chunk is not None:
            on_chunk(written)
    cursor.close()
    return written


def _converted(
    rows: Iterator[Sequence[Any]], converters: Sequence[Callable[[Any], Any] | None]
) -> Iterator[tuple[Any, ...]]:
    for row in rows:
        yield tuple(
            value if convert is None else convert(value)
            for value, convert in zip(row, converters, strict=True)
        )
