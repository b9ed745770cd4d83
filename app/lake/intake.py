"""Files of users as Arrow tables: CSV, CSV.gz and Parquet, with every fault found at once."""

from __future__ import annotations

import difflib
import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from app.domain.intake import FAULTS_SHOWN, RowFaults, count_faults, describe_faults
from app.domain.types import Document, Ints
from app.errors import IntakeError, NotFoundError
from app.lake.intake_csv import (
    CsvContent,
    CsvLayout,
    encoding_faults,
    file_fault,
    find_rows,
    ragged_faults,
    read_csv,
    unique_names,
)
from app.lake.intake_size import PARQUET, unpacked_bytes
from app.settings import get_settings

ROW_NUMBER = "@row"
"""Given as the id column, it asks for the number of the data row, from 1."""


@dataclass(slots=True)
class SourceFile:
    """A file as it was given, with the faults found so far.

    Parameters
    ----------
    path : Path
        Where it is.
    sha256 : str
        Over the bytes of the file.
    table : pyarrow.Table
        A CSV file's columns are text; Parquet columns have their own types. Empty where a fault
        of the whole file keeps the rows from being read.
    csv : CsvContent or None
        What only a CSV file has.
    file_faults : list of dict
        Faults of the whole file, such as a missing column.
    row_faults : list of RowFaults
        Faults of single rows.
    """

    path: Path
    sha256: str
    table: pa.Table
    csv: CsvContent | None = None
    file_faults: list[Document] = field(default_factory=list)
    row_faults: list[RowFaults] = field(default_factory=list)
    _layout: CsvLayout | None = None
    _has_listed_columns: bool = False

    @property
    def name(self) -> str:
        """Name of the file, for messages."""
        return self.path.name

    @property
    def is_text(self) -> bool:
        """Whether the columns are text that still has to be read."""
        return self.csv is not None

    @property
    def is_readable(self) -> bool:
        """Whether there are rows to look at."""
        return bool(self.table.num_rows)

    @property
    def columns(self) -> tuple[str, ...]:
        """Give the names of the columns, in the order of the file."""
        return tuple(self.table.column_names)

    @property
    def layout(self) -> CsvLayout:
        """Where the rows of a CSV file stand; found on first use."""
        if self._layout is None:
            self._layout = find_rows(self.csv.raw) if self.csv else CsvLayout(_NONE, (), 0)
        return self._layout

    def lines_of(self, rows: Ints) -> Ints:
        """Map positions of data rows to line numbers.

        Parameters
        ----------
        rows : ndarray of shape (n,)
            Positions from 0.

        Returns
        -------
        ndarray of shape (n,)
            Line numbers where the header is 1. A Parquet file counts as if it had a header.
        """
        if self.csv is None or self.csv.table is None:
            return rows + 2
        return self.layout.lines[rows]

    def misread_rows(self) -> Ints:
        """Find the data rows that hold bytes which are not UTF-8.

        Returns
        -------
        ndarray of shape (n,)
            Positions from 0, each once.
        """
        if self.csv is None or not self.csv.misread_lines.size:
            return _NONE
        places = np.searchsorted(self.layout.lines, self.csv.misread_lines, side="right") - 1
        return np.unique(places[places >= 0]).astype(np.int64)

    def require_column(self, column: str, role: str) -> bool:
        """Note a fault unless the file has the column.

        Parameters
        ----------
        column : str
            The name that was given.
        role : str
            What it was given for, such as ``--party-id``.

        Returns
        -------
        bool
            Whether the file has it.
        """
        if column in self.columns:
            return True
        self.add_fault(f"no column {column!r} ({role}){self.describe_columns(column)}", column)
        return False

    def describe_columns(self, wanted: str) -> str:
        """Name the columns that come closest to a name, and once per file all there are.

        Parameters
        ----------
        wanted : str
            A name that the file lacks.

        Returns
        -------
        str
            The end of a sentence; empty where it would only repeat.
        """
        by_lower = {name.lower(): name for name in reversed(self.columns)}
        close = [by_lower[n] for n in difflib.get_close_matches(wanted.lower(), by_lower, n=3)]
        parts = [f"did you mean {' or '.join(close)}?"] if close else []
        if not self._has_listed_columns:
            parts.append(f"the file has: {', '.join(self.columns)}")
            self._has_listed_columns = True
        return f"; {' '.join(parts)}" if parts else ""

    def add_fault(self, problem: str, column: str | None = None) -> None:
        """Note a fault of the whole file.

        Parameters
        ----------
        problem : str
            The sentence.
        column : str or None
            Name of a column.
        """
        self.file_faults.append(file_fault(problem, column=column))

    def raise_faults(self, *, rows_may_be_bad: bool = False) -> None:
        """Raise all faults noted so far as one error.

        Parameters
        ----------
        rows_may_be_bad : bool, default False
            Let faults of single rows pass.

        Raises
        ------
        IntakeError
            With the first 20 faults and the count.
        """
        if not self.file_faults and (rows_may_be_bad or not self.has_bad_rows):
            return
        own = self._own_row_faults()
        described = describe_faults(self.row_faults, self.lines_of, FAULTS_SHOWN)
        in_rows = sorted([*own, *described], key=lambda fault: fault["row"])
        faults = [*self.file_faults, *in_rows]
        n_faults = len(self.file_faults) + len(own) + count_faults(self.row_faults)
        raise IntakeError(self.name, faults[:FAULTS_SHOWN], n_faults)

    @property
    def has_bad_rows(self) -> bool:
        """Whether a single row is at fault."""
        n_own = 0 if self.csv is None else self.csv.n_ragged + self.csv.misread_lines.size
        return bool(n_own or count_faults(self.row_faults))

    def _own_row_faults(self) -> list[Document]:
        if self.csv is None or self.csv.table is None:
            return []
        ragged = ragged_faults(self.layout) if self.csv.n_ragged else []
        return [*ragged, *encoding_faults(self.csv.misread_lines)]


