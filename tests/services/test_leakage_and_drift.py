"""The leakage check and the drift report in the result of a training, on real loans."""

from __future__ import annotations

import pytest
import yaml

from app.db import open_session
from app.domain.scorecard import Scorecard
from app.services.batch_service import BatchService
from app.services.label_generation_service import LabelGenerationService
from app.services.model_training_service import ModelTrainingService
from app.services.outcome_service import OutcomeService
from app.services.store import initialise_store

TERM = {"weight": 10, "transform": {"kind": "linear", "worst": 0, "best": 300}, "missing": 0.0}


def trained(shared_data, shared_cards, *, with_term, validation="auto"):
    document = yaml.safe_load((shared_cards / "sba_case.yaml").read_text())
    if with_term:
        document["features"]["Term"] = {**TERM, "reason": "Short term"}
    initialise_store(card=Scorecard.from_document(document), actor="analyst")
    file = shared_data / "sba_case/sba_case.csv"
    with open_session() as db:
        BatchService(db, actor="analyst").import_file(
            file, batch_id="B", party_id="LoanNr_ChkDgt", scored_at="ApprovalDate"
        )
        OutcomeService(db, actor="analyst").import_events(
            file, party_id="LoanNr_ChkDgt", event_date="ChgOffDate", event_type="write_off",
            through="2014-08-31",
        )  # fmt: skip
        LabelGenerationService(db, actor="analyst").generate_labels(
            "B", observation_window_days=1825
        )
        return ModelTrainingService(db, actor="analyst").train_model("B", validation=validation)


@pytest.mark.slow
def test_a_term_that_was_changed_after_the_outcome_is_named_beside_the_card(
    home, shared_data, shared_cards
):
    found = trained(shared_data, shared_cards, with_term=False)
    signs = {sign["feature"]: sign for sign in found["validation"]["leakage"]}
    assert signs["Term"]["kind"] == "values_cluster_by_label"
    assert not any(sign["is_on_card"] for sign in signs.values())
    assert set(signs) == {"Term", "ChgOffDate", "MIS_Status", "ChgOffPrinGr", "daysterm", "Default"}
    (warning,) = [text for text in found["warnings"] if "leak" in text]
    assert "Term" in warning
    drift = found["validation"]["drift"]
    assert drift["was_compared"]
    assert {"baseline", "refined"} <= set(drift["differs"])
    assert drift["sentence"] in found["warnings"]
    years = {period["period"]: period for period in drift["periods"]}
    assert 10 * years["2001"]["bad_rate"] < years["2007"]["bad_rate"]


@pytest.mark.slow
def test_the_same_term_planted_on_the_card_is_a_warning_and_never_a_gate(
    home, shared_data, shared_cards
):
    found = trained(
        shared_data, shared_cards, with_term=True, validation="cross_validation"
    )  # fmt: skip
    first = found["validation"]["leakage"][0]
    assert (first["feature"], first["is_on_card"]) == ("Term", True)
    assert first["value"] > 0.6
    assert found["warnings"][0].startswith("Term is a whole multiple of 12 for ")
    assert "leakage" not in {gate["gate"] for gate in found["gates"]}
    assert found["advice"] == "adopt"
    assert found["validation"]["drift"]["was_compared"] is False
