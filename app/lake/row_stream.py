"""Files of any size, a piece at a time: CSV, CSV.gz and Parquet."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from app.domain.counted import counted
from app.domain.intake import FAULTS_SHOWN, RowFaults, one_chunk
from app.domain.types import Document, Ints
from app.errors import NotFoundError
from app.lake.csv_quotes import holds_line_ends, open_quotes
from app.lake.intake_csv import file_fault, unique_names

_BLOCK_BYTES = 1 << 24
_PIECE_ROWS = 131_072
_GZIP = b"\x1f\x8b"
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_NOT_UTF8 = "holds bytes that are not UTF-8: save the file as UTF-8"
_UNREADABLE = "the rows cannot be read, look for a quote that is never closed"


@dataclass(frozen=True, slots=True)
class Piece:
    """Some consecutive rows of a file.

    Parameters
    ----------
    table : pyarrow.Table
        A CSV file's columns are text, blank cells are empty text.
    faults : tuple of RowFaults
        Cells that are not UTF-8; positions from the start of the piece.
    done : int
        How far into the file the piece reaches, in the unit of `RowStream.total`.
    """

    table: pa.Table
    faults: tuple[RowFaults, ...]
    done: int


class RowStream:
    """A file that is read a piece at a time.

    Parameters
    ----------
    path : Path
        Where it is.

    Attributes
    ----------
    columns : tuple of str
        In the order of the file.
    total : int
        Its size: bytes on disk for CSV, rows for Parquet.
    is_text : bool
        Whether the columns are text that still has to be read.
    file_faults : list of dict
        Faults of the whole file: those of its head at once, others when its rows were read.
    n_ragged : int
        Rows of the wrong width met so far; they are in no piece.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.columns: tuple[str, ...] = ()
        self.total = 0
        self.is_text = False
        self.file_faults: list[Document] = []
        self.n_ragged = 0

    def pieces(self) -> Iterator[Piece]:
        """Read the file from its start."""
        raise NotImplementedError

    def lines_of(self, rows: Ints) -> Ints:
        """Map positions of data rows to line numbers, where the header is line 1."""
        return rows + 2

    def ragged_faults(self) -> list[Document]:
        """Describe the first rows of the wrong width."""
        return []


def open_rows(path: str | Path) -> RowStream:
    """Open a file for reading a piece at a time.

    Parameters
    ----------
    path : str or Path
        A local file; its content, not its name, says what it is.

    Returns
    -------
    RowStream
        With the faults of its form noted, not raised.

    Raises
    ------
    NotFoundError
        If there is no such file.
    """
    where = Path(path)
    try:
        with where.open("rb") as file:
            start = file.read(4)
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
        message = f"there is no file {where}"
        raise NotFoundError(message, path=str(where)) from error
    return _ParquetRows(where) if start == b"PAR1" else _CsvRows(where, start)


class _ParquetRows(RowStream):
    def __init__(self, path: Path) -> None:
        super().__init__(path)
        try:
            with pq.ParquetFile(path) as file:
                names, self.total = file.schema_arrow.names, file.metadata.num_rows
        except (pa.ArrowInvalid, OSError) as error:
            self.file_faults.append(file_fault(f"the Parquet file cannot be read: {error}"))
            return
        self.columns = tuple(unique_names(list(names)))
        self.file_faults += _repeated(names)
        if not self.total:
            self.file_faults.append(file_fault("the file has columns but no rows"))

    def pieces(self) -> Iterator[Piece]:
        done = 0
        with pq.ParquetFile(self.path) as file:
            for batch in file.iter_batches(batch_size=_PIECE_ROWS):
                done += batch.num_rows
                table = pa.Table.from_batches([batch]).replace_schema_metadata(None)
                yield Piece(table.rename_columns(self.columns), (), done)


def _repeated(names: list[str]) -> list[Document]:
    again = {name for name in names if name and names.count(name) > 1}
    problem = "the column name stands more than once"
    return [file_fault(problem, column=name) for name in dict.fromkeys(names) if name in again]


@dataclass(slots=True)
class _Layout:
    """Lines of the rows that were asked for, and the first rows of the wrong width."""

    lines: dict[int, int] = field(default_factory=dict)
    ragged: list[Document] = field(default_factory=list)


