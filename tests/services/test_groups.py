"""Columns declared as groups are kept, and never scored, trained on or searched for leaks."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from app.domain.scorecard import load_scorecard
from app.errors import ConflictError, IntakeError, InvalidInputError
from app.services.batch_service import BatchService
from app.services.label_generation_service import LabelGenerationService
from app.services.model_training_service import ModelTrainingService
from app.services.outcome_service import OutcomeService
from app.services.scorecard_version_service import ScorecardVersionService
from app.services.scoring_service import ScoringService
from tests.support.portfolio import store_with_card
from tests.support.small_portfolio import CARD, THROUGH, SmallPortfolio, write_portfolio

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


def read_rows(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))


def with_column(files: SmallPortfolio, name: str, value_of: Any) -> Path:
    """Write the batch anew with one more column."""
    rows = read_rows(files.batch)
    path = files.batch.with_name("grouped.csv")
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [*rows[0], name])
        writer.writeheader()
        writer.writerows({**row, name: value_of(row)} for row in rows)
    return path


def test_a_group_is_kept_as_text_and_recorded(
    home: Path, sqlite_template: Path, tmp_path: Path
) -> None:
    files = write_portfolio(tmp_path / "p", n=60)
    path = with_column(files, "region", lambda row: int(row["party"][1:]) % 3 or "")
    with store_with_card(load_scorecard(CARD), home, sqlite_template) as db:
        batches = BatchService(db)
        roles = {"party_id": "party", "scored_at": "scored"}
        stored = batches.import_file(path, batch_id="B", groups=["region"], **roles)
        assert stored["groups"] == batches.get_batch("B")["groups"] == ["region"]
        assert {"name": "region", "type": "string"} in batches.get_batch("B")["columns"]
        assert batches.import_file(path, batch_id="B", groups=["region"], **roles)[
            "already_imported"
        ]
        with pytest.raises(ConflictError):
            batches.import_file(path, batch_id="B", **roles)
        for wrong in ("a", "party", "scored", "nothing"):
            with pytest.raises(IntakeError, match="--group"):
                batches.import_file(path, batch_id="C", groups=[wrong], **roles)
        many = with_column(files, "code", lambda row: row["party"])
        with pytest.raises(IntakeError, match="60 different values"):
            batches.import_file(many, batch_id="C", groups=["code"], **roles)
        # nor may a card written later read it
        card = load_scorecard(CARD.replace("  c:", "  region:"))
        with pytest.raises(InvalidInputError, match="region is declared as a group"):
            ScorecardVersionService(db, actor="ann").add_version(card)


def trained(db: Session, path: Path, files: SmallPortfolio, **options: Any) -> dict[str, Any]:
    """Import, label, train and draft; give what came of it without names and hashes."""
    BatchService(db).import_file(
        path, batch_id="B", party_id="party", scored_at="scored", **options
    )
    OutcomeService(db).import_events(
        files.outcomes, party_id="party", event_date="written_off", event_type="write_off",
        through=THROUGH,
    )  # fmt: skip
    LabelGenerationService(db).generate_labels("B")
    found = ModelTrainingService(db).train_model("B")
    draft = ScorecardVersionService(db).refine_from_model(model_id=found["model_id"])
    score = ScoringService(db).score_batch("B", version=draft["version"])
    return {
        "metrics": found["metrics"],
        "validation": {k: v for k, v in found["validation"].items() if "id" not in k},
        "warnings": found["warnings"],
        "importance": found["feature_importance"],
        "gates": draft["gates"],
        "features": draft["features"],
        "card": draft["content_hash"],
        "mean": score["mean_score"],
        "shares": score["band_shares"],
    }


@pytest.mark.slow
def test_results_with_and_without_a_group_that_knows_the_outcome_are_identical(
    home: Path, sqlite_template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = write_portfolio(tmp_path / "p", n=900)
    bad = {row["party"] for row in read_rows(files.outcomes)}
    path = with_column(files, "knows", lambda row: "yes" if row["party"] in bad else "no")
    card, found = load_scorecard(CARD), {}
    for name, file, options in (
        ("without", files.batch, {}),
        ("group", path, {"groups": ["knows"]}),
        ("column", path, {}),
    ):
        monkeypatch.setenv("CHANCELLOR_HOME", str(home / name))
        with store_with_card(card, home / name, sqlite_template) as db:
            found[name] = trained(db, file, files, **options)
    assert found["group"] == found["without"]
    assert any("knows" in warning for warning in found["column"]["warnings"])
