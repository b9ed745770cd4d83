"""What an export looks like to a person."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.console import RenderableType

from app.cli.render.tables import next_step, pairs, sentence, table
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


def tables(result: Document) -> Iterator[RenderableType]:
    """Show what attributes are worth, and odds by score.

    Parameters
    ----------
    result : dict
        What the service returned.

    Yields
    ------
    RenderableType
        Parts to print in order.
    """
    low, high = result["range"]
    yield table(
        f"Points above {low} by attribute, {result['version']} ({low} to {high})",
        ("feature", "attribute", "points>"),
        [(row["feature"], row["attribute"], f"{row['points']:.1f}") for row in result["points"]],
        source="linear and log features: five of their values, points run on between them",
    )
    odds = result["odds"]
    if odds is None:
        yield sentence(result["why_no_odds"])
        return
    double = f"{odds['points_to_double_odds']:.1f}"
    yield table(
        f"Odds by score: {double} points double the odds",
        ("score>", "band", "odds good to bad>", "default rate>"),
        [
            (
                numbers.points(line["score"]),
                line["band"],
                f"{line['odds']:.1f}",
                numbers.rate(line["default_rate"]),
            )
            for line in odds["scores"]
        ],
        source=odds["fitted_on"],
    )
