"""The exported SQL on Spark in local mode scores as the card does."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pyarrow as pa
import pytest
from hypothesis import example, given, settings

from app.domain.scorecard import Scorecard
from tests.differential.test_exports import DEFAULT, INFINITE, hard_portfolios
from tests.support.exports import by_party, same
from tests.support.spark import PYTHON, Spark, running_spark

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def spark(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Spark]:
    if not PYTHON.exists() and os.environ.get("CI") != "true":
        pytest.skip("Spark is not here: `make spark` brings it, 500 MB")
    with running_spark(tmp_path_factory.mktemp("spark") / "log") as running:
        yield running


@settings(max_examples=25)
@given(hard_portfolios())
@example(DEFAULT)
def test_it_scores_as_the_card(spark: Spark, portfolio: tuple[Scorecard, pa.Table]) -> None:
    same(spark(*portfolio), by_party(*portfolio))


def test_what_the_card_refuses_has_no_score(spark: Spark) -> None:
    found = spark(*INFINITE)
    assert [row["score"] is None for row in found] == [False, True, True]
    assert {value for row in found[1:] for value in row.values()} == {None}
