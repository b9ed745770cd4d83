"""Charts of scores: how they move, how they lie, and what one is made of."""

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

_SHOWN, _HALF = 20, 0.5
_ROOM = 1.25
"""What the axis has above the highest bar, for the labels."""


def score_shift(document: Mapping[str, Any], look: Look) -> Document:
    """Draw how many parties' scores move by how much.

    Parameters
    ----------
    document : mapping
        ``old`` and ``new``; ``bins``, triples of lowest and highest difference in whole points
        (both within) and number of parties; ``n_lower``, ``n_same``,
        ``n_higher`` and ``mean``, the mean difference.
    look : Look
        Theme and size.

    Returns
    -------
    dict
        A Vega-Lite specification.
    """
    rows = [
        {"low": low - _HALF, "high": high + _HALF, "n": n,
         "told": f"{numbers.count(n)} parties move by {low:+g} to {high:+g} points"}
        for low, high, n in document["bins"]
    ]  # fmt: skip
    reach = max((max(abs(row["low"]), abs(row["high"])) for row in rows), default=1.0)
    x = quantity("low", f"Score under {document['new']} minus score under {document['old']} "
                 "(points)", domain=(-reach, reach), format="+d",
                 labelExpr="datum.value == 0 ? '0' : datum.label")  # fmt: skip
    if look.is_narrow:
        x["axis"]["title"] = "New minus old score (points)"
    most = max((row["n"] for row in rows), default=1)
    y = quantity("n", "Parties", domain=(0, _ROOM * most), titleX=-34, format=",d")
    n_all = document["n_lower"] + document["n_same"] + document["n_higher"]
    palette = look.palette
    sides = [
        ("left", 0, f"{_share(document['n_lower'], n_all)} lower"),
        ("right", "width", f"{_share(document['n_higher'], n_all)} higher"),
    ]
    layers = [
        layer(rows, {"type": "rect", "color": palette.new, "stroke": palette.paper}, x=x,
              x2=until("high"), y=y, y2={"datum": 0}, tooltip=told(told="Parties")),
        layer([{"low": 0}], {"type": "rule", "color": palette.ink, "strokeWidth": 1.5}, x=x),
        layer([{"low": document["mean"]}],
              {"type": "rule", "color": palette.quiet, "strokeDash": [4, 4]}, x=x),
        layer([{"low": document["mean"], "text": f"mean {document['mean']:+.1f}"}],
              {"type": "text", "baseline": "bottom", "dy": -4, "color": palette.quiet,
               "align": "right" if document["mean"] < 0 else "left"},
              x=x, y={"value": 0}, text={"field": "text", "type": "nominal"}),
        *[
            layer([{"text": text}], {"type": "text", "align": side, "baseline": "top",
                                     "fontWeight": "bold"},
                  x={"value": place}, y={"value": 4}, text={"field": "text", "type": "nominal"})
            for side, place, text in sides
        ],
    ]  # fmt: skip
    return chart(look, layers, height=280)


def score_shift_table(document: Mapping[str, Any]) -> Table:
    """Give the values behind `score_shift`.

    Parameters
    ----------
    document : mapping
        As for `score_shift`.

    Returns
    -------
    Table
        One row per bin.
    """
    columns = (
        Column("From (points)", _signed),
        Column("To (points)", _signed),
        Column("Parties", numbers.count),
    )
    return table(columns, document["bins"])


def score_distribution(document: Mapping[str, Any], look: Look) -> Document:
    """Draw the scores of one batch against those of the batch before.

    Parameters
    ----------
    document : mapping
        ``bins``, pairs of first and last score; ``before`` (may be None) and ``after``: each
        ``name``, ``shares`` per bin (fractions) and ``n``.
    look : Look
        Theme and size.

    Returns
    -------
    dict
        A Vega-Lite specification.
    """
    palette = look.palette
    x = quantity("score", "Score (points)")
    held = [document[key]["shares"] for key in ("before", "after") if document[key] is not None]
    most = 100 * max((share for shares in held for share in shares), default=1.0)
    y = quantity("share", "Share of the batch (%)", domain=(0, _ROOM * most), titleX=-34)
    layers, names = [], []
    for key, colour in (("before", palette.old), ("after", palette.new)):
        one = document[key]
        if one is None:
            continue
        rows = _steps(document["bins"], one)
        mark: Document = {"type": "area", "interpolate": "step-after", "color": colour}
        mark |= {"opacity": 0.3} if key == "before" else {"opacity": 0}
        line = {"type": "line", "interpolate": "step-after", "color": colour,
                "strokeWidth": 2 if key == "after" else 1}  # fmt: skip
        tip = told(name="Batch", told="Share")
        layers += [layer(rows, mark, x=x, y=y), layer(rows, line, x=x, y=y, tooltip=tip)]
        names.append((f"{one['name']} ({numbers.count(one['n'])})", colour))
    for place, (name, colour) in enumerate(reversed(names)):
        mark = {"type": "text", "align": "left", "baseline": "top", "color": colour,
                "fontWeight": "bold"}  # fmt: skip
        layers.append(
            layer([{"text": name}], mark, x={"value": 4}, y={"value": 2 + 18 * place},
                  text={"field": "text", "type": "nominal"})
        )  # fmt: skip
    return chart(look, layers, height=280)


