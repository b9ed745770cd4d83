"""What a written paper looks like to a person."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.console import RenderableType

from app.cli.render.tables import pairs, sentence
from app.edge import numbers

if TYPE_CHECKING:
    from app.domain.types import Document


def written(result: Document) -> Iterator[RenderableType]:
    """Show where a paper went.

    Parameters
    ----------
    result : dict
        What was written, with ``path`` and ``n_bytes`` instead of the content.

    Yields
    ------
    RenderableType
        Parts to print in order.
    """
    size = numbers.count(result["n_bytes"])
    what = f"{result['kind']} of {result['version']} ({result['status']})"
    yield sentence(f"{what}: {result['path']}, {size} bytes.")
    yield pairs(
        "",
        {
            "record as of": numbers.moment(result["as_of"]),
            "content hash": result["content_hash"],
            "made by": result["made_by"],
        },
    )
