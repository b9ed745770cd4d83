"""Write a stream of tables as one CSV or Parquet file, all of it or nothing."""

from __future__ import annotations

import csv
import io
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from app.domain.intake_safety import harmless_column, harmless_text
from app.errors import InvalidInputError

FORMATS = {".csv": "csv", ".csv.gz": "csv", ".parquet": "parquet", ".pq": "parquet"}
"""What the end of a name says about the format."""

_DICTIONARY_BYTES = 1 << 16
"""Values that repeat fit; the default of 1 MiB makes columns of numbers that do not repeat slow
to write, and larger."""

_NEEDS_QUOTES = '[",\r\n]'


def format_of(path: Path) -> str:
    """Tell the format of an output file from its name.

    Parameters
    ----------
    path : Path
        Where it will be.

    Returns
    -------
    str
        ``csv`` or ``parquet``.

    Raises
    ------
    InvalidInputError
        If the name says neither.

    Examples
    --------
    >>> format_of(Path("scores.CSV.gz"))
    'csv'
    """
    for ending, name in FORMATS.items():
        if path.name.lower().endswith(ending):
            return name
    known = ", ".join(FORMATS)
    raise InvalidInputError(f"cannot tell the format of {path.name}: end it in {known}")


class RowWriter:
    """Append tables of one schema to a file.

    Parameters
    ----------
    place : Path
        The file that is being written.
    path : Path
        What it will be called; its ending says the format.
    notes : mapping of str to str
        Kept in the metadata of a Parquet file.
    """

    def __init__(self, place: Path, path: Path, notes: Mapping[str, str]) -> None:
        self._path = path
        self._notes = dict(notes)
        self._is_csv = format_of(path) == "csv"
        file = pa.OSFile(str(place), "wb")
        is_gzip = path.name.lower().endswith(".gz")
        self._file = pa.CompressedOutputStream(file, "gzip") if is_gzip else file
        self._parquet: pq.ParquetWriter | None = None
        self._has_header = False

    def write(self, table: pa.Table) -> None:
        """Append the rows of a table; to CSV, cells that a spreadsheet would run as plain text.

        Parameters
        ----------
        table : pyarrow.Table
            Of the same schema each time.

        Raises
        ------
        InvalidInputError
            If a column has a type that CSV cannot hold.
        """
        if self._is_csv:
            self._write_csv(table)
            return
        if self._parquet is None:
            schema = table.schema.with_metadata(self._notes)
            self._parquet = pq.ParquetWriter(
                self._file, schema, compression="zstd", dictionary_pagesize_limit=_DICTIONARY_BYTES
            )
        self._parquet.write_table(table.replace_schema_metadata(self._notes))

    def _write_csv(self, table: pa.Table) -> None:
        if not self._has_header:
            header = io.StringIO(newline="")
            csv.writer(header, lineterminator="\n").writerow(map(harmless_text, table.column_names))
            self._file.write(header.getvalue().encode("utf-8"))
            self._has_header = True
        harmless = [harmless_column(column) for column in table.columns]
        table = pa.Table.from_arrays(harmless, names=table.column_names)
        quoting = "needed" if any(map(_needs_quotes, table.columns)) else "none"
        options = pacsv.WriteOptions(include_header=False, quoting_style=quoting)
        try:
            pacsv.write_csv(table, self._file, options)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
            message = f"{self._path.name}: CSV cannot hold a column of the file, write Parquet"
            raise InvalidInputError(f"{message} ({error})") from error

    def close(self) -> None:
        """Finish the file."""
        if self._parquet is not None:
            self._parquet.close()
        self._file.close()


def _needs_quotes(column: pa.ChunkedArray) -> bool:
    kind = column.type
    if pa.types.is_dictionary(kind):
        return _needs_quotes(column.cast(kind.value_type))
    if not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
        return not (pa.types.is_primitive(kind) or pa.types.is_null(kind))
    return bool(pc.any(pc.match_substring_regex(column, _NEEDS_QUOTES)).as_py())


@contextmanager
def whole_file(path: Path, notes: Mapping[str, str]) -> Iterator[RowWriter]:
    """Write beside a path, and take the path's name only when all went well.

    Parameters
    ----------
    path : Path
        The file to make; one that is there is replaced at the end.
    notes : mapping of str to str
        Kept in the metadata of a Parquet file.

    Yields
    ------
    RowWriter
        For the rows.

    Raises
    ------
    InvalidInputError
        If the name says no format, or the file cannot be written there.
    """
    format_of(path)
    scratch = path.with_name(f".writing-{uuid.uuid4().hex}-{path.name}")
    try:
        writer = RowWriter(scratch, path, notes)
    except OSError as error:
        message = f"{path} cannot be written: {error}"
        raise InvalidInputError(message, path=str(path)) from error
    try:
        try:
            yield writer
        finally:
            writer.close()
        scratch.replace(path)
    finally:
        scratch.unlink(missing_ok=True)
