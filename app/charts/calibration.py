"""Charts of whether probabilities are right."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.charts.parts import chart, layer, quantity, told, until, words
from app.charts.tables import Column, Table, table
from app.charts.theme import Look
from app.domain.types import Document
from app.edge import numbers

_SQUARE = 520
_ROOM = 1.06
_WORD, _LINE = 0.09, 0.05


def calibration(document: Mapping[str, Any], look: Look) -> Document:
    """Draw expected against observed default rate, per bin or band.

    Parameters
    ----------
    document : mapping
        ``series``: each ``name``, ``role`` (``old`` or ``new``) and ``bins``, each ``label``,
        ``n``, ``n_bad``, ``expected`` and ``observed`` default rate (fractions), and
        ``interval`` of the observed one (may be None).
    look : Look
        Theme and size.

    Returns
    -------
    dict
        A Vega-Lite specification. Counts stand above the intervals.
    """
    rows = [_row(one, part) for one in document["series"] for part in one["bins"] if part["n"]]
    last = _ROOM * max((max(row["expected"], row["high"]) for row in rows), default=100.0)
    last = min(last, 100.0)
    x = quantity("expected", "Expected default rate (%)", domain=(0, last))
    note = "" if look.is_narrow else ", with 95 % interval and number of parties"
    y = quantity("observed", f"Observed default rate (%){note}", domain=(0, last), titleX=-30)
    names = [one["name"] for one in document["series"]]
    colours = [
        look.palette.new if one["role"] == "new" else look.palette.old for one in document["series"]
    ]
    colour = {"field": "name", "type": "nominal", "legend": None,
              "scale": {"domain": names, "range": colours}}  # fmt: skip
    quiet = look.palette.quiet
    newest = [row for row in rows if row["role"] == "new"] or rows
    layers = [
        layer([{"expected": 0, "observed": 0}, {"expected": last, "observed": last}],
              {"type": "line", "color": quiet, "strokeDash": [4, 4]}, x=x, y=y),
        layer(rows, {"type": "rule", "strokeWidth": 1.5}, x=x, y={**y, "field": "low"},
              y2=until("high"), color=colour),
        layer(rows, {"type": "point", "filled": True, "opacity": 1, "size": 70}, x=x, y=y,
              color=colour, tooltip=told(name="Version", label="Bin", told="Default rate")),
        layer(_apart(newest, last), {"type": "text", "baseline": "bottom", "dy": -4, "color": quiet,
                       "fontSize": 11},
              x=x, y={**y, "field": "high"}, text={"field": "count", "type": "nominal"}),
        layer([{"text": "dashed: as expected", "expected": last, "observed": 0}],
              {"type": "text", "align": "right", "dx": -6, "dy": -12, "color": quiet}, x=x, y=y,
              text={"field": "text", "type": "nominal"}),
        *[_name(name, colours[place], place) for place, name in enumerate(names)],
    ]  # fmt: skip
    height = min(_SQUARE, look.width) - 40
    return chart(look, layers, height=height, width=_SQUARE)


def calibration_table(document: Mapping[str, Any]) -> Table:
    """Give the values behind `calibration`.

    Parameters
    ----------
    document : mapping
        As for `calibration`.

    Returns
    -------
    Table
        One row per bin and version.
    """
    columns = (
        Column("Version"),
        Column("Bin"),
        Column("Parties", numbers.count),
        Column("Bad", numbers.count),
        Column("Expected", numbers.rate),
        Column("Observed", numbers.rate),
        Column("95 % interval", _rates),
    )
    rows = [
        (one["name"], words(part["label"]), part["n"], part["n_bad"], part["expected"],
         part["observed"], part.get("interval"))
        for one in document["series"]
        for part in one["bins"]
    ]  # fmt: skip
    return table(columns, rows)


def _rates(limits: tuple[float, float] | None) -> str:
    if limits is None:
        return numbers.NONE
    return f"{numbers.rate(limits[0])} to {numbers.rate(limits[1])}"


def _row(one: Document, part: Document) -> Document:
    low, high = part.get("interval") or (part["observed"], part["observed"])
    return {
        "name": one["name"],
        "role": one["role"],
        "label": words(part["label"]),
        "expected": 100 * part["expected"],
        "observed": 100 * part["observed"],
        "low": 100 * low,
        "high": 100 * high,
        "count": numbers.count(part["n"]),
        "told": f"expected {numbers.rate(part['expected'])}, observed "
        f"{numbers.rate(part['observed'])} ({_rates(part.get('interval'))}), "
        f"{numbers.count(part['n_bad'])} bad of {numbers.count(part['n'])}",
    }


def _apart(rows: list[Document], last: float) -> list[Document]:
    """Keep the counts that can be read: none within a word's width of another."""
    kept: list[Document] = []
    for row in sorted(rows, key=lambda row: row["expected"]):
        near = [
            one for one in kept
            if row["expected"] - one["expected"] < _WORD * last
            and abs(row["high"] - one["high"]) < _LINE * last
        ]  # fmt: skip
        if not near:
            kept.append(row)
    return kept


def _name(name: str, colour: str, place: int) -> Document:
    """Name a series in its colour, in the corner where nothing lies."""
    mark = {"type": "text", "align": "left", "baseline": "top", "color": colour,
            "fontWeight": "bold"}  # fmt: skip
    return layer(
        [{"text": f"● {name}"}], mark, x={"value": 10}, y={"value": 6 + 18 * place},
        text={"field": "text", "type": "nominal"},
    )  # fmt: skip
