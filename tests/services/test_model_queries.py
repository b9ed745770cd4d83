"""Ids of models, and how often rows were looked at before."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pytest

from app.domain.design_matrix import Sample
from app.errors import NotFoundError
from app.lake.store import open_lake
from app.queries import models
from app.queries.evidence import list_verdicts, newest_per_gate, verdict_value
from app.services.training_sample import TrainingData
from tests.support.versions import model_draft, register_model, verdict

DAY = datetime(2026, 3, 31, 9, tzinfo=UTC)
JANUARY, FEBRUARY = datetime(2025, 1, 15, tzinfo=UTC), datetime(2025, 2, 15, tzinfo=UTC)


def micros(moment: datetime) -> int:
    return int(moment.timestamp() * 1_000_000)


def judged(db, model_id: str, parties: list[str], moment: datetime, **columns) -> None:
    """Register a model whose validation judged these parties."""
    table = pa.table(
        {
            "party_id": pa.array(parties, pa.string()),
            "scored_at": pa.array([moment] * len(parties), pa.timestamp("us", tz="UTC")),
        }
    )
    stored = open_lake().write_table("validation", table)
    register_model(
        db, model_id, validation_path=stored.path, validation_hash=stored.sha256, **columns
    )


def training_rows(parties, moment) -> TrainingData:
    n = len(parties)
    sample = Sample(
        goodness=np.zeros((n, 1)),
        bad=np.zeros(n, dtype=np.int64),
        party=np.arange(n),
        scored_on=np.full(n, moment.date(), dtype="datetime64[D]"),
        raw=np.zeros((n, 1)),
        categorical=np.zeros(1, dtype=np.bool_),
    )
    return TrainingData(
        sample=sample,
        population=sample.goodness,
        party_id=np.array(parties, dtype=object),
        batch_id=np.full(n, "B1", dtype=object),
        scored_at=np.full(n, micros(moment), dtype="datetime64[us]"),
    )


def test_a_model_is_named_after_its_day_and_content(db):
    assert models.new_model_id(db, DAY, "7f3a" + "0" * 60) == "m-20260331-7f3a"
    register_model(db, "m-20260331-7f3a")
    register_model(db, "m-20260331-7f3a-2")
    assert models.new_model_id(db, DAY, "7f3a" + "0" * 60) == "m-20260331-7f3a-3"


def test_only_other_trainings_on_overlapping_rows_are_earlier_looks(db):
    judged(db, "m-1", ["A", "B"], JANUARY, input_hash="first")
    judged(db, "m-2", ["A", "B"], JANUARY, input_hash="first")  # the same training again
    judged(db, "m-3", ["B", "C"], JANUARY, input_hash="second")
    judged(db, "m-4", ["A", "B"], FEBRUARY, input_hash="third")  # the same parties, other rows
    at_hand = training_rows(["A", "B"], JANUARY)
    lake = open_lake()

    def looks(input_hash: str, base_version: str = "v1") -> int:
        return models.count_looks(
            db,
            lake,
            base_version=base_version,
            input_hash=input_hash,
            shares_rows=at_hand.shares_rows,
        )

    assert looks("new") == 2
    assert looks("first") == 1  # repeating the first training is no new look
    assert looks("new", base_version="ml_v9") == 0


def test_an_unknown_model_lists_close_ones(db):
    register_model(db, "m-20260331-7f3a")
    with pytest.raises(NotFoundError, match="m-20260331-7f3a"):
        models.require_model(db, "m-20260331-7f3b")


def test_a_verdict_comes_back_as_it_was_stored(db):
    failed = verdict("auc_roc", "fail")
    model_draft(db, model_verdicts=(failed,))
    assert models.model_verdicts(db, "m-20260331-aaaa") == (failed,)
    assert list_verdicts(db, "model", "m-20260331-aaaa") == (failed.as_dict(),)
    assert verdict_value(failed.as_dict()) == failed


def test_the_newest_verdict_of_a_gate_holds():
    told = [verdict("a").as_dict(), verdict("b").as_dict(), verdict("a", "fail").as_dict()]
    assert [v["verdict"] for v in newest_per_gate(told)] == ["fail", "pass"]
