"""A draft whose files were withdrawn is approved and activated only by whoever says so by name."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from app.db import open_session
from app.domain.scorecard import load_scorecard
from app.errors import ConflictError, InvalidInputError
from app.lake.store import open_lake
from app.services.batch_service import BatchService
from app.services.label_generation_service import LabelGenerationService
from app.services.model_training_service import ModelTrainingService
from app.services.outcome_service import OutcomeService
from app.services.overview_service import OverviewService
from app.services.scorecard_version_service import ScorecardVersionService
from app.services.store import initialise_store
from tests.support.small_portfolio import THROUGH, write_portfolio

pytestmark = pytest.mark.slow
NAME = "withdrawn_evidence"


def _drafted(db: Session, folder: Path) -> None:
    files = write_portfolio(folder)
    BatchService(db, "ada").import_file(
        files.batch, batch_id="B1", party_id="party", scored_at="scored"
    )
    OutcomeService(db, "ada").import_events(
        files.outcomes,
        party_id="party",
        event_date="written_off",
        event_type="write_off",
        through=THROUGH,
    )
    LabelGenerationService(db, "ada").generate_labels("B1")
    model = ModelTrainingService(db, "ada").train_model("B1")
    ScorecardVersionService(db, "ada").refine_from_model(model["model_id"])


def _withdraw(db: Session, what: str) -> None:
    if what == "outcome import 1":
        OutcomeService(db, "ada").withdraw(1, reason="half the file was missing")
    else:
        BatchService(db, "ada").withdraw("B1", reason="the wrong branch")


@pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("what", ["batch B1", "outcome import 1"])
def test_withdrawn_evidence_is_acknowledged_by_name(
    store_url: str, tmp_path: Path, what: str
) -> None:
    card = load_scorecard(write_portfolio(tmp_path / "card").card)
    initialise_store(card=card, actor="ada")
    with open_session(store_url) as db:
        _drafted(db, tmp_path / "files")
        joe, grace = (ScorecardVersionService(db, name) for name in ("joe", "grace"))
        with pytest.raises(InvalidInputError, match=f"{NAME}: not a gate"):
            joe.approve("ml_v2", reason="ok", acknowledge=[NAME])
        assert joe.approve("ml_v2", reason="ok")["status"] == "approved"

        _withdraw(db, what)
        shown = grace.get_version("ml_v2")
        assert shown["to_acknowledge"] == [NAME]
        assert shown["approvals"]["given"] == 0
        assert OverviewService(db, "grace", open_lake()).list_drafts()[0]["is_mine"]
        for step in (lambda: grace.approve("ml_v2", reason="ok"),
                     lambda: grace.activate_version("ml_v2")):  # fmt: skip
            with pytest.raises(ConflictError, match=f"Withdrawn since .*: {what}; .*{NAME}"):
                step()
        said = joe.approve("ml_v2", reason="the other half agrees", acknowledge=[NAME])
        assert said["approvals"]["by"] == ["joe"]
        decided = grace.activate_version("ml_v2", acknowledge=[NAME])
        assert (decided["status"], decided["acknowledged"]) == ("active", [NAME])
