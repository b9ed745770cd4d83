"""Batches: every fault at once, nothing stored unless sound, one content one snapshot."""

from __future__ import annotations

import csv
import gzip
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest
from sqlalchemy import func, select

from app.domain.scorecard import Scorecard
from app.errors import ConflictError, IntakeError, InvalidInputError, NotFoundError
from app.lake.store import open_lake
from app.models import AuditEvent, Batch
from app.services.batch_service import BatchService
from tests.support.portfolio import FEATURES, party, store_with_card, write_batch, write_rows

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


def take(db: Session, path: Path, batch_id: str = "B1", **options: Any) -> dict[str, Any]:
    options = {"party_id": "id", "scored_at": "on", **options}
    return BatchService(db, actor="ann").import_file(path, batch_id=batch_id, **options)


def faults(db: Session, path: Path, **options: Any) -> list[tuple[Any, Any, str]]:
    with pytest.raises(IntakeError) as caught:
        take(db, path, **options)
    assert db.scalar(select(func.count()).select_from(Batch)) == 0
    found = caught.value.facts["faults"]
    assert caught.value.facts["n_faults"] >= len(found)
    return [(fault["row"], fault["column"], fault["problem"]) for fault in found]


def table(db: Session, batch_id: str = "B1") -> pa.Table:
    row = db.get_one(Batch, batch_id)
    return open_lake().read_table(row.file_path, row.file_hash)


def test_a_sound_file_becomes_a_sorted_typed_snapshot(db: Session, tmp_path: Path) -> None:
    path = write_batch(
        tmp_path / "b.csv",
        [
            party("007", "2024-02-01", network_size="", note="x", zip="01234"),
            party("8.0", "2024-01-31T23:00-02:00", network_size="nan", note="", zip="99999"),
            party("b", "2024-01-01", network_size="2.5", note="y", zip=""),
        ],
    )
    result = take(db, path)
    assert result["n_rows"] == 3
    assert (result["scored_from"], result["scored_to"]) == ("2024-01-01", "2024-02-01")
    stored = table(db)
    assert stored["party_id"].to_pylist() == ["b", "007", "8"]
    assert stored["network_size"].to_pylist() == [2.5, None, None]
    assert stored["zip"].to_pylist() == [None, "01234", "99999"]
    assert stored["note"].to_pylist() == ["y", "x", None]
    assert stored["scored_at"].type == pa.timestamp("us", "UTC")
    assert stored.column_names[:3] == ["party_id", "scored_at", "kyc_verified"]
    event = db.scalars(select(AuditEvent).where(AuditEvent.action == "batch.imported")).one()
    assert (event.actor, event.subject) == ("ann", "batch:B1")


def test_csv_gzip_and_parquet_of_one_content_give_one_snapshot(
    sqlite_db: Session, tmp_path: Path
) -> None:
    path = write_batch(
        tmp_path / "b.csv", [party("P1", flag="True"), party("P2", flag="False", network_size=2.5)]
    )
    (tmp_path / "b.csv.gz").write_bytes(gzip.compress(path.read_bytes()))
    pq.write_table(pacsv.read_csv(path), tmp_path / "b.parquet")
    hashes = [
        take(sqlite_db, tmp_path / name, batch_id)["file_hash"]
        for batch_id, name in (("A", "b.csv"), ("B", "b.csv.gz"))
    ]
    assert hashes[0] == hashes[1]
    take(sqlite_db, tmp_path / "b.parquet", "C")
    columns = ["party_id", "scored_at", *FEATURES]
    assert table(sqlite_db, "C").select(columns).equals(table(sqlite_db, "A").select(columns))


def test_the_row_order_of_the_file_does_not_matter(sqlite_db: Session, tmp_path: Path) -> None:
    rows = [party(f"P{n}", f"2024-01-{1 + n % 3:02d}") for n in range(9)]
    first = take(sqlite_db, write_batch(tmp_path / "a.csv", rows), "A")
    second = take(sqlite_db, write_batch(tmp_path / "b.csv", rows[::-1]), "B")
    assert first["file_hash"] == second["file_hash"]


