"""What policies and outcome definitions look like."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from rich.console import RenderableType

from app.cli.render.tables import next_step, pairs, sentence, table
from app.edge import numbers

if TYPE_CHECKING:
    from app.domain.types import Document


def policy(result: Document) -> Iterator[RenderableType]:
    """Show the policy in force.

    Parameters
    ----------
    result : dict
        What ``get_policy`` or ``set_policy`` returned.

    Yields
    ------
    RenderableType
        Parts to print in order.
    """
    if not result.get("changed", True):
        yield sentence("The policy in force already says this: nothing changed.")
    yield sentence(
        f"Policy {result['policy_id']}, in force since {numbers.moment(result['created_at'])} "
        f"by {result['created_by']}.",
        "bold",
    )
    yield pairs("", {name: _value(name, value) for name, value in result["content"].items()})
    yield pairs("", {"hash": result["content_hash"]})
    yield from four_eyes(allow_self_review=result["content"]["allow_self_review"])


def four_eyes(*, allow_self_review: bool) -> Iterator[RenderableType]:
    """Say what the policy means for four eyes.

    Parameters
    ----------
    allow_self_review : bool
        The policy's field.

    Yields
    ------
    RenderableType
        Two sentences.
    """
    may = "may" if allow_self_review else "may not"
    yield sentence(
        f"Whoever asked for a training {may} approve its draft (allow_self_review: "
        f"{str(allow_self_review).lower()}).",
        "yellow" if allow_self_review else "",
    )
    yield sentence(
        "On one's own machine four eyes are only as strong as the accounts: whoever can write "
        "the store's files can act under any name."
    )


def definitions(result: Sequence[Document]) -> Iterator[RenderableType]:
    """Show the outcome definitions.

    Parameters
    ----------
    result : sequence of dict
        What ``list_definitions`` returned.

    Yields
    ------
    RenderableType
        A table, one row per version of a definition.
    """
    rows = [
        (
            one["name"],
            str(one["version"]),
            numbers.moment(one["created_at"]),
            one["created_by"],
            numbers.short_hash(one["content_hash"]),
            _words(one["content"]),
        )
        for one in result
    ]
    columns = ("definition", "version>", "added", "by", "hash", "content")
    yield table("Outcome definitions", columns, rows)


def definition_added(result: Document) -> Iterator[RenderableType]:
    """Show a definition that was added.

    Parameters
    ----------
    result : dict
        What ``add_definition`` returned.

    Yields
    ------
    RenderableType
        Parts to print in order.
    """
    state = "added" if result["changed"] else "already there"
    yield sentence(f"{result['name']} version {result['version']} is {state}.", "bold")
    yield next_step(f"chancellor labels generate BATCH --outcome {result['name']}")


def _value(name: str, value: Any) -> str:
    return "anybody" if value is None and name in {"approvers", "admins"} else _words(value)


def _words(value: Any) -> str:
    if value is None:
        return "not set"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return "; ".join(f"{name} {_words(part)}" for name, part in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(_words(part) for part in value) or "none"
    return f"{value:g}" if isinstance(value, float) else str(value)
