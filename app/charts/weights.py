"""Charts of weights: what changes per feature, and what the model estimated beside the expert."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
    words,
)
from app.charts.tables import Column, Table, table
from app.charts.theme import Look
from app.domain.types import Document
from app.edge import numbers

SHOWN = 20
"""How many features a chart shows at most; the table has all."""

_ROOM = 1.08
_FAR = 1.75
_RIM, _DOT = 130, 70  # the new one leaves a rim of the old one to be seen


def dumbbell(document: Mapping[str, Any], look: Look) -> Document:
    """Draw old and new weight per feature, with what the data alone would say.

    Parameters
    ----------
    document : mapping
        ``old`` and ``new``, names of the versions; ``features``: per name ``old_weight``,
        ``new_weight``, ``change``, ``data_only_weight``, ``data_only_interval`` (95 %),
        ``guard_rail`` (lowest and highest weight allowed) and ``binding``, each None where there
        is none.
    look : Look
        Theme and size.

    Returns
    -------
    dict
        A Vega-Lite specification; at most 20 features, those that change most first. Estimates
        past the edge are drawn there as a triangle, intervals past it without their end stroke.
    """
    chosen = _largest_changes(document["features"])
    wished = [part for _, one in chosen for part in _estimated(one)]
    high = _last_value([part for _, one in chosen for part in _firm_values(one)], wished)
    common = _common_bindings([one for _, one in chosen])
    rows = [_dumbbell_row(name, one, high, common) for name, one in chosen]
    names = [str(document["old"]), str(document["new"]), "data alone, 95 % interval", "guard-rail"]
    palette, y = look.palette, named_lines([row["name"] for row in rows], look)
    x = quantity("weight", _weight_title(document, len(rows)), domain=(0, high))
    tip = told(name="Feature", told="Weights")
    layers = [
        layer(rows, {"type": "bar", "color": palette.shade, "height": 14}, y=y,
              x=_at("rail_low", high), x2=until("rail_high"), tooltip=tip),
        *_estimates(rows, y, high, look),
        layer(rows, {"type": "rule", "strokeWidth": 3, "color": palette.new, "opacity": 0.55},
              y=y, x=_at("old", high), x2=until("new"), tooltip=tip),
        *[
            layer(_weights(rows, field, name), {"type": "point", "filled": True, "opacity": 1,
                                                "size": size},
                  y=y, x=x, tooltip=tip, **_key(names, look))
            for field, name, size in (("old", names[0], _RIM), ("new", names[1], _DOT))
        ],
        *_captions(rows, common, y, look),
    ]  # fmt: skip
    return chart(look, layers, height=lines_height(len(rows), look, 96))


def dumbbell_table(document: Mapping[str, Any]) -> Table:
    """Give the values behind `dumbbell`, every feature.

    Parameters
    ----------
    document : mapping
        As for `dumbbell`.

    Returns
    -------
    Table
        One row per feature, the largest change first.
    """
    features = _by_change(document["features"])
    columns = (
        Column("Feature"),
        Column(f"Weight in {document['old']}", numbers.weight),
        Column(f"Weight in {document['new']}", numbers.weight),
        Column("Change", numbers.change),
        Column("Weight by the data alone", numbers.weight),
        Column("95 % interval", _interval),
        Column("Guard-rail", _interval),
        Column("Stopped by"),
    )
    rows = [
        (name, one["old_weight"], one["new_weight"], one.get("change"),
         one.get("data_only_weight"), one.get("data_only_interval"), one.get("guard_rail"),
         words(one.get("binding") or ""))
        for name, one in features
    ]  # fmt: skip
    return table(columns, rows)


def coefficients(document: Mapping[str, Any], look: Look) -> Document:
    """Draw the model's weight with its interval beside the expert's.

    Parameters
    ----------
    document : mapping
        ``model``; ``features``: per name ``model_weight``, ``interval`` (95 %) and
        ``expert_weight``, all on the scale of the card.
    look : Look
        Theme and size.

    Returns
    -------
    dict
        A Vega-Lite specification; at most 20 features, those furthest from the expert first.
    """
    chosen = _by_distance(document["features"])[:SHOWN]
    firm = [one[key] or 0.0 for _, one in chosen for key in ("model_weight", "expert_weight")]
    high = _last_value(firm, [part for _, one in chosen for part in one["interval"] or ()])
    rows = [_coefficient_row(name, one, high) for name, one in chosen]
    names = ["expert", f"{document['model']}, 95 % interval"]
    series = [
        {"name": row["name"], "series": series, "weight": row[field], "told": row["told"]}
        for row in rows
        for series, field in zip(names, ("old", "alone"), strict=True)
        if row[field] is not None
    ]
    y, palette = named_lines([row["name"] for row in rows], look), look.palette
    x = quantity("weight", _counted_title("Weight, on the scale of the card", document, rows),
                 domain=(0, high))  # fmt: skip
    colours = {"domain": names, "range": [palette.old, palette.new]}
    layers = [
        *_interval_layers(rows, y, high, palette.new, 2),
        layer(series, {"type": "point", "filled": True, "opacity": 1, "size": 80}, y=y, x=x,
              color={"field": "series", "type": "nominal", "scale": colours},
              tooltip=told(name="Feature", told="Weights")),
        *names_above(rows, y, look),
    ]  # fmt: skip
    return chart(look, layers, height=lines_height(len(rows), look, 96))


def coefficients_table(document: Mapping[str, Any]) -> Table:
    """Give the values behind `coefficients`, every feature.

    Parameters
    ----------
    document : mapping
        As for `coefficients`.

    Returns
    -------
    Table
        One row per feature, the furthest from the expert first.
    """
    columns = (
        Column("Feature"),
        Column("Expert's weight", numbers.weight),
        Column("Model's weight", numbers.weight),
        Column("95 % interval", _interval),
    )
    rows = [
        (name, one["expert_weight"], one["model_weight"], one["interval"])
        for name, one in _by_distance(document["features"])
    ]
    return table(columns, rows)


def _interval(limits: Sequence[float] | None) -> str:
    return numbers.interval(limits, 2)


def _by_change(features: Mapping[str, Document]) -> list[tuple[str, Document]]:
    def size(item: tuple[str, Document]) -> float:
        change = item[1].get("change")
        return -abs(change) if change is not None else float("-inf")

    return sorted(features.items(), key=size)


def _largest_changes(features: Mapping[str, Document]) -> list[tuple[str, Document]]:
    return _by_change(features)[:SHOWN]


def _by_distance(features: Mapping[str, Document]) -> list[tuple[str, Document]]:
    return sorted(
        features.items(),
        key=lambda item: -abs((item[1]["model_weight"] or 0) - (item[1]["expert_weight"] or 0)),
    )


def _firm_values(one: Document) -> list[float]:
    rail = one.get("guard_rail") or []
    return [part for part in (one["old_weight"], one["new_weight"], *rail) if part is not None]


def _estimated(one: Document) -> list[float]:
    return [one.get("data_only_weight") or 0.0, *(one.get("data_only_interval") or ())]


def _last_value(firm: Sequence[float], wished: Sequence[float]) -> float:
    """Choose where the axis ends: wide for every weight, not for every wild estimate."""
    highest = max(firm, default=1.0) or 1.0
    return _ROOM * max([highest, *(one for one in wished if one <= _FAR * highest)])


def _common_bindings(features: Sequence[Document]) -> list[str]:
    """Find the constraints that stopped every feature that was not held."""
    sets = [
        _constraints(one) for one in features if one.get("binding") and one["binding"] != "held"
    ]
    if len(sets) < 2:  # noqa: PLR2004 - what stops one feature only is its own
        return []
    return [one for one in sets[0] if all(one in other for other in sets)]


def _constraints(one: Document) -> list[str]:
    return [part for part in (one.get("binding") or "").split(", ") if part]


def _estimate_fields(
    estimate: float | None, interval: Sequence[float] | None, high: float
) -> Document:
    """Place an estimate and its interval on an axis from 0 to ``high``."""
    low_end, high_end = interval or (None, None)
    inside = estimate is not None and 0 <= estimate <= high
    crosses = low_end is not None and high_end is not None and low_end < high and high_end > 0
    edge = 0.012 * high
    beyond = None if estimate is None or inside else (edge if estimate < 0 else high - edge)
    return {
        "alone": estimate if inside else None,
        "beyond": beyond,
        "angle": -90 if beyond == edge else 90,
        "low": max(low_end, 0.0) if crosses and low_end is not None else None,
        "high": min(high_end, high) if crosses and high_end is not None else None,
        "low_cap": low_end if crosses and low_end is not None and low_end >= 0 else None,
        "high_cap": high_end if crosses and high_end is not None and high_end <= high else None,
    }


def _dumbbell_row(name: str, one: Document, high: float, common: Sequence[str]) -> Document:
    rail = one.get("guard_rail") or (None, None)
    own = [part for part in _constraints(one) if part not in common]
    alone, interval = one.get("data_only_weight"), one.get("data_only_interval")
    return {
        "name": name,
        "old": one["old_weight"],
        "new": one["new_weight"],
        "rail_low": rail[0],
        "rail_high": rail[1],
        **_estimate_fields(alone, interval, high),
        "binding": words(", ".join(own)),
        "told": f"{numbers.weight(one['old_weight'])} to {numbers.weight(one['new_weight'])}; "
        f"data alone {numbers.weight(alone)} ({_interval(interval)}); "
        f"guard-rail {_interval(one.get('guard_rail'))}; "
        f"stopped by {words(one.get('binding') or 'nothing')}",
    }


def _coefficient_row(name: str, one: Document, high: float) -> Document:
    return {
        "name": name,
        "old": one["expert_weight"],
        **_estimate_fields(one["model_weight"], one["interval"], high),
        "told": f"expert {numbers.weight(one['expert_weight'])}, model "
        f"{numbers.weight(one['model_weight'])} ({_interval(one['interval'])})",
    }


def _at(field: str, high: float) -> Document:
    return {"field": field, "type": "quantitative", "scale": {"domain": [0, high]}}


def _weight_title(document: Mapping[str, Any], n_shown: int) -> str:
    n_all = len(document["features"])
    more = f" – {n_shown} of {n_all} features, the largest changes" if n_all > n_shown else ""
    return f"Weight{more}"


def _counted_title(title: str, document: Mapping[str, Any], rows: Sequence[Document]) -> str:
    n_all = len(document["features"])
    more = f" – {len(rows)} of {n_all} features" if n_all > len(rows) else ""
    return f"{title}{more}"


def _interval_layers(
    rows: Sequence[Document], y: Document, high: float, colour: str, width: int
) -> list[Document]:
    line = {"type": "rule", "color": colour, "strokeWidth": width}
    cap = {"type": "tick", "color": colour, "thickness": width, "size": 9}
    beyond = {"type": "point", "shape": "triangle", "filled": False, "color": colour, "size": 60}
    return [
        layer(rows, line, y=y, x=_at("low", high), x2=until("high")),
        layer([row for row in rows if row["low_cap"] is not None], cap, y=y,
              x=_at("low_cap", high)),
        layer([row for row in rows if row["high_cap"] is not None], cap, y=y,
              x=_at("high_cap", high)),
        layer([row for row in rows if row["beyond"] is not None], beyond, y=y,
              x=_at("beyond", high),
              angle={"field": "angle", "type": "quantitative", "scale": None},
              tooltip=told(name="Feature", told="Weights")),
    ]  # fmt: skip


def _estimates(rows: Sequence[Document], y: Document, high: float, look: Look) -> list[Document]:
    hollow = {
        "type": "point", "filled": True, "fill": look.palette.paper,
        "stroke": look.palette.quiet, "strokeWidth": 1.5, "opacity": 1, "size": 60,
    }  # fmt: skip
    return [
        *_interval_layers(rows, y, high, look.palette.quiet, 1),
        layer([row for row in rows if row["alone"] is not None], hollow, y=y,
              x=_at("alone", high), tooltip=told(name="Feature", told="Weights")),
    ]  # fmt: skip


def _weights(rows: Sequence[Document], field: str, name: str) -> list[Document]:
    """Give one version's weights."""
    return [
        {"name": row["name"], "series": name, "weight": row[field], "told": row["told"]}
        for row in rows
        if row[field] is not None
    ]


