"""What outcome imports look like."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rich.console import RenderableType

from app.cli.render.batches import rows_left_out
from app.cli.render.tables import bullets, next_step, sentence, table
from app.domain.counted import counted
from app.edge import numbers

if TYPE_CHECKING:
    from app.domain.types import Document


def imported(result: Document) -> Iterator[RenderableType]:
    """Show outcomes that were imported.

    Parameters
    ----------
    result : dict
        What ``import_events`` or ``import_flags`` returned.

    Yields
    ------
    RenderableType
        Parts to print in order.
    """
    yield sentence(_headline(result), "bold")
    yield sentence(f"Import {result['import_id']}, hash {result['file_hash']}.")
    yield from rows_left_out(result)
    yield from bullets("Keep in mind", result["warnings"])
    if result["kind"] == "final_flag":
        yield next_step(f"chancellor labels generate {result['batch_id']} --outcome final_flag")
    else:
        yield next_step("chancellor labels generate BATCH, or chancellor pipeline run BATCH")


def listed(result: Sequence[Document]) -> Iterator[RenderableType]:
    """Show the outcome imports.

    Parameters
    ----------
    result : sequence of dict
        What ``list_imports`` returned.

    Yields
    ------
    RenderableType
        A table, or how to get the first import.
    """
    if not result:
        yield sentence("There are no outcomes yet.")
        yield next_step("chancellor outcomes import FILE --party-id COL --event-date COL ...")
        return
    rows = [
        (
            str(one["import_id"]),
            one["kind"].replace("_", " "),
            one["batch_id"] or numbers.NONE,
            numbers.count(one["n_rows"]),
            numbers.count(one["n_events"]),
            _through(one),
            "withdrawn" if one["withdrawn"] else "",
            one["source_name"],
        )
        for one in result
    ]
    columns = ("id", "kind", "batch", "rows>", "events>", "complete through", "", "file")
    yield table("Outcome imports", columns, rows)


def withdrawn(result: Document) -> Iterator[RenderableType]:
    """Show that an import is used no more.

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
    yield sentence(
        f"Import {result['import_id']} is withdrawn: {why}. It stays on the record.", "bold"
    )


def _headline(result: Document) -> str:
    again = " (imported before: nothing changed)" if result["already_imported"] else ""
    if result["kind"] == "final_flag":
        where, n_bad = f"of {result['batch_id']}", numbers.count(result["n_bad"])
        n = counted(result["n_flagged"], f"party {where} is", f"parties {where} are")
        return f"{n} flagged, {n_bad} of them bad{again}."
    rows, events = counted(result["n_rows"], "row"), counted(result["n_events"], "event")
    return f"{events} from {rows}, complete through {_through(result)}{again}."


def _through(result: Document) -> str:
    through = result["through"] or {}
    return ", ".join(f"{kind} {numbers.day(day)}" for kind, day in through.items()) or numbers.NONE
