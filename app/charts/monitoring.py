"""Charts of monitoring: how far batches lie from the reference, and what became of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from app.charts.parts import category, chart, layer, quantity, told, until
from app.charts.tables import Column, Table, table
from app.charts.theme import Look
from app.domain.types import Document
from app.edge import numbers

_MANY, _MANY_NARROW = 7, 3
_HEIGHT, _ROOM, _LINE = 340, 1.12, 18
_ABOVE_TITLE = 24
"""Pixels that the title of an axis takes above the plot."""


def psi_over_time(document: Mapping[str, Any], look: Look) -> Document:
    """Draw the PSI of each batch, how large chance alone makes it, and where alerts begin.

    Parameters
    ----------
    document : mapping
        ``limit``, the policy's; ``points``: each ``at`` (the batch), ``psi``, ``quantile`` (how
        large it is without a change; None where the batch is the reference), ``n`` and
        ``is_moved``: past the limit and more than chance.
    look : Look
        Theme and size.

    Returns
    -------
    dict
        A Vega-Lite specification.
    """
    points, palette = document["points"], look.palette
    rows = [{**point, "told": _psi_told(point)} for point in points]
    ends = [point[key] for point in points for key in ("psi", "quantile") if point[key] is not None]
    x = _places("Batch, in the order of scoring", points, look)
    y = quantity("psi", "PSI of the score", titleX=-34, format=".2f",
                 domain=(0, _ROOM * max([*ends, document["limit"]])))  # fmt: skip
    colour = {"field": "is_moved", "type": "nominal", "legend": None,
              "scale": {"domain": [False, True],
                        "range": [palette.new, palette.failed]}}  # fmt: skip
    limit = {"psi": document["limit"], "text": f"alerts above {document['limit']:.2f}"}
    quiet = {"color": palette.quiet}
    chance = [row for row in rows if row["quantile"] is not None]
    tick = {"type": "tick", "orient": "horizontal", "thickness": 2, "size": 22, **quiet}
    layers = [
        layer([limit], {"type": "rule", "strokeDash": [4, 4], **quiet}, y=y),
        layer([limit], {"type": "text", "align": "left", "baseline": "bottom", "dy": -3, "dx": 2,
                        **quiet}, y=y, x={"value": 0}, text=_text("text")),
        layer(rows, {"type": "line", "strokeWidth": 1.2, "color": palette.new}, x=x, y=y),
        layer(chance, tick, x=x, y={**y, "field": "quantile"}, tooltip=told(told="By chance")),
        layer(rows, {"type": "point", "filled": True, "opacity": 1, "size": 80}, x=x, y=y,
              color=colour, tooltip=told(at="Batch", told="PSI")),
        *_names(("● PSI", palette.new), ("● past the limit and more than chance", palette.failed),
                ("– as much as chance alone gives", palette.quiet)),
    ]  # fmt: skip
    return chart(look, layers, height=_HEIGHT)


def psi_over_time_table(document: Mapping[str, Any]) -> Table:
    """Give the values behind `psi_over_time`.

    Parameters
    ----------
    document : mapping
        As for `psi_over_time`.

    Returns
    -------
    Table
        One row per batch.
    """
    columns = (
        Column("Batch"),
        Column("Parties", numbers.count),
        Column("PSI", numbers.auc),
        Column("By chance up to", numbers.auc),
    )
    rows = [(one["at"], one["n"], one["psi"], one["quantile"]) for one in document["points"]]
    return table(columns, rows)


def default_rate_over_time(document: Mapping[str, Any], look: Look) -> Document:
    """Draw the expected default rate beside the observed one with its interval.

    Parameters
    ----------
    document : mapping
        ``x_title``; ``points``: each ``at``, ``n``, ``n_bad``, ``expected`` (None where nothing
        is expected), ``observed`` and ``interval`` (fractions).
    look : Look
        Theme and size.

    Returns
    -------
    dict
        A Vega-Lite specification.
    """
    points, palette = document["points"], look.palette
    rows = [_rate_row(point) for point in points]
    ends = [row[key] for row in rows for key in ("high", "expected") if row[key] is not None]
    x = _places(document["x_title"], points, look)
    y = quantity("observed", "Default rate (%)", titleX=-34, format="d",
                 domain=(0, min(max([*ends, 1.0]) * _ROOM, 100)))  # fmt: skip
    held = [row for row in rows if row["expected"] is not None]
    hollow = {"type": "point", "shape": "diamond", "filled": False, "size": 90, "strokeWidth": 2,
              "color": palette.old, "opacity": 1}  # fmt: skip
    new = {"color": palette.new, "opacity": 1}
    layers = [
        layer(rows, {"type": "rule", "strokeWidth": 1.5, **new}, x=x, y={**y, "field": "low"},
              y2=until("high")),
        layer(held, hollow, x=x, y={**y, "field": "expected"}, tooltip=told(told="Default rate")),
        layer(rows, {"type": "point", "filled": True, "size": 80, **new}, x=x, y=y,
              tooltip=told(at=document["x_title"], told="Default rate")),
        *_names(("● observed, with 95 % interval", palette.new),
                ("◇ expected from the score", palette.old)),
    ]  # fmt: skip
    return chart(look, layers, height=_HEIGHT)


def default_rate_over_time_table(document: Mapping[str, Any]) -> Table:
    """Give the values behind `default_rate_over_time`.

    Parameters
    ----------
    document : mapping
        As for `default_rate_over_time`.

    Returns
    -------
    Table
        One row per point.
    """
    columns = (
        Column(document["x_title"]),
        Column("Labelled", numbers.count),
        Column("Bad", numbers.count),
        Column("Expected", numbers.rate),
        Column("Observed", numbers.rate),
        Column("95 % interval", _rates),
    )
    rows = [
        (one["at"], one["n"], one["n_bad"], one["expected"], one["observed"], one["interval"])
        for one in document["points"]
    ]
    return table(columns, rows)


def _places(title: str, points: Sequence[Mapping[str, Any]], look: Look) -> Document:
    slanted = len(points) > (_MANY_NARROW if look.is_narrow else _MANY)
    return category("at", title, order=[point["at"] for point in points],
                    scale={"type": "point", "padding": 0.6},
                    labelAngle=-40 if slanted else 0, labelOverlap=True)  # fmt: skip


def _text(field: str) -> Document:
    return {"field": field, "type": "nominal"}


def _names(*named: tuple[str, str]) -> list[Document]:
    """Name the marks in their colours, above the plot."""
    mark = {"type": "text", "align": "left", "baseline": "top"}
    return [
        layer([{"text": name}], {**mark, "color": colour}, x={"value": 0},
              y={"value": _LINE * (place - len(named)) - _ABOVE_TITLE}, text=_text("text"))
        for place, (name, colour) in enumerate(named)
    ]  # fmt: skip


def _psi_told(point: Mapping[str, Any]) -> str:
    said = f"{numbers.auc(point['psi'])}, {numbers.count(point['n'])} parties"
    if point["quantile"] is None:
        return f"{said}; part of the reference"
    return f"{said}; by chance up to {numbers.auc(point['quantile'])}"


def _rates(limits: Sequence[float] | None) -> str:
    if limits is None:
        return numbers.NONE
    return f"{numbers.rate(limits[0])} to {numbers.rate(limits[1])}"


def _rate_row(point: Mapping[str, Any]) -> Document:
    low, high = point["interval"] or (point["observed"], point["observed"])
    expected = point["expected"]
    return {
        "at": point["at"],
        "observed": 100 * point["observed"],
        "low": 100 * low,
        "high": 100 * high,
        "expected": None if expected is None else 100 * expected,
        "told": f"{numbers.rate(point['observed'])} ({_rates(point['interval'])}), expected "
        f"{numbers.rate(expected)}, {numbers.count(point['n_bad'])} bad of "
        f"{numbers.count(point['n'])}",
    }
