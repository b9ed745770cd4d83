"""Above the row limit a training rests on a drawn sample, says so, and is computed again alike."""

from __future__ import annotations

import shutil

import numpy as np
import pytest

from app.db import open_session
from app.domain.scorecard import load_scorecard
from app.models import ModelRegistry
from app.services.batch_service import BatchService
from app.services.label_generation_service import LabelGenerationService
from app.services.model_training_service import ModelTrainingService
from app.services.outcome_service import OutcomeService
from app.services.replay_service import ReplayService
from app.services.scorecard_version_service import ScorecardVersionService
from app.services.store import initialise_store
from tests.support.small_portfolio import CARD, THROUGH, write_portfolio

pytestmark = pytest.mark.slow


@pytest.fixture
def db(sqlite_template, home, tmp_path):
    home.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(sqlite_template, home / "chancellor.db")
    initialise_store(card=load_scorecard(CARD), actor="analyst")
    with open_session() as session:
        _label(session, tmp_path)
        yield session


def _label(db, folder):
    files = write_portfolio(folder / "B1", "adopts")
    BatchService(db).import_file(files.batch, batch_id="B1", party_id="party", scored_at="scored")
    OutcomeService(db).import_events(
        files.outcomes, party_id="party", event_date="written_off", event_type="write_off",
        through=THROUGH,
    )  # fmt: skip
    LabelGenerationService(db).generate_labels("B1")


def _train(db, monkeypatch, limit):
    monkeypatch.setenv("CHANCELLOR_TRAINING_ROWS", str(limit))
    return ModelTrainingService(db).train_model(batch_id="B1", seed=5)


def test_below_the_limit_nothing_changes(db, monkeypatch):
    first = _train(db, monkeypatch, 1_000_000)
    n = first["validation"]["n_rows"]
    at_limit = _train(db, monkeypatch, n)
    assert (at_limit["input_hash"], at_limit["content_hash"]) == (
        first["input_hash"],
        first["content_hash"],
    )
    assert "sampling" not in at_limit["validation"]


def test_above_it_the_model_says_what_it_rests_on_and_agrees_with_all_rows(db, monkeypatch):
    everyone = _train(db, monkeypatch, 1_000_000)
    n = everyone["validation"]["n_rows"]
    model = _train(db, monkeypatch, n // 2)
    drawn = model["validation"]["sampling"]
    assert (drawn["n_rows"], drawn["n_bad_rows"]) == (n, everyone["n_bad"])
    assert drawn["n_drawn"] == model["validation"]["n_rows"] == pytest.approx(n / 2, abs=10)
    assert model["n_labelled"] == drawn["n_drawn"]
    total = (
        drawn["weight_good"] * (drawn["n_drawn"] - drawn["n_bad_drawn"])
        + drawn["weight_bad"] * drawn["n_bad_drawn"]
    )
    assert total == pytest.approx(n)
    assert any("stands for" in limit for limit in model["validation"]["limits"])
    part, full = model["parameters"], everyone["parameters"]
    apart = np.subtract(part["data_only"]["coefficients"], full["data_only"]["coefficients"])
    assert (np.abs(apart) < 3 * np.array(part["data_only"]["standard_errors"])).all()
    assert part["intercept"] == pytest.approx(full["intercept"], abs=0.6)
    assert model["input_hash"] != everyone["input_hash"]
    again = _train(db, monkeypatch, n // 2)
    assert again["content_hash"] == model["content_hash"]


def test_a_model_of_drawn_rows_is_replayed_under_another_limit(db, monkeypatch):
    model = _train(db, monkeypatch, 700)
    draft = ScorecardVersionService(db).refine_from_model(
        model_id=model["model_id"], despite_advice=True
    )
    monkeypatch.delenv("CHANCELLOR_TRAINING_ROWS")
    found = ReplayService(db).replay_version(draft["version"])
    assert found["outcome"] == "equal", found["sentence"]
    assert db.get_one(ModelRegistry, model["model_id"]).validation["sampling"]["limit"] == 700
