"""Spark in local mode and DuckDB give the same scores and labels, and read each other's files."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest
from sqlalchemy import select

from app.db import open_session
from app.domain.canonical import content_hash
from app.domain.outcomes import STATUSES
from app.domain.scorecard import load_scorecard
from app.domain.table_score import TableScorer
from app.errors import NotFoundError
from app.lake.parts import is_manifest
from app.lake.store import open_lake
from app.models import ModelRegistry, MonitoringReport
from app.queries.batches import require_batch
from app.queries.labels import find_newest_label_set
from app.queries.monitoring import find_calibration, find_reference
from app.queries.scores import find_score_set
from app.queries.versions import require_active
from app.services.backup import back_up_store
from app.services.batch_scoring import score_snapshot
from app.services.doctor import DoctorService
from app.services.label_generation_service import compute_labels
from app.services.label_inputs import recorded_inputs
from app.services.label_rows import hash_labels
from app.services.monitored_rows import MonitoredReader
from app.services.monitoring_content import report_content
from app.services.monitoring_inputs import gather_monitoring
from app.services.monitoring_references import made_calibration, made_reference
from app.services.monitoring_service import MonitoringService
from app.services.replay_model import replay_model
from app.services.restore import restore_store
from app.services.scoring_service import card_of
from app.settings import get_settings
from tests.support.engine_process import run_on_dagster
from tests.support.engine_stores import (
    COMMANDS,
    FILLED,
    MOST_ROWS,
    N_EDGE,
    REQUEST,
    run_on_spark,
)
from tests.support.portfolio import store_with_card
from tests.support.spark import PYTHON

pytestmark = pytest.mark.slow

OF_ONE_RUN = ("created_at", "model_id", "file_hashes", "validation_hash", "evidence_hash")
"""Names, moments, and hashes over files or over the last digits of a model's numbers."""


@pytest.fixture(scope="module")
def made(
    tmp_path_factory: pytest.TempPathFactory,
    sqlite_template: Path,
    shared_cards: Path,
    shared_data: Path,
) -> dict[str, Path]:
    if not PYTHON.exists() and os.environ.get("CI") != "true":
        pytest.skip("Spark is not here: `make spark` brings it")
    homes = {name: tmp_path_factory.mktemp(name) for name in ("sba_case", "taiwan", "edge")}
    with pytest.MonkeyPatch.context() as patch:
        for name, home in homes.items():
            patch.setenv("CHANCELLOR_HOME", str(home))
            card = load_scorecard(shared_cards / f"{'sba_case' if name == 'edge' else name}.yaml")
            with store_with_card(card, home, sqlite_template) as db:
                FILLED[name](db, card, shared_data, home)
        for engine in ("spark", "duckdb"):
            homes[engine] = homes["sba_case"].with_name(f"dagster_{engine}")
            shutil.copytree(homes["sba_case"], homes[engine])
        jobs: list[dict[str, Any]] = [
            {"home": str(homes[name]), "commands": commands} for name, commands in COMMANDS.items()
        ]
        on_dagster = {**REQUEST, "engine": "spark"}
        run_on_spark([*jobs, {"home": str(homes["spark"]), "commands": [], "request": on_dagster}])
    return homes


