"""Outcomes: dated events and final flags; the same file twice changes nothing."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import func, select

from app.errors import (
    CircularLabelError,
    ConflictError,
    IntakeError,
    InvalidInputError,
    NotFoundError,
)
from app.lake.store import open_lake
from app.models import AuditEvent, OutcomeImport
from app.services.audit_service import AuditService
from app.services.batch_service import BatchService
from app.services.outcome_service import OutcomeService
from tests.support.portfolio import party, write_batch, write_events, write_rows

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

EVENTS = [
    ("P1", "2024-02-01", "write_off", ""),
    ("P2", "2024-03-01T23:30-02:00", "Days_Past_Due", "45"),
    ("P3", "", "collection", ""),
    ("P4", "", "", ""),
]


def take(db: Session, path: Path, **options: Any) -> dict[str, Any]:
    columns = {
        "party_id": "id",
        "event_date": "date",
        "event_type": "type",
        "through": "2024-12-31",
    }
    return OutcomeService(db, actor="ann").import_events(
        path, **{**columns, "days_past_due": "days", **options}
    )


def count(db: Session, action: str) -> int:
    events = select(func.count()).select_from(AuditEvent).where(AuditEvent.action == action)
    return int(db.scalar(events) or 0)


def test_events_are_stored_and_declared_complete_by_type(db: Session, tmp_path: Path) -> None:
    result = take(db, write_events(tmp_path / "e.csv", EVENTS))
    assert (result["n_rows"], result["n_events"]) == (4, 2)
    # a type that the file speaks of without an event is declared too
    assert result["through"] == dict.fromkeys(
        ["collection", "days_past_due", "write_off"], "2024-12-31"
    )
    row = db.get_one(OutcomeImport, result["import_id"])
    assert open_lake().read_table(row.file_path, row.file_hash).to_pylist() == [
        {
            "party_id": "P1",
            "event_date": date(2024, 2, 1),
            "event_type": "write_off",
            "days_past_due": None,
        },
        {
            "party_id": "P2",
            "event_date": date(2024, 3, 2),
            "event_type": "days_past_due",
            "days_past_due": 45.0,
        },
    ]


def test_the_same_file_twice_changes_nothing_in_any_row_order(db: Session, tmp_path: Path) -> None:
    first = take(db, write_events(tmp_path / "e.csv", EVENTS))
    again = take(db, write_events(tmp_path / "f.csv", EVENTS[::-1]))
    assert (first["already_imported"], again["already_imported"]) == (False, True)
    assert again["import_id"] == first["import_id"]
    assert count(db, "outcomes.imported") == 1
    later = take(db, write_events(tmp_path / "e.csv", EVENTS), through="2025-01-31")
    assert later["already_imported"] is False


def test_a_withdrawn_file_may_come_back_as_a_new_import(db: Session, tmp_path: Path) -> None:
    path = write_events(tmp_path / "e.csv", EVENTS)
    service = OutcomeService(db, actor="bob")
    first = take(db, path)["import_id"]
    service.withdraw(str(first), reason="wrong file")
    with pytest.raises(ConflictError, match="already, by bob"):
        service.withdraw(first, reason="again")
    second = take(db, path)["import_id"]
    assert second != first
    assert take(db, path)["already_imported"] is True
    listed = service.list_imports()
    assert [(row["import_id"], row["withdrawn"] is None) for row in listed] == [
        (first, False),
        (second, True),
    ]


def test_all_faults_of_an_outcome_file_are_named(sqlite_db: Session, tmp_path: Path) -> None:
    path = write_events(
        tmp_path / "e.csv",
        [
            ("", "2024-02-01", "write_off", ""),
            ("P2", "2024-02-01", "theft", ""),
            ("P3", "1850-01-01", "write_off", ""),
            ("P4", "2024-02-01", "", ""),
            ("P5", "2024-02-01", "days_past_due", ""),
            ("P6", "2024-02-01", "days_past_due", "x"),
            ("P7", "2024-02-01", "days_past_due", "-3"),
            ("P8", "soon", "write_off", ""),
        ],
    )
    with pytest.raises(IntakeError) as caught:
        take(sqlite_db, path)
    found = [(f["row"], f["column"], f["problem"]) for f in caught.value.facts["faults"]]
    assert [(row, column) for row, column, _ in found] == [
        (2, "id"),
        (3, "type"),
        (4, "date"),
        (5, "type"),
        (6, "days"),
        (7, "days"),
        (8, "days"),
        (9, "date"),
    ]
    assert "'theft' is not an event type: bankruptcy, collection" in found[1][2]
    assert "lies before 1900-01-01" in found[2][2]


def test_an_event_type_that_is_neither_column_nor_type_names_both_readings(
    sqlite_db: Session, tmp_path: Path
) -> None:
    path = write_events(tmp_path / "e.csv", EVENTS)
    with pytest.raises(IntakeError) as caught:
        take(sqlite_db, path, event_type="writeoff")
    assert "neither a column nor an event type (did you mean write_off?)" in caught.value.message
    with pytest.raises(IntakeError, match="name their column with --days-past-due"):
        take(sqlite_db, path, days_past_due=None)


def test_the_day_of_completeness_must_be_a_day_that_has_come(
    sqlite_db: Session, tmp_path: Path
) -> None:
    path = write_events(tmp_path / "e.csv", EVENTS)
    tomorrow = datetime.now(UTC).date() + timedelta(days=1)
    with pytest.raises(InvalidInputError, match="lies in the future"):
        take(sqlite_db, path, through=tomorrow)
    with pytest.raises(InvalidInputError, match=r"--through: 'soon' is not an ISO date"):
        take(sqlite_db, path, through="soon")
    with pytest.raises(InvalidInputError, match="--through: 'soon' does not match"):
        take(sqlite_db, path, through="soon", date_format="%d/%m/%Y")


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        (datetime(2024, 3, 1, 23, 30, tzinfo=timezone(timedelta(hours=-2))), "2024-03-02"),
        (datetime(2024, 3, 1, 23, 30, tzinfo=UTC), "2024-03-01"),
        ("2024-03-01T23:30-02:00", "2024-03-02"),
        (date(2024, 3, 1), "2024-03-01"),
    ],
)
def test_completeness_is_declared_in_days_of_utc(
    sqlite_db: Session, tmp_path: Path, moment: Any, day: str
) -> None:
    path = write_events(tmp_path / "e.csv", EVENTS)
    assert set(take(sqlite_db, path, through=moment)["through"].values()) == {day}


@pytest.mark.parametrize("days", ["inf", "nan", "1e999", "-1", ""])
def test_days_past_due_that_are_no_number_of_days_are_refused(
    sqlite_db: Session, tmp_path: Path, days: str
) -> None:
    path = write_events(tmp_path / "e.csv", [("P1", "2024-02-01", "days_past_due", days)])
    with pytest.raises(IntakeError, match="days"):
        take(sqlite_db, path)


def test_events_after_the_day_of_completeness_are_kept_with_a_warning(
    sqlite_db: Session, tmp_path: Path
) -> None:
    path = write_events(tmp_path / "e.csv", EVENTS)
    result = take(sqlite_db, path, through="2024-02-15")
    assert result["n_events"] == 2
    (warning,) = result["warnings"]
    assert warning.startswith("1 of 2 events dated after 2024-02-15, the newest on 2024-03-02")


def flags(db: Session, path: Path, **options: Any) -> dict[str, Any]:
    given = {"batch_id": "B1", "party_id": "id", "flag": "bad", "bad": "yes", **options}
    return OutcomeService(db, actor="ann").import_flags(path, **given)


@pytest.fixture
def batch(db: Session, tmp_path: Path) -> str:
    path = write_batch(tmp_path / "b.csv", [party(f"P{n}") for n in range(4)])
    BatchService(db).import_file(path, batch_id="B1", party_id="id", scored_at="on")
    return "B1"


def test_final_flags_are_counted_and_oddities_said(db: Session, batch: str, tmp_path: Path) -> None:
    path = write_rows(
        tmp_path / "f.csv",
        [
            {"id": "P0", "bad": "yes"},
            {"id": "P1", "bad": "no"},
            {"id": "P2", "bad": "perhaps"},
            {"id": "P3", "bad": ""},
            {"id": "X9", "bad": "no"},
        ],
    )
    result = flags(db, path)
    assert (result["n_flagged"], result["n_bad"], result["n_good"]) == (4, 1, 3)
    assert result["n_not_in_batch"] == 1
    assert result["warnings"] == [
        "2 values other than 'yes' count as good: no (2), perhaps (1)",
        "flagged but not in the batch, so counted nowhere: 1",
    ]
    assert flags(db, path)["already_imported"] is True


def test_a_bad_value_that_nobody_has_lists_the_values(
    db: Session, batch: str, tmp_path: Path
) -> None:
    path = write_rows(tmp_path / "f.csv", [{"id": "P0", "bad": "0"}, {"id": "P1", "bad": "1"}])
    with pytest.raises(
        IntakeError, match="no party has the bad value 'yes'; the column holds: 0, 1"
    ):
        flags(db, path)


def test_flags_of_strangers_are_refused(db: Session, batch: str, tmp_path: Path) -> None:
    path = write_rows(tmp_path / "f.csv", [{"id": "17", "bad": "yes"}])
    with pytest.raises(InvalidInputError, match="its ids look like '17', those of the batch"):
        flags(db, path)


def test_a_flag_that_is_the_cards_own_band_is_refused(
    db: Session, batch: str, tmp_path: Path
) -> None:
    path = write_rows(tmp_path / "f.csv", [{"id": "P0", "Score_Band": "poor"}])
    with pytest.raises(CircularLabelError, match="own judgement"):
        flags(db, path, flag="Score_Band", bad="poor")


def test_an_import_that_is_not_there_says_which_are(sqlite_db: Session, tmp_path: Path) -> None:
    service = OutcomeService(sqlite_db)
    for number in ("1", "x", "²"):
        with pytest.raises(NotFoundError, match="there is none yet"):
            service.withdraw(number, reason="x")
    take(sqlite_db, write_events(tmp_path / "e.csv", EVENTS))
    with pytest.raises(NotFoundError, match="the newest is 1"):
        service.withdraw(7, reason="x")


def test_sound_rows_are_stored_and_the_others_written_with_their_reasons(
    sqlite_db: Session, tmp_path: Path
) -> None:
    path = write_events(
        tmp_path / "e.csv",
        [*EVENTS, ("", "2024-02-01", "write_off", ""), ("P9", "soon", "theft", "")],
    )
    with pytest.raises(IntakeError):
        take(sqlite_db, path)
    rejects = tmp_path / "left.csv"
    result = take(sqlite_db, path, skip_bad_rows=True, rejects_path=rejects)
    assert (result["n_rejected"], result["rejects_path"]) == (2, str(rejects))
    assert any("count as good" in warning for warning in result["warnings"])
    sound = take(sqlite_db, write_events(tmp_path / "sound.csv", EVENTS))
    assert (sound["import_id"], sound["n_rejected"]) == (result["import_id"], 0)
    lines = rejects.read_text().splitlines()
    assert lines[0].startswith("line,reasons,")
    assert [line.split(",")[0] for line in lines[1:]] == [
        str(len(EVENTS) + 2),
        str(len(EVENTS) + 3),
    ]
    payload = AuditService(sqlite_db).list_events(action="outcomes.imported")[0]["payload"]
    assert payload["n_rejected"] == 2


def test_a_fault_of_the_whole_outcome_file_is_never_skipped(
    sqlite_db: Session, tmp_path: Path
) -> None:
    path = write_events(tmp_path / "e.csv", EVENTS)
    with pytest.raises(IntakeError, match="no column"):
        take(sqlite_db, path, skip_bad_rows=True, party_id="nobody")
    nothing = write_events(tmp_path / "n.csv", [("", "2024-02-01", "write_off", "")])
    with pytest.raises(IntakeError):
        take(sqlite_db, nothing, skip_bad_rows=True)
