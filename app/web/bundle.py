"""The Vega libraries that pages load, as `vl_convert` carries them: nothing from elsewhere."""

from __future__ import annotations

from functools import cache
from importlib.metadata import version

import vl_convert

from app.charts.svg import VEGA_LITE

_GLOBALS = "window.vegaEmbed = vegaEmbed;\n"


@cache
def bundle_name() -> str:
    """Give the file name of the bundle; it changes with what is inside.

    Returns
    -------
    str
        Such as ``vega-6.2.0-6.4-7.0.2-1.9.0.js``: the versions of Vega, Vega-Lite, Vega-Embed
        and of the package that carries them. They decide every byte, and asking for them takes
        no time; making the bundle takes seconds.
    """
    versions = (
        vl_convert.get_vega_version(),
        VEGA_LITE,
        vl_convert.get_vega_embed_version(),
        version("vl-convert-python"),
    )
    return f"vega-{'-'.join(versions)}.js"


@cache
def bundle() -> bytes:
    """Make the bundle, once per process.

    Returns
    -------
    bytes
        JavaScript that defines ``vegaEmbed``, with the interpreter of expressions inside, so
        that a page may forbid evaluation.
    """
    text: str = vl_convert.javascript_bundle(_GLOBALS, vl_version=VEGA_LITE)
    return text.encode()


def vega_path() -> str:
    """Give the address of the libraries that draw interactively.

    Returns
    -------
    str
        A path.
    """
    return f"/figures/{bundle_name()}"
