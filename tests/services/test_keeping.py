"""Backups and copies hold all that was there, at one moment, and nothing that is not proven."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from app.db import create_store_engine, open_session, transaction, upgrade
from app.db.session import close_engine
from app.domain.scorecard import Scorecard
from app.errors import (
    AuditChainError,
    ConflictError,
    FileHashError,
    InvalidInputError,
    NotFoundError,
    StoreNotInitialisedError,
)
from app.lake.store import KINDS, open_lake
from app.models import AuditEvent, Base, PipelineRun
from app.queries.store_schema import read_triggers
from app.queries.versions import require_active
from app.services import doctor
from app.services.audit_service import AuditService
from app.services.backup import back_up_store
from app.services.batch_service import BatchService
from app.services.decision_service import DecisionService
from app.services.policy_service import PolicyService
from app.services.restore import restore_store
from app.services.runs import RunService
from app.services.scorecard_version_service import ScorecardVersionService
from app.services.store_copy import copy_store
from tests.support.portfolio import party, write_batch
from tests.support.postgres import Server
from tests.support.rows import fill_every_table, run_row

SQLITE = pytest.mark.parametrize("store_url", ["sqlite"], indirect=True)


@pytest.fixture
def elsewhere(
    request: pytest.FixtureRequest, store: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    """Point the environment at an empty place of the same kind; call it after the backup."""
    home = tmp_path / "elsewhere"
    close_engine(store.database_url)
    monkeypatch.setenv("CHANCELLOR_HOME", str(home))
    if store.database_url.startswith("sqlite"):
        yield home
        close_engine(f"sqlite:///{home / 'chancellor.db'}")
        return
    server: Server = request.getfixturevalue("postgres_server")
    name = server.create_database()
    monkeypatch.setenv("CHANCELLOR_DATABASE_URL", server.url(name))
    yield home
    close_engine(server.url(name))
    server.drop_database(name)


@pytest.fixture
def saved(store: Any, tmp_path: Path) -> Path:
    """Back up a store in use, with a batch, a decided version and a person's draft."""
    _use(tmp_path)
    folder = tmp_path / "backup"
    back_up_store(folder, actor="ada")
    return folder


def _use(tmp_path: Path) -> None:
    file = write_batch(tmp_path / "b.csv", [party(f"P{n}", kyc_verified=n % 2) for n in range(20)])
    with open_session() as db:
        BatchService(db, actor="ada").import_file(
            file, batch_id="B1", party_id="id", scored_at="on"
        )
        _activate_another(db, 14.5)
        ScorecardVersionService(db, actor="ada").add_version(_card(db, 13.5), note="Grüße")


def _card(db: Session, weight: float) -> Scorecard:
    card = Scorecard.from_document(require_active(db).content)
    return card.with_weights({"kyc_verified": weight})


def _activate_another(db: Session, weight: float) -> None:
    made = ScorecardVersionService(db, actor="ada").add_version(_card(db, weight))
    ScorecardVersionService(db, actor="bob").activate_version(made["version"], reason="committee")


def _everything(
    db: Session, *, leave_out: tuple[str, ...] = ()
) -> dict[str, list[tuple[Any, ...]]]:
    """Read every row as the driver gives documents and texts, by the models' own list of tables."""
    found = {}
    for table in Base.metadata.sorted_tables:
        columns = [
            text(f'CAST("{column.name}" AS TEXT)')
            if column.type.__class__.__name__ == "JSON"
            else column
            for column in table.columns
        ]
        rows = db.execute(select(*columns).select_from(table)).all()
        found[table.name] = sorted((tuple(row) for row in rows), key=repr)
    for name in leave_out:
        del found[name]
    return found


def _events(db: Session, *, until: int) -> list[tuple[Any, ...]]:
    columns = (AuditEvent.seq, AuditEvent.hashed_text, AuditEvent.hash)
    return [tuple(row) for row in db.execute(select(*columns).where(AuditEvent.seq <= until))]


RECORD = ("audit_events", "audit_head")
"""Restoring and copying are events themselves."""


def test_a_backup_seals_first_so_that_its_chain_speaks_of_every_decision(
    store: Any, tmp_path: Path
) -> None:
    with open_session() as db:
        (made,) = DecisionService(db, actor="key:shop").decide([{"party_id": "P1", "features": {}}])
    result = back_up_store(tmp_path / "backup", actor="ada")
    with open_session() as db:
        (event,) = AuditService(db).list_events(limit=1)
        assert (event["seq"], event["action"]) == (result["audit_seq"], "decisions.sealed")
        assert DecisionService(db).prove(made["id"])["event_seq"] == event["seq"]


