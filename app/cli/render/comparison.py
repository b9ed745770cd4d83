"""Two versions side by side: what changes, whether it ranks better, who is affected, gates."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import RenderableType

    from app.domain.types import Document


def compared(result: Document) -> Iterator[RenderableType]:
    """Show a comparison.

    Parameters
    ----------
    result : dict
        What ``compare_versions`` returned.

    Yields
    ------
    RenderableType
        Parts to print in order.
    """
    yield str(result)
