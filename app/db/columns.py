"""Many rows of a SELECT as an Arrow table: by COPY on PostgreSQL, without a Python row for each."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from sqlalchemy import Select
from sqlalchemy.orm import Session

from app.db.bulk import as_usual

if TYPE_CHECKING:
    import pyarrow as pa


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
    import pyarrow as pa  # noqa: PLC0415 - heavy import

    connection = db.connection()
    driver = connection.connection.driver_connection
    if connection.dialect.name == "sqlite" or driver is None:
        rows = db.execute(query).all()
        columns = zip(*rows, strict=True) if rows else [()] * len(schema)
        return pa.table(
            [
                pa.array(list(column), kind)
                for column, kind in zip(columns, schema.types, strict=True)
            ],
            schema=schema,
        )
    compiled = query.compile(
        dialect=connection.dialect, compile_kwargs={"render_postcompile": True}
    )
    statement = f"COPY ({compiled}) TO STDOUT (FORMAT csv)"
    written = io.BytesIO()
    try:
        with driver.cursor() as cursor, cursor.copy(statement, compiled.params) as copy:
            for block in copy:
                written.write(block)
    except connection.dialect.loaded_dbapi.Error as error:
        raise as_usual(error, statement, connection.dialect, driver) from error
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
