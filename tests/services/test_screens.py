"""A model whose screens rest on drawn rows says so in its evidence, and is replayed alike."""

from __future__ import annotations

import shutil

import pytest

from app.db import open_session
from app.domain import headroom
from app.domain.scorecard import load_scorecard
from app.services import recorded_columns
from app.services.batch_service import BatchService
from app.services.label_generation_service import LabelGenerationService
from app.services.model_training_service import ModelTrainingService
from app.services.outcome_service import OutcomeService
from app.services.replay_service import ReplayService
from app.services.scorecard_version_service import ScorecardVersionService
from app.services.store import initialise_store
from tests.support.small_portfolio import CARD, THROUGH, write_portfolio


@pytest.fixture
def db(sqlite_template, home, tmp_path):
    home.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(sqlite_template, home / "chancellor.db")
    initialise_store(card=load_scorecard(CARD), actor="analyst")
    files = write_portfolio(tmp_path / "B1", "adopts")
    with open_session() as session:
        BatchService(session).import_file(
            files.batch, batch_id="B1", party_id="party", scored_at="scored"
        )
        OutcomeService(session).import_events(
            files.outcomes, party_id="party", event_date="written_off", event_type="write_off",
            through=THROUGH,
        )  # fmt: skip
        LabelGenerationService(session).generate_labels("B1")
        yield session


def test_below_the_sizes_nothing_is_said(db):
    validation = ModelTrainingService(db).train_model("B1")["validation"]
    assert "screens" not in validation
    assert not any("screens" in limit for limit in validation["limits"])


@pytest.mark.slow
def test_above_them_the_evidence_names_the_rows_and_a_replay_draws_them_again(db, monkeypatch):
    whole = ModelTrainingService(db).train_model("B1", seed=5)
    monkeypatch.setattr(headroom, "MAX_ROWS", 700)
    monkeypatch.setattr(recorded_columns, "MAX_ROWS", 400)
    model = ModelTrainingService(db).train_model("B1", seed=5)
    screens = model["validation"]["screens"]
    n_train, n_test = screens["headroom"]["n_train"], screens["headroom"]["n_test"]
    assert screens["leakage"]["n_rows"] == pytest.approx(400, abs=1)
    assert n_train + n_test == pytest.approx(700, abs=2)
    (said,) = (limit for limit in model["validation"]["limits"] if "screens" in limit)
    for n in (model["validation"]["n_rows"], screens["leakage"]["n_rows"], n_train, n_test):
        assert f"{n:,}" in said
    assert model["parameters"] == whole["parameters"]
    assert {**model["metrics"], "headroom": None} == {**whole["metrics"], "headroom": None}
    draft = ScorecardVersionService(db).refine_from_model(
        model_id=model["model_id"], despite_advice=True
    )
    found = ReplayService(db).replay_version(draft["version"])
    assert found["outcome"] == "equal", found["sentence"]
