"""The engine that computes over the lake: DuckDB in this process, through Ibis."""

from __future__ import annotations

from typing import Any


def connect() -> Any:
    """Open an empty in-memory DuckDB through Ibis.

    Returns
    -------
    ibis.backends.duckdb.Backend
        With UTC as its time zone, so that calendar days are those of the design.
    """
    import ibis  # noqa: PLC0415 - heavy import

    connection = ibis.duckdb.connect()
    connection.raw_sql("SET TimeZone = 'UTC'")
    return connection
