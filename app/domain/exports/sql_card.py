"""The card as one SELECT, from the same Ibis expression that scores tables."""

from __future__ import annotations

import re
import sys

import ibis
import ibis.expr.types as ir

from app.domain.exports.sql_dialects import Dialect, adapt
from app.domain.exports.stamp import NOT_IN_SQL, Stamp, refuse_characters
from app.domain.intake import NOT_A_NUMBER, WORDS
from app.domain.score_outputs import score_outputs
from app.domain.scorecard import Scorecard
from app.domain.scorecard_parts import Feature
from app.domain.scorecard_table import Outputs, score_columns
from app.domain.transforms import Bins, Categories, Linear, Log
from app.domain.transforms_table import constant
from app.errors import InvalidInputError

_LEAST = 1e-150
"""Shares below it are 0 where an engine refuses products that are too small for a double."""

_ANY_TYPE = "int64"
"""Stands for whatever the column is: not what is needed, so that a cast is written."""

_MOST_PARTS = 3
_WHOLE = re.compile("-?(?:0|[1-9][0-9]*)")


def sql_card(
    card: Scorecard,
    stamp: Stamp,
    dialect: Dialect,
    *,
    table: str = "batch",
    key: str = "party_id",
) -> str:
    """Write a card as one SELECT that scores a table.

    Parameters
    ----------
    card : Scorecard
        The card.
    stamp : Stamp
        Which version it is.
    dialect : Dialect
        Of the engine, from `app.domain.exports.sql_dialects.DIALECTS`.
    table : str, default "batch"
        The table to score, which has a column for each feature; dots part it from its schema and
        its catalogue.
    key : str, default "party_id"
        Its column that names the party; given back first.

    Returns
    -------
    str
        Comment lines, then one SELECT with the columns `key` and those of
        `app.domain.scorecard_table.score_outputs`. A row with an infinite number, which the card
        refuses, has null in all of them but the key.

    Raises
    ------
    InvalidInputError
        If the engine cannot hold a text or a name of the card, a weight is too small for it, the
        key is called like a result, or the table's name has more than three parts.

    Examples
    --------
    >>> from app.domain.exports.sql_dialects import DIALECTS
    >>> from app.domain.scorecard import default_card
    >>> card = default_card()
    >>> stamp = Stamp("v1", card.content_hash, "chancellor export v1 --to sql")
    >>> sql_card(card, stamp, DIALECTS["duckdb"]).splitlines()[3:5]
    ['-- made by:      chancellor export v1 --to sql', 'WITH "chancellor_read" AS (']
    """
    refuse_characters(card, NOT_IN_SQL, "SQL")
    _check_names(card, dialect, key)
    if table.count(".") >= _MOST_PARTS:
        raise InvalidInputError(f"the table {table!r} has more than {_MOST_PARTS} parts")
    if dialect.refuses_underflow:
        _check_weights(card, dialect)
        card = _without_tiny(card)
    numbered = tuple(enumerate(card.features.items()))
    schema = dict.fromkeys([key, *card.feature_names], _ANY_TYPE)
    *around, name = table.split(".")
    catalog, database = (None, None, *around)[-2:]
    source = ibis.table(schema, name=name, catalog=catalog, database=database)
    read = {f"raw_{place}": _read(part, source[name], dialect) for place, (name, part) in numbered}
    step = source.select(key=source[key], **read, **_texts_for_numbers(card, source, dialect))
    step = step.view()
    held = {
        f"x{place}": _held(part, step[f"raw_{place}"], dialect) for place, (_, part) in numbered
    }
    step = step.select(key=step["key"], **held, __refused=_refused(card, step)).view()
    columns = [step[name] for name in held]
    scored = score_columns(card, step, columns, joined=dialect.joined)
    outputs = score_outputs(card)
    given = [
        (scored["__refused"] > 0).ifelse(ibis.null(scored[name].type()), scored[name]).name(name)
        for name in outputs
    ]
    query = scored.select(scored["key"].name(key), *given)
    lines = "".join(f"-- {line}\n" for line in stamp.lines(card.name))
    return lines + adapt(str(ibis.to_sql(query, dialect=dialect.ibis)), dialect) + "\n"


