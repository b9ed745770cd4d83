"""The exported card, wherever it runs, gives the score, band, points and reasons of the card."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pyarrow as pa
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from app.domain.exports.golden_cases import golden_parties
from app.domain.scorecard import Scorecard, default_card
from tests.support.cards import cards, portfolios
from tests.support.exports import (
    by_party,
    in_duckdb,
    in_postgres,
    in_python,
    in_sqlite,
    same,
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