def test_the_row_number_can_be_the_id_and_one_date_the_score_date(
    sqlite_db: Session, tmp_path: Path
) -> None:
    path = write_batch(tmp_path / "b.csv", [party("x"), party("x")])
    take(sqlite_db, path, party_id="@row", scored_at="2023-06-30")
    assert table(sqlite_db)["party_id"].to_pylist() == ["1", "2"]
    assert table(sqlite_db)["on"].to_pylist() == ["2024-01-01"] * 2


def test_all_faults_are_named_at_once_with_line_and_column(db: Session, tmp_path: Path) -> None:
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).date().isoformat()
    path = write_batch(
        tmp_path / "b.csv",
        [
            party("P1", note=""),
            party("", network_size="many", note=""),
            party("P1", "1899-12-31", kyc_verified="inf", note=""),
            party("P4", tomorrow, note=""),
            party("P5", "03/04/2024", note="two\nlines"),
            party("P6", "", note=""),
            party("P7", "2024-02-30", note=""),
        ],
    )
    found = faults(db, path)
    assert [(row, column) for row, column, _ in found] == [
        (3, "id"),
        (3, "network_size"),
        (4, "id"),
        (4, "on"),
        (4, "kyc_verified"),
        (5, "on"),
        (6, "on"),
        (8, "on"),
        (9, "on"),
    ]
    said = {(row, column): problem for row, column, problem in found}
    assert said[3, "id"] == "the party id is blank"
    assert said[3, "network_size"] == "'many' is not a number"
    assert said[4, "id"] == "party 'P1' already stands on row 2"
    assert said[4, "kyc_verified"] == "'inf' is infinite"
    assert "1899-12-31 lies before 1900-01-01" in said[4, "on"]
    assert "lies in the future" in said[5, "on"]
    assert "--date-format" in said[6, "on"]
    assert said[8, "on"] == "the date is blank"
    assert said[9, "on"] == "'2024-02-30' is not a date of the calendar"


def test_twenty_faults_are_shown_and_all_are_counted(sqlite_db: Session, tmp_path: Path) -> None:
    path = write_batch(tmp_path / "b.csv", [party(f"P{n}", network_size="x") for n in range(50)])
    with pytest.raises(IntakeError, match="50 faults") as caught:
        take(sqlite_db, path)
    assert len(caught.value.facts["faults"]) == 20
    assert caught.value.facts["faults"][19]["row"] == 21


def test_missing_columns_are_all_named_with_close_matches(
    sqlite_db: Session, tmp_path: Path
) -> None:
    row = party("P1")
    row["Network_Sise"] = row.pop("network_size")
    del row["kyc_verified"]
    found = faults(
        sqlite_db, write_batch(tmp_path / "b.csv", [row]), party_id="party", scored_at="at"
    )
    problems = {column: problem for _, column, problem in found}
    assert "no column 'party' (--party-id)" in problems["party"]
    assert "did you mean Network_Sise?" in problems["network_size"]
    assert sum("the file has: id, on, " in problem for problem in problems.values()) == 1
    assert "--scored-at 'at' is neither a column nor a date" in problems[None]


def test_a_feature_that_the_card_allows_to_be_missing_must_be_asked_for(
    home: Path, sqlite_template: Path, tmp_path: Path
) -> None:
    linear = {"weight": 1, "transform": {"kind": "linear", "worst": 0, "best": 1}}
    sector = {"kind": "categories", "values": {"1": 1.0}, "other": 0.5}
    card = Scorecard.from_document(
        {
            "name": "Two may be missing",
            "bands": {"low": 300, "high": 600},
            "features": {
                "age": linear,
                "debt": {**linear, "missing": 0.5},
                "sector": {"weight": 1, "transform": sector, "missing": 0.5},
            },
        }
    )
    with store_with_card(card, home, sqlite_template) as db:
        path = write_rows(tmp_path / "b.csv", [{"id": "P1", "on": "2024-01-01", "ages": 1}])
        asked = [problem for _, _, problem in faults(db, path, allow_missing_features=True)]
        assert len(asked) == 1
        assert "the file lacks this feature of the card; did you mean ages?" in asked[0]
        path = write_rows(tmp_path / "c.csv", [{"id": "P1", "on": "2024-01-01", "age": 1}])
        assert "--allow-missing-features" in faults(db, path)[0][2]
        result = take(db, path, allow_missing_features=True)
        assert result["missing_features"] == ["debt", "sector"]
        stored = table(db)
        assert (stored["debt"].type, stored["debt"].null_count) == (pa.float64(), 1)
        assert (stored["sector"].type, stored["sector"].null_count) == (pa.string(), 1)