@pytest.mark.parametrize("name", FILLED)
def test_scores_bands_and_reasons_are_those_of_duckdb(
    made: dict[str, Path], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHANCELLOR_HOME", str(made[name]))
    lake = open_lake()
    with open_session() as db:
        batch, row = require_batch(db, name), require_active(db)
        scores = find_score_set(db, name, row.version)
        assert scores is not None
        card = card_of(row)
        stored, summary = score_snapshot(
            lake, (batch.file_path, batch.file_hash), TableScorer(card), name, lambda *_: None
        )
        assert is_manifest(scores.file_path)
        on_spark = lake.read_table(scores.file_path, scores.file_hash).sort_by("party_id")
        assert scores.n_rows == batch.n_rows
        assert scores.mean_score == pytest.approx(summary["mean_score"], abs=1e-12)
        assert scores.band_shares == summary["band_shares"]
    expected = lake.read_table(stored.path, stored.sha256).sort_by("party_id")
    assert on_spark.column_names == expected.column_names
    for column in expected.column_names:
        mine, theirs = expected[column].combine_chunks(), on_spark[column].combine_chunks()
        if pa.types.is_floating(mine.type):
            np.testing.assert_allclose(theirs.to_numpy(), mine.to_numpy(), rtol=0, atol=1e-9)
        else:
            assert theirs.cast(mine.type).equals(mine), column


@pytest.mark.parametrize("name", FILLED)
def test_labels_are_those_of_duckdb_row_by_row(
    made: dict[str, Path], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHANCELLOR_HOME", str(made[name]))
    with open_session() as db:
        row = find_newest_label_set(db, name)
        assert row is not None
        labels = compute_labels(open_lake(), recorded_inputs(db, row))
        assert row.content_hash == hash_labels(labels)
        counted = {
            status: pc.sum(pc.equal(labels["status"], status)).as_py() for status in STATUSES
        }
        assert counted["bad"] == row.n_bad
        assert counted["good"] == row.n_good
        assert counted["immature"] == row.n_immature
        assert counted["excluded"] == row.n_excluded
        assert row.n_bad > 100
        names = ["party_id", "label_value", "scored_at", "score_at_label", "observation_end"]
        ours = labels.select(names).sort_by("party_id").to_pylist()
        stored = db.connection().exec_driver_sql(
            "SELECT party_id, label_value, score_at_label FROM ground_truth_labels "
            f"WHERE label_set_id = {row.id} ORDER BY party_id"
        )
        assert [tuple(line) for line in stored] == [
            (line["party_id"], line["label_value"], line["score_at_label"]) for line in ours
        ]


@pytest.mark.parametrize("name", FILLED)
def test_doctor_finds_the_parts_and_a_changed_one(
    made: dict[str, Path], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHANCELLOR_HOME", str(made[name]))
    lake = open_lake()
    with open_session() as db:
        row = find_score_set(db, name, require_active(db).version)
        assert row is not None
        orphans = {one["path"] for one in DoctorService(db).examine()["orphans"]}
        named = {path for path, _ in lake.files_of(row.file_path, row.file_hash)}
        assert len(named) > 1
        assert not named & orphans
        path, _ = lake.parts_of(row.file_path, row.file_hash)[0]
        place = Path(lake.place_of(path))
        before = place.read_bytes()
        place.write_bytes(before[:-1] + b"?")
        try:
            problems = [one["problem"] for one in DoctorService(db).examine()["findings"]]
        finally:
            place.write_bytes(before)
    assert any(path in problem and "was changed" in problem for problem in problems)
    assert get_settings().engine == "duckdb"


@pytest.mark.parametrize(
    ("name", "store"),
    [("sba_case", "sba_case"), ("unlabelled", "sba_case"), ("taiwan", "taiwan"),
     ("edge", "edge"), ("later", "edge")],
)  # fmt: skip
def test_a_report_of_spark_is_that_of_duckdb_to_its_hash(
    made: dict[str, Path], name: str, store: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHANCELLOR_HOME", str(made[store]))
    lake = open_lake()
    with open_session() as db:
        (stored,) = db.scalars(select(MonitoringReport).where(MonitoringReport.batch_id == name))
        inputs = gather_monitoring(
            db, lake, MonitoredReader(db, lake), "tester",
            batch_id=name, version=stored.version, cause=stored.cause, progress=None,
        )  # fmt: skip
        assert inputs.input_hash == stored.input_hash
        content = report_content(MonitoredReader(db, lake), inputs)
    assert content == stored.content
    assert content_hash(content) == stored.content_hash
    features = content["features"]
    assert len(features) > 5
    assert any(line["missing_rate"] for line in features) == (name != "taiwan")
    assert any(line["n_new"] for line in features) == (name in ("unlabelled", "later"))
    assert bool(content["challengers"]) == (store == "edge")
    if name == "unlabelled":
        assert content["outcomes"] is None
    else:
        assert content["outcomes"]["n_bad"] > 100
    if name == "later":
        assert content["family"]["n_compared"] > 10


@pytest.mark.parametrize("name", FILLED)
def test_reference_and_calibration_are_frozen_as_on_duckdb(
    made: dict[str, Path], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHANCELLOR_HOME", str(made[name]))
    lake = open_lake()
    with open_session() as db:
        row, label_set = require_active(db), find_newest_label_set(db, name)
        assert label_set is not None
        reference, calibration = find_reference(db, row.version), find_calibration(db, row.version)
        assert reference is not None
        assert calibration is not None
        reader = MonitoredReader(db, lake)
        frozen = made_reference(db, reader, row)
        assert (frozen.content, frozen.content_hash) == (reference.content, reference.content_hash)
        promised = made_calibration(db, reader, row, label_set)
        assert promised is not None
        assert promised.content == calibration.content
        assert promised.content_hash == calibration.content_hash
    kinds = {line["kind"] for line in reference.content["features"]}
    assert "categories" in kinds
    assert kinds & {"numbers", "values"}


def test_the_stages_of_a_run_of_dagster_are_those_of_duckdb(
    made: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHANCELLOR_HOME", str(made["duckdb"]))
    monkeypatch.setenv("CHANCELLOR_TRAINING_ROWS", str(MOST_ROWS))
    ours = run_on_dagster(REQUEST)
    theirs = json.loads((made["spark"] / "run.json").read_text(encoding="utf-8"))
    assert theirs["status"] == ours["status"] == "succeeded"
    assert len(ours["stages"]) == 5
    for stages in (ours["stages"], theirs["stages"]):
        del stages["model"]["content_hash"]
    assert without_own(theirs["stages"]) == nearly(without_own(ours["stages"]))
    for engine in ("spark", "duckdb"):
        monkeypatch.setenv("CHANCELLOR_HOME", str(made[engine]))
        with open_session() as db:
            scores = find_score_set(db, "sba_case", require_active(db).version)
            assert scores is not None
            assert is_manifest(scores.file_path) == (engine == "spark")


def without_own(value: Any) -> Any:
    """Leave out of a document what is of one run alone."""
    if isinstance(value, dict):
        return {name: without_own(one) for name, one in value.items() if name not in OF_ONE_RUN}
    return [without_own(one) for one in value] if isinstance(value, list) else value


def nearly(value: Any) -> Any:
    """Let every other number of a document agree to the sixth decimal; texts and counts exactly."""
    if isinstance(value, dict):
        return {name: nearly(one) for name, one in value.items()}
    if isinstance(value, list):
        return [nearly(one) for one in value]
    return pytest.approx(value, rel=0, abs=1e-6) if isinstance(value, float) else value


def test_a_restored_store_reads_its_parts_and_finds_one_missing(
    made: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHANCELLOR_HOME", str(made["edge"]))
    back_up_store(tmp_path / "backup", actor="tester")
    with open_session() as db:
        row = find_score_set(db, "edge", require_active(db).version)
        assert row is not None
    name = (row.file_path, row.file_hash)
    before = open_lake().read_table(*name)
    parts = [path for path, _ in open_lake().parts_of(*name)]
    assert is_manifest(name[0])
    monkeypatch.setenv("CHANCELLOR_HOME", str(tmp_path / "restored"))
    restore_store(tmp_path / "backup", actor="tester")
    assert open_lake().read_table(*name).equals(before)
    with open_session() as db:
        assert DoctorService(db).examine()["findings"] == []
        report = MonitoringService(db, actor="tester").monitor("edge")
        assert (report["report_id"], report["n"]) == (1, N_EDGE)  # the one that Spark made
    (lost,) = (tmp_path / "backup").rglob(Path(parts[0]).name)
    lost.unlink()
    monkeypatch.setenv("CHANCELLOR_HOME", str(tmp_path / "again"))
    with pytest.raises(NotFoundError, match=Path(parts[0]).name):
        restore_store(tmp_path / "backup", actor="tester")


def test_a_training_on_rows_drawn_by_spark_is_replayed_by_duckdb(
    made: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHANCELLOR_HOME", str(made["taiwan"]))
    with open_session() as db:
        (model,) = db.scalars(select(ModelRegistry))
        replayed = replay_model(db, open_lake(), model)
        rows = open_lake().read_table(model.validation_path, model.validation_hash)
    parts = {part.name: part for part in replayed.parts}
    assert len(numbers_in(parts["parameters"].recorded)) > 10
    for what in ("labels", "parameters", "feature_importance", "metrics", "validated rows"):
        kept, computed = parts[what].recorded, parts[what].computed
        assert numbers_in(computed) == pytest.approx(numbers_in(kept), rel=0, abs=1e-6), what
    assert set(rows["party_id"].to_pylist()) == set(replayed.data.party_id)
    drawn = replayed.data.drawn
    assert drawn is not None
    assert drawn.n_rows == 30_000
    assert drawn.n_drawn == len(set(rows["party_id"].to_pylist()))
    assert drawn.n_drawn == pytest.approx(MOST_ROWS, rel=0.01)


def numbers_in(value: Any) -> list[float]:
    """Give every number of a document, in order."""
    if isinstance(value, dict):
        return [number for name in sorted(value) for number in numbers_in(value[name])]
    if isinstance(value, list | tuple):
        return [number for item in value for number in numbers_in(item)]
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return [float(value)] if is_number else []
