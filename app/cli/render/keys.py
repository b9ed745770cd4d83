"""What API keys look like."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rich.console import RenderableType
from rich.text import Text

from app.cli.render.tables import next_step, sentence, table
from app.edge import numbers

if TYPE_CHECKING:
    from app.domain.types import Document


def created(result: Document) -> Iterator[RenderableType]:
    """Show a new key, the only time.

    Parameters
    ----------
    result : dict
        What ``create`` returned.

    Yields
    ------
    RenderableType
        Parts to print in order.
    """
    until = numbers.moment(result["expires_at"])
    yield sentence(f"Key {result['key_id']} of {result['owner']}: {result['role']}.", "bold")
    yield Text(result["key"], no_wrap=True, overflow="ignore")
    yield sentence(f"It is not shown again. It may be used until {until}.")
    yield next_step("chancellor serve")


def listed(result: Sequence[Document]) -> Iterator[RenderableType]:
    """Show the keys.

    Parameters
    ----------
    result : sequence of dict
        What ``list_keys`` returned.

    Yields
    ------
    RenderableType
        A table, or what to do where there is none.
    """
    if not result:
        yield sentence("There is no API key yet.")
        yield next_step("chancellor keys create OWNER --role ROLE")
        return
    rows = [
        (
            one["key_id"],
            one["owner"],
            one["role"],
            one["state"],
            numbers.moment(one["expires_at"]),
            one["name"],
        )
        for one in result
    ]
    yield table("API keys", ("id", "owner", "role", "state", "until", "name"), rows)


def revoked(result: Document) -> Iterator[RenderableType]:
    """Show that a key is refused from now on.

    Parameters
    ----------
    result : dict
        What ``revoke`` returned.

    Yields
    ------
    RenderableType
        Parts to print in order.
    """
    why = result["revoked"]["reason"]
    yield sentence(f"Key {result['key_id']} of {result['owner']} is revoked: {why}.", "bold")
