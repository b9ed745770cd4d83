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
_JOINTS = re.compile(r"(?<=[_./\\-])")
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

_FEW_ROWS, _FEW_LETTERS = 16, 1500
"""A table of at most so many stays on one page."""

_LEAST, _MOST = 34.0, 375.0


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
    try:
        return _typeset(given, showable(given))
    except RuntimeError:  # letters that the fonts hold, and not one beside the other
        return _typeset(given, showable(given, only_latin=True))


def _typeset(given: str, text: str) -> bytes:
    """Set a document whose characters can be shown; it says where some were not."""
    shown = json.loads(text)
    if text != given:
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
        letters = sum(len(cell) for row in part["rows"] for cell in row)
        part["is_short"] = len(part["rows"]) <= _FEW_ROWS and letters <= _FEW_LETTERS
        part["verdicts"] = [column["title"] == "Verdict" for column in part["columns"]]
        whole = [column["is_code"] for column in part["columns"]]
        part["rows"] = [
            [cell if code else _breakable(cell) for cell, code in zip(row, whole, strict=True)]
            for row in part["rows"]
        ]
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
        Lengths of Typst, in points. Numbers and codes are never broken; a text has room for its
        longest word, and texts share what is left by how much they would take.

    Examples
    --------
    >>> column = {"title": "Band", "is_number": False, "is_code": False}
    >>> widths({"columns": [column], "rows": [["good"]]})
    ['34pt']
    """
    wished, least = [], []
    for place, column in enumerate(part["columns"]):
        cells = [row[place] for row in part["rows"]]
        em = _CODE_EM if column["is_code"] else _EM
        head = _longest_word(column["title"]) * _EM
        wished.append(max(max(map(len, cells), default=1) * em, head) + _PAD)
        word = max(map(_longest_word, cells), default=1) * _EM
        is_firm = column["is_number"] or column["is_code"]
        least.append(wished[-1] if is_firm else min(max(word, head) + _PAD, wished[-1]))
    wished = [max(width, _LEAST) for width in wished]
    if sum(wished) <= _WIDTH:
        return [f"{width:.0f}pt" for width in wished]
    more = [min(width, _MOST) - low for width, low in zip(wished, least, strict=True)]
    shares = [max(one, 0.0) ** 0.75 for one in more]
    room = max(_WIDTH - sum(least), 0.0) / (sum(shares) or 1.0)
    squeezed = min(1.0, _WIDTH / sum(least))
    return [
        f"{squeezed * low + room * share:.0f}pt" for low, share in zip(least, shares, strict=True)
    ]


def _longest_word(text: str) -> int:
    return max((min(len(word), _LONG) for word in text.split()), default=1)


def _breakable(text: str) -> str:
    """Let a word that is longer than a column end a line within it, best after a joint."""
    return _TOKEN.sub(lambda found: _broken(found.group()), text)


def _broken(word: str) -> str:
    pieces = [piece for piece in _JOINTS.split(word) if piece]
    return _BREAK.join(
        piece[start : start + _LONG] for piece in pieces for start in range(0, len(piece), _LONG)
    )


def _picture(figure: Figure) -> str:
    """Draw in the letters of the desk, which are wider, and set in those of the paper."""
    return _FAMILY.sub(f'font-family="{FONT}"', draw_svg(figure.specification))
