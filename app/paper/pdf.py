"""A paper as PDF: typeset by Typst, in the fonts that it carries, the same bytes every time."""

from __future__ import annotations

import json
import re
from importlib.resources import files
from textwrap import shorten

import typst

from app.charts.svg import draw_svg
from app.domain.types import Document
from app.paper.formulas import FORMULAS
from app.paper.layout import each_part, laid_out
from app.paper.letters import FONT, showable
from app.paper.parts import Figure, Paper

_TEMPLATE = files("app.paper") / "templates" / "paper.typ"
_LONG = 16
_TOKEN = re.compile(rf"\S{{{_LONG + 1},}}")
_FAMILY = re.compile(r'font-family="[^"]*"')
_BREAK = "\u200b"
_TEXTS = ("text", "title", "source", "says", "word")
_UNSHOWN = (
    "Characters that the fonts of this PDF lack stand as their number, such as [U+682A]; the HTML "
    "and the workbook show them."
)
_WIDTH = 470.0
"""Points between the margins."""

_EM, _CODE_EM, _PAD = 3.9, 3.95, 9.0
"""Points that a letter of a table takes, one of a code, and the room between two columns."""

_LEAST, _MOST, _NARROWEST = 34.0, 375.0, 48.0


def pdf(paper: Paper) -> bytes:
    """Write a paper as PDF.

    Parameters
    ----------
    paper : Paper
        What it says.

    Returns
    -------
    bytes
        PDF/UA-1: tagged, with bookmarks and page numbers, without any date. Texts of people
        reach the typesetter as data; nothing of them is read as its language.
    """
    document = laid_out(paper, _picture)
    for part in each_part(document):
        _prepare(part)
    given = json.dumps(document, ensure_ascii=False, sort_keys=True)
    shown = json.loads(showable(given))
    if showable(given) != given:
        shown["brief"].append({"kind": "paragraph", "text": _UNSHOWN})
    shown["formulas"] = dict(FORMULAS)
    shown["running_title"] = shorten(shown["card_name"], 90, placeholder=" …")
    written: bytes = typst.compile(
        _TEMPLATE.read_bytes(),
        ignore_system_fonts=True,
        format="pdf",
        sys_inputs={"paper": json.dumps(shown, sort_keys=True)},
        pdf_standards="ua-1",
        timestamp=0,
    )
    return written


def _prepare(part: Document) -> None:
    """Choose the widths of columns, and let long words end a line."""
    if "columns" in part:
        part["widths"] = widths(part)
        part["verdicts"] = [column["title"] == "Verdict" for column in part["columns"]]
        part["rows"] = [[_breakable(cell) for cell in row] for row in part["rows"]]
        for column in part["columns"]:
            column["title"] = _breakable(column["title"])
    part |= {key: _breakable(part[key]) for key in _TEXTS if key in part}
    if part["kind"] == "list":
        part["items"] = [_breakable(item) for item in part["items"]]


def widths(part: Document) -> list[str]:
    """Choose the widths of a table's columns: as wide as the data, at most the page.

    Parameters
    ----------
    part : dict
        With ``columns`` and ``rows`` as texts.

    Returns
    -------
    list of str
        Lengths of Typst, in points, or ``fr`` for texts that share what is left.

    Examples
    --------
    >>> column = {"title": "Band", "is_number": False, "is_code": False}
    >>> widths({"columns": [column], "rows": [["good"]]})
    ['34pt']
    """
    wished, flexible = [], []
    for place, column in enumerate(part["columns"]):
        longest = max((len(row[place]) for row in part["rows"]), default=1)
        word = max((min(len(word), _LONG) for word in column["title"].split()), default=1)
        em = _CODE_EM if column["is_code"] else _EM
        wished.append(max(longest * em + _PAD, word * _EM + _PAD, _LEAST))
        flexible.append(not column["is_number"] and not column["is_code"])
    if sum(wished) <= _WIDTH:
        return [f"{width:.0f}pt" for width in wished]
    shares = [f"{min(width, _MOST) ** 0.6:.1f}fr" for width in wished]
    firm = sum(width for width, one in zip(wished, flexible, strict=True) if not one)
    if _WIDTH - firm < _NARROWEST * sum(flexible):
        return shares
    return [
        share if one else f"{width:.0f}pt"
        for share, width, one in zip(shares, wished, flexible, strict=True)
    ]


def _breakable(text: str) -> str:
    """Let a word that is longer than a column end a line within it."""
    return _TOKEN.sub(
        lambda found: _BREAK.join(
            found.group()[start : start + _LONG] for start in range(0, len(found.group()), _LONG)
        ),
        text,
    )


def _picture(figure: Figure) -> str:
    """Draw in the letters of the desk, which are wider, and set in those of the paper."""
    return _FAMILY.sub(f'font-family="{FONT}"', draw_svg(figure.specification))
