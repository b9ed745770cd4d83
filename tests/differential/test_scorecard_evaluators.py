"""One party in Python and a table in Ibis on DuckDB: the same score, to the last bit."""

from __future__ import annotations

import math
from typing import Any

import ibis
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.feature_columns import feature_column
from app.domain.party_score import ScoreResult, as_number, score_party
from app.domain.scorecard import Feature, Scorecard, load_scorecard
from app.domain.scorecard_table import score_expression
from app.domain.table_score import TableScorer, goodness_matrix
from app.domain.transforms import Linear
from app.errors import InvalidInputError
from tests.support.cards import cards, portfolios

NUMBER = Feature(weight=1, transform=Linear(kind="linear", worst=0, best=1))


def as_row(card: Scorecard, result: ScoreResult) -> dict[str, Any]:
    names = [code.feature for code in result.reason_codes]
    return {
        "score": result.score,
        "unrounded_score": result.unrounded_score,
        "band": result.band,
        "missing_features": ";".join(result.missing_features),
        **{f"reason_{k + 1}": names[k] if k < len(names) else None for k in range(4)},
        **{f"points_{name}": result.contributions[name] for name in card.feature_names},
    }


@given(portfolios())
def test_both_evaluators_give_the_same_row_for_every_party(
    portfolio: tuple[Scorecard, pa.Table],
) -> None:
    card, table = portfolio
    by_party = [as_row(card, score_party(card, party)) for party in table.to_pylist()]
    assert TableScorer(card).run(table).to_pylist() == by_party


@given(portfolios())
def test_the_goodness_matrix_explains_the_score(portfolio: tuple[Scorecard, pa.Table]) -> None:
    card, table = portfolio
    goodness = goodness_matrix(card, table)
    assert goodness.shape == (table.num_rows, len(card.features))
    assert ((goodness >= 0) & (goodness <= 1)).all()
    span = card.range.max - card.range.min
    for row, party in enumerate(table.to_pylist()):
        result = score_party(card, party)
        points = span * card.weights * goodness[row] / card.total_weight
        assert list(result.contributions.values()) == pytest.approx(points, rel=1e-12, abs=1e-12)
        assert card.range.min <= result.score <= card.range.max
        assert result.unrounded_score == pytest.approx(card.range.min + points.sum())


@pytest.mark.slow
@given(portfolios())
def test_the_expression_on_any_ibis_table_says_what_the_query_says(
    portfolio: tuple[Scorecard, pa.Table],
) -> None:
    card, table = portfolio
    read = {
        name: feature_column(feature, name, table)[0]
        for name, feature in card.features.items()
        if name in table.column_names
    }
    snapshot = pa.table({**read, "own row": np.arange(table.num_rows)})
    scored = score_expression(card, ibis.memtable(snapshot)).to_pyarrow()
    scored = scored.sort_by("own row").select(TableScorer(card).run(table).column_names)
    assert scored.to_pylist() == TableScorer(card).run(table).to_pylist()


@given(cards(), st.sampled_from([math.inf, -math.inf]))
def test_both_evaluators_refuse_infinities(card: Scorecard, value: float) -> None:
    for name, feature in card.features.items():
        if not feature.transform.takes_numbers:
            continue
        with pytest.raises(InvalidInputError, match="finite"):
            score_party(card, {name: value})
        with pytest.raises(InvalidInputError, match="infinite"):
            goodness_matrix(card, pa.table({name: [0.0, value]}))


@given(st.text(alphabet="0123456789.+-eE infaNtrusl_", max_size=8))
def test_a_text_is_the_same_number_to_both_or_to_neither(text: str) -> None:
    column, faults = feature_column(NUMBER, "x", pa.table({"x": [text, "1", "x"]}))
    refused = any(0 in fault.rows for fault in faults)
    try:
        number = as_number(text)
    except InvalidInputError:
        assert refused
    else:
        assert not refused
        assert column[0].as_py() == number


def test_ties_between_losses_follow_the_card_and_not_the_last_bit() -> None:
    # 0.1 + 0.2 is not 0.3: without a resolution the third feature would come first
    transform = "{kind: linear, worst: 0, best: 1}"
    lines = "".join(f"  f{place}: {{weight: 1, transform: {transform}}}\n" for place in range(6))
    card = load_scorecard(f"name: ties\nbands: {{all: 300}}\nfeatures:\n{lines}")
    party = {"f0": 0.7, "f1": 1.0, "f2": 1 - (0.1 + 0.2), "f3": 0.2, "f4": 0.7, "f5": 0.7}
    result = score_party(card, party)
    assert [code.feature for code in result.reason_codes] == ["f3", "f0", "f2", "f4"]
    row = TableScorer(card).run(pa.Table.from_pylist([party])).to_pylist()[0]
    assert [row[f"reason_{place}"] for place in (1, 2, 3, 4)] == ["f3", "f0", "f2", "f4"]


def test_a_tie_at_a_half_goes_up_in_both() -> None:
    card = load_scorecard(
        "name: half\nrange: {min: 0, max: 3}\nbands: {low: 0, high: 2}\n"
        "features: {x: {weight: 7, transform: {kind: linear, worst: 0, best: 1}}}\n"
    )
    assert score_party(card, {"x": 0.5}).score == 2
    row = TableScorer(card).run(pa.table({"x": [0.5]})).to_pylist()[0]
    assert (row["score"], row["band"]) == (2, "high")


@pytest.mark.parametrize("n_features", [1, 50])
def test_narrow_and_wide_cards_agree_too(n_features: int) -> None:
    generator = np.random.default_rng(5)
    transform = {"kind": "linear", "worst": 0.0, "best": 1.0}
    names = [f"feature {place}" for place in range(n_features)]
    features = {
        name: {"weight": w, "transform": transform}
        for name, w in zip(names, generator.random(n_features), strict=True)
    }
    card = Scorecard.from_document({"name": "wide", "bands": {"all": 300}, "features": features})
    values = {name: generator.random(20) for name in names}
    table = pa.table(values)
    by_party = [as_row(card, score_party(card, party)) for party in table.to_pylist()]
    assert TableScorer(card).run(table).to_pylist() == by_party


def test_rows_keep_their_order_over_many_pieces() -> None:
    n_rows = 400_000
    card = load_scorecard(
        "name: order\nbands: {all: 300}\n"
        f"features: {{x: {{weight: 1, transform: {{kind: linear, worst: 0, best: {n_rows}}}}}}}\n"
    )
    values = np.random.default_rng(1).permutation(n_rows).astype(float)
    assert (goodness_matrix(card, pa.table({"x": values}))[:, 0] == values / n_rows).all()


@pytest.mark.parametrize("dialect", ["duckdb", "sqlite", "postgres", "snowflake", "databricks"])
def test_the_expression_writes_itself_as_sql_for_other_engines(
    dialect: str, shared_cards: Any
) -> None:
    for file in sorted(shared_cards.glob("*.yaml")):
        card = load_scorecard(file)
        schema = {
            name: "float64" if feature.transform.takes_numbers else "string"
            for name, feature in card.features.items()
        }
        scored = score_expression(card, ibis.table(schema, name="batch"))
        assert len(ibis.to_sql(scored, dialect=dialect)) < 100_000


def test_an_unread_column_is_refused_by_the_expression() -> None:
    card = load_scorecard(
        "name: x\nbands: {all: 300}\n"
        "features: {x: {weight: 1, transform: {kind: linear, worst: 0, best: 1}}}\n"
    )
    with pytest.raises(InvalidInputError, match="takes float64, the table has string"):
        score_expression(card, ibis.table({"x": "string"}, name="batch"))
