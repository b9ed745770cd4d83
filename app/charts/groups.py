"""Approval rates of groups under two cards: old grey, new in the accent colour."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.charts.parts import (
    chart,
    layer,
    lines_height,
    named_lines,
    names_above,
    quantity,
    told,
    until,
)
from app.charts.tables import Column, Table, table
from app.charts.theme import Look
from app.domain.types import Document
from app.edge import numbers

MISSING = "missing"
_FRAME = 92
_SIDES = ("old", "new")


def group_approval(document: Mapping[str, Any], look: Look) -> Document:
    """Draw the approval rate of each group with its interval, old card and new.

    Parameters
    ----------
    document : mapping
        ``old`` and ``new`` (names), ``column``, ``least`` (ratio), and ``cut_off``, one of those
        of :func:`app.domain.fairness.describe_column`.
    look : Look
        Theme and size.

    Returns
    -------
    dict
        A Vega-Lite specification; the dashed line is the least ratio times the rate of the new
        card's reference group.
    """
    palette = look.palette
    rows = [
        _row(document[side], side, one)
        for side in _SIDES
        for one in document["cut_off"][side]["groups"]
    ]
    names = [name_of(one) for one in document["cut_off"]["new"]["groups"]]
    x = quantity("rate", f"Approved from {document['cut_off']['new']['score']} points on (%)",
                 domain=(0, 100), zero=True, format="d", tickCount=5)  # fmt: skip
    y = named_lines(names, look)
    y["scale"] |= {"type": "point", "padding": 0.5}
    y["axis"]["title"] = f"Group of {document['column']}" if not look.is_narrow else "Group"
    offset = {"field": "side", "type": "nominal",
              "scale": {"domain": list(_SIDES), "range": [-4, 4]}}  # fmt: skip
    colour = {"field": "side", "type": "nominal", "legend": None,
              "scale": {"domain": list(_SIDES), "range": [palette.old, palette.new]}}  # fmt: skip
    tip = told(name="Group", told="Approved")
    known = [row for row in rows if row["low"] is not None]
    layers = [
        *_least(document, x, look),
        layer(known, {"type": "rule", "strokeWidth": 1.5}, x={**x, "field": "low"},
              x2=until("high"), y=y, yOffset=offset, color=colour),
        layer(known, {"type": "point", "filled": True, "opacity": 1, "size": 70}, x=x, y=y,
              yOffset=offset, color=colour, tooltip=tip),
        *names_above([{"name": name} for name in names], y, look),
        *_legend(document, look),
    ]  # fmt: skip
    return chart(look, layers, height=lines_height(len(names), look, _FRAME),
                 padding={"top": 22})  # fmt: skip


def name_of(group: Mapping[str, Any]) -> str:
    """Give the name of a group as it is read, with its number of parties.

    Parameters
    ----------
    group : mapping
        With ``group`` and ``n``.

    Returns
    -------
    str
        Such as ``north (n = 1,204)``.
    """
    name = MISSING if group["group"] is None else group["group"]
    return f"{name} (n = {numbers.count(group['n'])})"


def _row(version: str, side: str, one: Mapping[str, Any]) -> Document:
    low, high = one["approval_interval"] or (None, None)
    rate = one["approval_rate"]
    return {
        "name": name_of(one),
        "side": side,
        "rate": None if rate is None else 100 * rate,
        "low": None if low is None else 100 * low,
        "high": None if high is None else 100 * high,
        "told": f"{version}: {numbers.rate(rate)} ({numbers.rate(low)} to {numbers.rate(high)}), "
        f"{numbers.count(one['n_approved'])} of {numbers.count(one['n'])}",
    }


def _least(document: Mapping[str, Any], x: Document, look: Look) -> list[Document]:
    new = document["cut_off"]["new"]
    rates = [one["approval_rate"] for one in new["groups"] if one["group"] == new["reference"]]
    if new["reference"] is None or not rates or rates[0] is None:
        return []
    row = {"rate": 100 * document["least"] * rates[0]}
    return [layer([row], {"type": "rule", "strokeDash": [4, 4], "color": look.palette.quiet}, x=x)]


def _legend(document: Mapping[str, Any], look: Look) -> list[Document]:
    """Name the two cards above the plot, each in its colour."""
    layers = []
    start = 48 if look.is_narrow else 0
    colours = (look.palette.old, look.palette.new)
    for side, colour, place in zip(_SIDES, colours, (start, start + 70), strict=True):
        mark = {"type": "text", "align": "left", "baseline": "bottom", "color": colour,
                "fontWeight": "bold", "limit": 120}  # fmt: skip
        row = {"text": document[side]}
        layers.append(
            layer([row], mark, x={"value": place}, y={"value": -6},
                  text={"field": "text", "type": "nominal"})
        )  # fmt: skip
    return layers


def group_approval_table(document: Mapping[str, Any]) -> Table:
    """Give the values behind `group_approval`.

    Parameters
    ----------
    document : mapping
        As for `group_approval`.

    Returns
    -------
    Table
        One row per card and group.
    """
    columns = (
        Column("Card"),
        Column("Group"),
        Column("Parties", numbers.count),
        Column("Approved", numbers.count),
        Column("Approval rate", numbers.rate),
        Column("95 % from", numbers.rate),
        Column("to", numbers.rate),
        Column("Impact ratio", numbers.weight),
        Column("Fisher p", numbers.p_value),
    )
    rows = [
        (document[side], MISSING if one["group"] is None else one["group"], one["n"],
         one["n_approved"], one["approval_rate"], *(one["approval_interval"] or (None, None)),
         one["impact_ratio"], one["p_value"])
        for side in _SIDES
        for one in document["cut_off"][side]["groups"]
    ]  # fmt: skip
    return table(columns, rows)
