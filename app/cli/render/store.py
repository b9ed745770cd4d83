"""What the store looks like after ``init`` and ``doctor``."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.console import RenderableType

from app.cli.render.policies import four_eyes
from app.cli.render.tables import bullets, next_step, pairs, sentence, table
from app.domain.counted import counted
from app.edge import numbers

if TYPE_CHECKING:
    from app.domain.types import Document


def initialised(result: Document) -> Iterator[RenderableType]:
    """Show a store that was created.

    Parameters
    ----------
    result : dict
        What ``initialise_store`` returned.

    Yields
    ------
    RenderableType
        Parts to print in order.
    """
    yield sentence(
        f"The store is ready: {result['card']} is the active version {result['version']}, with "
        f"{counted(result['n_features'], 'feature')}.",
        "bold",
    )
    yield pairs(
        "",
        {
            "home": result["home"],
            "database": result["database_url"],
            "data files": result["lake_url"],
            "policy": str(result["policy_id"]),
        },
    )
    yield from four_eyes(allow_self_review=result["allow_self_review"])
    yield next_step("chancellor batch import FILE --batch ID --party-id COL --scored-at COL")


def upgraded(result: Document) -> Iterator[RenderableType]:
    """Show what ``init --upgrade`` did.

    Parameters
    ----------
    result : dict
        What ``upgrade_store`` returned.

    Yields
    ------
    RenderableType
        Parts to print in order.
    """
    place, revision = result["database_url"], result["revision"]
    if not result["changed"]:
        yield sentence(f"The schema of {place} is {revision} already; nothing changed.", "bold")
        return
    before = result["revision_before"]
    yield sentence(f"The schema of {place} went from {before} to {revision}.", "bold")
    yield next_step("chancellor doctor")


def examined(result: Document) -> Iterator[RenderableType]:
    """Show what the doctor found.

    Parameters
    ----------
    result : dict
        What ``examine_store`` returned.

    Yields
    ------
    RenderableType
        Parts to print in order.
    """
    yield sentence(result["sentence"], "bold")
    checked = {name.replace("_", " "): numbers.count(n) for name, n in result["checked"].items()}
    yield pairs("Checked", checked)
    rows = [
        (finding["kind"].replace("_", " "), finding["subject"], finding["problem"])
        for finding in result["findings"]
    ]
    if rows:
        yield table("Found", ("kind", "where", "problem"), rows)
        yield from bullets(
            "What to do", dict.fromkeys(finding["remedy"] for finding in result["findings"])
        )
    yield from bullets("Removed", result["removed"])


def grants(result: Document) -> Iterator[RenderableType]:
    """Show SQL as it is run.

    Parameters
    ----------
    result : dict
        ``statements``.

    Yields
    ------
    RenderableType
        One line each.
    """
    for statement in result["statements"]:
        yield sentence(statement)
