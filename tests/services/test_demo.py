"""The demo runs the real job in a store of its own, and says the same twice."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from app.pipeline.execution import run_pipeline
from app.services.demo import BATCH_ID, run_demo

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return run_demo(run_pipeline, home=tmp_path_factory.mktemp("demo") / "one", actor="ana")


def test_it_ends_with_a_draft_that_waits(demo: dict[str, Any]) -> None:
    assert demo["run"]["status"] == "succeeded"
    assert demo["run"]["advice"] == "adopt"
    assert demo["version"] == "ml_v2"
    assert demo["comparison"] is not None


def test_validation_is_out_of_time(demo: dict[str, Any]) -> None:
    assert demo["run"]["stages"]["model"]["validation"]["mode"] == "out_of_time"


def test_labels_show_every_status(demo: dict[str, Any]) -> None:
    labels = demo["run"]["stages"]["labels"]
    for status in ("good", "bad", "indeterminate", "excluded", "immature"):
        assert labels[f"n_{status}"] > 0
    assert labels["n_parties"] == 4000
    assert 0.12 <= labels["default_rate"] <= 0.20


def test_no_gate_fails(demo: dict[str, Any]) -> None:
    gates = {gate["gate"]: gate["verdict"] for gate in demo["run"]["gates"]}
    assert len(gates) == 9
    assert "fail" not in gates.values()


def test_the_refined_card_is_nearer_to_the_truth(demo: dict[str, Any]) -> None:
    distance = demo["distance_to_truth"]
    assert distance["refined"] < 0.75 * distance["expert"]


def test_it_names_what_is_simulated(demo: dict[str, Any]) -> None:
    assert "simulated" in demo["simulated"]["what"]
    assert "4,000 parties that do not exist" in demo["simulated"]["what"]


def test_its_commands_name_its_own_home(demo: dict[str, Any]) -> None:
    commands = [step["command"] for step in demo["commands"]]
    assert all(command.startswith(f"CHANCELLOR_HOME={demo['home']} ") for command in commands)
    assert any("versions approve ml_v2" in command for command in commands)


def test_twice_it_says_the_same(demo: dict[str, Any], tmp_path: Path) -> None:
    again = run_demo(run_pipeline, home=tmp_path / "two", actor="ana")
    for part in ("simulated", "truth", "distance_to_truth", "version"):
        assert again[part] == demo[part], part
    for part in ("batch", "outcomes"):
        assert again[part]["file_hash"] == demo[part]["file_hash"], part
    for stage in ("scores", "labels", "refinement"):
        assert _told(again["run"]["stages"][stage]) == _told(demo["run"]["stages"][stage]), stage
    assert again["run"]["gates"] == demo["run"]["gates"]
    assert (
        again["run"]["stages"]["model"]["content_hash"]
        == (demo["run"]["stages"]["model"]["content_hash"])
    )


def test_the_persons_own_store_is_left_alone(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHANCELLOR_DATABASE_URL", "postgresql://nobody@nowhere/theirs")
    seen = {}

    def fail_at_the_job(**asked: Any) -> dict[str, Any]:
        seen.update(asked, home=os.environ["CHANCELLOR_HOME"])
        assert "CHANCELLOR_DATABASE_URL" not in os.environ
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_demo(fail_at_the_job, home=tmp_path / "demo")
    assert seen["batch_ids"] == [BATCH_ID]
    assert seen["home"] == str(tmp_path / "demo" / "store")
    assert os.environ["CHANCELLOR_HOME"] == str(home)
    assert os.environ["CHANCELLOR_DATABASE_URL"] == "postgresql://nobody@nowhere/theirs"
    assert not home.exists()


def test_a_folder_that_exists_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileExistsError):
        run_demo(run_pipeline, home=tmp_path)


def _told(stage: dict[str, Any]) -> str:
    return json.dumps(stage, sort_keys=True, default=str)
