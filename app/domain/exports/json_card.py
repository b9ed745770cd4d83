"""The card as one JSON document that reads back to the same content hash."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from app.domain.exports.stamp import Stamp
from app.domain.scorecard import Scorecard
from app.domain.scorecard_file import FORMAT, FORMAT_NUMBER
from app.domain.types import Document

SCHEMA_FILE = "scorecard-1.schema.json"
SCHEMA_ID = "urn:chancellor:scorecard:1"


def json_card(card: Scorecard, stamp: Stamp) -> str:
    """Write a card as JSON, with the version that it is.

    Parameters
    ----------
    card : Scorecard
        The card.
    stamp : Stamp
        Which version it is.

    Returns
    -------
    str
        A document of the schema `schema`, which `app.domain.scorecard.load_scorecard` reads.

    Examples
    --------
    >>> from app.domain.scorecard import default_card, load_scorecard
    >>> card = default_card()
    >>> text = json_card(card, Stamp("v1", card.content_hash, "chancellor export v1 --to json"))
    >>> load_scorecard(text) == card
    True
    """
    document = {
        "$schema": SCHEMA_ID,
        "format": FORMAT,
        "format_number": FORMAT_NUMBER,
        **stamp.as_dict(),
        "scorecard": card.to_document(),
    }
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def schema() -> Document:
    """Read the JSON Schema of what `json_card` writes.

    Returns
    -------
    dict
        JSON Schema, draft 2020-12.

    Examples
    --------
    >>> schema()["$id"] == SCHEMA_ID
    True
    """
    resource = files("app.domain.exports") / SCHEMA_FILE
    read: Mapping[str, Any] = json.loads(resource.read_text(encoding="utf-8"))
    return dict(read)
