"""Tables, headings and pairs, the same everywhere."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from rich import box
from rich.console import Group
from rich.table import Table
from rich.text import Text


def table(
    title: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    source: str | None = None,
    wrap: bool = False,
) -> Group:
    """Build a table whose number columns are right-aligned.

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
    wrap : bool
        Whether the last column may wrap; the others never do.

    Returns
    -------
    Group
        Title, source and table, ready to print.
    """
    grid = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for number, column in enumerate(columns):
        is_last = number == len(columns) - 1
        grid.add_column(
            Text(column.removesuffix(">")),
            justify="right" if column.endswith(">") else "left",
            no_wrap=not (wrap and is_last),
            overflow="fold",
        )
    for row in rows:
        grid.add_row(*(cell if isinstance(cell, Text) else Text(str(cell)) for cell in row))
    heading = [Text(title, style="bold")]
    return Group(*heading, *([Text(source, style="dim")] if source else []), grid)


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
