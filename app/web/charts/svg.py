"""A specification drawn as SVG: offline, the same bytes every time, once per process."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from xml.etree import ElementTree as ET

import vl_convert

from app.errors import InvalidInputError

KEPT = 512
"""How many drawings a process keeps; each is some tens of kilobytes."""

VEGA_LITE = "6.4"
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


@lru_cache(maxsize=KEPT)
def _drawn(text: str) -> str:
    svg: str = vl_convert.vegalite_to_svg(text, vl_version=VEGA_LITE, allowed_base_urls=[])
    for element in ET.fromstring(svg).iter():  # noqa: S314 - our own drawing, no entities
        tag = element.tag.rpartition("}")[2]
        if tag in _FORBIDDEN:
            raise InvalidInputError(f"A chart may not hold <{tag}>.")
    return svg
