"""The doctor finds what is wrong with a store, names it, and removes only what no row can need."""

from __future__ import annotations

import json
import os
import platform
import sqlite3
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session

from app import models
from app.db import open_session, transaction
from app.domain.scorecard import default_card
from app.errors import InvalidInputError, OpenTransactionError
from app.lake.object_storage import StoredObject
from app.lake.store import KINDS, TEMPORARY, Lake, open_lake
from app.services import doctor
from app.services.audit_service import AuditService
from app.services.batch_service import BatchService
from app.services.challenger_service import ChallengerService
from app.services.doctor import DoctorService
from app.services.monitoring_service import MonitoringService
from app.services.processes import process_started_at
from app.services.row_checks import find_altered_rows
from app.services.scorecard_version_service import ScorecardVersionService
from app.services.scoring_service import ScoringService
from tests.support.rows import HASH, batch_row, fill_every_table, run_row


@pytest.fixture
def lake(store: Any) -> Lake:
    return open_lake()


@pytest.fixture
def rows_without_events(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a test make rows by hand, which no event recorded."""
    monkeypatch.setattr(doctor, "find_altered_rows", lambda _db: ())


def _write(lake: Lake, value: str, *, hours_old: float = 1.0) -> str:
    """Write a file as an import does, and no row."""
    path = lake.write_table("batches", pa.table({"party_id": [value]})).path
    _age(lake, path, hours_old)
    return path


def _age(lake: Lake, path: str, hours: float) -> None:
    then = (datetime.now(UTC) - timedelta(hours=hours)).timestamp()
    os.utime(lake.place_of(path), (then, then))


def _kinds(result: dict[str, Any]) -> list[tuple[str, str]]:
    return [(finding["kind"], finding["subject"]) for finding in result["findings"]]


def _import_batch(db: Session, folder: Path, batch_id: str = "B1") -> str:
    file = folder / f"{batch_id}.csv"
    features = db.scalars(text("SELECT features FROM scorecard_versions")).one()
    names = json.loads(features) if isinstance(features, str) else features
    lines = [",".join(["id", *names]), ",".join([batch_id, *("1" for _ in names)])]
    file.write_text("\n".join(lines) + "\n")
    BatchService(db).import_file(file, batch_id=batch_id, party_id="id", scored_at="2024-01-01")
    return str(db.get_one(models.Batch, batch_id).file_path)


def test_a_store_in_use_is_healthy(db: Session, tmp_path: Path) -> None:
    _import_batch(db, tmp_path)
    ScoringService(db).score_batch("B1")
    seen: list[tuple[str, int, int]] = []
    result = DoctorService(db).examine(progress=lambda *step: seen.append(step))
    assert result["findings"] == []
    assert result["healthy"]
    assert result["sentence"] == "The store is healthy."
    checked = result["checked"]
    assert (checked["files"], checked["rows_with_files"], checked["live_runs"]) == (2, 2, 0)
    assert checked["events"] == AuditService(db).verify()["n_events"]
    assert ("Hashing files", 2, 2) in seen


def test_a_file_that_no_row_names_is_listed_and_left(db: Session, lake: Lake) -> None:
    path = _write(lake, "orphan")
    result = DoctorService(db).examine()
    assert _kinds(result) == [("orphan", path)]
    assert "--remove-orphans" in result["findings"][0]["remedy"]
    (orphan,) = result["orphans"]
    assert (orphan["path"], orphan["removable"], orphan["unfinished"]) == (path, True, False)
    assert result["removed"] == []
    assert [file.path for file in lake.list_files()] == [path]


def test_a_crash_between_file_and_row_leaves_an_orphan_and_no_row(
    db: Session, lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process dies when the file is there and the row is not."""

    class PowerCutError(BaseException):
        """Nothing handles this."""

    def die(*_: Any, **__: Any) -> None:
        raise PowerCutError

    with monkeypatch.context() as patched:
        patched.setattr("app.services.batch_service.record", die)
        with pytest.raises(PowerCutError):
            _import_batch(db, tmp_path)
    assert db.get(models.Batch, "B1") is None
    (file,) = lake.list_files()
    assert DoctorService(db).examine()["healthy"]  # it may be an import under way
    _age(lake, file.path, 1)
    result = DoctorService(db, actor="ada").examine(remove_orphans=True)
    assert (result["healthy"], result["removed"]) == (True, [file.path])
    assert lake.list_files() == ()
    (event,) = AuditService(db).list_events(action="lake.orphans_removed")
    assert (event["actor"], event["payload"]) == ("ada", {"paths": [file.path]})
    assert _import_batch(db, tmp_path) == file.path
    assert DoctorService(db).examine()["healthy"]


def test_an_unfinished_write_is_an_orphan_too(db: Session, lake: Lake) -> None:
    _write(lake, "makes the folder")
    path = f"batches/{TEMPORARY}0123"
    Path(lake.place_of(path)).write_bytes(b"PAR1 and then the power went")
    _age(lake, path, 1)
    result = DoctorService(db).examine()
    assert ("orphan", path) in _kinds(result)
    assert "unfinished write" in result["findings"][0]["problem"]
    assert path in DoctorService(db).examine(remove_orphans=True)["removed"]


def test_a_young_file_may_belong_to_an_import_under_way(db: Session, lake: Lake) -> None:
    young, old = _write(lake, "young", hours_old=0.2), _write(lake, "old", hours_old=0.3)
    result = DoctorService(db).examine(remove_orphans=True)
    assert result["removed"] == [old]
    assert [(orphan["path"], orphan["removable"]) for orphan in result["orphans"]] == [
        (young, False)
    ]
    assert result["healthy"]
    service = DoctorService(db)
    assert service.examine(remove_orphans=True, minimum_age=timedelta(0))["removed"] == [young]


@pytest.mark.usefixtures("rows_without_events")
def test_a_file_that_a_row_names_is_never_removed(db: Session, lake: Lake) -> None:
    """Whichever row it is: of a batch, scores, outcomes, exposures, or a model."""
    stored = [lake.write_table(kind, pa.table({"party_id": ["p"]})) for kind in KINDS]
    fill_every_table(db, stored[0].sha256)
    result = DoctorService(db).examine(remove_orphans=True, minimum_age=timedelta(0))
    assert (result["findings"], result["removed"], result["orphans"]) == ([], [], [])
    assert len(lake.list_files()) == len(KINDS) == result["checked"]["rows_with_files"]


@pytest.mark.usefixtures("rows_without_events")
def test_a_row_committed_meanwhile_saves_its_file(
    db: Session, lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rows are read again under the write lock, right before anything is removed."""
    path = _write(lake, "about to be named")
    reads: list[int] = []
    real = doctor.list_recorded_files

    def read_and_let_another_commit(session: Session) -> Any:
        found = real(session)
        if not reads:
            with open_session() as other, transaction(other):
                other.add(batch_row(file_path=path, file_hash=path[8:-8]))
        reads.append(len(found))
        return found

    monkeypatch.setattr(doctor, "list_recorded_files", read_and_let_another_commit)
    assert DoctorService(db).examine(remove_orphans=True)["removed"] == []
    assert reads == [0, 1]
    assert [file.path for file in lake.list_files()] == [path]


def test_what_the_file_system_does_not_give_up_stays_and_says_why(
    db: Session, lake: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = _write(lake, "stuck")

    def refuse(_path: str) -> None:
        raise PermissionError("read-only")

    service = DoctorService(db, lake=lake)
    monkeypatch.setattr(lake, "remove_orphan", refuse)
    result = service.examine(remove_orphans=True)
    assert (result["removed"], _kinds(result)) == ([], [("orphan", path)])
    assert "could not be removed: read-only" in result["findings"][0]["problem"]
    assert AuditService(db).list_events(action="lake.orphans_removed") == ()


def test_a_file_that_is_gone_names_every_row_that_needs_it(
    db: Session, lake: Lake, tmp_path: Path
) -> None:
    path = _import_batch(db, tmp_path)
    Path(lake.place_of(path)).unlink()
    result = DoctorService(db).examine()
    assert _kinds(result) == [("missing_file", "batch:B1")]
    assert path in result["findings"][0]["problem"]
    assert "backup" in result["findings"][0]["remedy"]


def test_a_changed_file_names_its_row_and_both_hashes(
    db: Session, lake: Lake, tmp_path: Path
) -> None:
    path = _import_batch(db, tmp_path)
    Path(lake.place_of(path)).write_bytes(b"other")
    result = DoctorService(db).examine()
    assert _kinds(result) == [("changed_file", "batch:B1")]
    assert db.get_one(models.Batch, "B1").file_hash in result["findings"][0]["problem"]


@pytest.mark.usefixtures("rows_without_events")
def test_rows_of_every_kind_are_named_when_their_file_is_gone(db: Session) -> None:
    fill_every_table(db)
    assert _kinds(DoctorService(db).examine()) == [
        ("missing_file", "batch:B1"),
        ("missing_file", "score_set:1"),
        ("missing_file", "outcome_import:1"),
        ("missing_file", "exposure_import:1"),
        ("missing_file", "model:m-1"),
    ]
    assert HASH in DoctorService(db).examine()["findings"][0]["problem"]


@pytest.mark.usefixtures("rows_without_events")
def test_one_file_named_twice_is_hashed_once(
    db: Session, lake: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = _import_batch(db, tmp_path)
    with transaction(db):
        db.add(batch_row("B2", file_path=path, file_hash=path[8:-8]))
    hashed: list[str] = []
    verify = lake.verify
    monkeypatch.setattr(lake, "verify", lambda *a: (hashed.append(a[0]), verify(*a)))
    assert DoctorService(db, lake=lake).examine()["healthy"]
    assert hashed == [path]


def _without_triggers(db: Session, table: str | None = None) -> None:
    """Do what only an owner of the schema can."""
    dialect = db.get_bind().dialect.name
    for statement in doctor.trigger_definitions(dialect):
        owner = next(name for name in _tables() if statement.startswith(f"{name}_"))
        if table in (None, owner):
            on = "" if dialect == "sqlite" else f" ON {owner}"
            db.execute(text(f"DROP TRIGGER {statement}{on}"))
    db.commit()


def _tables() -> list[str]:
    return sorted(models.Base.metadata.tables, key=len, reverse=True)


def test_a_broken_chain_is_a_finding_and_nothing_is_removed(db: Session, lake: Lake) -> None:
    """A row that an attacker deleted must not make its file an orphan that we then remove."""
    path = _write(lake, "its row was deleted, who knows")
    _without_triggers(db, "audit_events")
    with transaction(db):
        db.execute(text("UPDATE audit_events SET actor = 'eve' WHERE seq = 3"))
    result = DoctorService(db).examine(remove_orphans=True)
    assert ("audit", "event:3") in _kinds(result)
    assert ("orphan", path) in _kinds(result)
    assert "in doubt" in result["findings"][-1]["remedy"]
    assert (result["removed"], result["healthy"]) == ([], False)
    assert len(lake.list_files()) == 1


_EDITS = {
    "UPDATE policies SET content = '{}'": "policy:1",
    "UPDATE policies SET created_by = 'eve'": "policy:1",
    "UPDATE outcome_definitions SET content = '{}'": "definition:default 1",
    "UPDATE scorecard_versions SET created_by = 'eve'": "version:v1",
    "UPDATE scorecard_versions SET features = '{}'": "version:v1",
    "UPDATE scorecard_versions SET status = 'inactive'": "version:v1",
    "UPDATE activations SET actor = 'eve'": "initial of version:v1",
    "DELETE FROM activations": "initial of version:v1",
    "INSERT INTO reviews (id, version, kind, reviewer, reason, content_hash, acknowledged, at) "
    "SELECT 1, version, 'approve', 'bob', 'fine', content_hash, '[]', created_at "
    "FROM scorecard_versions": "approve of version:v1 by bob",
    "UPDATE batches SET n_rows = 5": "batch:B1",
    "UPDATE batches SET group_columns = '[\"kyc_verified\"]'": "batch:B1",
    "DELETE FROM score_sets": "batch:B1 v1",
    "UPDATE score_sets SET n_rows = 5": "batch:B1 v1",
    "DELETE FROM withdrawals": "withdrawal of batch:B2",
    "UPDATE withdrawals SET reason = 'other'": "withdrawal of batch:B2",
}


@pytest.mark.parametrize(("statement", "row"), _EDITS.items())
def test_a_row_that_no_event_recorded_is_a_finding(
    db: Session, tmp_path: Path, statement: str, row: str
) -> None:
    """Whoever owns the schema takes the triggers away, edits, and puts them back."""
    _import_batch(db, tmp_path)
    _import_batch(db, tmp_path, "B2")
    ScoringService(db).score_batch("B1")
    BatchService(db).withdraw("B2", reason="wrong file")
    assert DoctorService(db).examine()["healthy"]
    _without_triggers(db)
    db.execute(text(statement))
    db.commit()
    kinds = _kinds(DoctorService(db).examine())
    assert ("altered_row", row) in kinds
    assert {subject for kind, subject in kinds if kind == "altered_row"} <= {row, "batch:B2"}


_MONITORING_EDITS = {
    "UPDATE monitoring_reports SET content = '{}'": "report:1",
    "DELETE FROM monitoring_reports": "report:1",
    "UPDATE monitoring_references SET created_by = 'eve'": "reference of version:v1",
    "UPDATE challengers SET reason = 'other'": "challenger version:v2",
    "INSERT INTO alerts (id, report_id, batch_id, version, kind, subject, sentence, value, "
    "threshold, opened_at) SELECT 1, id, batch_id, version, 'score_psi', 'score', 'forged', 1, "
    "0.1, created_at FROM monitoring_reports": "alert:1",
}


def test_a_monitoring_row_that_no_event_recorded_is_a_finding(
    sqlite_db: Session, tmp_path: Path
) -> None:
    db = sqlite_db
    _import_batch(db, tmp_path)
    MonitoringService(db).monitor("B1")
    ScorecardVersionService(db).add_version(
        default_card().with_weights({"kyc_verified": 13.0, "has_tax_id": 12.0})
    )
    ChallengerService(db).start("v2", reason="promising")
    assert DoctorService(db).examine()["healthy"]
    _without_triggers(db)
    for statement, row in _MONITORING_EDITS.items():
        db.execute(text("PRAGMA foreign_keys = OFF"))
        db.execute(text(statement))
        found = dict(find_altered_rows(db))
        assert row in found, (statement, found)
        db.rollback()


def test_a_missing_trigger_is_a_finding(db: Session) -> None:
    _without_triggers(db, "withdrawals")
    kinds = _kinds(DoctorService(db).examine())
    assert {kind for kind, _ in kinds} == {"trigger"}
    assert ("trigger", "trigger:withdrawals_delete") in kinds


def test_a_trigger_made_harmless_is_a_finding(db: Session) -> None:
    harmless = {
        "sqlite": (
            "DROP TRIGGER policies_delete",
            "CREATE TRIGGER policies_delete BEFORE DELETE ON policies BEGIN SELECT 1; END",
        ),
        "postgresql": ("ALTER TABLE policies DISABLE TRIGGER policies_delete",),
    }[db.get_bind().dialect.name]
    for statement in harmless:
        db.execute(text(statement))
    db.commit()
    assert _kinds(DoctorService(db).examine()) == [("trigger", "trigger:policies_delete")]


@pytest.mark.parametrize(
    "store_url", [pytest.param("postgres", marks=pytest.mark.postgres)], indirect=True
)
def test_a_function_made_harmless_is_a_finding(store: Any, db: Session) -> None:
    db.execute(
        text(
            "CREATE OR REPLACE FUNCTION chancellor_reviews_own_draft() RETURNS trigger "
            "LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$"
        )
    )
    db.commit()
    assert _kinds(DoctorService(db).examine()) == [("trigger", "trigger:reviews_own_draft")]


@pytest.mark.parametrize("revision", ["9999", None])
def test_another_schema_is_the_one_finding(store: Any, revision: str | None) -> None:
    engine = create_engine(store.database_url)
    with Session(engine) as plain:
        change = f"UPDATE alembic_version SET version_num = '{revision}'"
        plain.execute(text(change if revision else "DELETE FROM alembic_version"))
        plain.commit()
        result = DoctorService(plain).examine(remove_orphans=True)
    engine.dispose()
    assert _kinds(result) == [("schema", "database")]
    assert str(revision) in result["findings"][0]["problem"]


def _ended_process() -> tuple[int, float]:
    child = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()"],
                             stdin=subprocess.PIPE)  # fmt: skip
    started = process_started_at(child.pid)
    child.communicate()
    assert started is not None
    return child.pid, started


def test_a_run_whose_process_is_gone_is_a_finding(db: Session) -> None:
    pid, started = _ended_process()
    here = {"status": "running", "config": {"execution": {"host": platform.node()}}}
    with transaction(db):
        db.add(run_row(id="lost", pid=pid, pid_started_at=started, **here))
    result = DoctorService(db).examine()
    assert _kinds(result) == [("lost_run", "run:lost")]
    assert str(pid) in result["findings"][0]["problem"]


def test_a_run_that_is_alive_or_elsewhere_is_none(db: Session) -> None:
    pid, started = _ended_process()
    alive = process_started_at(os.getpid())
    with transaction(db):
        db.add(run_row(id="alive", status="running", pid=os.getpid(), pid_started_at=alive,
                       config={"execution": {"host": platform.node()}}))  # fmt: skip
        db.add(run_row(id="elsewhere", status="queued", pid=pid, pid_started_at=started,
                       config={"execution": {"host": "another machine"}}))  # fmt: skip
        db.add(run_row(id="ended", pid=pid, pid_started_at=started))
    result = DoctorService(db).examine()
    assert result["healthy"]
    assert result["checked"]["live_runs"] == 2


def test_inside_a_transaction_nothing_is_examined(db: Session) -> None:
    """A removed file does not come back with a rollback."""
    with transaction(db), pytest.raises(OpenTransactionError):
        DoctorService(db).examine(remove_orphans=True)


def test_a_negative_age_is_refused(db: Session) -> None:
    with pytest.raises(InvalidInputError, match="not negative"):
        DoctorService(db).examine(minimum_age=timedelta(seconds=-1))


def test_a_file_of_unknown_age_is_not_removed(
    sqlite_db: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake = open_lake()
    _write(lake, "when?")
    monkeypatch.setattr(
        "app.lake.object_storage._described",
        lambda info: StoredObject(info.base_name, info.size, None),
    )
    result = DoctorService(sqlite_db).examine(remove_orphans=True, minimum_age=timedelta(0))
    (orphan,) = result["orphans"]
    assert (orphan["modified_at"], orphan["removable"], result["removed"]) == (None, False, [])


def test_a_copy_made_by_sqlite_itself_is_healthy_too(
    sqlite_db: Session, sqlite_store: Any, tmp_path: Path
) -> None:
    """A backup by SQLite's own call carries triggers and chain."""
    backup = tmp_path / "backup.db"
    source = sqlite3.connect(sqlite_store.database_url.removeprefix("sqlite:///"))
    target = sqlite3.connect(backup)
    source.backup(target)
    for connection in (source, target):
        connection.close()
    with open_session(f"sqlite:///{backup}") as restored:
        assert DoctorService(restored).examine()["healthy"]