@pytest.mark.parametrize(
    ("content", "problem", "row"),
    [
        (b"", "the file is empty", None),
        (b"\n \n", "the file is empty", None),
        (b"id,on\n", "the file has a header but no rows", None),
        (b"\xff\xfei\x00d\x00", "is UTF-16: save the file as UTF-8", 1),
        (
            b"i\xe9,on\n1,2\n",
            "the header holds bytes that are not UTF-8: save the file as UTF-8",
            1,
        ),
        (b"\x1f\x8bbroken", "the gzip file is damaged", None),
        (b"PAR1broken", "the Parquet file cannot be read", None),
        (b"id;on\n1;2\n", "the header has one column: separate columns by commas", 1),
    ],
)
def test_a_file_that_is_no_table_says_what_it_is(
    sqlite_db: Session, tmp_path: Path, content: bytes, problem: str, row: int | None
) -> None:
    path = tmp_path / "b.csv"
    path.write_bytes(content)
    found = faults(sqlite_db, path)
    assert found[0][2].startswith(problem)
    assert found[0][0] == row


def test_wrong_encoding_ragged_rows_and_repeated_columns_are_named(
    sqlite_db: Session, tmp_path: Path
) -> None:
    names = ",".join(FEATURES)
    ones = ",".join("1" * len(FEATURES))
    lines = [
        f"id,on,{names},note,note",
        f"P1,2024-01-01,{ones},a,b",
        f"P2,2024-01-01,{ones},caf\xe9,b",
        "",
        f"P3,2024-01-01,{ones},a",
        f"P4,2024-01-01,{ones},a,b,c",
    ]
    path = tmp_path / "b.csv"
    path.write_bytes("\r\n".join(lines).encode("latin-1"))
    found = faults(sqlite_db, path)
    assert [(row, column) for row, column, _ in found] == [
        (1, "note"),
        (3, None),
        (5, None),
        (6, None),
    ]
    assert found[1][2] == "the row holds bytes that are not UTF-8: save the file as UTF-8"
    assert found[2][2] == "the row has 19 cells, the header has 20"


@pytest.mark.parametrize("skip_bad_rows", [False, True])
@pytest.mark.parametrize("ending", ["", '"fine"'], ids=["to the end", "to the next quote"])
def test_a_quote_that_swallows_rows_is_named(
    sqlite_db: Session, tmp_path: Path, ending: str, *, skip_bad_rows: bool
) -> None:
    """In the last column such a row has the right number of cells, and 9 rows are gone."""
    path = write_batch(tmp_path / "b.csv", [party(f"P{i}", note="n") for i in range(12)])
    lines = path.read_text(encoding="utf-8").splitlines()
    lines[3] = lines[3].removesuffix("n") + '"oops'
    lines[12] = lines[12].removesuffix("n") + (ending or "n")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    assert lines[0].endswith(",note")
    ((row, _, problem),) = faults(sqlite_db, path, skip_bad_rows=skip_bad_rows)
    assert row == 4
    assert "a quote that is never closed" in problem


def test_a_cell_of_several_lines_is_sound(sqlite_db: Session, tmp_path: Path) -> None:
    path = write_batch(tmp_path / "b.csv", [party("P1", note="two\nlines"), party("P2", note="")])
    assert take(sqlite_db, path)["n_rows"] == 2


def test_sound_rows_are_stored_and_the_others_written_with_their_reasons(
    db: Session, tmp_path: Path
) -> None:
    path = write_batch(
        tmp_path / "b.csv",
        [
            party("P1"),
            party("P2", network_size="x", kyc_verified="y"),
            party("P1"),
            party("P4"),
        ],
    )
    with path.open("ab") as file:
        file.write(b"P5,2024-01-01,1\r\n")
    rejects = tmp_path / "out.csv"
    result = take(db, path, skip_bad_rows=True, rejects_path=rejects)
    assert (result["n_rows"], result["n_rejected"]) == (2, 3)
    assert result["rejects_path"] == str(rejects)
    assert table(db)["party_id"].to_pylist() == ["P1", "P4"]
    with rejects.open(newline="", encoding="utf-8") as file:
        header, *rows = list(csv.reader(file))
    assert header[:4] == ["line", "reasons", "id", "on"]
    assert [(row[0], row[2]) for row in rows] == [("3", "P2"), ("4", "P1"), ("6", "P5")]
    assert rows[0][1] == "kyc_verified: 'y' is not a number; network_size: 'x' is not a number"
    assert rows[1][1] == "id: party 'P1' already stands on row 2"
    assert rows[2][1] == "the row has 3 cells, the header has 18"


