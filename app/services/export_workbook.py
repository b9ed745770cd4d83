"""The card as a workbook: points by attribute, bands, odds by score, hashes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from io import BytesIO
from typing import Any

import xlsxwriter

from app.domain.exports.stamp import NOT_IN_XML, Stamp, refuse_characters
from app.domain.scorecard import Scorecard
from app.domain.types import Document

_EPOCH = datetime(1980, 1, 1)  # noqa: DTZ001 - a workbook has no zone; no date keeps the bytes the same
_WIDTHS = {"attribute": 36, "feature": 36, "name": 28, "value": 100, "reason": 48}
_OF_FEATURES = ("feature", "weight", "share", "kind", "missing points", "reason")
_FORMATS = {
    "points": "0.00",
    "goodness": "0.0000",
    "weight": "0.00",
    "share": "0.0%",
    "odds": "0.00",
    "default_rate": "0.00%",
}


def workbook(card: Scorecard, stamp: Stamp, tables: Document) -> bytes:
    """Write the tables of a version as an Excel workbook.

    Parameters
    ----------
    card : Scorecard
        The card.
    stamp : Stamp
        Which version it is.
    tables : dict
        From :func:`app.services.card_tables.card_tables`.

    Returns
    -------
    bytes
        XLSX with the sheets Version, Features, Points, Bands and Score to odds; the same tables
        give the same bytes. Texts are cells of text, so that none is run as a formula.

    Raises
    ------
    InvalidInputError
        If a text holds a control character.
    """
    refuse_characters(card, NOT_IN_XML, "a workbook")
    into = BytesIO()
    with xlsxwriter.Workbook(into, {"in_memory": True}) as book:
        book.set_properties({"title": f"Scorecard {stamp.version}", "created": _EPOCH})
        _sheet(book, "Version", ("name", "value"), _version(card, stamp))
        _sheet(book, "Features", _OF_FEATURES, _features(card))
        columns = ("feature", "kind", "attribute", "goodness", "points")
        _sheet(
            book, "Points", columns, [[row[name] for name in columns] for row in tables["points"]]
        )
        ends = [*list(card.bands.values())[1:], card.range.max + 1]
        bands = zip(card.bands.items(), ends, strict=True)
        rows = [[name, low, above - 1] for (name, low), above in bands]
        _sheet(book, "Bands", ("name", "from score", "to score"), rows)
        _odds(book, tables)
    return into.getvalue()


def _version(card: Scorecard, stamp: Stamp) -> list[list[Any]]:
    formula = "floor(min + (max - min) x sum(weight x goodness) / sum(weight) + 0.5 + 1e-9)"
    return [
        ["scorecard", card.name],
        ["version", stamp.version],
        ["content hash", stamp.content_hash],
        ["made by", stamp.command],
        ["lowest score", card.range.min],
        ["highest score", card.range.max],
        ["sum of weights", card.total_weight],
        ["score", formula],
        ["points", "above the lowest score, before the rounding of the sum"],
        ["linear, log", "five values are shown; between them points follow the line or logarithm"],
    ]


def _features(card: Scorecard) -> list[list[Any]]:
    span = card.range.max - card.range.min
    return [
        [
            name,
            feature.weight,
            feature.weight / card.total_weight,
            feature.transform.kind,
            span * feature.weight * feature.missing / card.total_weight,
            feature.reason,
        ]
        for name, feature in card.features.items()
    ]


def _odds(book: Any, tables: Document) -> None:
    odds = tables["odds"]
    if odds is None:
        _sheet(book, "Score to odds", ("value",), [[tables["why_no_odds"]]])
        return
    columns = ("score", "band", "odds", "default_rate")
    rows: list[list[Any]] = [[line[name] for name in columns] for line in odds["scores"]]
    notes = [
        ["points to double the odds", odds["points_to_double_odds"]],
        ["odds", "good to bad"],
        ["source", odds["fitted_on"]],
    ]
    _sheet(book, "Score to odds", columns, [*rows, [], *notes])


def _sheet(book: Any, name: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    sheet = book.add_worksheet(name)
    bold = book.add_format({"bold": True})
    formats = {column: book.add_format({"num_format": form}) for column, form in _FORMATS.items()}
    for place, column in enumerate(columns):
        sheet.write_string(0, place, column.replace("_", " "), bold)
        sheet.set_column(place, place, _WIDTHS.get(column, 16), formats.get(column.split()[-1]))
    for line, row in enumerate(rows, start=1):
        for place, value in enumerate(row):
            if isinstance(value, str):
                sheet.write_string(line, place, value)
            else:
                sheet.write_number(line, place, value)
    sheet.freeze_panes(1, 0)
