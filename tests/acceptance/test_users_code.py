"""The code of design.md, section 9, as users wrote it, on data that adopts."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from app.db import open_session
from app.models import Batch, GroundTruthLabel, ModelRegistry, ScorecardVersion
from app.services.batch_service import BatchService
from app.services.label_generation_service import LabelGenerationService
from app.services.model_training_service import ModelTrainingService
from app.services.outcome_service import OutcomeService
from app.services.scorecard_version_service import ScorecardVersionService
from app.settings import get_settings
from tests.support.default_portfolio import default_portfolio


@pytest.fixture
def loaded(store, tmp_path):
    """Import a simulated portfolio of the default card as BATCH_001, with its outcomes."""
    files = default_portfolio(tmp_path / "files")
    with open_session() as db:
        BatchService(db).import_file(
            files.batch, batch_id="BATCH_001", party_id="party_id", scored_at="scored_at"
        )
        OutcomeService(db).import_events(
            files.outcomes, party_id="party_id", event_date="event_date",
            event_type="event_type", days_past_due="days_past_due", through=files.through,
        )  # fmt: skip
    return store


@pytest.mark.slow
def test_the_snippets_run_as_written(loaded):

    engine = create_engine(get_settings().database_url)
    db = Session(engine)

    label_service = LabelGenerationService(db)
    labels = label_service.generate_labels(
        batch_id="BATCH_001", outcome_type="default", observation_window_days=180
    )
    for key in (
        "label_set_id", "batch_id", "outcome_type", "n_parties", "n_labelled", "n_bad", "n_good",
        "n_indeterminate", "n_excluded", "n_immature", "default_rate", "data_through", "gates",
    ):  # fmt: skip
        assert key in labels
    assert 0.05 < labels["default_rate"] < 0.5

    training_service = ModelTrainingService(db)
    result = training_service.train_model(batch_id="BATCH_001", model_type="logistic_regression")
    assert result["metrics"]["auc_roc"] > 0.60
    assert type(result["metrics"]["auc_roc"]) is float
    assert result["passed"]
    assert result["advice"] == "adopt"

    version_service = ScorecardVersionService(db)
    draft = version_service.refine_from_model(model_id=result["model_id"], base_version="v1")
    assert draft["status"] == "draft"
    assert draft["version"] == "ml_v2"
    comparison = version_service.compare_versions("v1", "ml_v2")
    assert comparison["features"]["kyc_verified"]["old_weight"] == 15
    version_service.activate_version("ml_v2")
    weight = version_service.get_version("v1")["features"]["kyc_verified"]["weight"]
    assert weight == 15

    with Session(engine) as other:
        active = other.query(ScorecardVersion).filter_by(status="active").all()
        assert [version.version for version in active] == ["ml_v2"]
        model = other.query(ModelRegistry).filter_by(id=result["model_id"]).one()
        assert model.batch_id == "BATCH_001"
        label = other.query(GroundTruthLabel).filter_by(status="bad").first()
        assert label.label_value == 1
        assert isinstance(label.event_date, date)
        assert (label.event_date - label.scored_at.date()).days <= 180
    db.close()
    engine.dispose()


def test_settings_name_the_database_by_a_full_absolute_url(home, monkeypatch):

    monkeypatch.setenv("CHANCELLOR_HOME", "relative")
    url = get_settings().database_url
    assert url == f"sqlite:///{Path.cwd() / 'relative' / 'chancellor.db'}"


def test_open_session_finds_the_store_of_the_settings(loaded):

    with open_session() as db:
        assert [batch.batch_id for batch in db.query(Batch)] == ["BATCH_001"]