def _key(names: Sequence[str], look: Look) -> Document:
    """Explain the four kinds of mark in one line above."""
    palette = look.palette
    field = {"field": "series", "type": "nominal"}
    fills = [palette.old, palette.new, palette.paper, palette.shade]
    edges = [palette.old, palette.new, palette.quiet, palette.shade]
    legend = {"columns": 2 if look.is_narrow else 4}
    shapes = ["circle", "circle", "circle", "square"]
    return {
        "fill": {**field, "scale": {"domain": list(names), "range": fills}, "legend": legend},
        "stroke": {**field, "scale": {"domain": list(names), "range": edges}, "legend": legend},
        "shape": {**field, "scale": {"domain": list(names), "range": shapes}, "legend": legend},
    }


def _captions(
    rows: Sequence[Document], common: Sequence[str], y: Document, look: Look
) -> list[Document]:
    """Name the binding constraint at the end of each line."""
    if not any(row["binding"] for row in rows) and not common:
        return names_above(rows, y, look)
    head = "Stopped by" + (f" (all: {words(', '.join(common))})" if common else "")
    quiet = look.palette.quiet
    text = {"field": "binding", "type": "nominal"}
    if look.is_narrow:
        mark = {"type": "text", "align": "right", "dy": -15, "color": quiet, "limit": 150}
        return [*names_above(rows, y, look),
                layer(rows, mark, y=y, x={"value": "width"}, text=text),
                layer([{"head": head}], {**mark, "dy": 0, "baseline": "bottom", "limit": 280},
                      y={"value": -10}, x={"value": "width"},
                      text={"field": "head", "type": "nominal"})]  # fmt: skip
    mark = {"type": "text", "align": "left", "dx": 12, "color": quiet, "limit": 196}
    return [
        layer(rows, mark, y=y, x={"value": "width"}, text=text),
        layer([{"head": head}], {**mark, "baseline": "bottom"}, y={"value": -10},
              x={"value": "width"}, text={"field": "head", "type": "nominal"}),
    ]  # fmt: skip
