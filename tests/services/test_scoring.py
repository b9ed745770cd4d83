"""Scores of batches, files and single parties: the same numbers, each from one card."""

from __future__ import annotations

import csv
import gzip
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest
from sklearn.metrics import roc_auc_score
from sqlalchemy import func, select, text

from app.db import open_session, transaction
from app.domain.scorecard import load_scorecard, score_party
from app.errors import (
    ConflictError,
    FileHashError,
    IntakeError,
    InvalidInputError,
    NotFoundError,
    TamperingError,
)
from app.models import ScoreSet
from app.services.audit_service import AuditService
from app.services.batch_service import BatchService
from app.services.scoring_service import ScoringService
from app.services.store import initialise_store

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

CARD = """
name: Two features
bands: {low: 300, high: 600}
features:
  age: {weight: 1, transform: {kind: linear, worst: 20, best: 60}, reason: Young}
  job: {weight: 2, transform: {kind: categories, values: {own: 1, 1: 0.5}, other: 0}, missing: 0.2}
"""
ROWS = 'id,age,job,note\na,40,own,x\nb,,1.0,"two, ""lines"""\nc,70,, y\n'
SCORES = {"a": 800, "b": 500, "c": 580}


@pytest.fixture
def session(store_url: str, tmp_path: Path) -> Iterator[Session]:
    initialise_store(card=load_scorecard(CARD), actor="tester")
    with open_session(store_url) as opened:
        yield opened


@pytest.fixture
def sqlite_session(home: Path, sqlite_template: Path) -> Iterator[Session]:
    """Open a session for what does not depend on the database."""
    home.mkdir()
    (home / "chancellor.db").write_bytes(sqlite_template.read_bytes())
    initialise_store(card=load_scorecard(CARD), actor="tester")
    with open_session() as opened:
        yield opened


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str], Path]:
    def written(content: str, name: str = "parties.csv") -> Path:
        file = tmp_path / name
        file.write_text(content, encoding="utf-8", newline="")
        return file

    return written


def read_rows(file: Path) -> list[dict[str, str]]:
    with file.open(encoding="utf-8", newline="") as opened:
        return list(csv.DictReader(opened))


def imported(db: Session, file: Path, batch_id: str = "B1") -> None:
    BatchService(db, actor="tester").import_file(
        file, batch_id=batch_id, party_id="id", scored_at="2024-03-01"
    )


# batches


def test_a_batch_is_scored_once_per_version_and_audited(
    session: Session, write: Callable[..., Path]
) -> None:
    imported(session, write(ROWS))
    service = ScoringService(session, actor="anna")
    first = service.score_batch("B1")
    assert first["n_rows"] == 3
    assert first["mean_score"] == pytest.approx((800 + 500 + 580) / 3)
    assert first["band_shares"] == pytest.approx({"low": 2 / 3, "high": 1 / 3})
    assert ScoringService(session, actor="bert").score_batch("B1", version="v1") == first
    assert session.scalar(select(func.count()).select_from(ScoreSet)) == 1
    events = AuditService(session).list_events(action="scores.written")
    assert [(event["actor"], event["subject"]) for event in events] == [("anna", "batch:B1")]
    assert AuditService(session).verify()["verified"]


def test_stored_scores_explain_themselves(session: Session, write: Callable[..., Path]) -> None:
    imported(session, write(ROWS))
    service = ScoringService(session)
    stored = service.score_batch("B1")
    rows = service.lake.read_table(stored["path"], stored["file_hash"]).to_pylist()
    assert {row["party_id"]: row["score"] for row in rows} == SCORES
    by_party = {row["party_id"]: row for row in rows}
    assert by_party["b"]["missing_features"] == "age"
    assert (by_party["b"]["reason_1"], by_party["b"]["reason_2"]) == ("age", "job")
    assert by_party["c"]["points_job"] == pytest.approx(80)


