"""A specification drawn as SVG: offline, the same bytes every time, once per process."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any
from xml.etree import ElementTree as ET

import vl_convert

from app.charts.theme import LIGHT
from app.errors import InvalidInputError

KEPT = 512
"""How many drawings a process keeps; each is some tens of kilobytes."""

VEGA_LITE = "6.4"
_VARIABLES: Mapping[str, str] = MappingProxyType(
    {
        LIGHT.paper: "paper",
        LIGHT.ink: "ink",
        LIGHT.quiet: "quiet",
        LIGHT.line: "line",
        LIGHT.old: "old",
        LIGHT.new: "accent",
        LIGHT.shade: "accent-tint",
        LIGHT.passed: "pass",
        LIGHT.unsure: "warn",
        LIGHT.failed: "fail",
        LIGHT.unknown: "none-tint",
    }
)
"""Colours of the light palette to variables of ``desk.css``."""

_FORBIDDEN = frozenset({"script", "style", "foreignObject", "image", "a"})


def draw_svg(specification: Mapping[str, Any]) -> str:
    """Draw a specification.

    Parameters
    ----------
    specification : mapping
        Vega-Lite, its data inside.

    Returns
    -------
    str
        SVG without script, style sheet or address of anything elsewhere.

    Raises
    ------
    InvalidInputError
        If the specification asks for anything outside itself.

    Notes
    -----
    The converter reaches no network: it is given an empty list of addresses that it may load
    from. Text is text: the drawing is written by Vega's own serializer, which escapes it.
    """
    return _drawn(json.dumps(specification, sort_keys=True, allow_nan=False))


def inline_svg(specification: Mapping[str, Any], label: str) -> str:
    """Draw a specification in light to stand inside a page, in the colours of the page's theme.

    Parameters
    ----------
    specification : mapping
        Vega-Lite, its data inside, drawn with the light palette.
    label : str
        What is seen, for those who do not see it.

    Returns
    -------
    str
        SVG whose colours are variables of ``desk.css``, without any ``style``.
    """
    root = ET.fromstring(draw_svg(specification))  # noqa: S314 - our own drawing, no entities
    for element in root.iter():
        for name, value in list(element.attrib.items()):
            if name == "role" or name.startswith("aria-"):
                del element.attrib[name]
            elif name in {"fill", "stroke"} and value in _VARIABLES:
                element.set(name, f"var(--{_VARIABLES[value]})")
    root.set("role", "img")
    root.set("aria-label", label)
    ET.register_namespace("", "http://www.w3.org/2000/svg")
    return ET.tostring(root, encoding="unicode")


@lru_cache(maxsize=KEPT)
def _drawn(text: str) -> str:
    svg: str = vl_convert.vegalite_to_svg(text, vl_version=VEGA_LITE, allowed_base_urls=[])
    for element in ET.fromstring(svg).iter():  # noqa: S314 - our own drawing, no entities
        tag = element.tag.rpartition("}")[2]
        if tag in _FORBIDDEN:
            raise InvalidInputError(f"A chart may not hold <{tag}>.")
    return svg
