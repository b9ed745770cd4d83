"""CSV bytes as text columns, with what is wrong in the file itself."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv

from app.domain.counted import counted
from app.domain.intake import shown
from app.domain.types import Document, Ints
from app.lake.csv_quotes import holds_line_ends, open_quotes
from app.lake.intake_size import GZIP

_BLOCK = 1 << 24
_LARGEST_BLOCK = 1 << 30
# cells longer than the 128 KB that the module allows by default are sound
csv.field_size_limit(_LARGEST_BLOCK)
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_WRONG_ENCODING = "holds bytes that are not UTF-8: save the file as UTF-8"


@dataclass(frozen=True, slots=True)
class CsvContent:
    """The rows of a CSV file as text, and its own faults.

    Parameters
    ----------
    table : pyarrow.Table or None
        Every column as text, blank cells as empty text, rows of the wrong width left out; None
        where a fault of the whole file keeps its rows from being read.
    raw : bytes
        The file, decompressed, as UTF-8.
    file_faults : list of dict
        Faults of the whole file.
    misread_lines : ndarray of shape (n,)
        Line numbers (the header is 1) with bytes that are not UTF-8.
    n_ragged : int
        Rows with more or fewer cells than the header.
    """

    table: pa.Table | None
    raw: bytes
    file_faults: list[Document] = field(default_factory=list)
    misread_lines: Ints = field(default_factory=lambda: np.array([], dtype=np.int64))
    n_ragged: int = 0


@dataclass(frozen=True, slots=True)
class CsvLayout:
    """Where the rows of a CSV file stand.

    Parameters
    ----------
    lines : ndarray of shape (n_rows,)
        Line number of each data row of the table; the header is 1.
    ragged : tuple of (int, tuple of str)
        Line number and cells of each row of the wrong width.
    width : int
        Number of cells of the header.
    """

    lines: Ints
    ragged: tuple[tuple[int, tuple[str, ...]], ...]
    width: int


def file_fault(problem: str, *, row: int | None = None, column: str | None = None) -> Document:
    """Write a fault of the whole file.

    Parameters
    ----------
    problem : str
        The sentence.
    row : int or None
        Line number.
    column : str or None
        Name of a column.

    Returns
    -------
    dict
        As `app.errors.IntakeError` shows it.

    Examples
    --------
    >>> file_fault("the file is empty")["problem"]
    'the file is empty'
    """
    return {"row": row, "column": column, "value": None, "problem": problem}


def decompress(content: bytes) -> bytes:
    """Undo gzip, whether or not the name says so.

    Parameters
    ----------
    content : bytes
        Of a file.

    Returns
    -------
    bytes
        The plain content.

    Raises
    ------
    ValueError
        If a gzip file is cut short or damaged.

    Examples
    --------
    >>> decompress(b"a,b")
    b'a,b'
    """
    if not content.startswith(GZIP):
        return content
    try:
        return gzip.decompress(content)
    except (OSError, EOFError, zlib.error) as error:
        message = f"the gzip file is damaged: {error}"
        raise ValueError(message) from error


def read_csv(content: bytes) -> CsvContent:
    r"""Read a CSV file as text columns, and find the faults of its form.

    Parameters
    ----------
    content : bytes
        The file, plain or gzip.

    Returns
    -------
    CsvContent
        With faults instead of errors.

    Examples
    --------
    >>> read_csv(b"id,age\n1,30\n2\n").n_ragged
    1
    """
    try:
        raw = decompress(content)
    except ValueError as error:
        return CsvContent(None, b"", [file_fault(str(error))])
    if raw.startswith(_UTF16):
        return CsvContent(None, b"", [file_fault("is UTF-16: save the file as UTF-8", row=1)])
    raw = raw.removeprefix(codecs.BOM_UTF8)
    raw, misread = _as_utf8(raw)
    if not raw.strip():
        return CsvContent(None, raw, [file_fault("the file is empty")])
    if misread.size and misread[0] == 1:
        return CsvContent(None, raw, [file_fault(f"the header {_WRONG_ENCODING}", row=1)])
    header = next(row for row in csv.reader(_lines(raw)) if row)
    names = [name.strip() for name in header]
    faults = _header_faults(names)
    try:
        table, n_ragged = _parse(raw, len(names))
    except pa.ArrowInvalid as error:
        problem = f"the rows cannot be read, look for a quote that is never closed: {error}"
        return CsvContent(None, raw, [*faults, file_fault(problem)])
    if table.num_rows + n_ragged == 0:
        faults.append(file_fault("the file has a header but no rows"))
    if b'"' in raw and (n_ragged or holds_line_ends(table)):
        faults += [file_fault(sentence, row=line) for line, sentence in open_quotes(_lines(raw))]
    return CsvContent(table.rename_columns(unique_names(names)), raw, faults, misread, n_ragged)


def _as_utf8(raw: bytes) -> tuple[bytes, Ints]:
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        lines = [n for n, line in enumerate(raw.split(b"\n"), start=1) if not _is_utf8(line)]
        return raw.decode("utf-8", errors="replace").encode(), np.array(lines, dtype=np.int64)
    return raw, np.array([], dtype=np.int64)


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _lines(raw: bytes) -> io.TextIOWrapper:
    return io.TextIOWrapper(io.BytesIO(raw), encoding="utf-8", newline="")


def _header_faults(names: list[str]) -> list[Document]:
    faults = [
        file_fault("the column name stands more than once in the header", row=1, column=name)
        for name in dict.fromkeys(names)
        if name and names.count(name) > 1
    ]
    if len(names) == 1 and any(mark in names[0] for mark in ";\t|"):
        faults.append(file_fault("the header has one column: separate columns by commas", row=1))
    return faults


def unique_names(names: list[str]) -> list[str]:
    """Name blank columns by position, and set repeated names apart.

    Parameters
    ----------
    names : list of str
        As in the header.

    Returns
    -------
    list of str
        Each name once, in the same order.

    Examples
    --------
    >>> unique_names(["", "age", "age"])
    ['column_1', 'age', 'age #2']
    """
    seen: dict[str, int] = {}
    unique = []
    for place, name in enumerate(names, start=1):
        seen[name] = seen.get(name, 0) + 1
        plain = name or f"column_{place}"
        unique.append(plain if not name or seen[name] == 1 else f"{plain} #{seen[name]}")
    return unique


def _parse(raw: bytes, width: int) -> tuple[pa.Table, int]:
    ragged: list[None] = []

    def skip(_row: pacsv.InvalidRow) -> str:
        ragged.append(None)
        return "skip"

    names = [str(place) for place in range(width)]
    block = min(max(_BLOCK, len(raw) // 64), _LARGEST_BLOCK)
    body = pa.py_buffer(memoryview(raw)[_header_length(raw) :])
    if body.size == 0 or not bytes(memoryview(body)[:_BLOCK]).strip():
        empty = pa.array([], pa.string())
        return pa.table([empty] * width, names=names), 0
    table = pacsv.read_csv(
        pa.BufferReader(body),
        read_options=pacsv.ReadOptions(column_names=names, block_size=block),
        parse_options=pacsv.ParseOptions(newlines_in_values=b'"' in raw, invalid_row_handler=skip),
        convert_options=pacsv.ConvertOptions(
            column_types=dict.fromkeys(names, pa.string()),
            strings_can_be_null=False,
            quoted_strings_can_be_null=False,
        ),
    )
    return table, len(ragged)


def _header_length(raw: bytes) -> int:
    """Count the bytes up to the end of the header, which may hold quoted line ends."""
    reader = csv.reader(_lines(raw))
    while not next(reader):
        continue
    length = 0
    for _ in range(reader.line_num):
        length = _next_line(raw, length)
    return length


def _next_line(raw: bytes, start: int) -> int:
    ends = [
        end for end in (raw.find(b"\n", start), raw.find(b"\r", start, start + _BLOCK)) if end >= 0
    ]
    if not ends:
        return len(raw)
    end = min(ends)
    return end + 2 if raw[end : end + 2] == b"\r\n" else end + 1


def find_rows(raw: bytes) -> CsvLayout:
    r"""Find the line of every row; only done when there is a fault to name.

    Parameters
    ----------
    raw : bytes
        The file, decompressed, as UTF-8.

    Returns
    -------
    CsvLayout
        Quoted line ends and blank lines are accounted for.

    Examples
    --------
    >>> find_rows(b'id,note\n1,"two\nlines"\n\n2,x\n3\n').lines.tolist()
    [2, 5]
    """
    rows = _numbered_rows(raw)
    _, header = next(rows)
    lines, ragged = [], []
    for line, cells in rows:
        if len(cells) == len(header):
            lines.append(line)
        else:
            ragged.append((line, tuple(cells)))
    return CsvLayout(np.array(lines, dtype=np.int64), tuple(ragged), len(header))


def _numbered_rows(raw: bytes) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(_lines(raw))
    before = 0
    for cells in reader:
        if cells:
            yield before + 1, cells
        before = reader.line_num


def ragged_faults(layout: CsvLayout) -> list[Document]:
    r"""Write the faults of rows with the wrong number of cells.

    Parameters
    ----------
    layout : CsvLayout
        Of the file.

    Returns
    -------
    list of dict
        In file order.

    Examples
    --------
    >>> ragged_faults(find_rows(b"id,age\n1\n"))[0]["problem"]
    'the row has 1 cell, the header has 2'
    """
    return [
        {
            "row": line,
            "column": None,
            "value": shown(",".join(cells)),
            "problem": f"the row has {counted(len(cells), 'cell')}, the header has {layout.width}",
        }
        for line, cells in layout.ragged
    ]


def encoding_faults(lines: Ints) -> list[Document]:
    """Write the faults of lines that are not UTF-8.

    Parameters
    ----------
    lines : ndarray of shape (n,)
        Line numbers.

    Returns
    -------
    list of dict
        In file order.

    Examples
    --------
    >>> encoding_faults(np.array([3]))[0]["row"]
    3
    """
    return [file_fault(f"the row {_WRONG_ENCODING}", row=int(line)) for line in lines]
