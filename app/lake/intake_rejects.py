"""Rows at fault: left out where the person says so, and written beside with their reasons."""

from __future__ import annotations

import csv
from operator import itemgetter
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from app.domain.intake import describe_faults, text_column
from app.domain.intake_safety import harmless_text
from app.domain.types import Bools
from app.lake.intake import SourceFile
from app.lake.intake_csv import ragged_faults


def sound_rows(source: SourceFile, table: pa.Table) -> tuple[pa.Table, int]:
    """Leave out the rows at fault.

    Parameters
    ----------
    source : SourceFile
        With all its faults noted.
    table : pyarrow.Table
        What was read of it, row by row.

    Returns
    -------
    table : pyarrow.Table
        The sound rows, in the same order.
    n_rejected : int
        Rows left out, those of the wrong width among them.

    Raises
    ------
    IntakeError
        If no row is sound.
    """
    bad = bad_rows(source)
    if bad.all():
        source.raise_faults()
    n_ragged = source.csv.n_ragged if source.csv else 0
    sound = table.filter(pa.array(~bad)) if bad.any() else table
    return sound, int(bad.sum()) + n_ragged


def bad_rows(source: SourceFile) -> Bools:
    """Mark the rows of the table that are at fault.

    Parameters
    ----------
    source : SourceFile
        With all its faults noted.

    Returns
    -------
    ndarray of bool, shape (n,)
        True for a row at fault; rows of the wrong width are not in the table.
    """
    bad = np.zeros(source.table.num_rows, dtype=np.bool_)
    for group in source.row_faults:
        bad[group.rows] = True
    bad[source.misread_rows()] = True
    return bad


def write_rejects(source: SourceFile, path: Path) -> None:
    """Write the rows at fault, each with its line and reasons, as a CSV file.

    Parameters
    ----------
    source : SourceFile
        With all its faults noted.
    path : Path
        Overwritten; rows of the wrong width are written with the cells they have. An apostrophe
        stands before what a spreadsheet would run as a formula.
    """
    places = np.flatnonzero(bad_rows(source)).astype(np.int64)
    reasons: dict[int, list[str]] = {}
    for fault in describe_faults(source.row_faults, source.lines_of, limit=None):
        where = f"{fault['column']}: " if fault["column"] else ""
        reasons.setdefault(fault["row"], []).append(f"{where}{fault['problem']}")
    for line in source.lines_of(source.misread_rows()).tolist():
        reasons.setdefault(line, []).append("the row holds bytes that are not UTF-8")
    cells = [text_column(source.table[name].take(pa.array(places))) for name in source.columns]
    columns = [column.to_pylist() for column in cells]
    lines = source.lines_of(places).tolist()
    written: list[Any] = [
        [line, "; ".join(reasons[line]), *(column[at] for column in columns)]
        for at, line in enumerate(lines)
    ]
    if source.csv is not None and source.csv.n_ragged:
        layout = source.layout
        written += [
            [line, fault["problem"], *values]
            for fault, (line, values) in zip(ragged_faults(layout), layout.ragged, strict=True)
        ]
    in_order = sorted(written, key=itemgetter(0))
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["line", "reasons", *map(harmless_text, source.columns)])
        writer.writerows([line, *map(harmless_text, texts)] for line, *texts in in_order)


def keep_rejects(
    source: SourceFile, n_rejected: int, rejects_path: str | Path | None
) -> str | None:
    """Write the rows at fault where there are any.

    Parameters
    ----------
    source : SourceFile
        With all its faults noted.
    n_rejected : int
        Rows left out.
    rejects_path : str, Path or None
        By default ``<file>.rejects.csv`` in the working directory.

    Returns
    -------
    str or None
        Where they are; None where no row was left out.
    """
    if not n_rejected:
        return None
    where = Path(rejects_path) if rejects_path else Path(f"{source.name}.rejects.csv")
    write_rejects(source, where)
    return str(where)
