"""What a pipeline run looks like: each stage, then what waits."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.console import RenderableType

from app.cli.render import labels, models, versions
from app.cli.render.gates import blocking_sentences, gate_table
from app.cli.render.tables import bullets, next_step, pairs, sentence
from app.domain.counted import counted
from app.edge import numbers

if TYPE_CHECKING:
    from app.domain.types import Document


def finished(result: Document) -> Iterator[RenderableType]:
    """Show a run that has ended.

    Parameters
    ----------
    result : dict
        What ``run_pipeline`` returned.

    Yields
    ------
    RenderableType
        Parts to print in order.
    """
    yield sentence(_headline(result), "bold")
    stages = result["stages"]
    if stages["scores"]:
        yield from _scores(stages["scores"])
    if stages["labels"]:
        yield sentence(labels.headline(stages["labels"]))
        yield labels.status_table(stages["labels"])
    if stages["model"]:
        yield from models.judged(stages["model"])
    if result["gates"]:
        yield gate_table(result["gates"])
        yield from bullets("Not passed", blocking_sentences(result["gates"]))
    if result["version"]:
        yield versions.weight_table(stages["refinement"]["features"])
    yield from bullets("Keep in mind", _warnings(stages))
    yield pairs("", {"run": result["run_id"], "in Dagster": result["dagster_run_id"]})
    if result["version"]:
        base = stages["refinement"]["base_version"]
        yield next_step(f"chancellor versions compare {base} {result['version']}")


def _headline(result: Document) -> str:
    if result["version"]:
        return f"{result['version']} waits for review. {models.advice_words(result)}"
    if result["gate_failed"] and result["advice"]:
        return f"A gate failed, so there is no draft. {models.advice_words(result)}"
    if result["gate_failed"] and not result["stages"]["model"]:
        return "A gate failed on the labels, so no model was registered."
    if result["error"]:
        return f"The run failed: {result['error']['message']}"
    return f"There is no draft. {models.advice_words(result)}"


def _scores(scores: Document) -> Iterator[RenderableType]:
    shares = ", ".join(
        f"{band} {numbers.rate(share)}" for band, share in scores["band_shares"].items()
    )
    yield sentence(
        f"{counted(scores['n_rows'], 'party')} scored with {scores['version']}: mean "
        f"{numbers.points(scores['mean_score'])} ({shares})."
    )


def _warnings(stages: Document) -> list[str]:
    found = [*(stages["labels"] or {}).get("warnings", [])]
    if stages["model"]:
        found += [*stages["model"]["warnings"], *stages["model"]["validation"]["limits"]]
    return found
