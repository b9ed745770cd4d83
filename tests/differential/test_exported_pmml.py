"""The exported PMML, read by an evaluator that others wrote, scores as the card does."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from xml.etree import ElementTree as ET

import pyarrow as pa
import pytest
from hypothesis import assume, example, given, settings

from app.domain.exports.golden_cases import golden_parties
from app.domain.exports.pmml_card import pmml_card, pmml_outputs
from app.domain.exports.stamp import NOT_IN_XML, texts_of
from app.domain.intake import as_text
from app.domain.party_score import as_number, score_party
from app.domain.scorecard import Scorecard, default_card, load_scorecard
from app.errors import InvalidInputError
from tests.differential.test_exports import DEFAULT, hard_portfolios
from tests.support.exports import Row, as_row, same, stamp_of
from tests.support.pmml import Evaluator, running_evaluator

pytestmark = pytest.mark.slow
PREFIX = "{http://www.dmg.org/PMML-4_4}"


@pytest.fixture(scope="module")
def evaluate() -> Iterator[Evaluator]:
    if shutil.which("java") is None and os.environ.get("CI") != "true":
        pytest.skip("no Java on this machine: the PMML evaluator needs version 11 or newer")
    with running_evaluator() as evaluator:
        yield evaluator


def read_by_intake(card: Scorecard, party: Row) -> Row:
    """Give the values as PMML takes them: numbers, and texts of categories."""
    return {
        name: (as_number if feature.transform.takes_numbers else as_text)(party.get(name))
        for name, feature in card.features.items()
    }


def expected(card: Scorecard, party: Row) -> Row:
    row = as_row(card, score_party(card, party))
    return {name: row[name] for name in pmml_outputs(card)}


@settings(max_examples=80)
@given(hard_portfolios())
@example(DEFAULT)
def test_it_scores_as_the_card(evaluate: Evaluator, portfolio: tuple[Scorecard, pa.Table]) -> None:
    card, table = portfolio
    results = {name.casefold() for name in pmml_outputs(card)}
    assume(not results & {name.casefold() for name in card.feature_names})  # refused, see below
    assume(not any(NOT_IN_XML.search(text) for _, text in texts_of(card)))
    parties = table.to_pylist()
    found = evaluate(
        pmml_card(card, stamp_of(card)), [read_by_intake(card, party) for party in parties]
    )
    same(found, [expected(card, party) for party in parties])


def test_the_evaluators_own_reason_codes_agree(evaluate: Evaluator) -> None:
    """By the mechanism of PMML: the points of a characteristic below its baseline score."""
    card = default_card().with_weights(range(1, 17))
    ET.register_namespace("", PREFIX[1:-1])
    root = ET.fromstring(pmml_card(card, stamp_of(card)))  # noqa: S314 - written a line above
    output = root.find(f".//{PREFIX}Output")
    assert output is not None
    for rank in range(1, 4):
        shown = {"name": f"own_{rank}", "feature": "reasonCode", "rank": str(rank)}
        kind = {"optype": "categorical", "dataType": "string"}
        ET.SubElement(output, f"{PREFIX}OutputField", {**shown, **kind})
    parties = [read_by_intake(card, party) for party in golden_parties(card)]
    clear = 0
    found = evaluate(ET.tostring(root, encoding="unicode"), parties)
    for party, row in zip(parties, found, strict=True):
        codes = score_party(card, party).reason_codes
        lost = [code.points_lost for code in codes]
        if len(codes) == 4 and len({round(points, 3) for points in lost}) == 4:  # no ties
            assert [row[f"own_{rank}"] for rank in range(1, 4)] == [c.feature for c in codes[:3]]
            clear += 1
    assert clear > 0


def test_infinities_are_refused_as_the_card_refuses_them(evaluate: Evaluator) -> None:
    card = default_card()
    with pytest.raises(RuntimeError, match="cannot accept invalid value Infinity"):
        evaluate(pmml_card(card, stamp_of(card)), [{"network_size": float("inf")}])


def test_what_pmml_cannot_hold_is_refused() -> None:
    feature = "{weight: 1, transform: {kind: linear, worst: 0, best: 1}}"
    card = load_scorecard(f"name: x\nbands: {{a: 300}}\nfeatures: {{Band: {feature}}}\n")
    with pytest.raises(InvalidInputError, match="called like an output"):
        pmml_card(card, stamp_of(card))
    card = load_scorecard(f'name: x\nbands: {{a: 300}}\nfeatures: {{"a\\x01": {feature}}}\n')
    with pytest.raises(InvalidInputError, match="PMML cannot hold"):
        pmml_card(card, stamp_of(card))
