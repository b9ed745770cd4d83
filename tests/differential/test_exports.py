"""The exported card, wherever it runs, gives the score, band, points and reasons of the card."""

from __future__ import annotations

import math
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import psycopg
import pyarrow as pa
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from app.domain.exports.golden_cases import golden_parties
from app.domain.exports.sql_card import sql_card
from app.domain.exports.sql_dialects import DIALECTS
from app.domain.scorecard import Scorecard, default_card, score_party
from tests.support.cards import cards, portfolios
from tests.support.exports import (
    KEY,
    by_party,
    in_duckdb,
    in_postgres,
    in_python,
    in_sqlite,
    same,
    stamp_of,
)
from tests.support.postgres import Server


@st.composite
def hard_portfolios(draw: st.DrawFn) -> tuple[Scorecard, pa.Table]:
    """Draw a card and parties: those of `portfolios`, or the card's own golden cases."""
    if draw(st.integers(0, 2)):
        return draw(portfolios())
    return golden_portfolio(draw(cards()))


def golden_portfolio(card: Scorecard) -> tuple[Scorecard, pa.Table]:
    parties = golden_parties(card)
    columns = {}
    for name, feature in card.features.items():
        values = [party.get(name) for party in parties]
        kind = pa.float64() if feature.transform.takes_numbers else pa.string()
        values = [None if kind == pa.float64() and value == "" else value for value in values]
        columns[name] = pa.array(values, kind)
    return card, pa.table(columns)


DEFAULT = golden_portfolio(default_card())
INFINITE = (default_card(), pa.table({"network_size": [1.0, math.inf, -math.inf]}))
"""The last two parties are refused by the card."""


@pytest.fixture(scope="module")
def postgres(postgres_server: Server) -> Iterator[psycopg.Connection[Any]]:
    name = postgres_server.create_database()
    with psycopg.connect(postgres_server.url(name).replace("+psycopg", "")) as connection:
        yield connection
    postgres_server.drop_database(name)


@given(hard_portfolios())
@example(DEFAULT)
def test_the_python_file_scores_as_the_card(portfolio: tuple[Scorecard, pa.Table]) -> None:
    assert in_python(*portfolio) == by_party(*portfolio)


@pytest.mark.parametrize("run", [in_duckdb, in_sqlite])
def test_the_sql_of_the_default_card_scores_as_the_card(run: Any) -> None:
    same(run(*DEFAULT), by_party(*DEFAULT))


@pytest.mark.parametrize("run", [in_duckdb, in_sqlite])
def test_what_the_card_refuses_has_no_score(run: Any) -> None:
    found = run(*INFINITE)
    assert [row["score"] is None for row in found] == [False, True, True]
    assert {value for row in found[1:] for value in row.values()} == {None}


def test_sqlite_makes_no_number_of_a_text() -> None:
    card = default_card()
    query = sql_card(card, stamp_of(card), DIALECTS["sqlite"], key=KEY)
    columns = ", ".join(f"{name} REAL" for name in card.feature_names)
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute(f"CREATE TABLE batch ('{KEY}', {columns})")
        for row in ((1, 5.0), (2, "many"), (3, "5")):
            insert = f"INSERT INTO batch ('{KEY}', network_size) VALUES (?, ?)"
            connection.execute(insert, row)
        scores = [row[1] for row in sorted(connection.execute(query).fetchall())]
    known = score_party(card, {"network_size": 5}).score
    assert scores == [known, None, known]  # SQLite stores '5' as a number in such a column


@pytest.mark.slow
@settings(max_examples=60)
@given(hard_portfolios())
def test_the_sql_scores_as_the_card_on_duckdb(portfolio: tuple[Scorecard, pa.Table]) -> None:
    same(in_duckdb(*portfolio), by_party(*portfolio))


@pytest.mark.slow
@settings(max_examples=60)
@given(hard_portfolios())
def test_the_sql_scores_as_the_card_on_sqlite(portfolio: tuple[Scorecard, pa.Table]) -> None:
    same(in_sqlite(*portfolio), by_party(*portfolio))


@pytest.mark.slow
@pytest.mark.postgres
@settings(max_examples=60)
@given(hard_portfolios())
@example(DEFAULT)
def test_the_sql_scores_as_the_card_on_postgres(
    postgres: psycopg.Connection[Any], portfolio: tuple[Scorecard, pa.Table]
) -> None:
    card, table = portfolio
    assume(all(not 0 < weight < 1e-150 for weight in card.weights))  # refused, see below
    same(in_postgres(card, table, postgres), by_party(card, table))


@pytest.mark.postgres
def test_what_the_card_refuses_has_no_score_on_postgres(
    postgres: psycopg.Connection[Any],
) -> None:
    found = in_postgres(*INFINITE, postgres)
    assert [row["score"] is None for row in found] == [False, True, True]
    assert {value for row in found[1:] for value in row.values()} == {None}
