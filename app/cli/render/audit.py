"""What the audit chain looks like."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rich.console import RenderableType
from rich.text import Text

from app.cli.render.tables import sentence, table
from app.domain.counted import counted
from app.edge import numbers

if TYPE_CHECKING:
    from app.domain.types import Document


def listed(result: Sequence[Document]) -> Iterator[RenderableType]:
    """Show audit events.

    Parameters
    ----------
    result : sequence of dict
        What ``list_events`` returned.

    Yields
    ------
    RenderableType
        A table, one row per event.
    """
    rows = [
        (
            numbers.count(event["seq"]),
            numbers.moment(event["at"]),
            event["actor"],
            event["action"],
            event["subject"],
            numbers.short_hash(event["hash"]),
        )
        for event in result
    ]
    yield table("Audit events", ("seq>", "at", "actor", "action", "subject", "hash"), rows)


def verified(result: Document) -> Iterator[RenderableType]:
    """Show that the chain holds.

    Parameters
    ----------
    result : dict
        What ``verify`` returned.

    Yields
    ------
    RenderableType
        One sentence; a second one where a checkpoint was given.
    """
    yield sentence(
        f"The audit chain holds: {counted(result['n_events'], 'event')}, none altered, none "
        f"missing. Its head is {result['head']}.",
        "green",
    )
    proven = result["checkpoint"]
    if proven is not None:
        yield sentence(
            f"It is the one that was signed at {numbers.moment(proven['at'])} at event "
            f"{numbers.count(proven['seq'])}, with the key {proven['key']}; "
            f"{counted(proven['n_events_since'], 'event')} came later.",
            "green",
        )
    decisions = result.get("decisions", {})
    if decisions.get("n_decisions"):
        yield sentence(
            counted(
                decisions["n_decisions"],
                "recorded decision is as it was made",
                "recorded decisions are as they were made",
            )
            + f"; {numbers.count(decisions['n_sealed'])} sealed.",
            "green",
        )


def signed(result: Document) -> Iterator[RenderableType]:
    """Show a checkpoint that was signed.

    Parameters
    ----------
    result : dict
        What ``sign`` returned, and out, the file.

    Yields
    ------
    RenderableType
        Sentences, and the checkpoint itself where it went to no file.
    """
    yield sentence(
        f"Signed: event {numbers.count(result['seq'])} with the hash {result['head']}. "
        f"It is on record as event {numbers.count(result['event_seq'])}.",
        "green",
    )
    if result["created_key"]:
        yield sentence(
            f"The key {result['key']} was created for it: give its public half to whoever checks, "
            "with chancellor audit public-key --out FILE."
        )
    if result["out"] is None:
        yield Text(f"signed_text {result['signed_text']}")
        yield Text(f"signature   {result['signature']}")
        yield sentence("--out FILE writes it to a file, to be kept where nobody here can write.")
    else:
        yield sentence(f"Keep {result['out']} where nobody who writes this store can write.")


def public_key(result: Document) -> Iterator[RenderableType]:
    """Show a public key.

    Parameters
    ----------
    result : dict
        What ``public_key`` returned, and out, the file.

    Yields
    ------
    RenderableType
        The key as PEM, or where it was written.
    """
    if result["out"] is None:
        yield Text(result["public_key"].rstrip())
    else:
        yield sentence(f"Wrote the public key {result['key']} to {result['out']}.")


def exported(result: Document) -> Iterator[RenderableType]:
    """Show what was exported.

    Parameters
    ----------
    result : dict
        What ``export`` returned, and out, the file.

    Yields
    ------
    RenderableType
        One sentence.
    """
    yield sentence(
        f"Wrote {counted(result['n_events'], 'event')} to {result['out']}, each checked. "
        f"The last has the hash {result['head']}.",
        "green",
    )


def sealed(result: Document) -> Iterator[RenderableType]:
    """Show what was sealed.

    Parameters
    ----------
    result : dict
        What ``seal`` returned.

    Yields
    ------
    RenderableType
        One sentence, and a table with one row per seal.
    """
    if not result["seals"]:
        yield sentence("Every decision was sealed before; nothing was written.")
        return
    now_sealed = counted(result["n_sealed"], "decision is sealed", "decisions are sealed")
    yield sentence(f"{now_sealed}.", "green")
    rows = [
        (
            numbers.count(one["seal_id"]),
            numbers.count(one["event_seq"]),
            numbers.count(one["n_decisions"]),
            one["first_id"],
            one["last_id"],
            numbers.short_hash(one["root"]),
        )
        for one in result["seals"]
    ]
    yield table("Seals", ("seal>", "event>", "decisions>", "first", "last", "root"), rows)


def proven(result: Document) -> Iterator[RenderableType]:
    """Show that a decision is proven.

    Parameters
    ----------
    result : dict
        What ``prove`` returned.

    Yields
    ------
    RenderableType
        One sentence.
    """
    yield sentence(
        f"Decision {result['decision']['id']} is number {numbers.count(result['index'] + 1)} of "
        f"{numbers.count(result['n_decisions'])} under root {result['root']}, which event "
        f"{numbers.count(result['event_seq'])} of the audit chain carries.",
        "green",
    )