def _check_names(card: Scorecard, dialect: Dialect, key: str) -> None:
    if key.casefold() in {name.casefold() for name in score_outputs(card)}:
        raise InvalidInputError(f"the key column {key!r} is called like a result", key=key)
    for name in card.feature_names:
        length = len(f"points_{name}".encode())
        if dialect.longest_name is not None and length > dialect.longest_name:
            raise InvalidInputError(
                f"feature {name!r}: the column points_{name} has {length} bytes, {dialect.name} "
                f"holds {dialect.longest_name} at most",
                feature=name,
            )


def _check_weights(card: Scorecard, dialect: Dialect) -> None:
    for name, feature in card.features.items():
        if 0 < feature.weight < _LEAST:
            raise InvalidInputError(
                f"feature {name!r}: {dialect.name} cannot multiply by a weight of {feature.weight}",
                feature=name,
            )


def _without_tiny(card: Scorecard) -> Scorecard:
    """Take goodness too small to multiply by for 0; no score can tell the difference."""

    def held(share: float) -> float:
        return share if share >= _LEAST else 0.0

    document = card.to_document()
    for feature in document["features"].values():
        transform = feature["transform"]
        if "missing" in feature:
            feature["missing"] = held(feature["missing"])
        if transform["kind"] == "bins":
            transform["values"] = [held(share) for share in transform["values"]]
        if transform["kind"] == "categories":
            transform["other"] = held(transform["other"])
            values = transform["values"]
            transform["values"] = {text: held(share) for text, share in values.items()}
    return Scorecard.from_document(document)


def _read(feature: Feature, column: ir.Column, dialect: Dialect) -> ir.Column:
    if isinstance(feature.transform, Categories):
        return column.cast("string").strip()
    number = column.cast("float64")
    return number.isnan().ifelse(ibis.null("float64"), number) if dialect.has_nan else number


def _texts_for_numbers(card: Scorecard, source: ir.Table, dialect: Dialect) -> Outputs:
    """Find texts where numbers belong, which SQLite alone would read as 0."""
    if dialect.name != "sqlite":
        return {}
    return {
        f"text_{place}": source[name].typeof().isin(["text", "blob"]).ifelse(1, 0)
        for place, (name, feature) in enumerate(card.features.items())
        if feature.transform.takes_numbers
    }


def _refused(card: Scorecard, step: ir.Table) -> ir.NumericValue:
    """Count the values that the card would refuse: infinities, and texts in SQLite."""
    largest = constant(sys.float_info.max)
    counted: ir.NumericValue = ibis.literal(0)
    for place, feature in enumerate(card.features.values()):
        if feature.transform.takes_numbers:
            number = step[f"raw_{place}"]
            counted += ((number > largest) | (number < -largest)).ifelse(1, 0)
        if f"text_{place}" in step.columns:
            counted += step[f"text_{place}"]
    return counted


def _held(feature: Feature, column: ir.Column, dialect: Dialect) -> ir.Column:
    transform = feature.transform
    if isinstance(transform, Categories):
        return _category(transform, column)
    return column if isinstance(transform, Bins) else _within(transform, column, dialect)


def _within(transform: Linear | Log, number: ir.FloatingColumn, dialect: Dialect) -> ir.Column:
    """Hold a number between the ends, where the goodness does not change any more.

    Some engines refuse differences and quotients beyond the range of doubles.
    """
    low, high = sorted((transform.worst, transform.best))
    held = ibis.greatest(constant(low), ibis.least(constant(high), number))
    if dialect.refuses_underflow and isinstance(transform, Linear):
        distance = (held - constant(transform.worst)).abs()
        held = (distance < constant(abs(transform.span) * _LEAST)).ifelse(
            constant(transform.worst), held
        )
    return number.isnull().ifelse(ibis.null("float64"), held)


def _category(transform: Categories, text: ir.StringColumn) -> ir.StringColumn:
    """Give a trimmed text as intake writes it, as far as the card can tell the difference."""
    spelled = [(text == other, word) for other, word in WORDS.items() if word in transform.values]
    spelled += [(text == f"{word}.0", word) for word in transform.values if _WHOLE.fullmatch(word)]
    if "0" in transform.values:
        spelled.append((text == "-0.0", "0"))
    known = ibis.cases(*spelled, else_=text) if spelled else text
    return text.isin(["", *sorted(NOT_A_NUMBER)]).ifelse(ibis.null("string"), known)
