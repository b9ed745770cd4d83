"""What a reviewer sees of two versions, from real training on a small simulated portfolio."""

from __future__ import annotations

import csv
from datetime import date, timedelta

import numpy as np
import pytest

from app.db import open_session
from app.domain.scorecard import default_card, load_scorecard
from app.errors import FileHashError, InvalidInputError, NotFoundError
from app.lake.store import open_lake
from app.queries.models import require_model
from app.services.batch_service import BatchService
from app.services.label_generation_service import LabelGenerationService
from app.services.model_training_service import ModelTrainingService
from app.services.outcome_service import OutcomeService
from app.services.scorecard_version_service import ScorecardVersionService
from app.services.store import initialise_store

BANDS = "{poor: 300, fair: 550, good: 650, excellent: 750}"
CARD_TEXT = f"""
name: Three features
bands: {BANDS}
features:
  age: {{weight: 40, transform: {{kind: linear, worst: 0, best: 1}}}}
  debt: {{weight: 40, transform: {{kind: linear, worst: 1, best: 0}}}}
  region:
    weight: 20
    transform: {{kind: categories, values: {{north: 1, south: 0}}, other: 0.5}}
"""
CARD = load_scorecard(CARD_TEXT)
N = 900


ON_SQLITE = pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)
"""For what does not depend on the database once the figures are the same on both."""