def test_a_score_set_persists_without_a_commit_of_the_caller(
    session: Session, write: Callable[..., Path], store_url: str
) -> None:
    imported(session, write(ROWS))
    ScoringService(session).score_batch("B1")
    with open_session(store_url) as other:
        assert other.scalar(select(func.count()).select_from(ScoreSet)) == 1


def test_a_failure_after_scoring_leaves_neither_row_nor_event(
    session: Session, write: Callable[..., Path]
) -> None:
    imported(session, write(ROWS))

    def score_and_fail() -> None:
        with transaction(session):
            ScoringService(session).score_batch("B1")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        score_and_fail()
    assert session.scalar(select(func.count()).select_from(ScoreSet)) == 0
    assert AuditService(session).list_events(action="scores.written") == ()


def test_what_cannot_be_scored_is_said(session: Session, write: Callable[..., Path]) -> None:
    imported(session, write(ROWS))
    service = ScoringService(session)
    with pytest.raises(NotFoundError, match="no batch 'B2'"):
        service.score_batch("B2")
    with pytest.raises(NotFoundError, match="no version 'v9'"):
        service.score_batch("B1", version="v9")
    BatchService(session).withdraw("B1", reason="wrong file")
    with pytest.raises(ConflictError, match="wrong file"):
        service.score_batch("B1")


def test_edited_scores_are_named(session: Session, write: Callable[..., Path]) -> None:
    imported(session, write(ROWS))
    service = ScoringService(session)
    stored = service.score_batch("B1")
    file = Path(service.lake.place_of(stored["path"]))
    file.write_bytes(file.read_bytes()[:-1] + b"X")
    with pytest.raises(FileHashError, match=stored["file_hash"]):
        service.score_batch("B1")


def test_an_edited_card_is_named(home: Path, sqlite_store: Any) -> None:
    with open_session() as db:
        names = db.scalars(
            text(
                "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = "
                "'scorecard_versions'"
            )
        ).all()
        for name in names:
            db.execute(text(f'DROP TRIGGER "{name}"'))
        db.execute(
            text(
                "UPDATE scorecard_versions SET content = replace(content, '\"best\": 1.0', "
                "'\"best\": 2.0')"
            )
        )
        db.commit()
        with pytest.raises(TamperingError, match="version v1 is not what was stored"):
            ScoringService(db).score_party({})


# single parties


def test_a_party_gets_its_score_with_all_that_explains_it(session: Session) -> None:
    answer = ScoringService(session).score_party({"age": 30, "job": True, "aeg": 1})
    assert (answer["version"], answer["score"], answer["band"]) == ("v1", 350, "low")
    assert answer["unknown_features"] == ["aeg"]
    assert answer["missing_features"] == []
    lost = [(code["feature"], code["points_lost"]) for code in answer["reason_codes"]]
    assert lost == [("job", 400.0), ("age", 150.0)]
    with pytest.raises(InvalidInputError, match="age: 'many' is not a number"):
        ScoringService(session).score_party({"age": "many"})


# files


@pytest.mark.parametrize("out_name", ["out.csv", "out.csv.gz", "out.parquet"])
@pytest.mark.parametrize("source", ["csv", "csv.gz", "parquet"])
def test_a_file_keeps_its_columns_and_gains_the_scores(
    sqlite_session: Session, write: Callable[..., Path], tmp_path: Path, source: str, out_name: str
) -> None:
    file = write(ROWS)
    if source == "csv.gz":
        file = tmp_path / "parties.csv.gz"
        file.write_bytes(gzip.compress(ROWS.encode()))
    elif source == "parquet":
        typed = pa.table(
            {
                "id": ["a", "b", "c"],
                "age": [40, None, 70],
                "job": ["own", "1.0", None],
                "note": ["x", 'two, "lines"', " y"],
            }
        )
        file = tmp_path / "parties.parquet"
        pq.write_table(typed, file)
    out = tmp_path / out_name
    result = ScoringService(sqlite_session).score_file(file, out)
    assert (result["n_rows"], result["version"]) == (3, "v1")
    assert result["mean_score"] == pytest.approx((800 + 500 + 580) / 3)
    assert result["missing_values"] == {"age": 1, "job": 1}
    table = pq.read_table(out) if out_name.endswith("parquet") else pacsv.read_csv(out)
    assert table.column_names[:6] == ["id", "age", "job", "note", "score", "unrounded_score"]
    assert dict(zip(table["id"].to_pylist(), table["score"].to_pylist(), strict=True)) == SCORES
    assert table["note"].to_pylist() == ["x", 'two, "lines"', " y"]
    assert not list(tmp_path.glob(".writing-*"))


