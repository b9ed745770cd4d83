"""The engine that computes over the lake: DuckDB in this process, through Ibis."""

from __future__ import annotations

from typing import Any

from app.settings import get_settings


def duckdb_options() -> dict[str, str | int]:
    """Give the limits of the settings in DuckDB's own words, for whatever opens one.

    Returns
    -------
    dict
        ``temp_directory``; ``memory_limit`` and ``threads`` only where they are set.
    """
    settings = get_settings()
    options: dict[str, str | int] = {"temp_directory": str(settings.duckdb_spill)}
    if settings.duckdb_memory:
        options["memory_limit"] = settings.duckdb_memory
    if settings.duckdb_threads:
        options["threads"] = settings.duckdb_threads
    return options


def connect() -> Any:
    """Open an empty in-memory DuckDB through Ibis, within the limits of the settings.

    Returns
    -------
    ibis.backends.duckdb.Backend
        With UTC as its time zone, so that calendar days are those of the design.
    """
    import ibis  # noqa: PLC0415 - heavy import

    connection = ibis.duckdb.connect(**duckdb_options())
    connection.raw_sql("SET TimeZone = 'UTC'")
    return connection
