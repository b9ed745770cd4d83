"""The table behind a chart: as cells to read, and as CSV to take away."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from app.domain.intake_safety import harmless_text
from app.edge import numbers


def as_text(value: Any) -> str:
    """Write a text cell.

    Parameters
    ----------
    value : Any
        Text, or None.

    Returns
    -------
    str
        Empty where there is none.
    """
    return "" if value is None else str(value)


def as_code(value: Any) -> str:
    """Write a hash, a path or a command, which are read letter by letter.

    Parameters
    ----------
    value : Any
        Text, or None.

    Returns
    -------
    str
        A dash where there is none.
    """
    return numbers.NONE if value is None else str(value)


@dataclass(frozen=True, slots=True)
class Column:
    """Describe one column.

    Attributes
    ----------
    title : str
        Header, with the unit.
    write : callable
        Writes a value for people; numbers by `app.edge.numbers`.
    """

    title: str
    write: Callable[[Any], str] = as_text

    @property
    def is_number(self) -> bool:
        """Say whether the cells are numbers, and so stand to the right."""
        return self.write not in (as_text, as_code)

    @property
    def is_code(self) -> bool:
        """Say whether the cells are read letter by letter."""
        return self.write is as_code


@dataclass(frozen=True, slots=True)
class Table:
    """Hold the values that a chart draws.

    Attributes
    ----------
    columns : tuple of Column
        Left to right.
    rows : tuple of tuple
        As many values each, in full precision; None where there is none.
    """

    columns: tuple[Column, ...]
    rows: tuple[tuple[Any, ...], ...]

    def cells(self) -> tuple[tuple[tuple[str, bool], ...], ...]:
        """Give each row's cells as text, each with whether it is a number."""
        return tuple(
            tuple(
                (column.write(value), column.is_number)
                for column, value in zip(self.columns, row, strict=True)
            )
            for row in self.rows
        )

    def as_csv(self) -> str:
        """Write CSV: full precision, decimal points, and no cell that a spreadsheet would run."""
        file = io.StringIO()
        writer = csv.writer(file, lineterminator="\r\n")
        writer.writerow([_cell(column.title) for column in self.columns])
        writer.writerows([_cell(value) for value in row] for row in self.rows)
        return file.getvalue()


def _cell(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return " to ".join(repr(part) for part in value)
    return harmless_text(value) if isinstance(value, str) else value


def table(columns: Sequence[Column], rows: Sequence[Sequence[Any]]) -> Table:
    """Build a table.

    Parameters
    ----------
    columns : sequence of Column
        Left to right.
    rows : sequence of sequence
        The values.

    Returns
    -------
    Table
        Frozen.
    """
    return Table(tuple(columns), tuple(tuple(row) for row in rows))
