"""How every chart looks: one calm palette in light and in dark, and one configuration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from app.domain.types import Document

FONT = (
    'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "DejaVu Sans", Arial, '
    "sans-serif"
)
"""The stack of ``desk.css``: nothing is loaded."""

WIDE, NARROW = 720, 360
"""Widths in pixels that charts are drawn for: a page, and a telephone."""


@dataclass(frozen=True, slots=True)
class Palette:
    """Name colours by what they mean; the values are those of ``desk.css``.

    Attributes
    ----------
    paper, ink, quiet, line : str
        Ground, text, lesser text, and grid lines.
    old, new : str
        The old version and the new one.
    shade : str
        The guard-rail, and what lies behind the data.
    passed, unsure, failed, unknown : str
        Pass or good, insufficient evidence or indeterminate, fail or bad, not run.
    """

    paper: str
    ink: str
    quiet: str
    line: str
    old: str
    new: str
    shade: str
    passed: str
    unsure: str
    failed: str
    unknown: str


LIGHT = Palette(
    paper="#ffffff",
    ink="#1b1f24",
    quiet="#57606a",
    line="#e3e6ea",
    old="#6b7480",
    new="#1d4f91",
    shade="#dbe6f4",
    passed="#1a6b37",
    unsure="#865100",
    failed="#b3261e",
    unknown="#c9ced6",
)
DARK = Palette(
    paper="#14171b",
    ink="#e6e9ed",
    quiet="#a2abb6",
    line="#2b3038",
    old="#98a1ad",
    new="#8db8f0",
    shade="#22344b",
    passed="#7fce96",
    unsure="#e6b566",
    failed="#f2938c",
    unknown="#4a525d",
)
THEMES: Mapping[str, Palette] = MappingProxyType({"light": LIGHT, "dark": DARK})


@dataclass(frozen=True, slots=True)
class Look:
    """Say for which ground and which screen a chart is drawn.

    Attributes
    ----------
    palette : Palette
        The colours.
    is_narrow : bool
        Whether it is drawn for a telephone.
    """

    palette: Palette = LIGHT
    is_narrow: bool = False

    @property
    def width(self) -> int:
        """Give the width of the whole figure, in pixels."""
        return NARROW if self.is_narrow else WIDE


LOOKS: Mapping[tuple[str, str], Look] = MappingProxyType(
    {
        (theme, size): Look(palette, size == "narrow")
        for theme, palette in THEMES.items()
        for size in ("wide", "narrow")
    }
)
"""Theme and size to how the chart is drawn."""


def configuration(palette: Palette) -> Document:
    """Give the Vega-Lite configuration of every chart.

    Parameters
    ----------
    palette : Palette
        The colours.

    Returns
    -------
    dict
        ``config`` of a specification. The ground is left clear: the page's shows through.
    """
    text: Document = {"fontSize": 12, "fontWeight": "normal", "limit": 240}
    return {
        "aria": False,
        "font": FONT,
        "background": "transparent",
        "view": {"stroke": None},
        "axis": {
            "labelColor": palette.quiet,
            "labelFontSize": 12,
            "titleColor": palette.quiet,
            "titleFontSize": 12,
            "titleFontWeight": "normal",
            "titlePadding": 8,
            "gridColor": palette.line,
            "domainColor": palette.quiet,
            "tickColor": palette.quiet,
            "tickSize": 4,
            "labelPadding": 4,
            "labelLimit": 220,
        },
        "axisX": {"labelFlush": False},
        "axisY": {"titleAngle": 0, "titleAlign": "left", "titleBaseline": "bottom", "titleY": -10},
        "axisQuantitative": {"tickCount": 5},
        "axisBand": {"domain": False, "ticks": False},
        "legend": {
            "orient": "top",
            "direction": "horizontal",
            "title": None,
            "labelColor": palette.ink,
            "labelFontSize": 12,
            "labelLimit": 260,
            "symbolSize": 90,
            "symbolOpacity": 1,
            "columnPadding": 16,
            "offset": 34,
            "padding": 0,
        },
        "text": {**text, "color": palette.ink},
        "rule": {"color": palette.quiet},
        "line": {"strokeCap": "round", "strokeJoin": "round"},
    }