@pytest.mark.slow
def test_a_restored_store_is_what_was_backed_up(
    saved: Path, request: pytest.FixtureRequest, store: Any
) -> None:
    with open_session() as db:
        before, n = _everything(db, leave_out=RECORD), AuditService(db).verify()["n_events"]
        events, triggers = _events(db, until=n), read_triggers(db)
    request.getfixturevalue("elsewhere")
    result = restore_store(saved, actor="ada")
    assert (result["healthy"], result["findings"], result["upgrade"]) == (True, [], None)
    assert (result["audit_seq"], result["n_files"]) == (n, 1)
    with open_session() as db:
        assert _everything(db, leave_out=RECORD) == before
        assert _events(db, until=n) == events
        assert read_triggers(db) == triggers
        (event,) = AuditService(db).list_events(limit=1)
        assert (event["seq"], event["action"], event["actor"]) == (n + 1, "store.restored", "ada")
        _activate_another(db, 12.5)  # counters go on, triggers hold
        assert doctor.DoctorService(db).examine()["healthy"]


@pytest.mark.slow
def test_a_row_of_every_table_is_carried_by_backup_and_copy(
    store: Any, db: Session, tmp_path: Path, request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """A later migration's table is in the models' list: it is carried, or this fails."""
    monkeypatch.setattr(doctor, "find_altered_rows", lambda _db: ())
    stored, *_ = [open_lake().write_table(kind, _one_row()) for kind in KINDS]
    fill_every_table(db, stored.sha256)
    before = _everything(db, leave_out=RECORD)
    assert [name for name, rows in before.items() if not rows] == []
    db.rollback()
    back_up_store(tmp_path / "backup")
    copy_store(f"sqlite:///{tmp_path / 'copy.db'}")
    with open_session(f"sqlite:///{tmp_path / 'copy.db'}") as copied:
        assert _everything(copied, leave_out=RECORD) == before
    close_engine(f"sqlite:///{tmp_path / 'copy.db'}")
    db.close()
    request.getfixturevalue("elsewhere")
    restore_store(tmp_path / "backup")
    with open_session() as restored:
        assert _everything(restored, leave_out=RECORD) == before


def _one_row() -> Any:
    import pyarrow as pa  # noqa: PLC0415 - heavy, and only here

    return pa.table({"party_id": ["p"]})


@pytest.mark.slow
def test_a_backup_is_of_one_moment_while_others_write(
    store: Any, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    _use(tmp_path)
    stop, failures = threading.Event(), []

    def write() -> None:
        try:
            with open_session() as db:
                number = 0
                while not stop.is_set():
                    number += 1
                    PolicyService(db, "ada").set_policy({"min_labelled": 100 + number})
        except BaseException as error:  # noqa: BLE001 - the test shows it
            failures.append(error)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        made = [back_up_store(tmp_path / f"backup-{number}") for number in range(3)]
    finally:
        stop.set()
        writer.join()
    assert failures == []
    assert made[0]["audit_seq"] < made[2]["audit_seq"]
    request.getfixturevalue("elsewhere")
    assert restore_store(tmp_path / "backup-2")["healthy"]


@pytest.mark.parametrize("way", ["changed", "gone", "unfinished", "rewritten"])
@SQLITE
def test_a_changed_or_incomplete_backup_is_refused_and_the_file_named(
    saved: Path, request: pytest.FixtureRequest, store: Any, way: str
) -> None:
    home = request.getfixturevalue("elsewhere")
    (file,) = (saved / "lake").rglob("*.parquet")
    expected: dict[str, tuple[type[Exception], str]] = {
        "changed": (FileHashError, file.name),
        "gone": (NotFoundError, file.name),
        "unfinished": (InvalidInputError, "not finished"),
        "rewritten": (AuditChainError, "the backup says"),
    }
    if way == "changed":
        file.write_bytes(file.read_bytes() + b"x")
    elif way == "gone":
        file.unlink()
    elif way == "unfinished":
        (saved / "manifest.json").unlink()
    else:
        manifest = json.loads((saved / "manifest.json").read_text())
        (saved / "manifest.json").write_text(json.dumps(manifest | {"audit_seq": 3}))
    kind, words = expected[way]
    with pytest.raises(kind, match=words):
        restore_store(saved)
    assert way == "rewritten" or not (home / "chancellor.db").exists()


@pytest.mark.slow
def test_a_table_changed_in_a_backup_is_named(
    saved: Path, request: pytest.FixtureRequest, store: Any
) -> None:
    inside = [path for path in saved.iterdir() if path.name in {"chancellor.db", "tables"}]
    changed = inside[0] if inside[0].is_file() else inside[0] / "reviews.copy"
    changed.write_bytes(changed.read_bytes().replace(b"committee", b"committed"))
    request.getfixturevalue("elsewhere")
    with pytest.raises(FileHashError, match=changed.name):
        restore_store(saved)


@pytest.mark.slow
def test_a_place_that_holds_a_store_is_refused(saved: Path, store: Any) -> None:
    with open_session() as db:
        before = AuditService(db).verify()["head"]
    with pytest.raises(ConflictError, match="store in this place already"):
        restore_store(saved)
    with open_session() as db:
        assert AuditService(db).verify()["head"] == before
    with pytest.raises(ConflictError, match="not empty"):
        back_up_store(saved)


@SQLITE
def test_files_of_another_lake_are_refused_and_an_interrupted_restore_goes_on(
    saved: Path, request: pytest.FixtureRequest, store: Any
) -> None:
    home: Path = request.getfixturevalue("elsewhere")
    shutil.copytree(saved / "lake", home / "lake")  # as far as it came
    other = home / "lake" / "batches" / "other.parquet"
    other.write_bytes(b"not ours")
    with pytest.raises(ConflictError, match=r"other\.parquet"):
        restore_store(saved)
    other.unlink()
    assert restore_store(saved)["healthy"]


@SQLITE
def test_a_backup_of_another_kind_of_database_is_refused(
    saved: Path, store: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHANCELLOR_DATABASE_URL", "postgresql://localhost/none")
    with pytest.raises(ConflictError, match="chancellor copy"):
        restore_store(saved)


@SQLITE
def test_a_damaged_file_is_not_backed_up(store: Any, tmp_path: Path) -> None:
    _use(tmp_path)
    (file,) = (Path(store.lake_url) / "batches").iterdir()
    file.write_bytes(b"other")
    with pytest.raises(FileHashError, match=file.name):
        back_up_store(tmp_path / "backup")
    with pytest.raises(InvalidInputError, match="not finished"):
        restore_store(tmp_path / "backup")


@pytest.mark.slow
def test_a_run_that_was_live_is_not_live_in_a_restored_store(
    store: Any, db: Session, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    with transaction(db):
        db.add(run_row(id="live", status="running", config={"host": "elsewhere"}, pid=1))
    db.close()
    back_up_store(tmp_path / "backup")
    request.getfixturevalue("elsewhere")
    restore_store(tmp_path / "backup", actor="ada")
    with open_session() as restored:
        run = RunService(restored).get_run("live")
    assert (run["status"], run["error"]) == ("cancelled", "the store was restored while this ran")


@SQLITE
def test_there_is_nothing_to_back_up_or_copy_without_a_store(
    store_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHANCELLOR_HOME", str(tmp_path / "nothing"))
    with pytest.raises(StoreNotInitialisedError):
        back_up_store(tmp_path / "backup")
    with pytest.raises(StoreNotInitialisedError):
        copy_store(f"sqlite:///{tmp_path / 'copy.db'}")
    assert not (tmp_path / "copy.db").exists()


@SQLITE
@pytest.mark.postgres
@pytest.mark.slow
def test_a_store_moves_to_postgresql_and_back_as_it_was(
    store: Any, tmp_path: Path, postgres_server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    _use(tmp_path)
    with open_session() as db:
        before, n = _everything(db, leave_out=RECORD), AuditService(db).verify()["n_events"]
        events = _events(db, until=n)
    name = postgres_server.create_database()
    moved, back = postgres_server.url(name), f"sqlite:///{tmp_path / 'back.db'}"
    result = copy_store(moved, actor="ada")
    assert (result["healthy"], result["left_out"], result["audit_seq"]) == (True, [], n)
    with pytest.raises(ConflictError, match="not empty"):
        copy_store(moved, actor="ada")
    monkeypatch.setenv("CHANCELLOR_DATABASE_URL", moved)
    with open_session() as db:
        assert _everything(db, leave_out=RECORD) == before
        assert _events(db, until=n) == events
        (event,) = AuditService(db).list_events(limit=1)
        assert (event["action"], event["payload"]["audit_seq"]) == ("store.copied", n)
        _activate_another(db, 11.5)  # the next insert of every table works
        there, n = _everything(db, leave_out=RECORD), AuditService(db).verify()["n_events"]
        events = _events(db, until=n)
    assert copy_store(back, actor="ada")["healthy"]
    with open_session(back) as db:
        assert _everything(db, leave_out=RECORD) == there
        assert _events(db, until=n) == events
    for url in (moved, back):
        close_engine(url)
    postgres_server.drop_database(name)


@SQLITE
def test_a_copy_that_fails_leaves_no_row(
    store: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = f"sqlite:///{tmp_path / 'copy.db'}"
    monkeypatch.setattr("app.services.store_copy.record", lambda *_a, **_k: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        copy_store(target)
    monkeypatch.undo()
    upgrade(target)
    engine = create_store_engine(target)
    with Session(engine) as plain:
        assert plain.scalars(select(PipelineRun.id)).all() == []
        assert plain.scalars(select(AuditEvent.seq)).all() == []
        assert len(read_triggers(plain)) > 40
    engine.dispose()