@pytest.mark.parametrize("out_name", ["out.csv", "out.csv.gz", "out.parquet"])
def test_no_cell_of_the_scores_is_run_by_a_spreadsheet(
    sqlite_session: Session, tmp_path: Path, out_name: str
) -> None:
    """Whoever gets the scores did not write the file: its cells are data, also in their names."""
    notes = ["=HYPERLINK(1)", " @SUM(1)", "+cmd", "-2", "-2+3", "plain", "\t=1"]
    file = tmp_path / "parties.csv"
    with file.open("w", newline="") as written:
        csv.writer(written).writerows(
            [
                ["id", "age", "job", "=note"],
                *([f"p{at}", 40, 1, note] for at, note in enumerate(notes)),
            ]
        )
    out = tmp_path / out_name
    ScoringService(sqlite_session).score_file(file, out)
    if out_name.endswith("parquet"):
        assert pq.read_table(out)["=note"].to_pylist()[0] == "=HYPERLINK(1)"
        return
    content = gzip.decompress(out.read_bytes()) if out_name.endswith("gz") else out.read_bytes()
    header, *rows = csv.reader(content.decode().splitlines())
    assert header[3] == "'=note"
    given = [row[3] for row in rows]
    assert given[:4] == ["'=HYPERLINK(1)", "' @SUM(1)", "'+cmd", "-2"]
    assert given[4:] == ["'-2+3", "plain", "'\t=1"]


def test_files_and_batches_get_the_same_scores(
    sqlite_session: Session, write: Callable[..., Path], tmp_path: Path
) -> None:
    file = write(ROWS)
    imported(sqlite_session, file)
    service = ScoringService(sqlite_session)
    stored = service.score_batch("B1")
    batch = service.lake.read_table(stored["path"], stored["file_hash"])
    service.score_file(file, tmp_path / "out.parquet")
    scored = pq.read_table(tmp_path / "out.parquet")
    names = [name for name in batch.column_names if name not in ("party_id", "scored_at")]
    assert scored.select(names).to_pylist() == batch.select(names).to_pylist()


def test_all_faults_of_a_file_are_reported_with_their_lines(
    sqlite_session: Session, write: Callable[..., Path], tmp_path: Path
) -> None:
    content = 'id,age,job\na,many,own\n\n"b\nc",inf,own\nd,40\ne,30,x\nf,1e5x,\n'
    with pytest.raises(IntakeError) as caught:
        ScoringService(sqlite_session).score_file(write(content), tmp_path / "out.csv")
    found = [(fault["row"], fault["column"]) for fault in caught.value.facts["faults"]]
    assert found == [(2, "age"), (4, "age"), (6, None), (8, "age")]
    assert caught.value.facts["n_faults"] == 4
    assert not (tmp_path / "out.csv").exists()
    assert not list(tmp_path.glob(".writing-*"))


