"""The data behind a paper as an Excel workbook: one sheet per table and per figure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import datetime
from io import BytesIO
from typing import Any

import xlsxwriter

from app.charts.tables import Column
from app.edge import numbers
from app.paper.layout import cleaned
from app.paper.parts import Block, Figure, Notice, Paper, Paragraph, Part
from app.paper.writers import rate_interval, ratio_interval, step, weight_interval, whole_change

_EPOCH = datetime(1980, 1, 1)  # noqa: DTZ001 - a workbook has no zone; no date keeps the bytes the same
_LONGEST_NAME, _LONGEST_TEXT = 31, 32_000
_NOT_IN_A_NAME = re.compile(r"[\[\]:*?/\\']")
_HEAD = 4
"""Rows above the data: title, source, none, and the header."""

_FORMS: dict[Callable[[Any], str], str] = {
    numbers.auc: "0.000",
    numbers.gain: "+0.000;-0.000;0.000",
    numbers.rate: "0.0%",
    numbers.change: "+0.0%;-0.0%;0.0%",
    numbers.weight: "0.00",
    numbers.count: "#,##0",
    numbers.points: "0",
    numbers.tenths: "0.0",
    numbers.interval: "0.000",
    rate_interval: "0.0%",
    weight_interval: "0.00",
    ratio_interval: "0.00",
    numbers.p_value: "0.000",
    whole_change: "+0;-0;0",
    step: "0.00",
}
"""How a spreadsheet shows what the paper writes; the cells hold full precision."""

_INTERVALS = (numbers.interval, rate_interval, ratio_interval, weight_interval)


def workbook(paper: Paper) -> bytes:
    """Write the data behind a paper as a workbook.

    Parameters
    ----------
    paper : Paper
        What it says.

    Returns
    -------
    bytes
        XLSX: a sheet of contents, then one per table and figure, numbers in full precision.
        Texts are cells of text, so that none is run as a formula; no date, so that the same
        paper gives the same bytes.
    """
    into = BytesIO()
    with xlsxwriter.Workbook(into, {"in_memory": True}) as book:
        book.set_properties({"title": cleaned(paper.title), "created": _EPOCH})
        sheets = list(_sheets(paper))
        _contents(book, paper, sheets)
        for name, part in sheets:
            _sheet(book, name, part)
    return into.getvalue()


def _sheets(paper: Paper) -> Iterator[tuple[str, Block | Figure]]:
    """Name a sheet for each table and figure; names are the program's own, and unique."""
    taken: set[str] = set()
    parts: list[Part] = [*paper.brief, *(part for one in paper.sections for part in one.parts)]
    for part in parts:
        if not isinstance(part, Block | Figure):
            continue
        name = _NOT_IN_A_NAME.sub(" ", part.sheet)[:_LONGEST_NAME]
        while name.lower() in taken:
            name = f"{name[: _LONGEST_NAME - 2]} {len(taken) % 10}"
        taken.add(name.lower())
        yield name, part


def _contents(book: Any, paper: Paper, sheets: list[tuple[str, Block | Figure]]) -> None:
    sheet = book.add_worksheet("Contents")
    bold = book.add_format({"bold": True})
    facts = [
        (paper.kind, paper.version),
        ("Scorecard", paper.card_name),
        ("Status", paper.status),
        ("Content hash", paper.content_hash),
        ("Record as of", numbers.moment(paper.as_of)),
        ("Written by", paper.command),
    ]
    said = [
        (part.word, part.text) if isinstance(part, Notice) else ("", part.text)
        for part in paper.brief
        if isinstance(part, Notice | Paragraph)
    ]
    listed = [(name, part.title) for name, part in sheets]
    sheet.set_column(0, 0, 26)
    sheet.set_column(1, 1, 110)
    line = 0
    for rows in (facts, said, [("Sheet", "What it holds"), *listed]):
        for place, row in enumerate(rows):
            is_head = rows is not said and (place == 0)
            for column, text in enumerate(row):
                _text(sheet, line, column, text, bold if is_head else None)
            line += 1
        line += 1


def _sheet(book: Any, name: str, part: Block | Figure) -> None:
    sheet = book.add_worksheet(name)
    bold = book.add_format({"bold": True})
    table = part.raw if isinstance(part, Block) and part.raw is not None else part.table
    _text(sheet, 0, 0, part.title, bold)
    _text(sheet, 1, 0, part.source)
    place = 0
    for index, column in enumerate(table.columns):
        values = [row[index] for row in table.rows]
        form = book.add_format({"num_format": _FORMS.get(column.write, "General")})
        for title, cells in _split(column, values):
            _text(sheet, _HEAD - 1, place, title, bold)
            sheet.set_column(place, place, _width(title, cells))
            for line, value in enumerate(cells, _HEAD):
                _cell(sheet, line, place, value, form)
            place += 1
    sheet.freeze_panes(_HEAD, 1)


def _split(column: Column, values: list[Any]) -> list[tuple[str, list[Any]]]:
    """Give an interval two columns."""
    is_interval = column.write in _INTERVALS or any(
        isinstance(value, list | tuple) for value in values
    )
    if not is_interval:
        return [(column.title.strip(), values)]
    ends = [value or (None, None) for value in values]
    title = column.title.strip()
    return [
        (f"{title}, lower", [end[0] for end in ends]),
        (f"{title}, upper", [end[1] for end in ends]),
    ]


def _width(title: str, cells: list[Any]) -> float:
    texts = [len(value) for value in cells if isinstance(value, str)]
    return float(min(max([10, len(title) + 1, *texts]), 70))


def _cell(sheet: Any, line: int, place: int, value: Any, form: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        _text(sheet, line, place, "" if value is None else str(value))
    else:
        sheet.write_number(line, place, value, form)


def _text(sheet: Any, line: int, place: int, text: str, form: Any = None) -> None:
    if text:
        sheet.write_string(line, place, cleaned(text)[:_LONGEST_TEXT], form)