def score_distribution_table(document: Mapping[str, Any]) -> Table:
    """Give the values behind `score_distribution`.

    Parameters
    ----------
    document : mapping
        As for `score_distribution`.

    Returns
    -------
    Table
        One row per bin.
    """
    held = [document[key] for key in ("before", "after") if document[key] is not None]
    columns = [Column("From (points)", numbers.points), Column("To (points)", numbers.points)]
    columns += [Column(one["name"], numbers.rate) for one in held]
    rows = [
        (*bounds, *(one["shares"][place] for one in held))
        for place, bounds in enumerate(document["bins"])
    ]
    return table(columns, rows)


def waterfall(document: Mapping[str, Any], look: Look) -> Document:
    """Draw what one score is made of, from the lowest possible score upwards.

    Parameters
    ----------
    document : mapping
        ``version``, ``base`` (points of a party without any) and ``score``; ``contributions``:
        per feature ``points`` and ``max_points`` (None where that is not known).
    look : Look
        Theme and size.

    Returns
    -------
    dict
        A Vega-Lite specification: what each feature adds, and in outline what it could have
        added. At most 20 features, those that add most first; the rest is one line.
    """
    rows = _falling(document)
    order = [row["name"] for row in rows]
    palette = look.palette
    y = named_lines(order, look)
    x = quantity("from", f"Score under {document['version']} (points)")
    tip = told(name="Feature", told="Points")
    size = {"type": "bar", "height": 14}
    colour = {"field": "kind", "type": "nominal", "legend": None, "scale": {
        "domain": ["total", "adds", "takes"],
        "range": [palette.old, palette.new, palette.failed]}}  # fmt: skip
    text = {"type": "text", "align": "left", "dx": 6}
    layers = [
        layer([row for row in rows if row["most"] is not None],
              {**size, "fill": palette.paper, "fillOpacity": 0, "stroke": palette.quiet},
              x=x, x2=until("most"), y=y, tooltip=tip),
        layer(rows, size, x=x, x2=until("to"), y=y, color=colour, tooltip=tip),
        layer(rows, text, x={**x, "field": "end"}, y=y,
              text={"field": "label", "type": "nominal"}),
        *names_above(rows, y, look),
    ]  # fmt: skip
    return chart(look, layers, height=lines_height(len(rows), look, 80))


def waterfall_table(document: Mapping[str, Any]) -> Table:
    """Give the values behind `waterfall`, every feature.

    Parameters
    ----------
    document : mapping
        As for `waterfall`.

    Returns
    -------
    Table
        One row per feature, between the base and the score.
    """
    columns = (
        Column("Feature"),
        Column("Points", _tenths),
        Column("Most it could add", _tenths),
    )
    rows = [("base", document["base"], None)]
    rows += [(name, one["points"], one.get("max_points")) for name, one in _largest_first(document)]
    return table(columns, [*rows, ("score", document["score"], None)])


def _share(n: int, n_all: int) -> str:
    return numbers.rate(n / n_all if n_all else None)


def _signed(value: float) -> str:
    return f"{value:+g}" if value else "0"


def _tenths(value: float | None) -> str:
    return numbers.NONE if value is None else f"{value:.1f}"


def _whole(points: float) -> str:
    return f"{points:+.0f}" if round(points) else "0"


def _steps(bins: list[list[float]], one: Document) -> list[Document]:
    rows = [
        {"score": low, "share": 100 * share, "name": one["name"],
         "told": f"{numbers.rate(share)} score {low:g} to {high:g}"}
        for (low, high), share in zip(bins, one["shares"], strict=True)
    ]  # fmt: skip
    if not rows:
        return []
    return [*rows, {**rows[-1], "score": bins[-1][1]}]


def _largest_first(document: Mapping[str, Any]) -> list[tuple[str, Document]]:
    return sorted(document["contributions"].items(), key=lambda item: -item[1]["points"])


def _falling(document: Mapping[str, Any]) -> list[Document]:
    """Place each feature's bar where the one before ended."""
    chosen = _largest_first(document)
    parts = [(name, one["points"], one.get("max_points")) for name, one in chosen[:_SHOWN]]
    if chosen[_SHOWN:]:
        rest = sum(one["points"] for _, one in chosen[_SHOWN:])
        parts.append((f"{len(chosen) - _SHOWN} more", rest, None))
    at = document["base"]
    rows = [_bar("base", 0.0 if at < 0 else at, at, "total", numbers.points(at))]
    for name, points, most in parts:
        row = _bar(name, at, at + points, "adds" if points >= 0 else "takes", _whole(points))
        if most is not None:
            row |= {"most": at + most, "end": max(at + most, row["end"]),
                    "told": f"{points:+.1f} of at most {most:.1f} points"}  # fmt: skip
        rows.append(row)
        at += points
    rows.append(_bar("score", document["base"], document["score"], "total",
                     numbers.points(document["score"])))  # fmt: skip
    return rows


def _bar(name: str, start: float, end: float, kind: str, label: str) -> Document:
    return {
        "name": name, "from": start, "to": end, "end": max(start, end), "most": None,
        "kind": kind, "label": label, "told": label,
    }  # fmt: skip
