"""All exported forms agree on 100,000 generated parties, to the point."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import psycopg
import pyarrow as pa
import pytest

from app.domain.exports.golden_cases import golden_parties
from app.domain.exports.pmml_card import pmml_card, pmml_outputs
from app.domain.scorecard import Scorecard, default_card, load_scorecard
from tests.support.exports import (
    Row,
    by_party,
    in_duckdb,
    in_postgres,
    in_python,
    in_sqlite,
    same,
    stamp_of,
)
from tests.support.pmml import running_evaluator
from tests.support.postgres import Server
from tests.support.spark import PYTHON, running_spark

pytestmark = pytest.mark.slow
N_PARTIES = 100_000
EVERY_KIND = load_scorecard("""
name: Every kind of transform
range: {min: 0, max: 1000}
bands: {low: 0, middle: 333, high: 667}
features:
  income: {weight: 17.3, missing: 0.2, transform: {kind: log, worst: 500, best: 90000}}
  "rate %": {weight: 3.07, transform: {kind: linear, worst: 19.9, best: 1.1}}
  late: {weight: 40, missing: 0.35,
    transform: {kind: bins, edges: [0.5, 1, 2.5, 6], values: [1, 0.81, 0.5, 0.1, 0]}}
  "kind of 'home'": {weight: 8.25,
    transform: {kind: categories, values: {own: 1, "it's rent": 0.4, Übrige: 0.3, "1": 0.7},
                other: 0.15}}
  bureau: {weight: 31.9, missing: 0.5, transform: {kind: linear, worst: 300, best: 850}}
""")
CARDS = (default_card(), EVERY_KIND)
Run = Callable[[Scorecard, pa.Table], list[Row]]
Batch = tuple[Scorecard, pa.Table, list[Row]]


@pytest.fixture(scope="module")
def batches() -> list[Batch]:
    """Draw parties among hard values and between them; score them one by one."""
    random, found = np.random.default_rng(7), []
    for card in CARDS:
        hard = golden_parties(card)[1:]
        columns = {}
        for name, feature in card.features.items():
            marks = [party[name] for party in hard]
            if not feature.transform.takes_numbers:
                drawn = random.choice(np.array(marks, dtype=object), N_PARTIES // len(CARDS))
                columns[name] = pa.array(drawn, pa.string())
                continue
            numbers = [mark for mark in marks if isinstance(mark, float)]
            usual = [number for number in numbers if abs(number) < 1e12]
            between = random.uniform(min(usual), max(usual), N_PARTIES // len(CARDS))
            at = random.choice(numbers, between.size)
            values = np.where(random.random(between.size) < 0.7, between, at)
            columns[name] = pa.array(values, mask=random.random(between.size) < 0.1)
        table = pa.table(columns)
        found.append((card, table, by_party(card, table)))
    assert sum(table.num_rows for _, table, _ in found) == N_PARTIES
    return found


@pytest.fixture(params=["python", "duckdb", "sqlite", "postgres", "spark", "pmml"])
def run(request: pytest.FixtureRequest, tmp_path: Any) -> Iterator[Run]:
    here = {"python": in_python, "duckdb": in_duckdb, "sqlite": in_sqlite}
    is_ci = os.environ.get("CI") == "true"
    if request.param in here:
        yield here[request.param]
    elif request.param == "postgres":
        server: Server = request.getfixturevalue("postgres_server")
        name = server.create_database()
        with psycopg.connect(server.url(name).replace("+psycopg", "")) as connection:
            yield lambda card, table: in_postgres(card, table, connection)
        server.drop_database(name)
    elif request.param == "spark":
        if not PYTHON.exists() and not is_ci:
            pytest.skip("Spark is not here: `make spark` brings it, 500 MB")
        with running_spark(tmp_path / "log") as spark:
            yield spark
    else:
        if shutil.which("java") is None and not is_ci:
            pytest.skip("no Java on this machine")
        with running_evaluator() as evaluate:
            yield lambda card, table: evaluate(
                pmml_card(card, stamp_of(card)),
                [_without_blanks(party) for party in table.to_pylist()],
            )


def _without_blanks(party: Row) -> Row:
    """Give texts as intake writes them, which is what PMML takes."""
    return {k: (v.strip() or None) if isinstance(v, str) else v for k, v in party.items()}


def test_every_form_agrees_on_100_000_parties(run: Run, batches: list[Batch]) -> None:
    for card, table, expected in batches:
        found = run(card, table)
        if "missing_features" not in found[0]:  # PMML gives no list of them
            expected = [{name: row[name] for name in pmml_outputs(card)} for row in expected]  # noqa: PLW2901 - the same rows, narrower
        same(found, expected)
