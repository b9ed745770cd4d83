"""Charts of who ranks better: ROC, KS, and the AUC over time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from app.charts.parts import category, chart, layer, quantity, told, until
from app.charts.tables import Column, Table, table
from app.charts.theme import Look, Palette
from app.domain.types import Document
from app.edge import numbers

_SQUARE = 480
_MANY = 8
_LINE = 14


def roc(document: Mapping[str, Any], look: Look) -> Document:
    """Draw how many bad parties are declined for how many good ones.

    Parameters
    ----------
    document : mapping
        ``curves``: each ``name``, ``role`` (``old``, ``new`` or ``other``), ``auc``, ``interval``
        (may be None) and ``points``, pairs of false and true positive rate, fractions from
        (0, 0) to (1, 1).
    look : Look
        Theme and size.

    Returns
    -------
    dict
        A Vega-Lite specification.
    """
    x = quantity("good", "Good parties declined (%)", domain=(0, 100))
    y = quantity("bad", "Bad parties declined (%)", domain=(0, 100), titleX=-30)
    layers = [
        layer([{"good": 0, "bad": 0}, {"good": 100, "bad": 100}],
              {"type": "line", "color": look.palette.quiet, "strokeDash": [4, 4]}, x=x, y=y),
    ]  # fmt: skip
    curves = sorted(document["curves"], key=lambda curve: curve["role"] == "new")
    for place, curve in enumerate(curves):
        colour, width = _style(curve["role"], look.palette)
        rows = [
            {"good": 100 * good, "bad": 100 * bad, "name": curve["name"],
             "told": f"{numbers.rate(bad)} of the bad for {numbers.rate(good)} of the good"}
            for good, bad in curve["points"]
        ]  # fmt: skip
        layers.append(
            layer(rows, {"type": "line", "color": colour, "strokeWidth": width,
                         "interpolate": "linear"},
                  x=x, y=y, order={"field": "good", "type": "quantitative"},
                  tooltip=told(name="Version", told="Declined"))
        )  # fmt: skip
        label = {"text": f"{curve['name']}, AUC {numbers.auc(curve['auc'])}", "good": 98,
                 "bad": 4 + 7 * (len(curves) - 1 - place)}  # fmt: skip
        layers.append(_label(label, colour, x, y, "right"))
    return chart(look, layers, height=min(_SQUARE, look.width), width=_SQUARE)


def roc_table(document: Mapping[str, Any]) -> Table:
    """Give the values behind `roc`.

    Parameters
    ----------
    document : mapping
        As for `roc`.

    Returns
    -------
    Table
        One row per point of each curve.
    """
    columns = (
        Column("Version"),
        Column("Good declined", numbers.rate),
        Column("Bad declined", numbers.rate),
    )
    rows = [
        (curve["name"], good, bad) for curve in document["curves"] for good, bad in curve["points"]
    ]
    return table(columns, rows)


def ks(document: Mapping[str, Any], look: Look) -> Document:
    """Draw the cumulative shares of good and bad parties over the score.

    Parameters
    ----------
    document : mapping
        ``version``; ``points``, triples of score in points, share of the good and share of the
        bad that score at most so much, fractions; ``ks``, the largest distance, and ``at``, the
        score where it is.
    look : Look
        Theme and size.

    Returns
    -------
    dict
        A Vega-Lite specification.
    """
    points = document["points"]
    palette = look.palette
    x = quantity("score", f"Score under {document['version']} (points)")
    y = quantity("share", "Parties with at most this score (%)", domain=(0, 100), titleX=-30)
    layers = []
    for index, name, dash, side in ((1, "good", [5, 4], "left"), (2, "bad", [1, 0], "right")):
        rows = [
            {"score": point[0], "share": 100 * point[index], "name": name,
             "told": f"{numbers.rate(point[index])} score at most {numbers.points(point[0])}"}
            for point in points
        ]  # fmt: skip
        colour = palette.ink if name == "bad" else palette.quiet
        layers.append(
            layer(rows, {"type": "line", "color": colour, "strokeWidth": 2, "strokeDash": dash},
                  x=x, y=y, order={"field": "score", "type": "quantitative"},
                  tooltip=told(name="Outcome", told="Share"))
        )  # fmt: skip
        at = min(rows, key=lambda row: abs(row["share"] - (75 if name == "good" else 45)))
        label = {"text": name, "score": at["score"], "share": at["share"]}
        layers.append(_label(label, colour, x, y, side, gap=8))
    gap = min(points, key=lambda point: abs(point[0] - document["at"]))
    distance = f"KS {numbers.auc(document['ks'])} at {numbers.points(document['at'])}"
    rule = {
        "score": document["at"], "share": 100 * gap[1], "top": 100 * gap[2], "text": distance,
    }  # fmt: skip
    layers.append(layer([rule], {"type": "rule", "color": palette.new, "strokeWidth": 2.5},
                        x=x, y=y, y2=until("top")))  # fmt: skip
    below = {**rule, "share": rule["share"] - 6}
    layers.append(_label(below, palette.new, x, y, "left", gap=8))
    return chart(look, layers, height=320)


def ks_table(document: Mapping[str, Any]) -> Table:
    """Give the values behind `ks`.

    Parameters
    ----------
    document : mapping
        As for `ks`.

    Returns
    -------
    Table
        One row per point.
    """
    columns = (
        Column("Score at most (points)", numbers.points),
        Column("Good", numbers.rate),
        Column("Bad", numbers.rate),
        Column("Distance", numbers.auc),
    )
    rows = [(score, good, bad, bad - good) for score, good, bad in document["points"]]
    return table(columns, rows)


def auc_over_time(document: Mapping[str, Any], look: Look) -> Document:
    """Draw the AUC with its interval per model or scoring month.

    Parameters
    ----------
    document : mapping
        ``x_title``, such as ``Scoring month``; ``series``: each ``name``, ``role`` and
        ``points``, each ``at`` (a name or month), ``auc``, ``interval`` (may be None) and ``n``;
        ``floor``, the least AUC that the policy asks for, may be None; ``y_title`` where the rows
        are others than those that a training did not see.
    look : Look
        Theme and size.

    Returns
    -------
    dict
        A Vega-Lite specification. The axis does not begin at zero: an AUC without information
        is 0.5.
    """
    series = sorted(document["series"], key=lambda one: one["role"] == "new")
    order = list(dict.fromkeys(point["at"] for one in series for point in one["points"]))
    names = [one["name"] for one in series]
    styles = {one["name"]: _style(one["role"], look.palette)[0] for one in series}
    rows = [_auc_row(one["name"], point) for one in series for point in one["points"]]
    slanted = len(order) > (3 if look.is_narrow else _MANY)
    x = category("at", document["x_title"], order=order, scale={"type": "point", "padding": 0.6},
                 labelAngle=-40 if slanted else 0)  # fmt: skip
    offset: Document = {"value": 0}
    if len(names) > 1:
        offset = {"field": "name", "type": "nominal",
                  "scale": {"domain": names, "range": _offsets(len(names))}}  # fmt: skip
    colour = {"field": "name", "type": "nominal", "legend": None,
              "scale": {"domain": names, "range": list(styles.values())}}  # fmt: skip
    ends = [row[key] for row in rows for key in ("auc", "low", "high") if row[key] is not None]
    ends += [] if document.get("floor") is None else [document["floor"]]
    bounds = (min(ends, default=0.5) - 0.02, min(max(ends, default=1.0) + 0.02, 1.0))
    y_title = document.get("y_title", "AUC on rows not seen in training")
    y = quantity("auc", y_title, titleX=-34, format=".2f", domain=bounds)
    tip = told(name="Card", told="AUC")
    layers = [
        *_floor(document.get("floor"), y, look),
        layer([row for row in rows if row["low"] is not None],
              {"type": "rule", "strokeWidth": 1.5},
              x=x, xOffset=offset, y={**y, "field": "low"}, y2=until("high"), color=colour),
        layer(rows, {"type": "point", "filled": True, "opacity": 1, "size": 70}, x=x,
              xOffset=offset, y=y, color=colour, tooltip=tip),
        *_last_labels(rows, styles, order, x, y),
    ]  # fmt: skip
    return chart(look, layers, height=300)


def auc_over_time_table(document: Mapping[str, Any]) -> Table:
    """Give the values behind `auc_over_time`.

    Parameters
    ----------
    document : mapping
        As for `auc_over_time`.

    Returns
    -------
    Table
        One row per point.
    """
    columns = (
        Column(document["x_title"]),
        Column("Card"),
        Column("AUC", numbers.auc),
        Column("95 % interval", numbers.interval),
        Column("Parties", numbers.count),
    )
    rows = [
        (point["at"], one["name"], point["auc"], point.get("interval"), point.get("n"))
        for one in document["series"]
        for point in one["points"]
    ]
    return table(columns, rows)


def _style(role: str, palette: Palette) -> tuple[str, float]:
    if role == "new":
        return palette.new, 2.5
    return (palette.old, 2) if role == "old" else (palette.unsure, 1.5)


def _label(
    row: Document, colour: str, x: Document, y: Document, align: str, gap: int = 0
) -> Document:
    """Write beside a mark what it is."""
    mark = {
        "type": "text", "align": align, "dx": gap if align == "left" else -gap, "color": colour,
        "fontWeight": "bold",
    }  # fmt: skip
    return layer([row], mark, x=x, y=y, text={"field": "text", "type": "nominal"})


def _auc_row(name: str, point: Document) -> Document:
    low, high = point.get("interval") or (None, None)
    return {
        "name": name,
        "at": point["at"],
        "auc": point["auc"],
        "low": low,
        "high": high,
        "told": f"{point['at']}: {numbers.auc(point['auc'])} "
        f"({numbers.interval(point.get('interval'))}), {numbers.count(point.get('n'))} parties",
    }


def _offsets(n: int) -> list[float]:
    return [8 * (place - (n - 1) / 2) for place in range(n)]


def _floor(floor: float | None, y: Document, look: Look) -> list[Document]:
    if floor is None:
        return []
    row = {"auc": floor, "text": f"least that the policy asks for: {numbers.auc(floor, 2)}"}
    text = {"type": "text", "align": "left", "baseline": "bottom", "dy": -3, "dx": 2,
            "color": look.palette.quiet}  # fmt: skip
    line = {"type": "rule", "strokeDash": [4, 4], "color": look.palette.quiet}
    return [
        layer([row], line, y=y),
        layer([row], text, y=y, x={"value": 0}, text={"field": "text", "type": "nominal"}),
    ]


def _last_labels(
    rows: Sequence[Document], styles: Mapping[str, str], order: Sequence[str], x: Document,
    y: Document,
) -> list[Document]:  # fmt: skip
    """Name each series beside its last point; names of near ones stand a line apart."""
    last = {row["name"]: row for row in sorted(rows, key=lambda row: order.index(row["at"]))}
    level = sorted(last.values(), key=lambda row: -row["auc"])
    found = []
    for place, row in enumerate(level):
        mark = {
            "type": "text", "align": "left", "dx": 14, "color": styles[row["name"]],
            "dy": _LINE * (place - (len(level) - 1) / 2), "fontWeight": "bold",
        }  # fmt: skip
        label = {**row, "text": row["name"]}
        found.append(layer([label], mark, x=x, y=y, text={"field": "text", "type": "nominal"}))
    return found
