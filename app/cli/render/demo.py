"""What the demo shows: each stage, the weights beside the truth, and what waits."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from app.cli.render import comparison, labels, models
from app.cli.render.gates import blocking_sentences, gate_table
from app.cli.render.tables import bullets, sentence, table
from app.domain.counted import counted
from app.edge import numbers

if TYPE_CHECKING:
    from rich.console import RenderableType

    from app.domain.types import Document

_MOVED = {True: "towards the truth", False: "away from it", None: ""}


def shown(result: Document) -> Iterator[RenderableType]:
    """Show the demo.

    Parameters
    ----------
    result : dict
        What ``run_demo`` returned.

    Yields
    ------
    RenderableType
        Parts to print in order.
    """
    simulated, run = result["simulated"], result["run"]
    yield sentence(simulated["what"], "bold")
    yield sentence(
        f"1. Import: {counted(simulated['n_parties'], 'party')} scored from "
        f"{simulated['scored_from']} to {simulated['scored_to']}, "
        f"{counted(simulated['n_events'], 'event')} known through "
        f"{simulated['data_through']}."
    )
    stages = run["stages"]
    if stages["labels"]:
        yield sentence("2. Labels: " + labels.headline(stages["labels"]))
        yield labels.status_table(stages["labels"])
    if stages["model"]:
        yield sentence("3. The adviser")
        yield models.advice_line(stages["model"])
        yield from models.judged(stages["model"])
    if result["comparison"]:
        yield sentence(f"4. The draft {result['version']} beside the active card v1")
        yield from comparison.figures(result["comparison"])
    else:
        yield sentence("4. There is no draft")
        yield gate_table(run["gates"])
        yield from bullets("Not passed", blocking_sentences(run["gates"]))
    yield truth(result)
    yield sentence(_distance(result["distance_to_truth"]))
    yield from waiting(result)


def truth(result: Document) -> RenderableType:
    """Build the table of expert, refined and true weights.

    Parameters
    ----------
    result : dict
        ``truth`` as ``run_demo`` returned it.

    Returns
    -------
    RenderableType
        One row per feature.
    """
    rows = [
        (
            row["feature"],
            numbers.weight(row["expert_weight"]),
            numbers.weight(row["refined_weight"]),
            numbers.weight(row["true_weight"]),
            _MOVED[row["moved_towards_truth"]],
        )
        for row in result["truth"]
    ]
    columns = ("feature", "expert>", "refined>", "true>", "")
    return table("5. The weights beside the truth that the simulation used", columns, rows)


def waiting(result: Document) -> Iterator[RenderableType]:
    """Show the commands that come next, ready to paste.

    Parameters
    ----------
    result : dict
        ``version`` and ``commands``.

    Yields
    ------
    RenderableType
        One line per command.
    """
    version = result["version"]
    yield sentence(f"{version} waits for your review:" if version else "What you can do:", "bold")
    for step in result["commands"]:
        yield sentence(f"  # {step['what']}", "dim")
        yield sentence(f"  {step['command']}")


def _distance(distance: Document) -> str:
    if distance["refined"] is None:
        return f"{numbers.rate(distance['expert'])} of the weight points lie on the wrong feature."
    return (
        f"{numbers.rate(distance['expert'])} of the expert's weight points lie on the wrong "
        f"feature; of the refined card's, {numbers.rate(distance['refined'])}."
    )
