"""Two versions side by side: what changes, whether it ranks better, who is affected, gates."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from app.cli.render import movement
from app.cli.render.fairness import groups_compared
from app.cli.render.gates import blocking_sentences, gate_table
from app.cli.render.models import advice_words
from app.cli.render.tables import Figure, bullets, next_step, sentence, table
from app.cli.render.versions import weight_table
from app.domain.counted import counted
from app.edge import numbers

if TYPE_CHECKING:
    from rich.console import RenderableType

    from app.domain.types import Document

_MEASURES = {"auc_roc": "AUC", "gini": "Gini", "ks": "KS", "brier": "Brier"}


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
    old, new = result["old"], result["new"]
    yield sentence(_headline(result), "bold")
    yield sentence(f"{_line(old)}. {_line(new)}.")
    yield from figures(result)
    yield from _what_next(new)


def figures(result: Document) -> Iterator[RenderableType]:
    """Show the figures of a comparison, without the advice and what comes next.

    Parameters
    ----------
    result : dict
        What ``compare_versions`` returned.

    Yields
    ------
    RenderableType
        Parts to print in order.
    """
    yield weight_table(result["features"], source=result["weights_source"])
    if result["discrimination"]:
        yield discrimination_table(result)
    if result["movement"]:
        yield from movement.moved(result["movement"])
    if result["swap_sets"]:
        yield movement.swap_table(result["swap_sets"])
    if result["cut_off"]:
        yield from movement.cut_off_tables(result["cut_off"])
    if result.get("fairness"):
        yield from groups_compared(result["fairness"])
    if result["gates"]:
        yield gate_table(result["gates"])
        yield from bullets("Not passed", blocking_sentences(result["gates"]))
    yield from bullets("Keep in mind", result["limits"])
    yield from bullets(
        "Not available", [f"{one['what']}: {one['why']}" for one in result["not_available"]]
    )


def discrimination_table(result: Document) -> Figure:
    """Build the table of AUC, Gini, KS and Brier score of both cards on the same rows.

    Parameters
    ----------
    result : dict
        A comparison with ``discrimination``.

    Returns
    -------
    Figure
        One row per measure, with 95 % intervals.
    """
    found = result["discrimination"]
    rows = [
        (
            name,
            numbers.auc(found["old"][measure]),
            numbers.interval(found["old"][f"{measure}_interval"]),
            numbers.auc(found["new"][measure]),
            numbers.interval(found["new"][f"{measure}_interval"]),
        )
        for measure, name in _MEASURES.items()
    ]
    columns = (
        "", f"{result['old']['version']}>", "95 % interval>", f"{result['new']['version']}>",
        "95 % interval>",
    )  # fmt: skip
    title = (
        f"Ranking on {counted(found['n_parties'], 'party')} "
        f"({numbers.count(found['n_bad'])} bad): AUC {numbers.gain(found['auc_roc_difference'])}, "
        f"95 % interval {numbers.interval(found['auc_roc_difference_interval'])}"
    )
    return table(title, columns, rows, source=movement.source_line(found["source"]))


def _headline(result: Document) -> str:
    advice = result["advice"]
    if advice is None:
        return f"{result['new']['version']} against {result['old']['version']}."
    return advice_words({"advice": advice["advice"], "advice_sentence": advice["sentence"]})


def _line(version: Document) -> str:
    made = f", made by {version['model_id']}" if version["model_id"] else ""
    refines = f", refines {version['base_version']}" if version["base_version"] else ""
    return f"{version['version']} is {version['status']}{refines}{made}"


def _what_next(version: Document) -> Iterator[RenderableType]:
    name = version["version"]
    if version["status"] == "draft":
        yield next_step(
            f'chancellor versions approve {name} --reason "..." '
            f"--expected-hash {version['review_hash']}"
        )
    elif version["status"] == "approved":
        yield next_step(f"chancellor versions activate {name}")
