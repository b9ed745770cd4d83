"""Charts along a path or a time: refinement, activations, and what became of a batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from app.charts.parts import SCHEMA, category, chart, layer, quantity, told, until
from app.charts.tables import Column, Table, table
from app.charts.theme import Look, configuration
from app.domain.types import Document
from app.edge import numbers

_PANELS = (
    ("auc", "AUC on validated rows", ".3f"),
    ("weight_change", "Largest weight change (%)", "d"),
    ("band_shift", "Band shift (% of parties)", "d"),
)
_SAME = 1e-9
_STATUSES = ("good", "bad", "indeterminate", "excluded", "immature")


def path(document: Mapping[str, Any], look: Look) -> Document:
    """Draw the way from the old weights to the model's, and where the draft stopped.

    Parameters
    ----------
    document : mapping
        ``t``, the chosen step; ``steps``: each ``t`` from 0 to 1, ``auc`` (None where it was
        not measured), ``weight_change`` and ``band_shift``, fractions; ``limits``, the gates'
        bounds for the last two (each may be None).
    look : Look
        Theme and size.

    Returns
    -------
    dict
        A Vega-Lite specification: three panels over one axis.
    """
    frame = 72
    panels = []
    for place, (field, title, form) in enumerate(_PANELS):
        last = place == len(_PANELS) - 1
        title_x = "Step along the path, t (0: old weights, 1: the model's)" if last else None
        if look.is_narrow and last:
            title_x = "Step t (0: old weights, 1: the model's)"
        x = quantity("t", title_x, domain=(0, 1), labels=last, ticks=last, form=".1f")
        y = quantity(field, title, zero=field != "auc", titleX=-42, minExtent=42,
                     maxExtent=42, tickCount=4, form=form)  # fmt: skip
        panels.append(
            {"width": look.width - frame, "height": 110 if place == 0 else 80,
             "layer": _panel(document, field, x, y, look, is_first=place == 0)}
        )  # fmt: skip
    return {
        "$schema": SCHEMA,
        "padding": {"left": 4, "top": 24, "right": 12, "bottom": 4},
        "spacing": 36,
        "bounds": "flush",
        "vconcat": panels,
        "config": configuration(look.palette),
    }


def path_table(document: Mapping[str, Any]) -> Table:
    """Give the values behind `path`.

    Parameters
    ----------
    document : mapping
        As for `path`.

    Returns
    -------
    Table
        One row per step, from the old weights on.
    """
    columns = (
        Column("Step t", _hundredths),
        Column("AUC", numbers.auc),
        Column("Largest weight change", numbers.rate),
        Column("Band shift", numbers.rate),
    )
    rows = [
        (step["t"], step["auc"], step["weight_change"], step["band_shift"])
        for step in _forward(document)
    ]
    return table(columns, rows)


def timeline(document: Mapping[str, Any], look: Look) -> Document:
    """Draw which version was active when.

    Parameters
    ----------
    document : mapping
        ``spans``: each ``version``, ``start`` and ``end`` (times in ISO 8601; the end is None
        while it is active), ``kind`` (``activation`` or ``rollback``) and ``actor``; ``now``.
    look : Look
        Theme and size.

    Returns
    -------
    dict
        A Vega-Lite specification.
    """
    order = list(dict.fromkeys(span["version"] for span in document["spans"]))
    rows = [
        {"version": span["version"], "start": span["start"], "end": span["end"] or document["now"],
         "is_active": span["end"] is None, "is_rollback": span["kind"] == "rollback",
         "told": f"{numbers.moment(span['start'])} to "
         f"{numbers.moment(span['end']) if span['end'] else 'now'}, "
         f"{span['kind']} by {span['actor']}"}
        for span in document["spans"]
    ]  # fmt: skip
    palette = look.palette
    x = {"field": "start", "type": "temporal", "scale": {"type": "utc", "nice": False},
         "axis": {"title": "Date (UTC)", "tickCount": 3 if look.is_narrow else 6,
                  "format": "%Y-%m-%d", "labelFlush": True}}  # fmt: skip
    y = category("version", "Version", order=order, titleX=-4, titleAlign="right")
    colour = {"field": "is_active", "type": "nominal", "legend": None,
              "scale": {"domain": [False, True], "range": [palette.old, palette.new]}}  # fmt: skip
    tip = told(version="Version", told="Active")
    current = [{**row, "text": "active"} for row in rows if row["is_active"]]
    rolled = [
        {**row, "text": "rollback"}
        for row in rows
        if row["is_rollback"] and _share_of_time(row, rows) > (0.3 if look.is_narrow else 0.12)
    ]
    layers = [
        layer(rows, {"type": "bar", "height": 16, "minBandSize": 3}, x=x, x2=until("end"), y=y,
              color=colour, tooltip=tip),
        layer(current, {"type": "text", "align": "left", "dx": 6, "color": palette.new,
                        "fontWeight": "bold"},
              x={**x, "field": "end"}, y=y, text={"field": "text", "type": "nominal"}),
        layer(rolled, {"type": "text", "align": "left", "dx": 6, "color": palette.paper},
              x=x, y=y, text={"field": "text", "type": "nominal"}),
    ]  # fmt: skip
    return chart(look, layers, height=76 + 30 * len(order))


def timeline_table(document: Mapping[str, Any]) -> Table:
    """Give the values behind `timeline`.

    Parameters
    ----------
    document : mapping
        As for `timeline`.

    Returns
    -------
    Table
        One row per activation.
    """
    columns = (
        Column("Version"),
        Column("From", numbers.moment),
        Column("Until", numbers.moment),
        Column("How"),
        Column("By"),
    )
    rows = [
        (span["version"], span["start"], span["end"], span["kind"], span["actor"])
        for span in document["spans"]
    ]
    return table(columns, rows)


def label_bar(document: Mapping[str, Any], look: Look) -> Document:
    """Draw what became of the parties of a batch, as one bar.

    Parameters
    ----------
    document : mapping
        Number of parties that are ``good``, ``bad``, ``indeterminate``, ``excluded`` and
        ``immature``.
    look : Look
        Theme and size.

    Returns
    -------
    dict
        A Vega-Lite specification.
    """
    palette = look.palette
    colours = dict(
        zip(_STATUSES, (palette.passed, palette.failed, palette.unsure, palette.old,
                        palette.unknown), strict=True)
    )  # fmt: skip
    rows = _stacked(document)
    names = [row["name"] for row in rows]
    colour = {"field": "name", "type": "nominal",
              "legend": {"columns": 2 if look.is_narrow else len(rows), "offset": 10},
              "scale": {"domain": names,
                        "range": [colours[row["status"]] for row in rows]}}  # fmt: skip
    x = quantity("start", "Parties", domain=(0, rows[-1]["end"] or 1), format=",d",
                 tickCount=4)  # fmt: skip
    bar = {"type": "bar", "height": 22, "stroke": palette.paper, "strokeWidth": 1}
    layers = [
        layer(rows, bar, x=x, x2=until("end"), y={"value": 12}, color=colour,
              tooltip=told(status="Status", told="Parties")),
    ]  # fmt: skip
    return chart(look, layers, height=148 if look.is_narrow else 108)


def label_bar_table(document: Mapping[str, Any]) -> Table:
    """Give the values behind `label_bar`.

    Parameters
    ----------
    document : mapping
        As for `label_bar`.

    Returns
    -------
    Table
        One row per status.
    """
    n_all = sum(document[status] for status in _STATUSES)
    columns = (Column("Status"), Column("Parties", numbers.count), Column("Share", numbers.rate))
    rows = [
        (status, document[status], document[status] / n_all if n_all else None)
        for status in _STATUSES
    ]
    return table(columns, rows)


def _share_of_time(span: Document, spans: Sequence[Document]) -> float:
    """Say how much of the time shown a span takes, a fraction."""
    ends = [datetime.fromisoformat(one[key]) for one in spans for key in ("start", "end")]
    own = datetime.fromisoformat(span["end"]) - datetime.fromisoformat(span["start"])
    return own / max(max(ends) - min(ends), timedelta(seconds=1))


def _forward(document: Mapping[str, Any]) -> list[Document]:
    return sorted(document["steps"], key=lambda step: step["t"])


def _hundredths(value: float) -> str:
    return f"{value:.2f}"


def _panel(
    document: Mapping[str, Any], field: str, x: Document, y: Document, look: Look, *,
    is_first: bool,
) -> list[Document]:  # fmt: skip
    palette = look.palette
    factor = 1 if field == "auc" else 100
    write = numbers.auc if field == "auc" else numbers.rate
    rows = [
        {"t": step["t"], field: factor * step[field],
         "told": f"{write(step[field])} at t = {_hundredths(step['t'])}"}
        for step in _forward(document)
        if step[field] is not None
    ]  # fmt: skip
    at = next((row for row in rows if abs(row["t"] - document["t"]) < _SAME), None)
    line = {"type": "line", "color": palette.new, "strokeWidth": 2}
    chosen = {"type": "rule", "color": palette.ink, "strokeDash": [2, 3]}
    layers = [
        *_limit(document.get("limits", {}).get(field), field, x, y, look),
        layer(rows, line, x=x, y=y, order={"field": "t", "type": "quantitative"},
              tooltip=told(told="Value")),
        layer([{"t": document["t"]}], chosen, x=x),
    ]  # fmt: skip
    if at is not None:
        dot = {"type": "point", "filled": True, "size": 70, "opacity": 1, "color": palette.new}
        layers.append(layer([at], dot, x=x, y=y, tooltip=told(told="Value")))
    if is_first:
        text = [{"t": document["t"], "text": f"t = {_hundredths(document['t'])}"}]
        mark = {"type": "text", "baseline": "bottom", "dy": -4, "fontWeight": "bold"}
        layers.append(layer(text, mark, x=x, y={"value": 0},
                            text={"field": "text", "type": "nominal"}))  # fmt: skip
    return layers


def _limit(limit: float | None, field: str, x: Document, y: Document, look: Look) -> list[Document]:
    if limit is None:
        return []
    row = {field: 100 * limit, "text": f"gate: below {numbers.rate(limit, 0)}", "t": 0}
    text = {"type": "text", "align": "left", "baseline": "top", "dx": 4, "dy": 4,
            "color": look.palette.quiet}  # fmt: skip
    return [
        layer([row], {"type": "rule", "color": look.palette.quiet, "strokeDash": [6, 4]}, y=y),
        layer([row], text, x=x, y=y, text={"field": "text", "type": "nominal"}),
    ]


def _stacked(document: Mapping[str, Any]) -> Sequence[Document]:
    n_all = sum(document[status] for status in _STATUSES)
    rows, start = [], 0
    for status in _STATUSES:
        n = document[status]
        share = numbers.rate(n / n_all if n_all else None)
        rows.append(
            {"status": status, "start": start, "end": start + n,
             "name": f"{status} {numbers.count(n)}", "told": f"{numbers.count(n)} ({share})"}
        )  # fmt: skip
        start += n
    return rows
