"""A card in the envelope that an export puts around it: the hash is checked when it is opened."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.errors import DocumentError

FORMAT = "chancellor-scorecard"
FORMAT_NUMBER = 1


def is_exported(document: Any) -> bool:
    """Say whether a document is a card inside the envelope of an export.

    Parameters
    ----------
    document : Any
        What was read.

    Returns
    -------
    bool
        Whether it says so of itself.

    Examples
    --------
    >>> is_exported({"format": "chancellor-scorecard"}), is_exported({"name": "x"})
    (True, False)
    """
    return isinstance(document, Mapping) and document.get("format") == FORMAT


def opened(document: Mapping[str, Any]) -> tuple[Any, str]:
    """Take a card out of its envelope.

    Parameters
    ----------
    document : mapping
        For which `is_exported` holds.

    Returns
    -------
    scorecard : Any
        The document of the card.
    content_hash : str
        What its hash must be.

    Raises
    ------
    DocumentError
        If the format is a newer one, or a part is not there.

    Examples
    --------
    >>> opened({"format": FORMAT, "format_number": 1, "scorecard": {}, "content_hash": "ab"})
    ({}, 'ab')
    """
    if document.get("format_number") != FORMAT_NUMBER:
        raise DocumentError(
            "format_number", f"is {document.get('format_number')!r}; this version reads 1"
        )
    for part in ("scorecard", "content_hash"):
        if part not in document:
            raise DocumentError(part, "is missing")
    return document["scorecard"], str(document["content_hash"])
