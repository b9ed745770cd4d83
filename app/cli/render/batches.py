"""What batches and scored files look like."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rich.console import RenderableType

from app.cli.render.tables import next_step, pairs, sentence, table
from app.domain.counted import counted
from app.edge import numbers

if TYPE_CHECKING:
    from app.domain.types import Document


def rows_left_out(result: Document) -> Iterator[RenderableType]:
    """Say where the rows are that an import did not store.

    Parameters
    ----------
    result : dict
        What an import of any kind of file returned.

    Yields
    ------
    RenderableType
        A sentence, or nothing.
    """
    if result["n_rejected"]:
        left_out = counted(
            result["n_rejected"], "row was not stored; it is", "rows were not stored; they are"
        )
        yield sentence(f"{left_out} in {result['rejects_path']} with the reasons.", "yellow")


def imported(result: Document) -> Iterator[RenderableType]:
    """Show a batch that was stored.

    Parameters
    ----------
    result : dict
        What ``import_file`` returned.

    Yields
    ------
    RenderableType
        Parts to print in order.
    """
    again = " (imported before: nothing changed)" if result["already_imported"] else ""
    yield sentence(
        f"{result['batch_id']}: {counted(result['n_rows'], 'party')} stored, scored from "
        f"{numbers.day(result['scored_from'])} to {numbers.day(result['scored_to'])}{again}.",
        "bold",
    )
    yield pairs("", {"hash": result["file_hash"]})
    if result["groups"]:
        yield sentence(
            f"Kept as groups, never scored or trained on: {', '.join(result['groups'])}."
        )
    yield from _not_in_the_file(result)
    yield from rows_left_out(result)
    yield next_step("chancellor outcomes import FILE --party-id COL --event-date COL ...")


def _not_in_the_file(result: Document) -> Iterator[RenderableType]:
    if result["missing_features"]:
        yield sentence(
            f"Not in the file, so missing for all: {', '.join(result['missing_features'])}.",
            "yellow",
        )


def listed(result: Sequence[Document]) -> Iterator[RenderableType]:
    """Show the batches.

    Parameters
    ----------
    result : sequence of dict
        What ``list_batches`` returned.

    Yields
    ------
    RenderableType
        A table, or how to get the first batch.
    """
    if not result:
        yield sentence("There is no batch yet.")
        yield next_step("chancellor batch import FILE --batch ID --party-id COL --scored-at COL")
        return
    rows = [
        (
            batch["batch_id"],
            numbers.count(batch["n_rows"]),
            numbers.day(batch["scored_from"]),
            numbers.day(batch["scored_to"]),
            "withdrawn" if batch["withdrawn"] else "",
            numbers.short_hash(batch["file_hash"]),
        )
        for batch in result
    ]
    yield table("Batches", ("batch", "parties>", "scored from", "to", "", "hash"), rows)


def shown(result: Document) -> Iterator[RenderableType]:
    """Show one batch.

    Parameters
    ----------
    result : dict
        What ``get_batch`` returned.

    Yields
    ------
    RenderableType
        Parts to print in order.
    """
    yield sentence(
        f"{result['batch_id']}: {counted(result['n_rows'], 'party')}, scored from "
        f"{numbers.day(result['scored_from'])} to {numbers.day(result['scored_to'])}.",
        "bold",
    )
    if result["withdrawn"]:
        yield sentence(f"Withdrawn: {result['withdrawn']['reason']}", "yellow")
    yield pairs(
        "",
        {
            "imported": f"{numbers.moment(result['created_at'])} by {result['created_by']}",
            "from": result["source_name"],
            "card then": result["card_version"],
            "missing features": ", ".join(result["missing_features"]) or "none",
            "groups": ", ".join(result["groups"]) or "none",
            "file": result["file_path"],
            "hash": result["file_hash"],
        },
    )
    rows = [(column["name"], column["type"]) for column in result["columns"]]
    yield table("Columns", ("column", "type"), rows)
    yield from _label_sets(result["label_sets"])


def _label_sets(label_sets: Sequence[Document]) -> Iterator[RenderableType]:
    rows = [
        (
            str(one["label_set_number"]),
            one["outcome_type"],
            numbers.count(one["observation_window_days"]),
            numbers.day(one["data_through"]),
            numbers.count(one["n_labelled"]),
            numbers.rate(one["default_rate"]),
            numbers.short_hash(one["content_hash"]),
        )
        for one in label_sets
    ]
    columns = (
        "no.>", "outcome", "window, days>", "data through", "labelled>", "bad rate>", "hash",
    )  # fmt: skip
    if rows:
        yield table("Label sets", columns, rows)


def withdrawn(result: Document) -> Iterator[RenderableType]:
    """Show that a batch is used no more.

    Parameters
    ----------
    result : dict
        What ``withdraw`` returned.

    Yields
    ------
    RenderableType
        One sentence.
    """
    why = result["withdrawn"]["reason"]
    yield sentence(f"{result['batch_id']} is withdrawn: {why}. It stays on the record.", "bold")


def file_scored(result: Document) -> Iterator[RenderableType]:
    """Show what was written for a scored file.

    Parameters
    ----------
    result : dict
        What ``score_file`` returned.

    Yields
    ------
    RenderableType
        One sentence and the shares of the bands.
    """
    yield sentence(
        f"{counted(result['n_rows'], 'row')} scored with {result['version']} into "
        f"{result['path']}; mean score {numbers.points(result['mean_score'])}.",
        "bold",
    )
    yield from _not_in_the_file(result)
    rows = [(band, numbers.rate(share)) for band, share in result["band_shares"].items()]
    yield table("Bands", ("band", "share>"), rows)


def scored(result: Document) -> Iterator[RenderableType]:
    """Show the scores of a batch.

    Parameters
    ----------
    result : dict
        What ``score_batch`` returned.

    Yields
    ------
    RenderableType
        One sentence and the shares of the bands.
    """
    yield sentence(
        f"{result['batch_id']}: {counted(result['n_rows'], 'party')} scored with "
        f"{result['version']} into {result['path']}; mean score "
        f"{numbers.points(result['mean_score'])}.",
        "bold",
    )
    rows = [(band, numbers.rate(share)) for band, share in result["band_shares"].items()]
    yield table("Bands", ("band", "share>"), rows)
