"""What a replay looks like."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.console import RenderableType

from app.cli.render.tables import sentence, table
from app.edge import numbers

if TYPE_CHECKING:
    from app.domain.types import Document

_DIFFERENCES_SHOWN = 5
_COLOURS = {"equal": "green", "nothing_computed": "green", "equal_weights": "yellow"}


def replayed(result: Document) -> Iterator[RenderableType]:
    """Show what was computed again, and where it differs.

    Parameters
    ----------
    result : dict
        What ``replay_version`` or ``replay_decision`` returned.

    Yields
    ------
    RenderableType
        The sentence, what was compared, the weights where they moved, and what changed since.
    """
    yield sentence(result["sentence"], _COLOURS.get(result["outcome"], "red"))
    if result["parts"]:
        rows = [_part(part) for part in result["parts"]]
        yield table("Compared bit by bit", ("part", "of", "equal", "recorded", "computed"), rows)
    moved = [part for part in result["parts"] if not part["equal"]]
    if moved:
        differences = [
            (f"{part['part']} {one['place']}".strip(), str(one["recorded"]), str(one["computed"]))
            for part in moved
            for one in part["differences"][:_DIFFERENCES_SHOWN]
        ]
        yield table("First differences", ("where", "recorded", "computed"), differences)
    if result.get("libraries"):
        changes = [
            (one["name"], one["recorded"] or "not recorded", one["now"] or "gone")
            for one in result["libraries"]
        ]
        yield table("Changed since", ("what", "recorded", "now"), changes)


def _part(part: Document) -> tuple[str, str, str, str, str]:
    said = "yes" if part["equal"] else f"no: {part['n_differences']:,} differ"
    hashes = (numbers.short_hash(part[f"{side}_hash"]) for side in ("recorded", "computed"))
    return (part["part"], part["subject"], said, *hashes)
