"""Templates, with the desk's way to write numbers, and static files under their hash."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from functools import cache, wraps
from importlib.resources import files
from types import MappingProxyType
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from app.domain.counted import counted
from app.edge import gate_words, numbers
from app.web import run_words
from app.web.bundle import vega_path

STATIC = files("app.web") / "static"
MEDIA_TYPES: Mapping[str, str] = MappingProxyType(
    {
        ".css": "text/css; charset=utf-8",
        ".js": "text/javascript; charset=utf-8",
        ".svg": "image/svg+xml",
    }
)
_NUMBERS = (
    "auc", "gain", "rate", "change", "percentage_points", "weight", "count", "points", "tenths",
    "difference", "p_value", "interval",
)  # fmt: skip
_OTHERS = ("day", "moment", "duration", "short_hash")


@cache
def environment() -> Environment:
    """Give the one environment: every value is escaped, and a missing one is an error."""
    made = Environment(
        loader=PackageLoader("app.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update({name: _with_minus(getattr(numbers, name)) for name in _NUMBERS})
    made.filters.update({name: getattr(numbers, name) for name in _OTHERS})
    made.globals.update(
        static=static_path,
        counted=counted,
        gate_words=gate_words,
        run_words=run_words,
        vega_path=vega_path,
    )
    return made


def _with_minus(write: Callable[..., str]) -> Callable[..., str]:
    """Write a minus sign, as wide as the plus; the command line keeps what programs read."""

    @wraps(write)
    def written(*args: Any, **kwargs: Any) -> str:
        return write(*args, **kwargs).replace("-", "−")

    return written


@cache
def static_path(name: str) -> str:
    """Give the address of a static file; it changes with the content, so browsers may keep it.

    Parameters
    ----------
    name : str
        In ``app/web/static``.

    Returns
    -------
    str
        Path with the first digits of the content's hash.
    """
    digest = hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]
    return f"/static/{name}?v={digest}"
