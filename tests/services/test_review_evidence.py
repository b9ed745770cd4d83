"""What a reviewer looks at, from a real training on a portfolio with dated outcomes."""

from __future__ import annotations

import hashlib
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import binomtest
from sklearn.metrics import roc_auc_score
from sqlalchemy.orm import Session

from app.db import open_session
from app.domain.scorecard import default_card, load_scorecard
from app.errors import InvalidInputError
from app.lake.store import open_lake
from app.queries.models import require_model
from app.services.batch_service import BatchService
from app.services.label_generation_service import LabelGenerationService
from app.services.model_training_service import ModelTrainingService
from app.services.outcome_service import OutcomeService
from app.services.scorecard_version_service import ScorecardVersionService
from app.services.store import initialise_store
from tests.support.small_portfolio import THROUGH, write_portfolio

pytestmark = pytest.mark.slow
ON_SQLITE = pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)


def _drafted(db: Session, folder: Path) -> tuple[ScorecardVersionService, str, str]:
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
    service = ScorecardVersionService(db, "ada")
    draft = service.refine_from_model(model["model_id"])
    return service, draft["version"], model["model_id"]


@ON_SQLITE
def test_the_evidence_of_a_models_draft(store_url: str, tmp_path: Path) -> None:
    card = load_scorecard(write_portfolio(tmp_path / "card").card)
    initialise_store(card=card, actor="ada")
    with open_session(store_url) as db:
        service, version, model_id = _drafted(db, tmp_path / "files")
        found = service.review_evidence(version)
        key = service.review_key(version)
        assert service.review_key(version) == key
        model = require_model(db, model_id)
        table = open_lake().read_table(model.validation_path, model.validation_hash)

        bad = table["bad"].to_numpy()
        for name, column in (("old", "score_baseline"), ("new", "score_refined")):
            area = roc_auc_score(bad, -table[column].to_numpy())
            assert found["roc"][name]["auc_roc"] == pytest.approx(area, abs=1e-12)
            assert found["discrimination"][name]["auc_roc"] == pytest.approx(area, abs=1e-12)
            stored = model.metrics["baseline" if name == "old" else "refined"]
            assert found["distributions"][name]["gap"] == pytest.approx(stored["ks"], abs=1e-9)
        assert found["calibration"]["n_bad"] == bad.sum()
        months = table["scored_at"].to_numpy().astype("datetime64[M]").astype(str)
        assert [one["name"] for one in found["periods"]["periods"]] == sorted(set(months.tolist()))

        _check_path(found, service.get_version(version))
        _check_movers(found)
        for one in found["swap_sets"]["tables"]:
            group = one["declined_by_both"]
            expected = binomtest(group["n_bad"], group["n"]).proportion_ci(method="wilson")
            assert group["bad_rate_interval"] == pytest.approx([expected.low, expected.high])
        _check_lineage(found["lineage"], version, model_id)
        assert found["not_available"] == []

        BatchService(db, "ada").withdraw("B1", reason="wrong file")
        assert service.review_key(version) != key


def _check_path(found: dict, version: dict) -> None:
    path, features = found["path"], found["features"]
    assert [step["t"] for step in path["steps"]] == sorted(
        {*np.round(np.arange(21) / 20, 2).tolist(), path["t"]}
    )
    first = path["steps"][0]
    assert first["band_shares"] == pytest.approx(found["movement"]["band_shares"]["old"])
    assert first["auc_roc"] == pytest.approx(found["discrimination"]["old"]["auc_roc"])
    chosen = next(step for step in path["steps"] if step["t"] == path["t"])
    gates = {gate["gate"]: gate["value"] for gate in version["gates"]}
    assert chosen["weight_change"] == pytest.approx(gates["weight_change"], abs=1e-3)
    for name, weight in chosen["weights"].items():
        low, high = features[name]["guard_rail"]
        assert low - 1e-6 <= weight <= high + 1e-6
    for step in path["steps"]:
        moved = [
            abs(step["band_shares"][b] - first["band_shares"][b]) for b in first["band_shares"]
        ]
        assert sum(moved) / 2 == pytest.approx(step["band_stability"], abs=1e-12)


def _check_movers(found: dict) -> None:
    movers = found["movers"]
    assert len(movers) == 10
    assert len({one["party_id"] for one in movers}) == 10
    sizes = [abs(one["change"]) for one in movers]
    assert max(abs(found["shift"]["lowest"]), found["shift"]["highest"]) == sizes[0]
    assert all(later <= earlier + 1 for earlier, later in pairwise(sizes))
    for one in movers:
        for side in ("old", "new"):
            total = 300 + sum(one[side]["contributions"].values())
            assert one[side]["score"] == np.floor(total + 0.5)
        assert one["outcome"] in {"good", "bad", "immature"}


def _check_lineage(lineage: dict, version: str, model_id: str) -> None:
    assert lineage["version"]["version"] == version
    assert lineage["model"]["model_id"] == model_id
    assert lineage["baseline"]["version"] == lineage["expert"]["version"] == "v1"
    label_set = lineage["label_sets"][0]
    assert (label_set["outcome_type"], label_set["data_through"]) == ("default", THROUGH)
    assert [file["what"].split()[0] for file in lineage["files"]] == [
        "batch",
        "outcome",
        "validated",
    ]
    for file in lineage["files"]:
        place = Path(open_lake().place_of(file["file_path"]))
        assert hashlib.sha256(place.read_bytes()).hexdigest() == file["file_hash"]


@ON_SQLITE
def test_a_persons_draft_and_the_first_version(store_url: str, tmp_path: Path) -> None:
    card = load_scorecard(write_portfolio(tmp_path / "card").card)
    initialise_store(card=card, actor="ada")
    with open_session(store_url) as db:
        service, _, _ = _drafted(db, tmp_path / "files")
        mine = service.add_version(card.with_weights({"a": 45.0, "b": 35.0}))["version"]
        found = service.review_evidence(mine)
        assert found["discrimination"]["source"]["in_sample"] is True
        assert (found["path"], found["figures"]) == (None, None)
        assert len(found["movers"]) == 10
        assert found["lineage"]["model"] is None
        assert [one["number"] for one in found["lineage"]["label_sets"]] == [1]
        assert found["features"]["a"]["guard_rail"] is None
        for ask in (service.review_evidence, service.review_key):
            with pytest.raises(InvalidInputError, match="first version"):
                ask("v1")
            with pytest.raises(InvalidInputError, match="itself"):
                ask(mine, mine)
        assert service.review_evidence("v1", mine)["new"]["version"] == "v1"


def test_without_any_batch_the_evidence_says_what_is_missing(sqlite_db: Session) -> None:
    service = ScorecardVersionService(sqlite_db, "ada")
    service.add_version(default_card().with_weights({"kyc_verified": 16.0}))
    found = service.review_evidence("v2")
    assert [found[part] for part in ("roc", "calibration", "shift", "movers")] == [None] * 4
    assert len(found["not_available"]) == 4
    assert found["lineage"]["files"] == []
