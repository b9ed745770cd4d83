"""What every exported file says of itself: version, content hash, and the command that made it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from app.domain.scorecard import Scorecard
from app.domain.types import Document
from app.errors import InvalidInputError

NOT_IN_SQL = re.compile("\0")
NOT_IN_XML = re.compile("[^\t\n\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True, slots=True)
class Stamp:
    """Name the version that a file holds.

    Parameters
    ----------
    version : str
        Name of the version, such as ``ml_v2``.
    content_hash : str
        SHA-256 of the card, 64 hexadecimal digits.
    command : str
        What to type to get the same bytes again; one line.

    Examples
    --------
    >>> Stamp("v1", "ab" * 32, "chancellor export v1 --to json").as_dict()["version"]
    'v1'
    """

    version: str
    content_hash: str
    command: str

    def as_dict(self) -> Document:
        """Give the three as a JSON-ready mapping."""
        return {
            "version": self.version,
            "content_hash": self.content_hash,
            "made_by": self.command,
        }

    def lines(self, card_name: str) -> tuple[str, ...]:
        """Give the three, and the name of the card, as lines of plain ASCII for a comment."""
        return (
            f"scorecard:    {json.dumps(card_name)}",
            f"version:      {json.dumps(self.version)[1:-1]}",
            f"content hash: {self.content_hash}",
            f"made by:      {json.dumps(self.command, ensure_ascii=True)[1:-1]}",
        )


def texts_of(card: Scorecard) -> tuple[tuple[str, str], ...]:
    """List every text that a card holds, with its place.

    Parameters
    ----------
    card : Scorecard
        The card.

    Returns
    -------
    tuple of (place, text)
        Name, bands, names of features, reasons and categories, in card order.

    Examples
    --------
    >>> from app.domain.scorecard import default_card
    >>> texts_of(default_card())[1]
    ('bands', 'very_poor')
    """
    found = [("name", card.name), *(("bands", name) for name in card.bands)]
    for name, feature in card.features.items():
        found += [("features", name), (f"features.{name}.reason", feature.reason)]
        values = getattr(feature.transform, "values", {})
        if not feature.transform.takes_numbers:
            found += [(f"features.{name}.transform.values", text) for text in values]
    return tuple(found)


def refuse_characters(card: Scorecard, pattern: re.Pattern[str], where: str) -> None:
    """Refuse a card whose texts hold characters that a format cannot.

    Parameters
    ----------
    card : Scorecard
        The card.
    pattern : re.Pattern
        `NOT_IN_SQL` or `NOT_IN_XML`.
    where : str
        What cannot hold them, as the message names it.

    Raises
    ------
    InvalidInputError
        Names the first such text.

    Examples
    --------
    >>> from app.domain.scorecard import default_card
    >>> refuse_characters(default_card(), NOT_IN_XML, "PMML")
    """
    for place, text in texts_of(card):
        if pattern.search(text):
            raise InvalidInputError(
                f"{place}: {text!r} holds a character that {where} cannot hold; "
                "export the card as JSON or Python, or rename it in a new version.",
                place=place,
            )