def test_a_large_file_with_many_faults_is_read_to_its_end(
    sqlite_session: Session, write: Callable[..., Path], tmp_path: Path
) -> None:
    lines = [f"{row},{'?' if row % 1000 == 999 else row},own,{'x' * 100}" for row in range(300_000)]
    file = write("id,age,job,note\n" + "\n".join(lines) + "\n")
    stages: list[tuple[int, int]] = []
    with pytest.raises(IntakeError) as caught:
        ScoringService(sqlite_session).score_file(
            file, tmp_path / "out.csv", progress=lambda _, done, total: stages.append((done, total))
        )
    assert caught.value.facts["n_faults"] == 300
    rows = [fault["row"] for fault in caught.value.facts["faults"]]
    assert rows == [1001 + 1000 * place for place in range(20)]
    assert len(stages) > 1
    assert stages[-1][0] <= stages[-1][1] == file.stat().st_size


def test_a_large_file_keeps_the_order_of_its_rows(sqlite_session: Session, tmp_path: Path) -> None:
    n_rows = 300_000
    ages = [20 + row % 41 for row in range(n_rows)]
    file = tmp_path / "parties.parquet"
    pq.write_table(pa.table({"id": range(n_rows), "age": ages, "job": ["own"] * n_rows}), file)
    result = ScoringService(sqlite_session).score_file(file, tmp_path / "out.csv.gz")
    assert result["n_rows"] == n_rows
    scored = pacsv.read_csv(tmp_path / "out.csv.gz")
    assert scored["id"].to_pylist() == list(range(n_rows))
    assert scored["points_age"].to_pylist() == [200.0 * (age - 20) / 40 for age in ages]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "the file is empty"),
        (b"id,age,job\n", "no rows"),
        (b"id,age\na,1\n", "column job: the file lacks this feature"),
        (b"id,Age,job\na,1,x\n", r"column age: .*did you mean Age\?"),
        (b"id,age,job,age\na,1,x,2\n", "stands more than once"),
        (b"id;age;job\na;1;x\n", "separate columns by commas"),
        (
            b"id,age,job,Score\na,1,x,700\n",
            "scoring adds columns of these names: rename or remove Score",
        ),
        ("id,age,job\nä,1,x\n".encode("utf-16"), "is UTF-16"),
        ("id,age,job\na,1,x\nä,1,x\n".encode("latin-1"), "row 3, column id: holds bytes"),
        (gzip.compress(b"id,age,job\n" + b"a,1,x\n" * 5000, mtime=0)[:-20], "gzip"),
        (b"PAR1 not at all", "the Parquet file cannot be read"),
        (b'id,age,job\na,1,"x\n' + b"b,1,x\n" * 3, "row 2: the row holds a quote"),
        (b'id,age,job\na,1,"x\nb,1,"x"\nc,1,x\n', "row 2: the row holds a quote"),
    ],
)
def test_an_unusable_file_is_refused(
    sqlite_session: Session, tmp_path: Path, content: bytes, problem: str
) -> None:
    file = tmp_path / "parties.csv"
    file.write_bytes(content)
    with pytest.raises(IntakeError, match=problem):
        ScoringService(sqlite_session).score_file(file, tmp_path / "out.csv")
    assert not (tmp_path / "out.csv").exists()


def test_a_file_may_lack_what_the_card_calls_missing_where_that_is_asked_for(
    sqlite_session: Session, write: Callable[..., Path], tmp_path: Path
) -> None:
    file, out = write("id,age\na,40\nc,60\n"), tmp_path / "out.csv"
    service = ScoringService(sqlite_session)
    with pytest.raises(IntakeError, match="--allow-missing-features scores it as missing") as asked:
        service.score_file(file, out)
    assert "nothing was written" in asked.value.message
    result = service.score_file(file, out, allow_missing_features=True)
    assert result["missing_features"] == ["job"]
    assert result["missing_values"] == {"age": 0, "job": 2}
    rows = read_rows(out)
    assert list(rows[0])[:3] == ["id", "age", "score"]
    # 300 + 600 (1 x 0.5 + 2 x 0.2) / 3, and the same with 1 for 0.5
    assert [(row["id"], row["score"]) for row in rows] == [("a", "480"), ("c", "580")]


