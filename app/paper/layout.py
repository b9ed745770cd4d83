"""A paper as nested texts: what HTML and PDF have in common before they differ in looks."""

from __future__ import annotations

from collections.abc import Callable
from functools import singledispatch

from app.charts.tables import Table
from app.domain.exports.stamp import NOT_IN_XML
from app.domain.types import Document
from app.edge import numbers
from app.paper.parts import (
    Block,
    Figure,
    Formula,
    Heading,
    Listing,
    Notice,
    Paper,
    Paragraph,
    Part,
)

REPLACED = "\ufffd"
"""Stands for a control character, which no paper can show."""

Picture = Callable[[Figure], str]


def laid_out(paper: Paper, picture: Picture) -> Document:
    """Write out a paper as nested texts.

    Parameters
    ----------
    paper : Paper
        What it says.
    picture : callable
        Draws a figure as SVG.

    Returns
    -------
    dict
        ``title``, ``kind``, ``version``, ``card_name``, ``status``, ``content_hash``, ``as_of``,
        ``command``; ``brief`` and ``sections``, whose parts each have a ``kind``. Plain texts:
        the renderer escapes them.
    """
    return {
        "title": cleaned(paper.title),
        "kind": paper.kind,
        "version": cleaned(paper.version),
        "card_name": cleaned(paper.card_name),
        "status": paper.status,
        "content_hash": paper.content_hash,
        "as_of": numbers.moment(paper.as_of),
        "command": cleaned(paper.command),
        "brief": _all(paper.brief, picture),
        "sections": [
            {"title": one.title, "parts": _all(one.parts, picture)} for one in paper.sections
        ],
    }


def _all(parts: tuple[Part, ...], picture: Picture) -> list[Document]:
    """Write out parts, small figures in pairs."""
    found: list[Document] = []
    for part in parts:
        written = _written(part, picture)
        if isinstance(part, Figure) and part.is_small:
            if found and found[-1]["kind"] == "pair" and len(found[-1]["parts"]) == 1:
                found[-1]["parts"].append(written)
            else:
                found.append({"kind": "pair", "parts": [written]})
        else:
            found.append(written)
    return found


def each_part(document: Document) -> list[Document]:
    """List the parts of a paper that is laid out, those within pairs too.

    Parameters
    ----------
    document : dict
        From :func:`laid_out`.

    Returns
    -------
    list of dict
        In order.
    """
    parts = [
        *document["brief"],
        *(part for one in document["sections"] for part in one["parts"]),
    ]  # fmt: skip
    return [one for part in parts for one in (part["parts"] if part["kind"] == "pair" else [part])]


def cleaned(text: str) -> str:
    r"""Replace control characters, and keep percent signs with their numbers.

    Parameters
    ----------
    text : str
        Of anybody.

    Returns
    -------
    str
        The same where it holds none.

    Examples
    --------
    >>> cleaned("a\x00b")
    'a�b'
    """
    return NOT_IN_XML.sub(REPLACED, text).replace(" %", "\u00a0%")


def cells(table: Table) -> list[list[str]]:
    """Write the cells of a table, numbers with a minus sign.

    Parameters
    ----------
    table : Table
        The values.

    Returns
    -------
    list of list of str
        Row by row.
    """
    return [
        [cleaned(text.replace("-", "−") if is_number else text) for text, is_number in row]
        for row in table.cells()
    ]


def _tabled(table: Table) -> Document:
    return {
        "columns": [
            {
                "title": cleaned(column.title.strip()),
                "is_number": column.is_number,
                "is_code": column.is_code,
            }
            for column in table.columns
        ],
        "rows": cells(table),
    }


@singledispatch
def _written(part: Part, picture: Picture) -> Document:
    raise AssertionError(part, picture)


@_written.register
def _(part: Paragraph, _picture: Picture) -> Document:
    return {"kind": "paragraph", "text": cleaned(part.text)}


@_written.register
def _(part: Heading, _picture: Picture) -> Document:
    return {"kind": "heading", "text": cleaned(part.text)}


@_written.register
def _(part: Notice, _picture: Picture) -> Document:
    return {
        "kind": "notice",
        "word": cleaned(part.word),
        "text": cleaned(part.text),
        "tone": part.tone,
    }


@_written.register
def _(part: Listing, _picture: Picture) -> Document:
    return {"kind": "list", "items": [cleaned(item) for item in part.items]}


@_written.register
def _(part: Formula, _picture: Picture) -> Document:
    return {"kind": "formula", "name": part.name, "says": cleaned(part.says)}


@_written.register
def _(part: Block, _picture: Picture) -> Document:
    return {
        "kind": "table",
        "title": cleaned(part.title),
        "source": cleaned(part.source),
        **_tabled(part.table),
    }


@_written.register
def _(part: Figure, picture: Picture) -> Document:
    return {
        "kind": "figure",
        "title": cleaned(part.title),
        "source": cleaned(part.source),
        "shows": part.drawing.chart.shows,
        "width": int(part.specification.get("width", part.look.width)),
        "svg": picture(part),
        **_tabled(part.table),
    }
