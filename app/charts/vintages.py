"""Vintage curves: the cumulative bad rate by months since scoring, each line named at its end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from app.charts.parts import chart, layer, quantity, told
from app.charts.tables import Column, Table, table
from app.charts.theme import Look
from app.domain.types import Document
from app.edge import numbers

MOST_CURVES = 24
"""More cannot be told apart; the table has them all."""

_APART_PX = 13
_HEIGHT = 380
_FRAME = 78


def vintage_curves(document: Mapping[str, Any], look: Look) -> Document:
    """Draw one line per vintage; the highest at the month compared is in the accent colour.

    Parameters
    ----------
    document : mapping
        ``curves`` (``vintage``, ``n``, ``points``: ``month``, ``n``, ``n_bad``, ``bad_rate``,
        ``bad_rate_interval``) and ``compared`` (``month``, ``highest``), or None.
    look : Look
        Theme and size.

    Returns
    -------
    dict
        A Vega-Lite specification; the interval is drawn at the highest and lowest line.
    """
    curves = [curve for curve in document["curves"] if curve["points"]][-MOST_CURVES:]
    compared = document["compared"]
    named = {} if compared is None else {
        compared["highest"]["vintage"]: "highest", compared["lowest"]["vintage"]: "lowest",
    }  # fmt: skip
    rows = [
        {"vintage": curve["vintage"], "role": named.get(curve["vintage"], "other"), **_row(point)}
        for curve in curves
        for point in curve["points"]
    ]
    longest = max((row["month"] for row in rows), default=12)
    top = max((row["rate"] for row in rows), default=0.0)
    top = max((row["high"] for row in rows if row["role"] != "other"), default=top)
    x = quantity("month", "Months since scoring", domain=(0, longest), tickCount=6, format="d")
    y = quantity("rate", "Bad so far (% of the vintage)", zero=True, domain=(0, max(top, 1.0)),
                 titleX=-34, format="d")  # fmt: skip
    palette = look.palette
    colour = {"field": "role", "type": "nominal", "legend": None,
              "scale": {"domain": ["other", "lowest", "highest"],
                        "range": [palette.old, palette.ink, palette.new]}}  # fmt: skip
    detail = {"field": "vintage", "type": "nominal"}
    tip = told(vintage="Scored in", told="Bad so far")
    shaded = [row for row in rows if row["role"] != "other"]
    area = {"type": "area", "opacity": 0.16}
    layers = [
        layer(shaded, area, x=x, y={**y, "field": "low"}, y2={"field": "high"}, detail=detail,
              color=colour),
        layer([row for row in rows if row["role"] == "other"],
              {"type": "line", "strokeWidth": 1.2, "opacity": 0.75}, x=x, y=y, detail=detail,
              color=colour),
        layer(shaded, {"type": "line", "strokeWidth": 2.5}, x=x, y=y, detail=detail, color=colour),
        layer(rows, {"type": "point", "opacity": 0, "size": 60}, x=x, y=y, tooltip=tip),
        *_labels(rows, x, y, colour, max(top, 1.0)),
    ]  # fmt: skip
    room = max((len(label) for label in _names(rows)), default=4)
    return chart(look, layers, height=_HEIGHT, padding={"right": 12 + 7 * room})


def _row(point: Mapping[str, Any]) -> Document:
    low, high = point["bad_rate_interval"]
    return {
        "month": point["month"],
        "rate": 100 * point["bad_rate"],
        "low": 100 * low,
        "high": 100 * high,
        "told": f"{numbers.rate(point['bad_rate'])} ({numbers.rate(low)} to {numbers.rate(high)}), "
        f"{numbers.count(point['n_bad'])} of {numbers.count(point['n'])} after "
        f"{numbers.count(point['month'])} months",
    }


def _names(rows: Sequence[Document]) -> list[str]:
    return list(dict.fromkeys(str(row["vintage"]) for row in rows))


def _labels(
    rows: Sequence[Document], x: Document, y: Document, colour: Document, top: float
) -> list[Document]:
    """Name each line at its end; names that would meet move a little, or go."""
    ends = list({row["vintage"]: row for row in rows}.values())
    scale = (_HEIGHT - _FRAME) / top
    placed: list[tuple[float, float]] = []
    layers = []
    for row in sorted(ends, key=lambda row: (row["role"] == "other", -row["rate"])):
        at = row["rate"] * scale
        near = [spot for spot in placed if abs(spot[0] - row["month"]) < 12]  # noqa: PLR2004 - a name is about so wide
        steps = sorted(range(-3, 4), key=abs)
        place = next(
            (at + step * _APART_PX / 2 for step in steps
             if at + step * _APART_PX / 2 >= 0 and all(
                 abs(spot[1] - at - step * _APART_PX / 2) >= _APART_PX for spot in near)),
            None,
        )  # fmt: skip
        if place is None:
            continue
        placed.append((row["month"], place))
        mark = {"type": "text", "align": "left", "dx": 5, "dy": round(at - place), "fontSize": 11,
                "fontWeight": "normal" if row["role"] == "other" else "bold"}  # fmt: skip
        text = {"field": "vintage", "type": "nominal"}
        layers.append(layer([row], mark, x=x, y=y, text=text, color=colour))
    return layers


def vintage_curves_table(document: Mapping[str, Any]) -> Table:
    """Give the values behind `vintage_curves`.

    Parameters
    ----------
    document : mapping
        As for `vintage_curves`.

    Returns
    -------
    Table
        One row per vintage and month.
    """
    columns = (
        Column("Scored in"),
        Column("Months since scoring", numbers.count),
        Column("Parties", numbers.count),
        Column("Bad so far", numbers.count),
        Column("Bad rate", numbers.rate),
        Column("95 % from", numbers.rate),
        Column("to", numbers.rate),
    )
    rows = [
        (curve["vintage"], point["month"], point["n"], point["n_bad"], point["bad_rate"],
         *point["bad_rate_interval"])
        for curve in document["curves"]
        for point in curve["points"]
    ]  # fmt: skip
    return table(columns, rows)