_NONE = np.array([], dtype=np.int64)


def read_source(path: str | Path) -> SourceFile:
    """Read a CSV, CSV.gz or Parquet file as it is.

    Parameters
    ----------
    path : str or Path
        A local file; its content, not its name, says what it is.

    Returns
    -------
    SourceFile
        With the faults of its form noted, not raised.

    Raises
    ------
    NotFoundError
        If there is no such file.
    """
    where = Path(path)
    limit = get_settings().max_unpacked_bytes
    try:
        n_bytes = unpacked_bytes(where, limit)
        content = where.read_bytes() if n_bytes <= limit else b""
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
        message = f"there is no file {where}"
        raise NotFoundError(message, path=str(where)) from error
    if n_bytes > limit:
        too_large = (
            f"the file holds more than {limit:,} bytes once it is unpacked: split it into several "
            "batches, or set CHANCELLOR_MAX_UNPACKED_BYTES"
        )
        return SourceFile(where, "", pa.table({}), None, [file_fault(too_large)])
    sha256 = hashlib.sha256(content).hexdigest()
    if content.startswith(PARQUET):
        return _read_parquet(where, sha256, content)
    found = read_csv(content)
    table = found.table if found.table is not None else pa.table({})
    return SourceFile(where, sha256, table, found, list(found.file_faults))


def _read_parquet(where: Path, sha256: str, content: bytes) -> SourceFile:
    try:
        table = pq.read_table(io.BytesIO(content), use_threads=False)
    except (pa.ArrowInvalid, OSError) as error:
        faults = [file_fault(f"the Parquet file cannot be read: {error}")]
        return SourceFile(where, sha256, pa.table({}), None, faults)
    faults = _repeated(table.column_names)
    table = table.replace_schema_metadata(None).rename_columns(unique_names(table.column_names))
    source = SourceFile(where, sha256, table, None, faults)
    if table.num_rows == 0:
        source.add_fault("the file has columns but no rows")
    return source


def _repeated(names: Sequence[str]) -> list[Document]:
    return [
        file_fault("the column name stands more than once", column=name)
        for name in dict.fromkeys(names)
        if list(names).count(name) > 1
    ]