def test_a_feature_whose_absence_the_card_does_not_value_may_not_be_missing(
    sqlite_session: Session, write: Callable[..., Path], tmp_path: Path
) -> None:
    file, out = write("id,ages,job\na,40,own\n"), tmp_path / "out.csv"
    with pytest.raises(IntakeError, match=r"column age: .*did you mean ages") as refused:
        ScoringService(sqlite_session).score_file(file, out, allow_missing_features=True)
    assert "--allow-missing-features" not in refused.value.message
    assert not out.exists()


def test_a_file_that_is_not_scored_is_not_said_to_be_stored(
    sqlite_session: Session, write: Callable[..., Path], tmp_path: Path
) -> None:
    file = write("id,age,job\na,many,own\n")
    with pytest.raises(IntakeError, match=r"^parties\.csv: 1 fault, nothing was written") as caught:
        ScoringService(sqlite_session).score_file(file, tmp_path / "out.csv")
    assert "stored" not in caught.value.message


def test_an_unusable_output_is_refused(
    sqlite_session: Session, write: Callable[..., Path], tmp_path: Path
) -> None:
    file, service = write(ROWS), ScoringService(sqlite_session)
    with pytest.raises(InvalidInputError, match=r"cannot tell the format of out\.xlsx"):
        service.score_file(file, tmp_path / "out.xlsx")
    with pytest.raises(InvalidInputError, match="cannot be written"):
        service.score_file(file, tmp_path / "nowhere" / "out.csv")
    with pytest.raises(InvalidInputError, match="is the file to score"):
        service.score_file(file, file)
    with pytest.raises(NotFoundError, match="there is no file"):
        service.score_file(tmp_path / "nothing.csv", tmp_path / "out.csv")
    assert file.read_text(encoding="utf-8") == ROWS


def test_a_nested_column_fits_parquet_but_not_csv(sqlite_session: Session, tmp_path: Path) -> None:
    file = tmp_path / "parties.parquet"
    pq.write_table(pa.table({"age": [40], "job": ["own"], "tags": [["x"]]}), file)
    service = ScoringService(sqlite_session)
    with pytest.raises(InvalidInputError, match="write Parquet"):
        service.score_file(file, tmp_path / "out.csv")
    service.score_file(file, tmp_path / "out.parquet")
    assert pq.read_table(tmp_path / "out.parquet")["tags"].to_pylist() == [["x"]]


# real cards and data


@pytest.mark.parametrize(
    ("name", "file", "flag", "bad", "auc"),
    [
        ("german", "german.csv", "creditability", "bad", 0.793),
        ("hmeq", "hmeq.csv", "BAD", "1", 0.762),
        ("taiwan", "taiwan_default.csv.gz", "default.payment.next.month", "1", 0.749),
        ("sba_case", "sba_case.csv", "Default", "1", None),
    ],
)
def test_the_expert_cards_score_the_real_data(
    home: Path,
    sqlite_template: Path,
    shared_cards: Path,
    shared_data: Path,
    tmp_path: Path,
    name: str,
    file: str,
    flag: str,
    bad: str,
    auc: float | None,
) -> None:
    """The AUC of the expert cards is that of design section 6, within its tolerance."""
    home.mkdir()
    (home / "chancellor.db").write_bytes(sqlite_template.read_bytes())
    card = load_scorecard(shared_cards / f"{name}.yaml")
    initialise_store(card=card, actor="tester")
    out = tmp_path / "scored.csv"
    with open_session() as db:
        result = ScoringService(db).score_file(shared_data / name / file, out)
    rows = read_rows(out)
    assert result["n_rows"] == len(rows)
    for row in rows[::97]:
        party = score_party(card, row)
        assert (party.score, party.band) == (int(row["score"]), row["band"])
        assert party.unrounded_score == float(row["unrounded_score"])
    if auc is not None:
        is_bad = [row[flag] == bad for row in rows]
        scores = [-float(row["unrounded_score"]) for row in rows]
        assert roc_auc_score(is_bad, scores) == pytest.approx(auc, abs=0.005)