@pytest.fixture
def portfolio(tmp_path):
    """Write parties whose debt matters much more, and whose age much less, than the card says."""
    rng = np.random.default_rng(11)
    age, debt = rng.random(N), rng.random(N)
    region = rng.choice(["north", "south", "east"], N)
    log_odds = -1.6 - 0.6 * (age - 0.5) + 3.2 * (debt - 0.5) - 0.8 * (region == "north")
    bad = rng.random(N) < 1 / (1 + np.exp(-log_odds))
    file = tmp_path / "parties.csv"
    with file.open("w", newline="", encoding="utf-8") as handle:
        writer = csv.writer(handle)
        writer.writerow(["id", "age", "debt", "region", "bad", "day"])
        for row in zip(range(N), age, debt, region, bad, strict=True):
            day = date(2025, 1, 1) + timedelta(days=row[0] // 3)
            writer.writerow([row[0], f"{row[1]:.6f}", f"{row[2]:.6f}", row[3], int(row[4]), day])
    return file


def _fill(db, portfolio, scored_at="2025-01-15"):
    BatchService(db, "ada").import_file(
        portfolio, batch_id="B1", party_id="id", scored_at=scored_at
    )
    OutcomeService(db, "ada").import_flags(
        portfolio, batch_id="B1", party_id="id", flag="bad", bad="1"
    )
    LabelGenerationService(db, "ada").generate_labels("B1", outcome_type="final_flag")
    model = ModelTrainingService(db, "ada").train_model("B1")
    service = ScorecardVersionService(db, "ada")
    draft = service.refine_from_model(model["model_id"], despite_advice=True)
    return model, draft["version"], service


@pytest.fixture
def filled(store_url, portfolio):
    """Go the whole way to a draft, on both databases."""
    initialise_store(card=CARD, actor="ada")
    with open_session(store_url) as db:
        yield db, *_fill(db, portfolio)


def test_a_comparison_shows_what_the_model_and_its_draft_showed(filled):
    _, model, draft, service = filled
    found = service.compare_versions("v1", draft, cut_off=650)

    # the figures of the registry and of the comparison are one and the same
    figures = found["discrimination"]
    for name, card in (("old", "baseline"), ("new", "refined")):
        stored = model["metrics"][card]
        for key in ("auc_roc", "gini", "ks", "brier"):
            assert figures[name][key] == pytest.approx(stored[key], abs=1e-9), (card, key)
        assert figures[name]["auc_roc_interval"] == pytest.approx(stored["auc_roc_interval"])
    assert figures["auc_roc_difference"] == pytest.approx(model["metrics"]["gain"])
    assert figures["n_parties"] == N
    assert "out-of-fold" in figures["source"]["cards"]
    assert figures["source"]["in_sample"] is False

    # and so are those of the final card
    movement = found["movement"]
    verdicts = {gate["gate"]: gate for gate in found["gates"]}
    assert movement["n_rows"] == N
    assert movement["score_correlation"] == pytest.approx(verdicts["score_correlation"]["value"])
    assert movement["band_shift"] == pytest.approx(verdicts["band_stability"]["value"])
    assert "final cards" in movement["source"]["cards"]
    assert np.sum(movement["migration"]["counts"]) == N

    assert found["features"]["debt"]["new_weight"] > found["features"]["debt"]["old_weight"]
    for feature in found["features"].values():
        low, high = feature["data_only_interval"]
        assert low < feature["data_only_weight"] < high
        assert feature["change"] == pytest.approx(feature["new_weight"] / feature["old_weight"] - 1)
    assert [table["at"] for table in found["swap_sets"]["tables"]] == ["fair", "good", "excellent"]
    assert (
        sum(
            found["swap_sets"]["tables"][1][group]["n"]
            for group in (
                "newly_approved",
                "newly_declined",
                "approved_by_both",
                "declined_by_both",
            )
        )
        == N
    )
    at_cut = found["cut_off"]
    assert at_cut["judged"]["n_parties"] == N
    assert (
        at_cut["judged"]["swap_set"]["newly_approved"]
        == (found["swap_sets"]["tables"][1]["newly_approved"])
    )
    assert 0 < at_cut["all_rows"]["approval_rate"]["new"] < 1
    assert found["advice"]["model_id"] == model["model_id"]
    assert found["not_available"] == []
    assert found["limits"] == []  # scored on one day: not shuffled across dates
    assert found["new"]["review_hash"] == service.get_version(draft)["review_hash"]


@ON_SQLITE
def test_the_other_way_round_only_the_sides_change(filled):
    _, _, draft, service = filled
    there, back = service.compare_versions("v1", draft), service.compare_versions(draft, "v1")
    assert back["discrimination"]["old"] == there["discrimination"]["new"]
    assert back["discrimination"]["auc_roc_difference"] == pytest.approx(
        -there["discrimination"]["auc_roc_difference"]
    )
    assert back["features"]["debt"]["binding"] == there["features"]["debt"]["binding"]


@ON_SQLITE
def test_versions_that_no_model_made_of_one_another_are_compared_in_sample(filled):
    _, _, draft, service = filled
    card = CARD.with_weights({"age": 30.0, "debt": 45.0, "region": 25.0})
    mine = service.add_version(card, note="debt counts more")
    assert {gate["gate"] for gate in mine["gates"]} == {
        "weight_change",
        "score_correlation",
        "band_stability",
        "cumulative_change",
    }
    found = service.compare_versions(mine["version"], draft)
    assert found["discrimination"]["source"]["in_sample"] is True
    assert any("In-sample" in limit for limit in found["limits"])
    lacking = {entry["what"] for entry in found["not_available"]}
    assert lacking == {"binding constraints", "figures on rows that neither card saw"}
    assert found["features"]["age"]["data_only_weight"] is not None
    assert found["features"]["age"]["binding"] is None

    plain = service.compare_versions("v1", mine["version"])
    assert "data-only weights, binding constraints" in {
        entry["what"] for entry in plain["not_available"]
    }
    assert plain["discrimination"]["old"]["auc_roc"] == pytest.approx(
        found["discrimination"]["old"]["auc_roc"], abs=0.1
    )
    verdicts = {gate["gate"]: gate["value"] for gate in mine["gates"]}
    assert plain["movement"]["band_shift"] == pytest.approx(verdicts["band_stability"])


@ON_SQLITE
def test_a_card_with_other_features_and_bands_is_compared_as_far_as_it_goes(filled):
    _, _, _, service = filled
    other = load_scorecard("""
    name: Two features
    bands: {no: 300, yes: 600}
    features:
      debt: {weight: 1, transform: {kind: linear, worst: 1, best: 0}}
      income: {weight: 1, transform: {kind: linear, worst: 0, best: 1}, missing: 0.5}
    """)
    added = service.add_version(other)
    assert {gate["gate"]: gate["verdict"] for gate in added["gates"]} == {
        "weight_change": "fail",
        "cumulative_change": "fail",
    }
    found = service.compare_versions("v1", added["version"])
    assert found["features"]["age"]["new_weight"] is None
    assert found["features"]["income"]["change"] is None
    assert found["discrimination"] is None
    assert found["movement"] is None
    assert any("income" in entry["why"] for entry in found["not_available"])


@ON_SQLITE
def test_where_dates_decided_the_tables_say_from_when_on_the_rows_are(store_url, portfolio):
    initialise_store(card=CARD, actor="ada")
    with open_session(store_url) as db:
        model, draft, service = _fill(db, portfolio, scored_at="day")
        found = service.compare_versions("v1", draft)
    assert model["validation"]["mode"] == "out_of_time"
    figures = found["discrimination"]
    assert figures["n_parties"] == model["metrics"]["n_validated"] < N
    assert f"scored after {model['validation']['cut']}" in figures["source"]["rows"]
    assert "training part" in figures["source"]["cards"]
    assert figures["new"]["auc_roc"] == pytest.approx(model["metrics"]["refined"]["auc_roc"])
    assert found["movement"]["n_rows"] == N


@ON_SQLITE
def test_cards_without_a_common_band_have_no_swap_set_at_a_boundary(filled):
    _, _, _, service = filled
    bands = {"low": 300, "high": 600}
    service.add_version(load_scorecard(CARD_TEXT.replace(BANDS, str(bands).replace("'", ""))))
    found = service.compare_versions("v1", "v3", cut_off=600)
    assert found["swap_sets"] is None
    assert "swap sets" in [entry["what"] for entry in found["not_available"]]
    assert found["cut_off"]["judged"]["old"] == found["cut_off"]["judged"]["new"]


@ON_SQLITE
def test_an_altered_file_of_validated_rows_is_named(filled):
    db, model, draft, service = filled
    row = require_model(db, model["model_id"])
    file = open_lake().place_of(row.validation_path)
    with open(file, "r+b") as handle:  # noqa: PTH123 - the lake gives a plain path
        handle.seek(100)
        handle.write(b"\x00\x01\x02")
    with pytest.raises(FileHashError, match="validation"):
        service.compare_versions("v1", draft)


def test_without_any_batch_the_comparison_says_what_is_missing(db):
    service = ScorecardVersionService(db, "ada")
    service.add_version(default_card().with_weights({"kyc_verified": 16.0}))
    found = service.compare_versions("v1", "v2", cut_off=600)
    assert (found["discrimination"], found["movement"], found["swap_sets"]) == (None, None, None)
    assert found["cut_off"] == {"cut_off": 600, "judged": None, "all_rows": None}
    assert len(found["not_available"]) == 3
    assert found["features"]["kyc_verified"]["change"] == pytest.approx(16 / 121 / (15 / 120) - 1)


@pytest.mark.parametrize("cut_off", [299, 901])
def test_a_cut_off_outside_the_scores_is_refused(db, cut_off):
    service = ScorecardVersionService(db, "ada")
    service.add_version(default_card().with_weights({"kyc_verified": 16.0}))
    with pytest.raises(InvalidInputError, match="300 to 900"):
        service.compare_versions("v1", "v2", cut_off=cut_off)


def test_a_version_is_not_compared_with_itself_or_with_nothing(db):
    service = ScorecardVersionService(db, "ada")
    with pytest.raises(InvalidInputError, match="itself"):
        service.compare_versions("v1", "v1")
    with pytest.raises(NotFoundError):
        service.compare_versions("v1", "v9")
