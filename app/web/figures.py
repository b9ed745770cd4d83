"""Figures of pages: drawings under an address that any process of the service can answer."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Lock
from typing import Literal, TypeAlias, TypeVar
from urllib.parse import urlencode

from anyio import to_thread
from fastapi import Response
from fastapi.responses import JSONResponse
from markupsafe import Markup

from app.charts.catalogue import Drawing
from app.charts.svg import draw_svg, inline_svg
from app.charts.tables import Table
from app.charts.theme import LOOKS
from app.domain.types import Document
from app.edge.problems import Refusal
from app.errors import NotFoundError
from app.web.bundle import bundle, bundle_name
from app.web.routing import Desk, OnDesk, page_router

Theme: TypeAlias = Literal["light", "dark"]
Size: TypeAlias = Literal["wide", "narrow"]
Drawings: TypeAlias = Mapping[str, Drawing]
Source: TypeAlias = Callable[[Desk, Mapping[str, str]], Drawings]

_T = TypeVar("_T")

SOURCES: dict[str, Source] = {}
"""Name to what makes the drawings of a page again, from the facts in an address."""

KEPT = 256

_A_YEAR = "private, max-age=31536000, immutable"
_kept: OrderedDict[str, Drawing] = OrderedDict()
_lock = Lock()

router = page_router()


@dataclass(frozen=True, slots=True)
class Figure:
    """A drawing with its address.

    Attributes
    ----------
    drawing : Drawing
        What is drawn.
    path : str
        Address without its ending.
    query : str
        The facts from which the source makes the drawing again.
    """

    drawing: Drawing
    path: str
    query: str

    @property
    def shows(self) -> str:
        """Say in words what is drawn, for those who do not see it."""
        return self.drawing.chart.shows

    @property
    def table(self) -> Table:
        """Give the table behind it."""
        return self.drawing.chart.tabulate(self.drawing.document)

    def size(self, size: Size = "wide") -> dict[str, int]:
        """Give ``width`` and ``height`` in pixels, where they are known before it is drawn."""
        specification = self.drawing.chart.draw(self.drawing.document, LOOKS["light", size])
        return {side: specification[side] for side in ("width", "height") if side in specification}

    def address(self, ending: str, theme: Theme = "light", size: Size = "wide") -> str:
        """Give where a browser finds it.

        Parameters
        ----------
        ending : str
            ``svg``, ``json`` or ``csv``.
        theme, size : str
            Which of its four drawings; a table has but one.

        Returns
        -------
        str
            Path and query.
        """
        look = "" if ending == "csv" else urlencode({"theme": theme, "size": size})
        query = "&".join(part for part in (self.query, look) if part)
        return f"{self.path}.{ending}" + (f"?{query}" if query else "")


@dataclass(frozen=True, slots=True)
class InlineFigure:
    """A drawing of what is kept nowhere, and so has no address: it stands inside the page.

    Attributes
    ----------
    drawing : Drawing
        What is drawn; its colours are those of the palette, none is mixed.
    """

    drawing: Drawing

    @property
    def shows(self) -> str:
        """Say in words what is drawn, for those who do not see it."""
        return self.drawing.chart.shows

    def svg(self, size: Size) -> Markup:
        """Draw it."""
        specification = self.drawing.chart.draw(self.drawing.document, LOOKS["light", size])
        return Markup(inline_svg(specification, self.shows))  # noqa: S704 - written by ElementTree


def figure_source(name: str) -> Callable[[Source], Source]:
    """Register what makes the drawings of a page.

    Parameters
    ----------
    name : str
        Part of the addresses.

    Returns
    -------
    callable
        A decorator; the function takes the desk and the facts of the address, raises where they
        name nothing, and gives drawings by name. From the same facts and the same store it gives
        the same drawings.
    """

    def register(source: Source) -> Source:
        SOURCES[name] = source
        return source

    return register


def figures(source: str, facts: Mapping[str, str], drawings: Drawings) -> dict[str, Figure]:
    """Give the drawings of a page their addresses, and keep them for the requests that follow.

    Parameters
    ----------
    source : str
        The name under which the page's source is registered.
    facts : mapping of str to str
        What the source makes the same drawings of again, such as ``version``.
    drawings : mapping of str to Drawing
        What the source gives now.

    Returns
    -------
    dict of str to Figure
        For the macro ``figure``.
    """
    query = urlencode(sorted(facts.items()))
    found = {}
    for name, drawing in drawings.items():
        key = drawing.key
        _keep(key, drawing)
        found[name] = Figure(drawing, f"/figures/{source}/{name}/{key}", query)
    return found


def _keep(key: str, drawing: Drawing) -> None:
    with _lock:
        _kept[key] = drawing
        _kept.move_to_end(key)
        while len(_kept) > KEPT:
            _kept.popitem(last=False)


def _find(desk: Desk, source: str, name: str, key: str) -> Drawing:
    """Find a drawing that this process knows, or have its source make it again."""
    with _lock:
        known = _kept.get(key)
    if known is not None:
        return known
    if source not in SOURCES:
        raise NotFoundError(f"There are no figures of {source!r}.")
    facts = dict(desk.request.query_params)
    for look in ("theme", "size"):
        facts.pop(look, None)
    found = SOURCES[source](desk, facts)
    for one in found.values():
        _keep(one.key, one)
    if name not in found or found[name].key != key:
        raise NotFoundError(
            f"The figure {name!r} is not what it was when the page was made: reload the page."
        )
    return found[name]


async def _apart(desk: Desk, work: Callable[[], _T]) -> _T:
    """Work in a thread that no other request needs: a figure may wait a minute for its evidence."""
    return await to_thread.run_sync(work, limiter=desk.service.drawing)


@router.get("/figures/{source}/{name}/{key}.svg")
async def figure_svg(
    desk: OnDesk, source: str, name: str, key: str, theme: Theme = "light", size: Size = "wide"
) -> Response:
    """Give a figure as a picture."""

    def draw() -> str:
        drawing = _find(desk, source, name, key)
        return draw_svg(drawing.chart.draw(drawing.document, LOOKS[theme, size]))

    svg = await _apart(desk, draw)
    return Response(svg, headers={"Cache-Control": _A_YEAR}, media_type="image/svg+xml")


@router.get("/figures/{source}/{name}/{key}.json")
async def figure_specification(
    desk: OnDesk, source: str, name: str, key: str, theme: Theme = "light", size: Size = "wide"
) -> Response:
    """Give a figure as Vega-Lite, for what draws it interactively."""
    drawing = await _apart(desk, lambda: _find(desk, source, name, key))
    specification: Document = drawing.chart.draw(drawing.document, LOOKS[theme, size])
    return JSONResponse(specification, headers={"Cache-Control": _A_YEAR})


@router.get("/figures/{source}/{name}/{key}.csv")
async def figure_table(desk: OnDesk, source: str, name: str, key: str) -> Response:
    """Give the table behind a figure as a file."""
    drawing = await _apart(desk, lambda: _find(desk, source, name, key))
    text = drawing.chart.tabulate(drawing.document).as_csv()
    headers = {
        "Cache-Control": _A_YEAR,
        "Content-Disposition": f'attachment; filename="{drawing.kind}-{key[:8]}.csv"',
    }
    return Response(text, headers=headers, media_type="text/csv; charset=utf-8")


@router.get("/figures/{name}.js")
def vega(name: str) -> Response:
    """Give the libraries that draw interactively; the name holds their versions."""
    if f"{name}.js" != bundle_name():
        raise Refusal(404, "not_found", f"There is no file {name!r}: reload the page.")
    return Response(bundle(), headers={"Cache-Control": _A_YEAR}, media_type="text/javascript")
