"""What a backup, a restored store and a copy look like."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.console import RenderableType

from app.cli.render.tables import bullets, next_step, pairs, sentence
from app.domain.counted import counted
from app.edge import numbers

if TYPE_CHECKING:
    from app.domain.types import Document


def backed_up(result: Document) -> Iterator[RenderableType]:
    """Show a backup that was made.

    Parameters
    ----------
    result : dict
        What ``back_up_store`` returned.

    Yields
    ------
    RenderableType
        Parts to print in order.
    """
    size = f"{counted(result['n_files'], 'file')}, {counted(result['n_bytes'], 'byte')}"
    yield sentence(f"The backup is complete: {size} in {result['folder']}.", "bold")
    yield pairs(
        "",
        {
            "database": result["database_url"],
            "schema": result["revision"],
            "audit chain": _head(result),
            "manifest": f"SHA-256 {result['manifest_hash']}: keep it somewhere else",
        },
    )
    yield from bullets("Not in it", result["left_out"])


def restored(result: Document) -> Iterator[RenderableType]:
    """Show a store that was restored.

    Parameters
    ----------
    result : dict
        What ``restore_store`` returned.

    Yields
    ------
    RenderableType
        Parts to print in order.
    """
    yield sentence("The store is restored, and its audit chain verified.", "bold")
    yield pairs(
        "",
        {
            "database": result["database_url"],
            "data files": f"{numbers.count(result['n_files'])} in {result['lake_url']}",
            "schema": result["revision"],
            "audit chain": _head(result),
        },
    )
    yield from _found(result)
    if result["upgrade"] is not None:
        yield sentence(f"{result['upgrade']}.")
        yield next_step("chancellor init --upgrade")


def copied(result: Document) -> Iterator[RenderableType]:
    """Show a database that was copied.

    Parameters
    ----------
    result : dict
        What ``copy_store`` returned.

    Yields
    ------
    RenderableType
        Parts to print in order.
    """
    tables = sum(n > 0 for n in result["tables"].values())
    rows = f"{counted(result['n_rows'], 'row')} of {counted(tables, 'table')}"
    yield sentence(f"The database is copied: {rows}, each as it was.", "bold")
    yield pairs(
        "",
        {"from": result["source"], "to": result["target"], "audit chain": _head(result)},
    )
    yield from bullets("Tables that are not Chancellor's, left out", result["left_out"])
    yield from _found(result)
    yield sentence("Nothing was changed in the old database: do not write to it any more.")


def _head(result: Document) -> str:
    return f"{counted(result['audit_seq'], 'event')}, head {result['audit_hash']}"


def _found(result: Document) -> Iterator[RenderableType]:
    yield from bullets(
        "What chancellor doctor found", [finding["problem"] for finding in result["findings"]]
    )