def test_the_rejects_stand_in_the_working_directory_by_default(
    sqlite_db: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "in").mkdir()
    monkeypatch.chdir(tmp_path)
    path = write_batch(tmp_path / "in" / "b.csv", [party("P1"), party("P2", network_size="x")])
    assert take(sqlite_db, path, skip_bad_rows=True)["rejects_path"] == "b.csv.rejects.csv"
    assert (tmp_path / "b.csv.rejects.csv").exists()


def test_a_file_without_one_sound_row_is_refused_all_the_same(
    sqlite_db: Session, tmp_path: Path
) -> None:
    path = write_batch(tmp_path / "b.csv", [party("P1", network_size="x")])
    assert faults(sqlite_db, path, skip_bad_rows=True)


def test_the_same_file_twice_changes_nothing_and_other_content_is_a_conflict(
    db: Session, tmp_path: Path
) -> None:
    path = write_batch(tmp_path / "b.csv", [party("P1"), party("P2")])
    first = take(db, path)
    again = take(db, path)
    assert first["already_imported"] is False
    assert again == {**first, "already_imported": True}
    events = (
        select(func.count()).select_from(AuditEvent).where(AuditEvent.action == "batch.imported")
    )
    assert db.scalar(events) == 1
    with pytest.raises(ConflictError, match="other content"):
        take(db, write_batch(tmp_path / "c.csv", [party("P1")]))


def test_a_withdrawn_batch_stays_on_the_record_and_its_id_is_not_used_again(
    db: Session, tmp_path: Path
) -> None:
    path = write_batch(tmp_path / "b.csv", [party("P1")])
    take(db, path)
    service = BatchService(db, actor="bob")
    with pytest.raises(InvalidInputError, match="needs a reason"):
        service.withdraw("B1", reason=" ")
    service.withdraw("B1", reason="wrong month")
    assert service.get_batch("B1")["withdrawn"]["actor"] == "bob"
    assert [row["withdrawn"]["reason"] for row in service.list_batches()] == ["wrong month"]
    with pytest.raises(ConflictError, match="withdrawn by bob"):
        take(db, path)
    with pytest.raises(ConflictError, match="already"):
        service.withdraw("B1", reason="again")


@pytest.mark.parametrize("batch_id", ["", "-x", "a b", "a/b", "ä", "x" * 65, "a\n"])
def test_an_unusable_batch_id_is_refused(sqlite_db: Session, tmp_path: Path, batch_id: str) -> None:
    with pytest.raises(InvalidInputError, match="batch id"):
        take(sqlite_db, write_batch(tmp_path / "b.csv", [party("P1")]), batch_id)


def test_what_does_not_exist_is_named_with_what_does(sqlite_db: Session, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="there is no file"):
        take(sqlite_db, tmp_path / "none.csv")
    with pytest.raises(NotFoundError, match="chancellor batch import"):
        BatchService(sqlite_db).get_batch("B2")
    take(sqlite_db, write_batch(tmp_path / "b.csv", [party("P1")]))
    with pytest.raises(NotFoundError, match="there is B1"):
        BatchService(sqlite_db).get_batch("B2")


def test_names_that_the_snapshot_needs_cannot_be_other_columns(
    sqlite_db: Session, tmp_path: Path
) -> None:
    path = write_batch(tmp_path / "b.csv", [{**party("P1"), "party_id": "x"}])
    assert faults(sqlite_db, path)[0][1] == "party_id"
    assert faults(sqlite_db, path, party_id="network_size")[0][1] == "network_size"


def test_dates_in_another_form_are_read_with_their_format(
    sqlite_db: Session, tmp_path: Path
) -> None:
    path = write_batch(tmp_path / "b.csv", [party("P1", "03/04/2024")])
    assert take(sqlite_db, path, date_format="%d/%m/%Y")["scored_from"] == "2024-04-03"
