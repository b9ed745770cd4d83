"""Tables, headings and pairs, the same everywhere."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from rich import box
from rich.console import Console, ConsoleOptions, RenderResult
from rich.table import Table
from rich.text import Text

_NARROWEST_TEXT = 18
_BETWEEN = 3


@dataclass(frozen=True, slots=True)
class Figure:
    """Hold a titled table that never cuts a number, however narrow the terminal.

    Where the table does not fit, headers of number columns are stacked and text wraps; what
    still does not fit runs over the edge instead of losing digits.

    Parameters
    ----------
    title : str
        What the table shows, one line.
    columns : tuple of str
        Headers; one that ends in ``>`` is right-aligned and its cells stay on one line.
    rows : tuple of tuple of Text
        Cells.
    source : str or None
        What the figures come from; printed under the title.
    """

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Text, ...], ...]
    source: str | None

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """Print title, source and table, as wide as needed."""
        yield Text(self.title, style="bold")
        if self.source:
            yield Text(self.source, style="dim")
        fits = console.measure(self._grid(stacked=False)).maximum <= options.max_width
        width = max(options.max_width, self._narrowest())
        yield from console.render(self._grid(stacked=not fits), options.update(width=width))

    def _grid(self, *, stacked: bool) -> Table:
        grid = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
        for column in self.columns:
            header = column.removesuffix(">")
            is_number = column.endswith(">")
            grid.add_column(
                Text(header.replace(" ", "\n") if stacked and is_number else header),
                justify="right" if is_number else "left",
                no_wrap=is_number,
                overflow="fold",
            )
        for row in self.rows:
            grid.add_row(*row)
        return grid

    def _narrowest(self) -> int:
        """Give the width below which a number would be cut or a text fold too often."""
        total = 0
        for number, column in enumerate(self.columns):
            is_number = column.endswith(">")
            words = column.removesuffix(">").split()
            for row in self.rows:
                words += [row[number].plain] if is_number else row[number].plain.split()
            longest = max((len(word) for word in words), default=0)
            total += longest if is_number else min(longest, _NARROWEST_TEXT)
        return total + _BETWEEN * len(self.columns)


def table(
    title: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    source: str | None = None,
) -> Figure:
    """Build a titled table whose number columns are right-aligned.

    Parameters
    ----------
    title : str
        What the table shows, one line.
    columns : sequence of str
        Headers; one that ends in ``>`` is right-aligned (the sign is not shown).
    rows : iterable of sequence
        Cells, already written as text or as ``Text``.
    source : str or None
        What the figures come from; printed under the title.

    Returns
    -------
    Figure
        Ready to print.
    """
    cells = (
        tuple(cell if isinstance(cell, Text) else Text(str(cell)) for cell in row) for row in rows
    )
    return Figure(title, tuple(columns), tuple(cells), source)


def pairs(title: str, values: Mapping[str, object]) -> Table:
    """Build a two-column list of names and values.

    Parameters
    ----------
    title : str
        What is described; empty for no title.
    values : mapping
        Name to text.

    Returns
    -------
    Table
        Ready to print.
    """
    grid = Table(
        title=Text(title) if title else None, title_justify="left", title_style="bold", box=None,
        show_header=False, pad_edge=False,
    )  # fmt: skip
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, value in values.items():
        grid.add_row(Text(name), value if isinstance(value, Text) else Text(str(value)))
    return grid


def sentence(text: str, style: str = "") -> Text:
    """Build a line of plain text.

    Parameters
    ----------
    text : str
        The sentence.
    style : str
        Rich style, such as ``bold``.

    Returns
    -------
    Text
        Ready to print.
    """
    return Text(text, style=style)


def bullets(title: str, lines: Iterable[str]) -> list[Text]:
    """Build a titled list of sentences; nothing where there are none.

    Parameters
    ----------
    title : str
        Heading.
    lines : iterable of str
        Sentences.

    Returns
    -------
    list of Text
        Heading and one line each.
    """
    found = [Text(f"  - {line}") for line in lines]
    return [Text(title, style="bold"), *found] if found else []


def next_step(command: str) -> Text:
    """Build the line that says which command comes next.

    Parameters
    ----------
    command : str
        A command as it can be typed.

    Returns
    -------
    Text
        Ready to print.
    """
    return Text.assemble(("Next: ", "bold"), command)
