"""Many rows of a SELECT as an Arrow table: by COPY on PostgreSQL, by plain tuples on SQLite."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, cast

from sqlalchemy import Select
from sqlalchemy.engine.interfaces import Compiled
from sqlalchemy.orm import Session

from app.db.bulk import as_usual
from app.errors import UnavailableError

if TYPE_CHECKING:
    import pyarrow as pa
    from sqlalchemy.sql.compiler import SQLCompiler

_ROWS_AT_ONCE = 10_000
"""More tuples at a time push each other out of the cache: a million rows take twice as long."""


def read_columns(db: Session, query: Select[*tuple[Any, ...]], schema: pa.Schema) -> pa.Table:
    """Read the rows of a SELECT column by column, inside the session's transaction.

    Parameters
    ----------
    db : Session
        The store.
    query : Select
        Its columns in the order of `schema`; an empty text and NULL stay different.
    schema : pyarrow.Schema
        Names and types of the columns: text, whole numbers and dates.

    Returns
    -------
    pyarrow.Table
        One row each, in the order in which the database gives them.
    """
    connection = db.connection()
    driver = connection.connection.driver_connection
    if driver is None:
        raise UnavailableError("the connection to the database is gone: try again")
    compiled = query.compile(
        dialect=connection.dialect, compile_kwargs={"render_postcompile": True}
    )
    read = _fetched if connection.dialect.name == "sqlite" else _copied
    try:
        return read(driver, compiled, schema)
    except connection.dialect.loaded_dbapi.Error as error:
        raise as_usual(error, str(compiled), connection.dialect, driver) from error


def _fetched(driver: Any, compiled: Compiled, schema: pa.Schema) -> pa.Table:
    """Fetch tuples as the driver gives them: SQLAlchemy's rows take ten times as long."""
    import pyarrow as pa  # noqa: PLC0415 - heavy import

    cursor = driver.execute(str(compiled), tuple(_values(compiled)))
    batches = []
    while rows := cursor.fetchmany(_ROWS_AT_ONCE):
        columns = []
        for place, kind in enumerate(schema.types):
            values = [row[place] for row in rows]
            is_date = pa.types.is_date(kind)
            column = pa.array(values, pa.string() if is_date else kind)
            columns.append(column.cast(kind) if is_date else column)
        batches.append(pa.record_batch(columns, schema=schema))
    return pa.Table.from_batches(batches, schema)


def _values(compiled: Compiled) -> Iterator[Any]:
    """Give the values of a statement's places, in order."""
    sql = cast("SQLCompiler", compiled)
    return (sql.params[name] for name in sql.positiontup or ())


def _copied(driver: Any, compiled: Compiled, schema: pa.Schema) -> pa.Table:
    written = io.BytesIO()
    statement = f"COPY ({compiled}) TO STDOUT (FORMAT csv)"
    with driver.cursor() as cursor, cursor.copy(statement, compiled.params) as copy:
        for block in copy:
            written.write(block)
    return _parsed(written, schema)


def _parsed(written: io.BytesIO, schema: pa.Schema) -> pa.Table:
    import pyarrow.csv as pacsv  # noqa: PLC0415 - heavy import

    if not written.tell():
        return schema.empty_table()
    written.seek(0)
    return pacsv.read_csv(
        written,
        read_options=pacsv.ReadOptions(column_names=schema.names),
        parse_options=pacsv.ParseOptions(newlines_in_values=True),
        convert_options=pacsv.ConvertOptions(
            column_types=schema,
            null_values=[""],
            strings_can_be_null=True,
            quoted_strings_can_be_null=False,  # COPY puts an empty text, not a NULL, in quotes
        ),
    )
