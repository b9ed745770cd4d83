"""A paper as one HTML file: styles, pictures and formulas inside, no script, nothing from afar."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files

import typst
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from app.charts.svg import inline_svg
from app.paper.formulas import FORMULAS
from app.paper.layout import laid_out
from app.paper.parts import Figure, Paper

_TEMPLATES = files("app.paper") / "templates"
_MATH = re.compile(r"<math.*</math>", re.DOTALL)
_ID = re.compile(r'(\bid="|url\(#)([\w-]+)')
_SIGNS = {"pass": "✓", "insufficient evidence": "?", "fail": "✕"}


def html(paper: Paper) -> bytes:
    """Write a paper as HTML.

    Parameters
    ----------
    paper : Paper
        What it says.

    Returns
    -------
    bytes
        UTF-8, one file, which prints as a paper. Every text is escaped.
    """
    numbered = iter(range(1, 1000))
    document = laid_out(paper, lambda figure: _picture(figure, f"f{next(numbered)}-"))
    style = Markup((_TEMPLATES / "paper.css").read_text(encoding="utf-8"))  # noqa: S704 - our own
    template = _environment().get_template("paper.html")
    return template.render(paper=document, style=style, formula=formula, signs=_SIGNS).encode()


@cache
def formula(name: str) -> Markup:
    """Give a formula as MathML, made by Typst of the source that the PDF sets.

    Parameters
    ----------
    name : str
        Of :data:`app.paper.formulas.FORMULAS`.

    Returns
    -------
    Markup
        A ``math`` element.

    Examples
    --------
    >>> formula("delong").startswith('<math display="block">')
    True
    """
    source = f"$ {FORMULAS[name]} $".encode()
    page: bytes = typst.compile(source, format="html", ignore_system_fonts=True, timestamp=0)
    found = _MATH.search(page.decode())
    if found is None:
        raise AssertionError(name)
    return Markup(found.group())  # noqa: S704 - of a constant of ours


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("app.paper"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _picture(figure: Figure, prefix: str) -> Markup:
    """Draw a figure to stand inside; its ids are its own, since a page holds several."""
    svg = inline_svg(figure.specification, f"{figure.title}. {figure.drawing.chart.shows}")
    return Markup(_ID.sub(rf"\g<1>{prefix}\g<2>", svg))  # noqa: S704 - written by ElementTree
