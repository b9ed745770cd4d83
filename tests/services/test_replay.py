"""What was decided is computed again from the record: equal, tampered with, or said to differ."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session

from app.db import close_engine, open_session, transaction
from app.domain import training
from app.domain.scorecard import load_scorecard
from app.errors import FileHashError, OpenTransactionError, TamperingError
from app.lake.store import open_lake
from app.models import OutcomeImport
from app.services import library_versions, replay_service
from app.services.audit_service import AuditService
from app.services.batch_service import BatchService
from app.services.decision_service import DecisionService
from app.services.label_generation_service import LabelGenerationService
from app.services.model_training_service import ModelTrainingService
from app.services.outcome_service import OutcomeService
from app.services.policy_service import PolicyService
from app.services.replay_service import ReplayService
from app.services.scorecard_version_service import ScorecardVersionService
from app.services.store import initialise_store
from app.settings import get_settings
from tests.support.small_portfolio import CARD, THROUGH, write_portfolio

PARTS = {
    "label counts", "labels", "parameters", "feature_importance", "metrics", "validation",
    "warnings", "status", "advice", "gates", "validated rows", "content hash", "weights",
    "evidence", "evidence hash",
}  # fmt: skip


@pytest.fixture
def db(store_url: str) -> Iterator[Session]:
    """Initialise a store with the small card, on each database, and open a session."""
    initialise_store(card=load_scorecard(CARD), actor="analyst")
    with open_session(store_url) as session:
        yield session


@pytest.fixture
def sqlite_db(sqlite_template: Path, home: Path) -> Iterator[Session]:
    """Do the same on SQLite only."""
    home.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(sqlite_template, home / "chancellor.db")
    initialise_store(card=load_scorecard(CARD), actor="analyst")
    with open_session() as session:
        yield session


def _import(
    db: Session, folder: Path, batch_id: str = "B1", truth: str = "adopts", **how: Any
) -> None:
    files = write_portfolio(folder / batch_id, truth, **how)
    BatchService(db, actor="analyst").import_file(
        files.batch, batch_id=batch_id, party_id="party", scored_at="scored"
    )
    OutcomeService(db, actor="analyst").import_events(
        files.outcomes, party_id="party", event_date="written_off", event_type="write_off",
        through=THROUGH,
    )  # fmt: skip


def _draft(
    db: Session, batches: str | list[str] = "B1", *, despite: bool = False, **how: Any
) -> str:
    for batch_id in [batches] if isinstance(batches, str) else batches:
        LabelGenerationService(db, actor="analyst").generate_labels(batch_id)
    model = ModelTrainingService(db, actor="analyst").train_model(batches, **how)
    made = ScorecardVersionService(db, actor="analyst").refine_from_model(
        model_id=model["model_id"], despite_advice=despite
    )
    assert made["status"] == "draft", made["advice_sentence"]
    return str(made["version"])


def _replay(db: Session, version: str) -> dict[str, Any]:
    """Replay, and hold the store and the lake against what they were before."""
    before = AuditService(db).verify()["head"], [f.path for f in open_lake().list_files()]
    found = ReplayService(db).replay_version(version)
    assert (AuditService(db).verify()["head"], [f.path for f in open_lake().list_files()]) == before
    return found


@pytest.mark.slow
def test_a_version_is_computed_again_bit_by_bit(db: Session, tmp_path: Path) -> None:
    _import(db, tmp_path)
    found = _replay(db, _draft(db, seed=7))
    assert (found["outcome"], found["libraries"]) == ("equal", [])
    assert {part["part"] for part in found["parts"]} == PARTS
    assert all(part["equal"] for part in found["parts"])
    assert "equal bit by bit" in found["sentence"]
    kept = {name: part["recorded"] for name, part in found["weights"].items()}
    assert kept == {name: part["computed"] for name, part in found["weights"].items()}
    assert sum(kept.values()) == pytest.approx(100)


@pytest.mark.slow
def test_pooled_batches_a_later_policy_and_withdrawals_change_nothing(
    sqlite_db: Session, tmp_path: Path
) -> None:
    """What came after does not count; what was withdrawn since does."""
    db = sqlite_db
    _import(db, tmp_path, "B1", n=900)
    _import(db, tmp_path, "B2", n=900, seed=8, prefix="Q")
    version = _draft(db, ["B2", "B1"])
    again = _draft(db, "B1", validation="cross_validation", despite=True)
    PolicyService(db, actor="analyst").set_policy({"min_auc_roc": 0.55})
    _import(db, tmp_path, "B3", seed=9, prefix="R", n=300)
    BatchService(db, actor="analyst").withdraw("B2", reason="wrong file")
    newest = db.query(OutcomeImport).order_by(OutcomeImport.id).first()
    OutcomeService(db, actor="analyst").withdraw(newest.id, reason="wrong file")
    assert _replay(db, version)["outcome"] == "equal"
    assert _replay(db, again)["outcome"] == "equal"


@pytest.mark.slow
def test_a_draft_despite_the_advice_is_computed_again(sqlite_db: Session, tmp_path: Path) -> None:
    _import(sqlite_db, tmp_path, truth="keeps")
    version = _draft(sqlite_db, despite=True)
    row = ScorecardVersionService(sqlite_db).get_version(version)
    assert row["despite_advice"]
    assert _replay(sqlite_db, version)["outcome"] == "equal"


def test_of_a_person_s_version_only_the_hashes_are_held(db: Session) -> None:
    found = _replay(db, "v1")
    assert (found["outcome"], found["parts"]) == ("nothing_computed", [])
    assert "nothing was computed" in found["sentence"]


def test_inside_a_transaction_nothing_is_replayed(db: Session) -> None:
    with pytest.raises(OpenTransactionError), transaction(db):
        ReplayService(db).replay_version("v1")


# Libraries and numbers that changed


@pytest.fixture(scope="module")
def trained(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Train and draft once; each test works on a copy of this home."""
    folder = tmp_path_factory.mktemp("trained")
    shutil.copyfile(sqlite_template, folder / "chancellor.db")
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("CHANCELLOR_HOME", str(folder))
        patched.delenv("CHANCELLOR_DATABASE_URL", raising=False)
        patched.delenv("CHANCELLOR_LAKE", raising=False)
        initialise_store(card=load_scorecard(CARD), actor="analyst")
        url = get_settings().database_url
        with open_session() as session:
            _import(session, folder / "files")
            assert _draft(session) == "ml_v2"
        close_engine(url)
    return folder


