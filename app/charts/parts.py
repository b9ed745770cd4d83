"""The parts that charts are put together from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from app.charts.theme import Look, configuration
from app.domain.types import Document

SCHEMA = "https://vega.github.io/schema/vega-lite/v6.4.1.json"
"""Names the grammar; nobody loads it."""


def chart(
    look: Look,
    layers: Sequence[Document],
    *,
    height: int,
    width: int | None = None,
    padding: Mapping[str, int] | None = None,
    **more: Any,
) -> Document:
    """Put layers together to one chart of a fixed size.

    Parameters
    ----------
    look : Look
        Theme and size.
    layers : sequence of dict
        From back to front.
    height : int
        Of the whole figure, in pixels.
    width : int, optional
        Of the whole figure where it is not the page's, in pixels; never more than the look's.
    padding : mapping of str to int, optional
        Room at ``left``, ``top``, ``right`` and ``bottom``, in pixels, for text beside the plot.
    **more : Any
        Further keys of the specification.

    Returns
    -------
    dict
        A Vega-Lite specification.
    """
    room = {"left": 4, "top": 8, "right": 12, "bottom": 4, **(padding or {})}
    return {
        "$schema": SCHEMA,
        "width": min(width or look.width, look.width),
        "height": height,
        "autosize": {"type": "fit", "contains": "padding"},
        "padding": room,
        "layer": list(layers),
        **more,
        "config": configuration(look.palette),
    }


def layer(rows: Iterable[Document], mark: Any, **encoding: Any) -> Document:
    """Draw one kind of mark.

    Parameters
    ----------
    rows : iterable of dict
        The data.
    mark : str or dict
        What is drawn.
    **encoding : Any
        Channel to field.

    Returns
    -------
    dict
        A layer.
    """
    return {"data": {"values": list(rows)}, "mark": mark, "encoding": encoding}


def quantity(
    field: str,
    title: str | None = None,
    *,
    zero: bool = False,
    domain: Sequence[float] | None = None,
    form: str | None = None,
    **axis: Any,
) -> Document:
    """Encode a number by its place.

    Parameters
    ----------
    field : str
        Name of the field.
    title : str, optional
        What the axis says, unit included; None where another layer says it.
    zero : bool
        Whether the axis begins at zero.
    domain : sequence of float, optional
        First and last value of the axis.
    form : str, optional
        Number format of the labels, as d3 writes it.
    **axis : Any
        Further settings of the axis.

    Returns
    -------
    dict
        A channel definition.
    """
    scale: Document = {"zero": zero, "nice": domain is None}
    if domain is not None:
        scale["domain"] = list(domain)
    drawn: Document = {"title": title, **axis}
    if form is not None:
        drawn["format"] = form
    return {"field": field, "type": "quantitative", "scale": scale, "axis": drawn}


def category(
    field: str, title: str | None = None, *, order: Sequence[str], scale: Any = None, **axis: Any
) -> Document:
    """Encode a name by its place, in a given order.

    Parameters
    ----------
    field : str
        Name of the field.
    title : str, optional
        What the axis says.
    order : sequence of str
        The names, first to last.
    scale : dict, optional
        Further settings of the scale.
    **axis : Any
        Further settings of the axis.

    Returns
    -------
    dict
        A channel definition.
    """
    return {
        "field": field,
        "type": "nominal",
        "sort": None,
        "scale": {"domain": list(order), **(scale or {})},
        "axis": {"title": title, **axis},
    }


def until(field: str) -> Document:
    """Encode where a mark ends that begins elsewhere.

    Parameters
    ----------
    field : str
        Name of the field.

    Returns
    -------
    dict
        A secondary channel definition.
    """
    return {"field": field}


def told(**titles: str) -> list[Document]:
    """Say what the tooltip shows: texts that were written before.

    Parameters
    ----------
    **titles : str
        Field to what it is called.

    Returns
    -------
    list of dict
        A tooltip channel.
    """
    return [{"field": field, "type": "nominal", "title": title} for field, title in titles.items()]


def words(name: str) -> str:
    """Write a name of the machine as words.

    Parameters
    ----------
    name : str
        Such as ``very_poor``.

    Returns
    -------
    str
        Such as ``very poor``.
    """
    return name.replace("_", " ")


def named_lines(names: Sequence[str], look: Look) -> Document:
    """Give each feature a line; on a telephone its name stands above the marks instead.

    Parameters
    ----------
    names : sequence of str
        The features, first to last.
    look : Look
        Theme and size.

    Returns
    -------
    dict
        The channel ``y``, of the field ``name``.
    """
    axis: Document = {"labels": False} if look.is_narrow else {"titleX": -4, "titleAlign": "right"}
    return category("name", "Feature", order=names, grid=not look.is_narrow, **axis)


def names_above(rows: Iterable[Document], y: Document, look: Look) -> list[Document]:
    """Write each feature's name above its marks, where the look is narrow.

    Parameters
    ----------
    rows : iterable of dict
        With ``name``.
    y : dict
        As `named_lines` gives it.
    look : Look
        Theme and size.

    Returns
    -------
    list of dict
        One layer, or none.
    """
    if not look.is_narrow:
        return []
    mark = {"type": "text", "align": "left", "dy": -15, "fontSize": 12, "limit": 200}
    return [layer(rows, mark, y=y, x={"value": 0}, text={"field": "name", "type": "nominal"})]


def lines_height(n_lines: int, look: Look, frame: int) -> int:
    """Give the height of a figure with a line per feature.

    Parameters
    ----------
    n_lines : int
        Number of lines.
    look : Look
        Theme and size.
    frame : int
        What stands above and below, in pixels.

    Returns
    -------
    int
        In pixels.
    """
    return frame + n_lines * (44 if look.is_narrow else 24)
