"""Run exported cards where they are meant to run, and give rows that can be compared."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from typing import Any

import duckdb
import psycopg
import pyarrow as pa
from psycopg import sql

from app.domain.exports.python_card import python_card
from app.domain.exports.sql_card import sql_card
from app.domain.exports.sql_dialects import DIALECTS
from app.domain.exports.stamp import Stamp
from app.domain.feature_columns import feature_column
from app.domain.party_score import ScoreResult, score_party
from app.domain.score_outputs import score_outputs
from app.domain.scorecard import Scorecard

KEY = "own key"
Row = dict[str, Any]


def stamp_of(card: Scorecard) -> Stamp:
    return Stamp("v1", card.content_hash, "chancellor export v1 --to something")


def as_row(card: Scorecard, result: ScoreResult) -> Row:
    """Give the result for one party in the form of a scored table."""
    return _flat(card, result.as_dict())


def _flat(card: Scorecard, result: Row) -> Row:
    names = [code["feature"] for code in result["reason_codes"]]
    return {
        "score": result["score"],
        "unrounded_score": result["unrounded_score"],
        "band": result["band"],
        "missing_features": ";".join(result["missing_features"]),
        **{f"reason_{k + 1}": names[k] if k < len(names) else None for k in range(4)},
        **{f"points_{name}": result["contributions"][name] for name in card.feature_names},
    }


def by_party(card: Scorecard, table: pa.Table) -> list[Row]:
    """Score every party on its own: what all others are held against."""
    return [as_row(card, score_party(card, party)) for party in table.to_pylist()]


def in_python(card: Scorecard, table: pa.Table) -> list[Row]:
    """Score by the exported Python file."""
    module: Row = {"__name__": "card"}
    exec(compile(python_card(card, stamp_of(card)), "card.py", "exec"), module)  # noqa: S102 - it is what is tested
    assert module["self_test"]() == []
    return [_flat(card, module["score"](party)) for party in table.to_pylist()]


def same(found: Sequence[Row], expected: Sequence[Row]) -> None:
    """Compare rows: texts and scores exactly, points up to the last digits of a logarithm."""
    assert len(found) == len(expected)
    for one, other in zip(found, expected, strict=True):
        assert list(one) == list(other)
        for name, value in other.items():
            if isinstance(value, float):
                assert math.isclose(one[name], value, rel_tol=1e-9, abs_tol=1e-9), (name, one)
            else:
                assert one[name] == value, (name, one, other)


def typed(card: Scorecard, table: pa.Table) -> pa.Table:
    """Give a table as a warehouse holds it: a column for each feature, of the type it came in.

    Texts with numbers in them are read first: a warehouse has a type for numbers.
    """
    columns: dict[str, Any] = {KEY: pa.array(range(table.num_rows), pa.int64())}
    for name, feature in card.features.items():
        read, _ = feature_column(feature, name, table)
        raw = table[name].combine_chunks() if name in table.column_names else read
        is_usable = not pa.types.is_null(raw.type) and not (
            feature.transform.takes_numbers and pa.types.is_string(raw.type)
        )
        columns[name] = raw if is_usable else read
    return pa.table(columns)


def in_duckdb(card: Scorecard, table: pa.Table) -> list[Row]:
    """Score by the exported SQL on DuckDB."""
    query = sql_card(card, stamp_of(card), DIALECTS["duckdb"], key=KEY)
    with duckdb.connect() as connection:
        connection.register("batch", typed(card, table))
        cursor = connection.execute(query)
        return ordered(card, cursor.fetchall(), [column[0] for column in cursor.description])


def in_sqlite(card: Scorecard, table: pa.Table) -> list[Row]:
    """Score by the exported SQL on SQLite, which knows no booleans."""
    query = sql_card(card, stamp_of(card), DIALECTS["sqlite"], key=KEY)
    data = without_booleans(card, typed(card, table))
    with closing(sqlite3.connect(":memory:")) as connection:
        kinds = [_SQLITE[str(column.type)] for column in data.columns]
        names = [_quoted(name) for name in data.column_names]
        declared = ", ".join(f"{n} {k}" for n, k in zip(names, kinds, strict=True))
        connection.execute(f"CREATE TABLE batch ({declared})")
        marks = ", ".join("?" * len(names))
        connection.executemany(f"INSERT INTO batch VALUES ({marks})", rows_of(data))
        cursor = connection.execute(query)
        return ordered(card, cursor.fetchall(), [column[0] for column in cursor.description])


def in_postgres(card: Scorecard, table: pa.Table, connection: psycopg.Connection[Any]) -> list[Row]:
    """Score by the exported SQL on PostgreSQL, which makes no number of a boolean."""
    query = sql_card(card, stamp_of(card), DIALECTS["postgres"], key=KEY)
    data = without_booleans(card, typed(card, table), categories=False)
    with connection.transaction(force_rollback=True), connection.cursor() as cursor:
        columns = sql.SQL(", ").join(
            sql.SQL("{} {}").format(sql.Identifier(field.name), sql.SQL(_POSTGRES[str(field.type)]))
            for field in data.schema
        )
        cursor.execute(sql.SQL("CREATE TEMPORARY TABLE batch ({})").format(columns))
        with cursor.copy("COPY batch FROM STDIN") as copy:
            for row in rows_of(data):
                copy.write_row(row)
        cursor.execute(query.encode())
        names = [column.name for column in cursor.description or ()]
        return ordered(card, cursor.fetchall(), names)


_SQLITE = {"int64": "INTEGER", "double": "REAL", "string": "TEXT"}
_POSTGRES = {
    "int64": "bigint", "double": "double precision", "string": "text", "bool": "boolean",
}  # fmt: skip


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def rows_of(data: pa.Table) -> list[list[Any]]:
    return [list(row.values()) for row in data.to_pylist()]


def without_booleans(card: Scorecard, data: pa.Table, *, categories: bool = True) -> pa.Table:
    """Turn flags into 1 and 0, or into ``true`` and ``false`` where they are categories."""
    for place, field in enumerate(data.schema):
        if not pa.types.is_boolean(field.type):
            continue
        takes_numbers = card.features[field.name].transform.takes_numbers
        if takes_numbers or categories:
            kind = pa.int64() if takes_numbers else pa.string()
            data = data.set_column(place, field.name, data.column(place).cast(kind))
    return data


def ordered(card: Scorecard, rows: Sequence[Sequence[Any]], names: Sequence[str]) -> list[Row]:
    """Give scored rows in the order of their keys, without the key."""
    assert list(names) == [KEY, *score_outputs(card)]
    by_key = sorted(rows, key=lambda row: row[0])
    return [dict(zip(names[1:], row[1:], strict=True)) for row in by_key]
