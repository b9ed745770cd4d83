"""What lists of those who were granted credit look like."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rich.console import RenderableType

from app.cli.render.batches import rows_left_out
from app.cli.render.tables import next_step, sentence, table
from app.domain.counted import counted
from app.edge import numbers

if TYPE_CHECKING:
    from app.domain.types import Document


def imported(result: Document) -> Iterator[RenderableType]:
    """Show an exposure list that was imported.

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
    granted = counted(result["n_rows"], "party was", "parties were")
    yield sentence(f"{granted} granted credit{again}.", "bold")
    yield sentence(f"List {result['exposure_import_id']}, hash {result['file_hash']}.")
    yield from rows_left_out(result)
    yield sentence("From now on a party that is on no list is excluded from labels.")
    yield next_step("chancellor labels generate BATCH")


def listed(result: Sequence[Document]) -> Iterator[RenderableType]:
    """Show the exposure lists.

    Parameters
    ----------
    result : sequence of dict
        What ``list_imports`` returned.

    Yields
    ------
    RenderableType
        A table, or what it means that there is none.
    """
    if not result:
        yield sentence("There is no exposure list: every party counts as granted credit.")
        yield next_step("chancellor exposures import FILE --party-id COL")
        return
    rows = [
        (
            str(one["exposure_import_id"]),
            numbers.count(one["n_rows"]),
            numbers.moment(one["created_at"]),
            one["created_by"],
            "withdrawn" if one["withdrawn"] else "",
            one["source_name"],
        )
        for one in result
    ]
    yield table("Exposure lists", ("id", "parties>", "imported", "by", "", "file"), rows)


def withdrawn(result: Document) -> Iterator[RenderableType]:
    """Show that a list is used no more.

    Parameters
    ----------
    result : dict
        What ``withdraw`` returned.

    Yields
    ------
    RenderableType
        Parts to print in order.
    """
    number, why = result["exposure_import_id"], result["withdrawn"]["reason"]
    yield sentence(f"Exposure list {number} is withdrawn: {why}. It stays on the record.", "bold")
    if not result["n_left"]:
        yield sentence("No list is left: from now on every party counts as granted credit.")
    yield next_step("chancellor labels generate BATCH")
