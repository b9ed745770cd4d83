"""What the audit chain looks like."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rich.console import RenderableType

from app.cli.render import numbers
from app.cli.render.tables import sentence, table

if TYPE_CHECKING:
    from app.domain.types import Document


def listed(result: Sequence[Document]) -> Iterator[RenderableType]:
    """Show audit events.

    Parameters
    ----------
    result : sequence of dict
        What ``list_events`` returned.

    Yields
    ------
    RenderableType
        A table, one row per event.
    """
    rows = [
        (
            numbers.count(event["seq"]),
            numbers.moment(event["at"]),
            event["actor"],
            event["action"],
            event["subject"],
            numbers.short_hash(event["hash"]),
        )
        for event in result
    ]
    yield table("Audit events", ("seq>", "at", "actor", "action", "subject", "hash"), rows)


def verified(result: Document) -> Iterator[RenderableType]:
    """Show that the chain holds.

    Parameters
    ----------
    result : dict
        What ``verify`` returned.

    Yields
    ------
    RenderableType
        One sentence.
    """
    head = result["head"]
    tail = head["hash"] if isinstance(head, dict) else head
    yield sentence(
        f"The audit chain holds: {numbers.count(result['n_events'])} events, none altered, none "
        f"missing. Its head is {tail}.",
        "green",
    )
