"""Spark as an engine: expressions over the lake, run and written by the executors."""

from __future__ import annotations

import atexit
import shutil
import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.errors import InvalidInputError, UnavailableError
from app.lake.parquet_file import read_parquet
from app.lake.parts import StoredFile
from app.lake.store import TEMPORARY, Kind, Lake
from app.settings import get_settings

if TYPE_CHECKING:
    import pyarrow as pa

_MISSING = (
    "The engine is spark, and PySpark is not installed here: install chancellor[spark], with Java "
    "17 on the machine; in a clone, `make spark` builds .spark, whose Python runs "
    "`.spark/bin/python -m app.cli.main`."
)
_SETTINGS: Mapping[str, str] = {
    "spark.app.name": "chancellor",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.ansi.enabled": "true",
    "spark.sql.caseSensitive": "true",
    "spark.sql.execution.arrow.pyspark.enabled": "true",
    # Java compiles no method above 8,000 bytes: code of more is better left in smaller pieces
    "spark.sql.codegen.hugeMethodLimit": "8000",
    "spark.sql.parquet.compression.codec": "zstd",
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
    "spark.sql.parquet.inferTimestampNTZ.enabled": "false",
    "spark.hadoop.mapreduce.fileoutputcommitter.marksuccessfuljobs": "false",
}


class SparkEngine:
    """Run Ibis expressions on Spark.

    Parameters
    ----------
    session : pyspark.sql.SparkSession
        In UTC.
    """

    def __init__(self, session: Any) -> None:
        import ibis  # noqa: PLC0415 - heavy import

        self.session = session
        self._backend = ibis.pyspark.connect(session)

    def open(self, lake: Lake, files: Sequence[tuple[str, str]]) -> Any:
        """Open verified tables of the lake, one below the other, as one Ibis table.

        Parameters
        ----------
        lake : Lake
            A folder that every executor sees.
        files : sequence of (path, sha256)
            Files or manifests, at least one, of the same columns.

        Returns
        -------
        ibis.Table
            Read by the executors, part by part.

        Raises
        ------
        NotFoundError, FileHashError
            If a file is gone or changed.
        InvalidInputError
            If the lake is in an object store.
        """
        _require_folder(lake)
        for path, sha256 in files:
            lake.verify(path, sha256)
        parts = [part for path, sha256 in files for part in lake.parts_of(path, sha256)]
        return self.open_places([lake.place_of(path) for path, _ in parts])

    def open_places(self, places: Sequence[str]) -> Any:
        """Open Parquet files as one Ibis table.

        Parameters
        ----------
        places : sequence of str
            Full paths that every executor sees.

        Returns
        -------
        ibis.Table
            Of the columns of the first.
        """
        name = f"lake_{uuid.uuid4().hex}"
        self.session.read.parquet(*[f"file://{place}" for place in places]).createTempView(name)
        return self._backend.table(name)

    def hold(self, table: pa.Table) -> Any:
        """Give rows of this process to Spark.

        Parameters
        ----------
        table : pyarrow.Table
            Not larger than the memory of Spark's driver.

        Returns
        -------
        ibis.Table
            Of the same rows, in no order.
        """
        name = f"held_{uuid.uuid4().hex}"
        self.session.createDataFrame(table).createTempView(name)
        return self._backend.table(name)

    def collect(self, expression: Any) -> pa.Table:
        """Bring a result to this process, by Arrow.

        Parameters
        ----------
        expression : ibis.Table
            Over tables of this engine.

        Returns
        -------
        pyarrow.Table
            In the order of the expression, if it has one.
        """
        return self._frame(expression).toArrow()

    def write(self, lake: Lake, kind: Kind, expression: Any) -> StoredFile:
        """Let the executors write a result into the lake, as parts under one manifest.

        Parameters
        ----------
        lake : Lake
            A folder that every executor sees.
        kind : {"batches", "scores", "outcomes", "exposures", "validation"}
            Folder of the lake.
        expression : ibis.Table
            Over tables of this engine.

        Returns
        -------
        StoredFile
            The manifest. Until it is written nothing names the parts.

        Raises
        ------
        InvalidInputError
            If the lake is in an object store.
        """
        _require_folder(lake)
        with self._written(lake, kind, expression) as files:
            return lake.adopt_parts(kind, files)

    def gather(self, lake: Lake, kind: Kind, expression: Any) -> pa.Table:
        """Bring many rows to this process through files that the executors write.

        Nothing of it passes through the heap of Spark's driver, and the files are gone afterwards.

        Parameters
        ----------
        lake : Lake
            A folder that every executor sees.
        kind : {"batches", "scores", "outcomes", "exposures", "validation"}
            Folder of the lake under which the files are for the time.
        expression : ibis.Table
            Over tables of this engine.

        Returns
        -------
        pyarrow.Table
            In the order of the expression, if it has one.
        """
        import pyarrow as pa  # noqa: PLC0415 - heavy import

        with self._written(lake, kind, expression) as files:
            return pa.concat_tables([read_parquet(file, None) for file in files])

    @contextmanager
    def _written(self, lake: Lake, kind: Kind, expression: Any) -> Iterator[list[Path]]:
        _require_folder(lake)
        scratch = Path(lake.place_of(kind)) / f"{TEMPORARY}{uuid.uuid4().hex}"
        try:
            self._frame(expression).write.parquet(f"file://{scratch}")
            yield sorted(scratch.glob("part-*.parquet"))
        finally:
            shutil.rmtree(scratch, ignore_errors=True)

    def _frame(self, expression: Any) -> Any:
        return self.session.sql(self._backend.compile(expression))


def _require_folder(lake: Lake) -> None:
    if not lake.is_local:
        raise InvalidInputError(
            f"The engine spark works over a lake that is a folder which every executor sees, not "
            f"over {lake.url}: use the engine duckdb, or put CHANCELLOR_LAKE on a shared folder."
        )


@lru_cache(maxsize=1)
def open_spark() -> SparkEngine:
    """Start Spark once in this process; it ends with the process.

    Returns
    -------
    SparkEngine
        The same at each call.

    Raises
    ------
    UnavailableError
        If PySpark is not installed, or Spark does not start.
    """
    try:
        from pyspark.sql import SparkSession  # noqa: PLC0415 - an extra, and heavy
    except ImportError as error:
        raise UnavailableError(_MISSING, engine="spark") from error
    settings = get_settings()
    builder = SparkSession.builder.master(settings.spark_master)
    for name, value in _settings_of(settings.spark_master, settings.spark_memory).items():
        builder = builder.config(name, value)
    try:
        session = builder.getOrCreate()
    except Exception as error:
        raise UnavailableError(f"Spark does not start: {error}", engine="spark") from error
    session.sparkContext.setLogLevel("ERROR")
    atexit.register(session.stop)
    return SparkEngine(session)


def _settings_of(master: str, memory: str) -> dict[str, str]:
    found = {**_SETTINGS, "spark.driver.memory": memory, "spark.executor.memory": memory}
    if master.startswith("local"):
        found |= {"spark.driver.bindAddress": "127.0.0.1", "spark.driver.host": "127.0.0.1"}
        found |= {"spark.sql.shuffle.partitions": "8"}
    return found
