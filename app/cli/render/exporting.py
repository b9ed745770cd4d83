"""What an export looks like to a person."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.console import RenderableType

from app.cli.render.tables import next_step, pairs, sentence
from app.edge import numbers

if TYPE_CHECKING:
    from app.domain.types import Document

_NEXT = {
    "json": "chancellor versions add {path}",
    "python": "python {path} --self-test",
}


def exported(result: Document) -> Iterator[RenderableType]:
    """Show where an export went.

    Parameters
    ----------
    result : dict
        What the service returned, with ``path`` and ``n_bytes`` instead of the content.

    Yields
    ------
    RenderableType
        Parts to print in order.
    """
    size = numbers.count(result["n_bytes"])
    yield sentence(f"{result['version']} ({result['status']}): {result['path']}, {size} bytes.")
    yield pairs("", {"hash": result["content_hash"], "made by": result["made_by"]})
    if result["to"] in _NEXT:
        yield next_step(_NEXT[result["to"]].format(path=result["path"]))
