"""The neutral document in the middle: what a paper says, before anybody decides how it looks.

Every text is plain: markup in it is text. A renderer escapes, or passes texts on as data.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from app.charts.catalogue import Drawing
from app.charts.tables import Table
from app.charts.theme import LOOKS, Look
from app.domain.types import Document
from app.findings.words import with_minus

Tone = Literal["plain", "pass", "unsure", "fail"]
"""What the colour of a notice means: nothing, pass, insufficient evidence or caution, fail."""


@dataclass(frozen=True, slots=True)
class Paragraph:
    """One paragraph.

    Attributes
    ----------
    text : str
        Plain text.
    """

    text: str


@dataclass(frozen=True, slots=True)
class Notice:
    """What must not be overlooked.

    Attributes
    ----------
    word : str
        Such as ``Adopt``; it carries the meaning without the colour.
    text : str
        The sentence.
    tone : str
        Its colour.
    """

    word: str
    text: str
    tone: Tone = "plain"


@dataclass(frozen=True, slots=True)
class Listing:
    """Several statements of equal rank.

    Attributes
    ----------
    items : tuple of str
        Plain texts.
    """

    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Formula:
    """A formula of the method.

    Attributes
    ----------
    name : str
        Of :data:`app.paper.formulas.FORMULAS`: a constant of the code, never a person's text.
    says : str
        What it is for; what the letters are.
    """

    name: str
    says: str


@dataclass(frozen=True, slots=True)
class Block:
    """A table with its title.

    Attributes
    ----------
    title : str
        What it holds, or its finding.
    table : Table
        Values in full precision; columns know how they are written.
    source : str
        Where the values come from; empty where the text around it says so.
    sheet : str
        Name of its sheet in the workbook.
    raw : Table or None
        For the workbook, where the table holds numbers that were written before.
    """

    title: str
    table: Table
    sheet: str
    source: str = ""
    raw: Table | None = None


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure with the table behind it.

    Attributes
    ----------
    title : str
        The finding.
    drawing : Drawing
        What is drawn.
    source : str
        Which cards and which rows it comes from.
    sheet : str
        Name of its sheet in the workbook.
    is_small : bool
        Whether half the width of a page is enough; two such in a row stand side by side.
    """

    title: str
    drawing: Drawing
    sheet: str
    source: str = ""
    is_small: bool = False

    @property
    def look(self) -> Look:
        """Give how it is drawn: on white, and for half a page where two stand side by side."""
        return LOOKS["light", "narrow" if self.is_small else "wide"]

    @property
    def specification(self) -> Document:
        """Draw it, as Vega-Lite."""
        return self.drawing.chart.draw(self.drawing.document, self.look)

    @property
    def table(self) -> Table:
        """Give the values behind it."""
        return self.drawing.chart.tabulate(self.drawing.document)


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading within a section.

    Attributes
    ----------
    text : str
        Plain text.
    """

    text: str


Part: TypeAlias = Paragraph | Notice | Listing | Formula | Block | Figure | Heading


@dataclass(frozen=True, slots=True)
class Section:
    """One numbered section.

    Attributes
    ----------
    title : str
        Of the section.
    parts : tuple
        In order.
    """

    title: str
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Paper:
    """A whole paper about one version.

    Attributes
    ----------
    kind : str
        ``Review dossier`` or ``Model card``.
    version : str
        The version.
    card_name : str
        Name of the scorecard.
    status : str
        Of the version.
    content_hash : str
        Of its card, 64 hexadecimal digits.
    as_of : str
        Time of the newest entry on record about it; not the time of writing.
    command : str
        What to type to write the same bytes again.
    brief : tuple
        What stands before the first section.
    sections : tuple of Section
        Numbered from 1.
    """

    kind: str
    version: str
    card_name: str
    status: str
    content_hash: str
    as_of: str
    command: str
    brief: tuple[Part, ...]
    sections: tuple[Section, ...]

    @property
    def title(self) -> str:
        """Give the title of the whole."""
        return f"{self.kind}: {self.version}"


def section(title: str, *parts: Part | Sequence[Part] | None) -> Section:
    """Build a section of parts, some of which may not be there.

    Parameters
    ----------
    title : str
        Of the section.
    *parts : Part, sequence of Part, or None
        In order; None is left out.

    Returns
    -------
    Section
        Frozen.

    Examples
    --------
    >>> section("Limits", Paragraph("One."), None, [Paragraph("Two.")]).parts
    (Paragraph(text='One.'), Paragraph(text='Two.'))
    """
    return Section(title, flattened(parts))


def flattened(parts: Sequence[Part | Sequence[Part] | None]) -> tuple[Part, ...]:
    """Put parts in one row, without those that are not there.

    Parameters
    ----------
    parts : sequence
        Parts, sequences of parts, or None.

    Returns
    -------
    tuple of Part
        In order.

    Examples
    --------
    >>> flattened([None, [Paragraph("a")]])
    (Paragraph(text='a'),)
    """
    found: list[Part] = []
    for one in parts:
        if isinstance(one, Sequence):
            found += one
        elif one is not None:
            found.append(one)
    return tuple(found)


def said(text: str) -> Paragraph:
    """Say something in a paragraph, negative numbers with a minus sign.

    Parameters
    ----------
    text : str
        Plain text.

    Returns
    -------
    Paragraph
        Frozen.

    Examples
    --------
    >>> said("It moves by -22 points.").text
    'It moves by −22 points.'
    """
    return Paragraph(with_minus(text))
