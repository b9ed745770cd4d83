"""Same inputs and seed: the same model, weights and hashes, shuffled, and on both databases."""

from __future__ import annotations

import csv

import numpy as np
import pytest

from app.db import open_session
from app.services.batch_service import BatchService
from app.services.label_generation_service import LabelGenerationService
from app.services.model_training_service import ModelTrainingService
from app.services.outcome_service import OutcomeService
from app.services.scorecard_version_service import ScorecardVersionService
from tests.support.default_portfolio import default_portfolio

pytestmark = pytest.mark.slow

_seen: dict[str, dict[str, object]] = {}


def shuffled(path):
    with path.open() as file:
        header, *rows = list(csv.reader(file))
    order = np.random.default_rng(1).permutation(len(rows))
    target = path.with_name(f"shuffled-{path.name}")
    with target.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows[i] for i in order)
    return target


@pytest.mark.parametrize("prepare", [lambda path: path, shuffled], ids=["as is", "shuffled"])
def test_hashes_do_not_depend_on_row_order_or_database(store, tmp_path, prepare):
    files = default_portfolio(tmp_path / "files")
    with open_session() as db:
        batch = BatchService(db).import_file(
            prepare(files.batch), batch_id="B", party_id="party_id", scored_at="scored_at"
        )
        OutcomeService(db).import_events(
            prepare(files.outcomes), party_id="party_id", event_date="event_date",
            event_type="event_type", days_past_due="days_past_due", through=files.through,
        )  # fmt: skip
        labels = LabelGenerationService(db).generate_labels("B")
        model = ModelTrainingService(db).train_model("B", seed=3)
        draft = ScorecardVersionService(db).refine_from_model(model_id=model["model_id"])
    found = {
        "batch": batch["file_hash"],
        "labels": (labels["n_bad"], labels["n_good"], labels["n_immature"]),
        "model": model["content_hash"],
        "validated rows": model["validation_hash"],
        "weights": {name: f["new_weight"] for name, f in draft["features"].items()},
        "content": draft["content_hash"],
    }
    assert found == _seen.setdefault("first", found)
