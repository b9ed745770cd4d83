"""Exposure lists: imported once, listed, withdrawn and never deleted."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import func, select

from app.errors import ConflictError, InvalidInputError, NotFoundError
from app.lake.store import open_lake
from app.models import AuditEvent, ExposureImport
from app.services.exposure_service import ExposureService
from tests.support.portfolio import write_rows

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

GRANTED = [{"id": "P1", "from": "2024-01-05"}, {"id": "P2", "from": ""}]


def take(db: Session, folder: Path) -> dict[str, Any]:
    path = write_rows(folder / "x.csv", GRANTED)
    return ExposureService(db, actor="ann").import_file(path, party_id="id", granted_on="from")


def count(db: Session, action: str) -> int:
    events = select(func.count()).select_from(AuditEvent).where(AuditEvent.action == action)
    return int(db.scalar(events) or 0)


def test_the_same_list_twice_changes_nothing(db: Session, tmp_path: Path) -> None:
    first, again = take(db, tmp_path), take(db, tmp_path)
    assert (first["n_rows"], first["already_imported"]) == (2, False)
    assert again == {**first, "already_imported": True}
    assert count(db, "exposures.imported") == 1


def test_a_withdrawn_list_stays_on_the_record_and_may_come_back(
    db: Session, tmp_path: Path
) -> None:
    service = ExposureService(db, actor="bob")
    first = take(db, tmp_path)
    done = service.withdraw(first["exposure_import_id"], reason=" another portfolio ")
    assert done["withdrawn"]["reason"] == "another portfolio"
    assert (done["withdrawn"]["actor"], done["n_left"]) == ("bob", 0)
    back = take(db, tmp_path)
    assert back["already_imported"] is False
    assert back["exposure_import_id"] != first["exposure_import_id"]
    assert back["file_hash"] == first["file_hash"]
    withdrawn, valid = service.list_imports()
    assert withdrawn["withdrawn"] == done["withdrawn"]
    assert valid["withdrawn"] is None
    row = db.get_one(ExposureImport, first["exposure_import_id"])
    assert open_lake().read_table(row.file_path, row.file_hash).num_rows == 2
    assert count(db, "exposures.withdrawn") == 1


def test_a_list_is_withdrawn_once_and_with_a_reason(db: Session, tmp_path: Path) -> None:
    service = ExposureService(db)
    number = take(db, tmp_path)["exposure_import_id"]
    with pytest.raises(InvalidInputError, match="needs a reason"):
        service.withdraw(number, reason=" ")
    service.withdraw(str(number), reason="cut short")
    with pytest.raises(ConflictError, match=f"exposure import {number} was withdrawn already"):
        service.withdraw(number, reason="cut short")


def test_a_list_that_is_not_there_says_which_are(sqlite_db: Session, tmp_path: Path) -> None:
    service = ExposureService(sqlite_db)
    for number in ("1", "x", "²"):
        with pytest.raises(NotFoundError, match="there is none yet"):
            service.withdraw(number, reason="x")
    take(sqlite_db, tmp_path)
    with pytest.raises(NotFoundError, match="the newest is 1"):
        service.withdraw(7, reason="x")