@pytest.fixture
def adopted(trained: Path, home: Path) -> Iterator[tuple[Session, str]]:
    shutil.copytree(trained, home, dirs_exist_ok=True)
    with open_session() as session:
        yield session, "ml_v2"


def _another_glum(monkeypatch: pytest.MonkeyPatch) -> None:
    real = library_versions.library_versions()
    monkeypatch.setattr(
        replay_service, "library_versions", lambda: real | {"glum": "99.0", "blas": "other"}
    )


def _move_the_fit(monkeypatch: pytest.MonkeyPatch, factor: float) -> None:
    """Stand in for a library that computes otherwise: each feature a little more than the last."""
    real = training.fit_anchored

    def moved(*args: Any, **options: Any) -> Any:
        fit = real(*args, **options)
        steps = factor ** np.arange(len(fit.coefficients))
        return type(fit)(
            **{name: getattr(fit, name) for name in fit.__dataclass_fields__}
            | {"coefficients": fit.coefficients * steps}
        )

    monkeypatch.setattr(training, "fit_anchored", moved)


@pytest.mark.slow
def test_another_library_that_moves_nothing_is_named(
    adopted: tuple[Session, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    _another_glum(monkeypatch)
    found = _replay(*adopted)
    assert found["outcome"] == "equal"
    assert [one["name"] for one in found["libraries"]] == ["blas", "glum"]
    assert "glum" in found["sentence"]
    assert "without moving a number" in found["sentence"]


@pytest.mark.slow
def test_a_library_that_moves_the_last_digits_leaves_weights_equal_at_two_decimals(
    adopted: tuple[Session, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    _another_glum(monkeypatch)
    _move_the_fit(monkeypatch, 1 + 1e-9)
    found = _replay(*adopted)
    assert found["outcome"] == "equal_weights"
    assert found["weights_equal_at_two_decimals"]
    assert "glum" in found["sentence"]
    assert "moved these numbers" in found["sentence"]
    moved = {part["part"]: part for part in found["parts"] if not part["equal"]}
    assert {"parameters", "content hash"} <= set(moved)
    assert 0 < moved["parameters"]["largest_move"] < 1e-6
    assert any("coefficients" in d["place"] for d in moved["parameters"]["differences"])


@pytest.mark.slow
def test_numbers_that_move_without_another_library_are_the_program_s_own(
    adopted: tuple[Session, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    _move_the_fit(monkeypatch, 0.3)
    found = _replay(*adopted)
    assert found["outcome"] == "different"
    assert not found["weights_equal_at_two_decimals"]
    assert "the program itself computes otherwise" in found["sentence"]


# Inputs that somebody changed


def _change_a_byte(place: str) -> None:
    content = bytearray(Path(place).read_bytes())
    content[len(content) // 2] ^= 1
    os.chmod(place, 0o644)  # noqa: PTH101 - the same on every system
    Path(place).write_bytes(content)


@pytest.mark.parametrize("kind", ["batches", "outcomes", "validation"])
def test_a_changed_file_is_tampering(adopted: tuple[Session, str], kind: str) -> None:
    db, version = adopted
    lake = open_lake()
    (path,) = (file.path for file in lake.list_files() if file.path.startswith(kind))
    _change_a_byte(lake.place_of(path))
    with pytest.raises(FileHashError, match="was changed"):
        ReplayService(db).replay_version(version)


EDITS = {
    "a label": "UPDATE ground_truth_labels SET status = 'bad', label_value = 1 WHERE id = "
    "(SELECT min(id) FROM ground_truth_labels WHERE status = 'good')",
    "what a label set was made of": "UPDATE label_sets SET observation_window_days = 90",
    "a definition": "UPDATE outcome_definitions SET content = replace(content, '90', '60')",
    "an import": "UPDATE outcome_imports SET content_hash = 'x'",
    "the seed": "UPDATE model_registry SET seed = 1",
    "the registered coefficients": "UPDATE model_registry SET parameters = "
    "replace(parameters, '\"tau\": ', '\"tau\": 1')",
    "a verdict": "UPDATE verdicts SET value = 0.99 WHERE gate = 'auc_roc'",
    "the policy": "UPDATE policies SET content_hash = 'x'",
    "the weights": "UPDATE scorecard_versions SET features = replace(features, '\"weight\": ', "
    "'\"weight\": 1') WHERE origin = 'model'",
    "the baseline": "UPDATE scorecard_versions SET content = replace(content, '50', '51') "
    "WHERE version = 'v1'",
}


@pytest.mark.parametrize("edit", EDITS)
def test_a_changed_row_is_tampering(adopted: tuple[Session, str], edit: str) -> None:
    db, version = adopted
    url = db.get_bind().url  # type: ignore[union-attr]  # an engine
    db.rollback()
    engine = create_engine(url)
    with engine.begin() as connection:
        triggers = connection.execute(
            text("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        ).scalars()
        for name in list(triggers):
            connection.execute(text(f"DROP TRIGGER {name}"))
        changed = connection.exec_driver_sql(EDITS[edit])
        assert changed.rowcount >= 1
    engine.dispose()
    db.expire_all()
    with pytest.raises(TamperingError):
        ReplayService(db).replay_version(version)


# One decision


def test_a_recorded_decision_is_scored_again(db: Session) -> None:
    service = DecisionService(db)
    (made,) = service.decide([{"party_id": "A", "features": {"a": "0.31", "b": None, "x": 7}}])
    found = ReplayService(db).replay_decision(made["id"])
    assert (found["outcome"], found["sealed"]) == ("equal", False)
    assert "not sealed yet" in found["sentence"]
    service.seal()
    assert ReplayService(db).replay_decision(made["id"])["sealed"]


def test_a_decision_that_scores_otherwise_now_is_said_to(
    sqlite_db: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    (made,) = DecisionService(sqlite_db).decide([{"party_id": "A", "features": {"a": 0.3}}])
    real = replay_service.score_party

    def otherwise(card: Any, features: Any) -> Any:
        return real(card, {**features, "a": 0.9})

    monkeypatch.setattr(replay_service, "score_party", otherwise)
    found = ReplayService(sqlite_db).replay_decision(made["id"])
    assert found["outcome"] == "different"
    assert "score" in [part["part"] for part in found["parts"] if not part["equal"]]


def test_a_changed_decision_is_tampering(sqlite_db: Session) -> None:
    (made,) = DecisionService(sqlite_db).decide([{"party_id": "A", "features": {"a": 0.3}}])
    sqlite_db.rollback()
    sqlite_db.execute(text("DROP TRIGGER decisions_update"))
    sqlite_db.execute(text("UPDATE decisions SET score = score + 1"))
    with pytest.raises(TamperingError, match="was edited"):
        ReplayService(sqlite_db).replay_decision(made["id"])
    sqlite_db.rollback()
