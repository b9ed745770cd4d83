"""Files that are made to do harm: each is refused as a whole, and nothing of it is stored."""

from __future__ import annotations

import csv
import gzip
import io
import tracemalloc
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sqlalchemy import func, select

from app.errors import IntakeError
from app.lake.intake_size import unpacked_bytes
from app.models import AuditEvent, Batch
from app.services.batch_service import BatchService
from app.services.outcome_service import OutcomeService
from tests.support.portfolio import FEATURES, party, write_batch

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

MIB = 1 << 20


def refused(db: Session, path: Path) -> list[dict[str, Any]]:
    """Give the faults for which a batch is refused, after proving that nothing was stored."""
    events = db.scalar(select(func.count()).select_from(AuditEvent))
    with pytest.raises(IntakeError) as caught:
        BatchService(db, actor="ann").import_file(
            path, batch_id="B1", party_id="id", scored_at="on"
        )
    assert db.scalar(select(func.count()).select_from(Batch)) == 0
    assert db.scalar(select(func.count()).select_from(AuditEvent)) == events
    found: list[dict[str, Any]] = caught.value.facts["faults"]
    return found


FORMULAS = [
    "=1+1", '=HYPERLINK("http://x.example")', "@SUM(1+1)", "+1+cmd|' /C calc'!A0", "-1+x()",
    "  =1+1", "+A1", "-A1",
]  # fmt: skip
HARMLESS = ["-", "- late payer", "+49 (30) 901-820", "-0.5", "+1e-3", "a=b", "x@y.example", ""]


@pytest.mark.parametrize("value", FORMULAS)
def test_a_formula_is_refused_as_id_and_as_any_text(
    sqlite_db: Session, tmp_path: Path, value: str
) -> None:
    rows = [party("P1", note="fine"), party(value, note=value)]
    found = refused(sqlite_db, write_batch(tmp_path / "b.csv", rows))
    assert [(fault["row"], fault["column"]) for fault in found] == [(3, "id"), (3, "note")]
    assert all("a formula to a spreadsheet" in fault["problem"] for fault in found)


def test_what_only_looks_a_little_like_a_formula_is_taken(
    sqlite_db: Session, tmp_path: Path
) -> None:
    rows = [party(f"P{at}", note=value) for at, value in enumerate(HARMLESS)]
    path = write_batch(tmp_path / "b.csv", rows)
    taken = BatchService(sqlite_db).import_file(path, batch_id="B", party_id="id", scored_at="on")
    assert taken["n_rows"] == len(HARMLESS)


def test_a_formula_in_parquet_or_in_a_column_name_is_refused(
    sqlite_db: Session, tmp_path: Path
) -> None:
    row = {**party("P1"), "note": "=1+1", "=2": "x"}
    path = tmp_path / "b.parquet"
    pq.write_table(pa.table({name: [value] for name, value in row.items()}), path)
    assert {fault["column"] for fault in refused(sqlite_db, path)} == {"note", "=2"}


def test_a_formula_as_id_of_an_outcome_is_refused(sqlite_db: Session, tmp_path: Path) -> None:
    path = tmp_path / "o.csv"
    path.write_text("id,on\n=1+1,2024-02-01\n", encoding="utf-8")
    with pytest.raises(IntakeError, match="a formula to a spreadsheet"):
        OutcomeService(sqlite_db).import_events(
            path, party_id="id", event_date="on", event_type="write_off", through="2024-06-30"
        )


