"""Charts of bands: shares before and after, and who moves from which to which."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.charts.parts import category, chart, layer, quantity, told, words
from app.charts.tables import Column, Table, table
from app.charts.theme import Look
from app.domain.types import Document
from app.edge import numbers

_SQUARE = 560
_HALF = 0.5
_RGB = slice(1, 7)


def band_shares(document: Mapping[str, Any], look: Look) -> Document:
    """Draw the share of parties in each band before and after.

    Parameters
    ----------
    document : mapping
        ``old`` and ``new``; ``old_shares`` and ``new_shares``, fractions by band, the lowest
        band first; ``n``, the number of parties (may be None); ``y_title`` where they are no
        bands.
    look : Look
        Theme and size.

    Returns
    -------
    dict
        A Vega-Lite specification.
    """
    names = [document["old"], document["new"]]
    shares = [document["old_shares"], document["new_shares"]]
    bands = list({**shares[0], **shares[1]})
    rows = [
        {"band": words(band), "name": name, "share": 100 * held.get(band, 0.0),
         "label": numbers.rate(held.get(band, 0.0)) + (f"  {name}" if place == 0 else "")}
        for place, band in enumerate(bands)
        for name, held in zip(names, shares, strict=True)
    ]  # fmt: skip
    palette = look.palette
    what = document.get("y_title", "Band")
    y = category("band", what, order=[words(band) for band in bands], titleX=-4,
                 titleAlign="right", scale={"paddingInner": 0.35})  # fmt: skip
    offset = {"field": "name", "type": "nominal", "scale": {"domain": names}}
    ranges = [palette.old, palette.new]
    colour = {"field": "name", "type": "nominal", "legend": None,
              "scale": {"domain": names, "range": ranges}}  # fmt: skip
    x = quantity("share", f"Share of {_parties(document)} (%)", zero=True)
    layers = [
        layer(rows, {"type": "bar"}, x=x, y=y, yOffset=offset, color=colour,
              tooltip=told(name="Version", band="Band", label="Share")),
        layer(rows, {"type": "text", "align": "left", "dx": 4}, x=x, y=y, yOffset=offset,
              color=colour, text={"field": "label", "type": "nominal"}),
    ]  # fmt: skip
    return chart(look, layers, height=70 + 48 * len(bands))


def band_shares_table(document: Mapping[str, Any]) -> Table:
    """Give the values behind `band_shares`.

    Parameters
    ----------
    document : mapping
        As for `band_shares`.

    Returns
    -------
    Table
        One row per band.
    """
    old, new = document["old_shares"], document["new_shares"]
    columns = (
        Column(document.get("y_title", "Band")),
        Column(str(document["old"]), numbers.rate),
        Column(str(document["new"]), numbers.rate),
        Column("Difference", numbers.percentage_points),
    )
    rows = [
        (words(band), old.get(band, 0.0), new.get(band, 0.0),
         new.get(band, 0.0) - old.get(band, 0.0))
        for band in {**old, **new}
    ]  # fmt: skip
    return table(columns, rows)


def migration(document: Mapping[str, Any], look: Look) -> Document:
    """Draw how many parties move from which band to which.

    Parameters
    ----------
    document : mapping
        ``old`` and ``new``; ``old_bands`` and ``new_bands``, the lowest first; ``counts``, a row
        per old band.
    look : Look
        Theme and size.

    Returns
    -------
    dict
        A Vega-Lite specification: those who stay in grey, those who move in the accent.
    """
    rows = _cells(document, look)
    order = [words(band) for band in document["new_bands"]]
    x = category("to", f"Band under {document['new']}", order=order, orient="top",
                 labelAngle=-40 if look.is_narrow else 0, labelAlign=None)  # fmt: skip
    if look.is_narrow:
        x["axis"] |= {"labelAlign": "left"}
    else:
        del x["axis"]["labelAlign"]
    y = category("from", f"Band under {document['old']}", titleX=-4, titleAlign="right",
                 order=[words(band) for band in document["old_bands"]])  # fmt: skip
    fill = {"field": "fill", "type": "nominal", "scale": None}
    ink = {"field": "ink", "type": "nominal", "scale": None}
    tip = told(told="Parties")
    edge = {"type": "rect", "stroke": look.palette.paper, "strokeWidth": 2}
    layers = [
        layer(rows, edge, x=x, y=y, color=fill, tooltip=tip),
        layer(rows, {"type": "text", "fontSize": 13}, x=x, y=y, color=ink,
              text={"field": "label", "type": "nominal"}, tooltip=tip),
    ]  # fmt: skip
    height = 90 + (38 if look.is_narrow else 46) * len(document["old_bands"])
    return chart(look, layers, height=height, width=_SQUARE)


def migration_table(document: Mapping[str, Any]) -> Table:
    """Give the values behind `migration`.

    Parameters
    ----------
    document : mapping
        As for `migration`.

    Returns
    -------
    Table
        One row per old band, with its sum.
    """
    columns = [Column(f"{document['old']} down, {document['new']} across")]
    columns += [Column(words(band), numbers.count) for band in document["new_bands"]]
    rows = [
        (words(band), *counts, sum(counts))
        for band, counts in zip(document["old_bands"], document["counts"], strict=True)
    ]
    return table([*columns, Column("All", numbers.count)], rows)


def mixed(colour: str, ground: str, share: float) -> str:
    """Mix a colour into a ground.

    Parameters
    ----------
    colour, ground : str
        As ``#rrggbb``.
    share : float
        Of the colour, 0 to 1.

    Returns
    -------
    str
        As ``#rrggbb``.

    Examples
    --------
    >>> mixed("#000000", "#ffffff", 0.2)
    '#cccccc'
    """
    pairs = zip(bytes.fromhex(colour[_RGB]), bytes.fromhex(ground[_RGB]), strict=True)
    return "#" + "".join(f"{round(share * a + (1 - share) * b):02x}" for a, b in pairs)


def contrast(one: str, other: str) -> float:
    """Measure how well one colour reads on another.

    Parameters
    ----------
    one, other : str
        As ``#rrggbb``.

    Returns
    -------
    float
        From 1 to 21; text needs 4.5.

    References
    ----------
    .. [1] W3C, "Web Content Accessibility Guidelines 2.2", contrast ratio.

    Examples
    --------
    >>> contrast("#ffffff", "#000000"), round(contrast("#777777", "#ffffff"), 2)
    (21.0, 4.48)
    """
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def _luminance(colour: str) -> float:
    parts = [part / 255 for part in bytes.fromhex(colour[_RGB])]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4  # noqa: PLR2004 - sRGB
        for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _parties(document: Mapping[str, Any]) -> str:
    n = document.get("n")
    return "parties" if n is None else f"{numbers.count(n)} parties"


def _readable(fill: str, look: Look) -> str:
    palette = look.palette
    return max((palette.ink, palette.paper), key=lambda one: contrast(one, fill))


def _cells(document: Mapping[str, Any], look: Look) -> list[Document]:
    palette = look.palette
    most = max((n for row in document["counts"] for n in row), default=0) or 1
    rows = []
    for old, counts in zip(document["old_bands"], document["counts"], strict=True):
        n_row = sum(counts)
        for new, n in zip(document["new_bands"], counts, strict=True):
            colour = palette.old if old == new else palette.new
            fill = mixed(colour, palette.paper, 0.06 + 0.8 * (n / most) ** _HALF if n else 0.03)
            ink = _readable(fill, look)
            share = numbers.rate(n / n_row if n_row else None)
            rows.append(
                {"from": words(old), "to": words(new), "fill": fill, "ink": ink,
                 "label": numbers.count(n),
                 "told": f"{numbers.count(n)} from {words(old)} to {words(new)}, "
                 f"{share} of those who were {words(old)}"}
            )  # fmt: skip
    return rows