class _CsvRows(RowStream):
    def __init__(self, path: Path, start: bytes) -> None:
        super().__init__(path)
        self.is_text = True
        self.total = path.stat().st_size
        self._is_gzip = start.startswith(_GZIP)
        self._header_lines = 0
        self._ragged_faults: list[Document] = []
        if start.startswith(_UTF16):
            self.file_faults.append(file_fault("is UTF-16: save the file as UTF-8", row=1))
            return
        try:
            self._read_header()
        except (OSError, EOFError, zlib.error) as error:
            self.file_faults.append(file_fault(f"the gzip file is damaged: {error}"))

    def _read_header(self) -> None:
        with self._open_text() as file:
            reader = csv.reader(file)
            header = next((cells for cells in reader if cells), None)
            self._header_lines = reader.line_num
            has_rows = any(reader)
        if header is None:
            self.file_faults.append(file_fault("the file is empty"))
            return
        names = [name.strip() for name in header]
        self.columns = tuple(unique_names(names))
        self.file_faults += _repeated(names)
        if any("\ufffd" in name for name in names):
            self.file_faults.append(file_fault(f"the header {_NOT_UTF8}", row=1))
        if len(names) == 1 and any(mark in names[0] for mark in ";\t|"):
            problem = "the header has one column: separate columns by commas"
            self.file_faults.append(file_fault(problem, row=1))
        if not has_rows:
            self.file_faults.append(file_fault("the file has a header but no rows"))

    @contextmanager
    def _open_text(self) -> Iterator[IO[str]]:
        with self.path.open("rb") as file:
            plain = gzip.GzipFile(fileobj=file) if self._is_gzip else file
            with io.TextIOWrapper(plain, "utf-8-sig", errors="replace", newline="") as text:
                yield text

    def pieces(self) -> Iterator[Piece]:
        self.n_ragged = 0
        with pa.OSFile(str(self.path)) as file:
            plain = pa.CompressedInputStream(file, "gzip") if self._is_gzip else file
            is_doubtful = False
            try:
                for batch in self._open_reader(plain):
                    is_doubtful = is_doubtful or holds_line_ends(batch)
                    yield self._as_piece(batch, file.tell())
                if is_doubtful or self.n_ragged:
                    self._check_quotes()
            except pa.ArrowInvalid as error:
                self.file_faults.append(file_fault(f"{_UNREADABLE}: {error}"))
            except OSError as error:
                self.file_faults.append(file_fault(f"the gzip file is damaged: {error}"))

    def _check_quotes(self) -> None:
        """Look whether every quote is closed: otherwise one swallowed the rows after it."""
        with self._open_text() as file:
            found = open_quotes(file)
            self.file_faults += [file_fault(sentence, row=line) for line, sentence in found]

    def _open_reader(self, plain: pa.NativeFile) -> pacsv.CSVStreamingReader:
        places = [str(place) for place in range(len(self.columns))]
        return pacsv.open_csv(
            plain,
            read_options=pacsv.ReadOptions(
                use_threads=False,
                block_size=_BLOCK_BYTES,
                skip_rows=self._header_lines,
                column_names=places,
            ),
            parse_options=pacsv.ParseOptions(
                newlines_in_values=True, invalid_row_handler=self._skip_ragged
            ),
            convert_options=pacsv.ConvertOptions(
                column_types=dict.fromkeys(places, pa.binary()),
                strings_can_be_null=False,
                quoted_strings_can_be_null=False,
            ),
        )

    def _skip_ragged(self, _row: pacsv.InvalidRow) -> str:
        self.n_ragged += 1
        return "skip"

    def _as_piece(self, batch: pa.RecordBatch, done: int) -> Piece:
        columns: list[pa.Array] = []
        faults: list[RowFaults] = []
        for name, raw in zip(self.columns, batch.columns, strict=True):
            text, misread = _as_text(raw)
            columns.append(text)
            if misread.size:
                faults.append(RowFaults(name, _NOT_UTF8, misread))
        return Piece(pa.table(columns, names=list(self.columns)), tuple(faults), done)

    def lines_of(self, rows: Ints) -> Ints:
        lines = self._find_rows(rows).lines
        return np.array([lines.get(int(row), int(row) + 2) for row in rows], dtype=np.int64)

    def ragged_faults(self) -> list[Document]:
        return self._find_rows(np.array([], dtype=np.int64)).ragged

    def _find_rows(self, rows: Ints) -> _Layout:
        """Read the file once more, cell by cell: only done when there is a fault to name."""
        wanted, layout = set(rows.tolist()), _Layout()
        last = max(wanted, default=-1)
        position = 0
        for line, cells in self._numbered_rows():
            if len(cells) == len(self.columns):
                if position in wanted:
                    layout.lines[position] = line
                position += 1
            elif len(layout.ragged) < FAULTS_SHOWN:
                layout.ragged.append(self._ragged_fault(line, len(cells)))
            enough = len(layout.ragged) >= min(self.n_ragged, FAULTS_SHOWN)
            if position > last and enough:
                break
        return layout

    def _ragged_fault(self, line: int, n_cells: int) -> Document:
        width = len(self.columns)
        problem = f"the row has {counted(n_cells, 'cell')}, the header has {width}"
        return file_fault(problem, row=line)

    def _numbered_rows(self) -> Iterator[tuple[int, list[str]]]:
        with self._open_text() as file:
            reader = csv.reader(file)
            next(cells for cells in reader if cells)
            before = reader.line_num
            for cells in reader:
                if cells:
                    yield before + 1, cells
                before = reader.line_num


def _as_text(raw: pa.Array) -> tuple[pa.Array, Ints]:
    try:
        return raw.cast(pa.string()), np.array([], dtype=np.int64)
    except pa.ArrowInvalid:
        cells = one_chunk(raw).to_pylist()
    misread = [row for row, cell in enumerate(cells) if not _is_utf8(cell)]
    texts = [cell.decode("utf-8", errors="replace") for cell in cells]
    return pa.array(texts, pa.string()), np.array(misread, dtype=np.int64)


def _is_utf8(cell: bytes) -> bool:
    try:
        cell.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
