"""The engine that computes over the lake through Ibis: DuckDB in this process, or Spark."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, cast, get_args

from app.errors import InvalidInputError, UnavailableError
from app.settings import Engine, get_settings

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import pyarrow as pa

    from app.lake.spark import SparkEngine

_chosen: ContextVar[Engine | None] = ContextVar("engine", default=None)


@contextmanager
def computing_on(engine: Engine | None) -> Iterator[None]:
    """Compute on an engine while the block runs.

    Parameters
    ----------
    engine : {"duckdb", "spark"} or None
        None leaves it as it is: an outer block's, else that of ``CHANCELLOR_ENGINE``.
    """
    token = _chosen.set(engine or _chosen.get())
    try:
        yield
    finally:
        _chosen.reset(token)


def known_engine(name: str | None) -> Engine | None:
    """Take the name of an engine.

    Parameters
    ----------
    name : str or None
        As somebody wrote it.

    Returns
    -------
    {"duckdb", "spark"} or None
        The same.

    Raises
    ------
    InvalidInputError
        If there is no such engine.

    Examples
    --------
    >>> known_engine("spark"), known_engine(None)
    ('spark', None)
    """
    if name is not None and name not in get_args(Engine):
        raise InvalidInputError(f"there is no engine {name!r}: it is duckdb or spark", engine=name)
    return cast("Engine | None", name)


def find_spark() -> SparkEngine | None:
    """Give Spark where it is the engine, started at the first call.

    Returns
    -------
    SparkEngine or None
        None where DuckDB is the engine.

    Raises
    ------
    UnavailableError
        If PySpark is not installed, or Spark does not start.
    """
    if (_chosen.get() or get_settings().engine) == "duckdb":
        return None
    from app.lake.spark import open_spark  # noqa: PLC0415 - only where it is asked for

    return open_spark()


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


def collect(expression: ir.Table) -> pa.Table:
    """Compute a table on DuckDB.

    Parameters
    ----------
    expression : ibis Table
        What to compute.

    Returns
    -------
    pyarrow.Table
        Its rows.

    Raises
    ------
    UnavailableError
        If memory and spill directory together are too small for it.
    """
    import duckdb  # noqa: PLC0415 - heavy import

    try:
        return connect().to_pyarrow(expression)
    except duckdb.OutOfMemoryException as error:
        raise UnavailableError(
            "DuckDB ran out of memory: give it more (CHANCELLOR_DUCKDB_MEMORY), or a spill "
            f"directory with more room (CHANCELLOR_DUCKDB_SPILL, now {get_settings().duckdb_spill})"
        ) from error
