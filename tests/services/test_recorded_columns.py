"""Every column of the snapshots reaches the leakage check, row by row beside its label."""

from __future__ import annotations

import numpy as np
import pytest

from app.db import open_session
from app.domain.scorecard import load_scorecard
from app.lake.store import open_lake
from app.models import Batch, LabelSet
from app.services import recorded_columns
from app.services.batch_service import BatchService
from app.services.label_generation_service import LabelGenerationService
from app.services.outcome_service import OutcomeService
from app.services.store import initialise_store
from app.services.training_sample import read_training_data

CARD = """
name: One feature
range: {min: 300, max: 900}
bands: {low: 300, high: 600}
features:
  age:
    weight: 10
    transform: {kind: linear, worst: 0, best: 40}
    reason: Young
"""

# The code is a number in the first file and text in the second; "only_here" is in one of them.
FIRST = ["id,age,town,code,secret,only_here"] + [
    f"{n},{n},{'north' if n % 2 else ''},{n % 3},{n % 4 == 0},{n}" for n in range(1, 41)
]
SECOND = ["id,age,town,code,secret"] + [
    f"{n},{n - 100},south,c{n % 3},{n % 4 == 0}" for n in range(101, 141)
]


@pytest.fixture
def read(home, tmp_path):
    """Give a reader of the recorded columns of two labelled batches."""
    initialise_store(card=load_scorecard(CARD), actor="analyst")
    with open_session() as db:
        for name, lines in (("ONE", FIRST), ("TWO", SECOND)):
            path = tmp_path / f"{name}.csv"
            path.write_text("\n".join(lines) + "\n")
            BatchService(db, actor="analyst").import_file(
                path, batch_id=name, party_id="id", scored_at="2026-01-01"
            )
            OutcomeService(db, actor="analyst").import_flags(
                path, batch_id=name, party_id="id", flag="secret", bad="True"
            )
            LabelGenerationService(db, actor="analyst").generate_labels(
                name, outcome_type="final_flag"
            )
        lake = open_lake()
        data = read_training_data(db, lake, load_scorecard(CARD), db.query(LabelSet).all())
        batches = db.query(Batch).order_by(Batch.batch_id.desc()).all()
        yield lambda: (recorded_columns.read_recorded_columns(lake, batches, data, seed=0), data)


def test_columns_that_all_batches_have_stand_beside_their_labels(read):
    table, data = read()
    assert set(table.columns) == {"age", "town", "code", "secret"}
    assert table.bad.sum() == data.sample.bad.sum() == 20
    secret = table.columns["secret"]
    for code in np.unique(secret.values):
        assert len(set(table.bad[secret.values == code].tolist())) == 1


def test_what_is_a_number_here_and_text_there_counts_as_text(read):
    table, _ = read()
    assert table.columns["code"].is_text
    assert len(np.unique(table.columns["code"].values)) == 6
    assert not table.columns["age"].is_text


def test_a_blank_stays_missing(read):
    table, _ = read()
    town = table.columns["town"]
    assert town.is_text
    assert np.isnan(town.values).sum() == 20


def test_large_samples_are_drawn_by_class(read, monkeypatch):
    whole, data = read()
    monkeypatch.setattr(recorded_columns, "MAX_ROWS", 40)
    thin, _ = read()
    assert (len(thin.bad), thin.bad.sum()) == (40, 10)
    assert len(whole.bad) == len(data.party_id) == 80
    assert set(thin.columns["age"].values) <= set(whole.columns["age"].values)