def test_rejected_cells_are_written_so_that_no_spreadsheet_runs_them(
    sqlite_db: Session, tmp_path: Path
) -> None:
    cells = {
        "=1+1": "'=1+1",
        "@SUM(A1)": "'@SUM(A1)",
        "+1+cmd|' /C calc'!A0": "'+1+cmd|' /C calc'!A0",
        "-A1": "'-A1",
        "+5": "'+5",
        "\t=1+1": "'=1+1",  # read without the blanks around it
        "-1.5": "-1.5",
        "-2e-3": "-2e-3",
        "A & B": "A & B",
        "'=1+1": "'=1+1",
    }
    path, left = tmp_path / "o.csv", tmp_path / "left.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "on", "=note"])
        writer.writerow(["P1", "2024-02-01", "sound"])
        writer.writerows(["", "2024-02-01", cell] for cell in cells)
        writer.writerow(["=1", "\tx"])  # too few cells: written as they are
    OutcomeService(sqlite_db).import_events(
        path,
        party_id="id",
        event_date="on",
        event_type="write_off",
        through="2024-06-30",
        skip_bad_rows=True,
        rejects_path=left,
    )
    with left.open(newline="", encoding="utf-8") as file:
        header, *rows = list(csv.reader(file))
    assert header == ["line", "reasons", "id", "on", "'=note"]
    assert [row[-1] for row in rows[:-1]] == list(cells.values())
    assert rows[-1][2:] == ["'=1", "'\tx"]


@pytest.mark.parametrize("where", ["id", "note", "the header"])
def test_a_null_byte_is_refused_wherever_it_stands(db: Session, tmp_path: Path, where: str) -> None:
    row = party("P\0" if where == "id" else "P1", note="x\0y" if where == "note" else "x")
    if where == "the header":
        row["no\0te"] = "x"
    found = refused(db, write_batch(tmp_path / "b.csv", [row]))
    assert ["holds a null character" in fault["problem"] for fault in found] == [True]


def test_a_bomb_is_refused_before_it_is_unpacked(
    sqlite_db: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHANCELLOR_MAX_UNPACKED_BYTES", str(8 * MIB))
    path = tmp_path / "bomb.csv.gz"
    with gzip.open(path, "wb") as file:
        file.write(b"id,on\n")
        for _ in range(64):
            file.write(b"0" * MIB)
    assert path.stat().st_size < MIB
    tracemalloc.start()
    try:
        found = refused(sqlite_db, path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert "more than 8,388,608 bytes once it is unpacked" in found[0]["problem"]
    assert peak < 8 * MIB


def test_a_parquet_file_of_one_value_repeated_without_end_is_refused(
    sqlite_db: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHANCELLOR_MAX_UNPACKED_BYTES", str(8 * MIB))
    path = tmp_path / "bomb.parquet"
    zeros = pa.array([0.0]).take(pa.array([0] * 100_000))
    with pq.ParquetWriter(path, pa.schema({"id": pa.float64()}), compression="zstd") as writer:
        for _ in range(20):
            writer.write_table(pa.table({"id": zeros}))
    assert path.stat().st_size < MIB
    assert "once it is unpacked" in refused(sqlite_db, path)[0]["problem"]


def test_counting_ends_where_it_is_told_to(tmp_path: Path) -> None:
    path = tmp_path / "b.csv.gz"
    path.write_bytes(gzip.compress(bytes(10 * MIB)))
    assert unpacked_bytes(path, 100 * MIB) == 10 * MIB
    assert 3 * MIB < unpacked_bytes(path, 3 * MIB) <= 4 * MIB


def _sound_parquet() -> bytes:
    buffer = io.BytesIO()
    pq.write_table(pa.table({name: [1.0] for name in FEATURES}), buffer)
    return buffer.getvalue()


def _with_footer_length(content: bytes, length: int) -> bytes:
    return content[:-8] + length.to_bytes(4, "little") + b"PAR1"


BROKEN = {
    "cut off": lambda content: content[: len(content) // 2],
    "another magic at the end": lambda content: content[:-4] + b"PARX",
    "a footer longer than the file": lambda content: _with_footer_length(content, 1 << 31),
    "an empty footer": lambda content: _with_footer_length(content, 0),
    "a footer that is no footer": lambda content: content[:-200] + bytes(192) + content[-8:],
    "nothing but the magic": lambda content: b"PAR1PAR1",
}


@pytest.mark.parametrize("breakage", BROKEN)
def test_a_parquet_file_with_a_wrong_footer_is_refused(
    sqlite_db: Session, tmp_path: Path, breakage: str
) -> None:
    path = tmp_path / "b.parquet"
    path.write_bytes(BROKEN[breakage](_sound_parquet()))
    assert "the Parquet file cannot be read" in refused(sqlite_db, path)[0]["problem"]
