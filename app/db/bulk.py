"""Bulk rows, through the session's own driver connection and so in its transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Any

from sqlalchemy import Date, DateTime, Dialect, Table
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session
from sqlalchemy.types import TypeDecorator

from app.db.engine import unavailable
from app.db.transaction import (
    can_commit_alone,
    is_in_transaction,
    single_statement,
    transaction,
)
from app.errors import OpenTransactionError

_CHUNK = 10_000
_FEW = 20
_WIDE_CACHE = "PRAGMA cache_size = -16384"
"""16 MiB for a connection of SQLite that writes many rows: in the usual 2 MiB the pages of two
indexes push each other out, and a million labels take half as long again."""
_Rows = Iterable[tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class _Column:
    """How the values of one column are made ready for the driver.

    Attributes
    ----------
    convert : callable or None
        What SQLAlchemy would do with one value; None: nothing.
    repeats : bool
        Whether it holds dates or times, of which few differ: each is converted once.
    """

    convert: Callable[[Any], Any] | None
    repeats: bool

    def ready(self, values: Sequence[Any]) -> Sequence[Any]:
        """Convert the values of one chunk."""
        if self.convert is None:
            return values
        if not self.repeats:
            return [self.convert(value) for value in values]
        converted = {value: self.convert(value) for value in set(values)}
        return [converted[value] for value in values]


def bulk_insert(
    db: Session,
    table: Table,
    rows: Iterable[Sequence[Any]],
    columns: Sequence[str],
    *,
    on_chunk: Callable[[int], None] | None = None,
) -> int:
    """Insert many rows inside the open transaction: executemany on SQLite, COPY on PostgreSQL.

    A few rows go to PostgreSQL as plain statements: COPY takes two more messages there and back.

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
    source = iter(rows)
    chunks = iter(lambda: list(islice(source, _CHUNK)), [])
    by_column = (tuple(zip(*chunk, strict=True)) for chunk in chunks)
    return bulk_insert_columns(db, table, by_column, columns, on_chunk=on_chunk)


def insert_at_once(
    db: Session, table: Table, rows: Sequence[Sequence[Any]], columns: Sequence[str]
) -> None:
    """Insert rows in one transaction; a single row takes PostgreSQL one message.

    Parameters
    ----------
    db : Session
        The store.
    table : Table
        Where the rows go.
    rows : sequence of sequence
        As ``bulk_insert`` takes them.
    columns : sequence of str
        Column names.

    Raises
    ------
    UnavailableError
        If the database does not answer.
    IntegrityError
        If a row breaks a rule of the table; none is stored then.
    """
    if len(rows) != 1 or not can_commit_alone(db):
        with transaction(db):
            bulk_insert(db, table, rows, columns)
        return
    with single_statement(db) as connection:
        plan = _plan(table, tuple(columns), connection.dialect)
        given = zip(plan.columns, rows[0], strict=True)
        connection.exec_driver_sql(plan.few, tuple(column.ready([one])[0] for column, one in given))


def bulk_insert_columns(
    db: Session,
    table: Table,
    chunks: Iterable[Sequence[Sequence[Any]]],
    columns: Sequence[str],
    *,
    on_chunk: Callable[[int], None] | None = None,
) -> int:
    """Insert many rows that are given column by column, which takes half the time.

    Rows in the order of the table's largest index are written several times as fast as others:
    each falls on the page on which the one before it fell.

    Parameters
    ----------
    db : Session
        The store, inside ``transaction(db)``.
    table : Table
        Where the rows go.
    chunks : iterable of sequence of sequence
        Some ten thousand rows each: for every one of ``columns`` its values, as Python objects.
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
    dialect = connection.dialect
    plan = _plan(table, tuple(columns), dialect)
    copies = dialect.name != "sqlite"
    written, is_wide = 0, False
    with closing(driver.cursor()) as cursor:
        for chunk in chunks:
            if written and not copies and not is_wide:
                cursor.execute(_WIDE_CACHE)
                is_wide = True
            values = [column.ready(part) for column, part in zip(plan.columns, chunk, strict=True)]
            copy = copies and len(values[0]) > _FEW
            sql, write = (plan.many, _copy) if copy else (plan.few, _insert)
            try:
                write(cursor, sql, zip(*values, strict=True))
            except dialect.loaded_dbapi.Error as error:
                raise as_usual(error, sql, dialect, driver) from error
            written += len(values[0])
            if on_chunk is not None:
                on_chunk(written)
    return written


@dataclass(frozen=True, slots=True)
class _Plan:
    """How rows of one table are written: column by column, and with which statements."""

    columns: tuple[_Column, ...]
    few: str
    many: str


@lru_cache(maxsize=64)
def _plan(table: Table, columns: tuple[str, ...], dialect: Dialect) -> _Plan:
    names = ", ".join(f'"{name}"' for name in columns)
    return _Plan(
        tuple(_column(table, name, dialect) for name in columns),
        _insert_statement(dialect.name, table.name, names, len(columns)),
        _copy_statement(table.name, names),
    )


def _insert_statement(dialect: str, table: str, names: str, n_columns: int) -> str:
    marks = ", ".join(["?" if dialect == "sqlite" else "%s"] * n_columns)
    return f'INSERT INTO "{table}" ({names}) VALUES ({marks})'  # noqa: S608 - names are the model's own


def _copy_statement(table: str, names: str) -> str:
    return f'COPY "{table}" ({names}) FROM STDIN'


def _insert(cursor: Any, sql: str, rows: _Rows) -> None:
    given = list(rows)
    if len(given) == 1:
        cursor.execute(sql, given[0])
    else:
        cursor.executemany(sql, given)


def _copy(cursor: Any, sql: str, rows: _Rows) -> None:
    with cursor.copy(sql) as copy:
        for row in rows:
            copy.write_row(row)


def as_usual(error: Exception, sql: str, dialect: Dialect, driver: Any) -> BaseException:
    """Wrap a driver's error as SQLAlchemy does, so that callers know one kind.

    Parameters
    ----------
    error : Exception
        The driver's.
    sql : str
        The statement.
    dialect : Dialect
        Of the database.
    driver : Any
        The driver's connection.

    Returns
    -------
    BaseException
        SQLAlchemy's, to be raised from the driver's; UnavailableError where the connection is lost.
    """
    if dialect.is_disconnect(error, driver, None):  # type: ignore[arg-type]  # a driver's error
        return unavailable(error)
    return DBAPIError.instance(sql, None, error, dialect.loaded_dbapi.Error, dialect=dialect)


def _column(table: Table, name: str, dialect: Dialect) -> _Column:
    kind = table.c[name].type
    plain = kind.impl_instance if isinstance(kind, TypeDecorator) else kind
    repeats = isinstance(plain, (Date, DateTime))
    return _Column(kind.dialect_impl(dialect).bind_processor(dialect), repeats)
