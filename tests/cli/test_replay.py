"""Sealing, proving and replaying from the shell."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from app.db import open_session
from app.domain.replay import Part
from app.services import replay_service
from app.services.decision_service import DecisionService
from tests.cli.command_line import CommandLine


@pytest.fixture
def decision_id(chancellor: CommandLine) -> str:
    """Initialise a store and record one decision."""
    chancellor("init")
    with open_session() as db:
        (made,) = DecisionService(db).decide([{"party_id": "A", "features": {"has_tax_id": 1}}])
    return str(made["id"])


def test_a_decision_is_sealed_proven_and_scored_again(
    chancellor: CommandLine, decision_id: str
) -> None:
    assert chancellor.json("audit", "prove", decision_id, code=6)["error"]["code"] == "conflict"
    assert "not sealed yet" in chancellor("replay", "--score", decision_id).out
    sealed = chancellor("audit", "seal", "--actor", "ada").out
    assert sealed.startswith("1 decision is sealed")
    assert decision_id in sealed
    assert "nothing was written" in chancellor("audit", "seal").out
    assert f"Decision {decision_id} is number 1 of 1" in chancellor(
        "audit", "prove", decision_id
    ).out.replace("\n", " ")
    assert "1 recorded decision is as it was made" in chancellor("audit", "verify").out
    found = chancellor.json("replay", "--score", decision_id)
    assert (found["outcome"], found["sealed"]) == ("equal", True)
    assert "equal bit by bit" in chancellor("replay", "--score", decision_id).out


def test_a_version_of_a_person_ends_with_0(chancellor: CommandLine, decision_id: str) -> None:
    assert "nothing was computed" in chancellor("replay", "v1").out
    assert chancellor.json("replay", "v9", code=5)["error"]["code"] == "not_found"


@pytest.mark.parametrize("words", [(), ("v1", "--score", "d-1")])
def test_either_a_version_or_a_decision_is_named(
    chancellor: CommandLine, decision_id: str, words: tuple[str, ...]
) -> None:
    assert "name a version, or a decision" in chancellor("replay", *words, code=2).err


def test_a_number_that_differs_ends_with_6_and_tampering_with_7(
    chancellor: CommandLine, decision_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = replay_service.score_party

    def otherwise(card: Any, features: Any) -> Any:
        return real(card, {**features, "has_tax_id": 0})

    with monkeypatch.context() as patched:
        patched.setattr(replay_service, "score_party", otherwise)
        assert chancellor.json("replay", "--score", decision_id, code=6)["outcome"] == "different"
        shown = chancellor("replay", "--score", decision_id, code=6).out
        assert "First differences" in shown
        assert "contributions has_tax_id" in shown
    with open_session() as db:
        db.execute(text("DROP TRIGGER decisions_update"))
        db.execute(text("UPDATE decisions SET score = score + 1"))
        db.commit()
    for words in (("replay", "--score", decision_id), ("audit", "verify")):
        error = chancellor.json(*words, code=7)["error"]
        assert error["code"] == "tampering"
        assert decision_id in error["message"]
    (trigger, row) = chancellor.json("doctor", code=7)["findings"]
    assert (trigger["kind"], row["subject"]) == ("trigger", f"decision:{decision_id}")


def test_differences_of_another_library_are_shown(
    chancellor: CommandLine, decision_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a person reads of a version whose numbers moved; services/test_replay.py moves them."""

    def moved(_self: Any, version: str, progress: Any = None) -> dict[str, Any]:
        part = Part("weights", f"version:{version}", {"a": 1.0}, {"a": 1.0000001})
        return {
            "outcome": "equal_weights",
            "sentence": "Computed again, weights differ.",
            "parts": [part.as_dict()],
            "libraries": [{"name": "glum", "recorded": "3.4", "now": "4.0"}],
        }

    monkeypatch.setattr(replay_service.ReplayService, "replay_version", moved)
    shown = chancellor("replay", "v1", code=6).out
    for said in ("no: 1 differ", "weights a", "1.0000001", "glum", "4.0"):
        assert said in shown


@pytest.mark.slow
def test_a_model_s_version_is_computed_again(
    chancellor: CommandLine, with_portfolio: Any, tmp_path: Path
) -> None:
    with_portfolio()
    chancellor("labels", "generate", "B1")
    chancellor("train", "B1")
    chancellor("refine", chancellor.json("models", "list")[0]["model_id"])
    shown = chancellor("replay", "ml_v2").out
    assert "equal bit by bit" in shown
    assert "validated rows" in shown
    for file in (tmp_path / "home" / "lake" / "outcomes").iterdir():
        file.write_bytes(file.read_bytes()[:-1] + b"x")
    assert chancellor.json("replay", "ml_v2", code=7)["error"]["code"] == "file_hash"
