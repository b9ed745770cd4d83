"""Bulk rows mean the same as rows added one by one, on both databases."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pyarrow as pa
import pytest
from sqlalchemy import func, literal_column, select
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session

from app.db import bulk_insert, bulk_insert_columns, open_session, transaction
from app.db.columns import read_columns
from app.errors import OpenTransactionError
from app.models import GroundTruthLabel, ScoreSet
from app.services.audit_service import record
from tests.support.rows import batch_row, label_rows

LABELS = GroundTruthLabel.__table__
COLUMNS = (
    "label_set_id", "batch_id", "party_id", "outcome_type", "label_value", "status", "scored_at",
    "observation_end", "event_type", "event_date", "score_at_label",
)  # fmt: skip
MOMENT = datetime(2024, 2, 29, 23, 59, 59, 123456, tzinfo=UTC)


@pytest.fixture
def labelled(db: Session) -> Session:
    """Add a batch and a label set that labels can belong to."""
    with transaction(db):
        db.add(batch_row())
        db.flush()
        db.add(label_rows()[0])
    return db


def _row(party: str, **changes: Any) -> tuple[Any, ...]:
    row = {
        "label_set_id": 1, "batch_id": "B1", "party_id": party, "outcome_type": "default",
        "label_value": 1, "status": "bad", "scored_at": MOMENT, "observation_end": None,
        "event_type": None, "event_date": None, "score_at_label": None,
    }  # fmt: skip
    return tuple((row | changes)[name] for name in COLUMNS)


HARD = [
    "",
    " ",
    "007",
    "a\tb",
    "a\nb",
    "\\N",
    "\\",
    'say "so"',
    "it's",
    "NULL",
    "é",
    "€ 日本 🂡",
    "%s",
]


def test_every_type_comes_back_as_it_went_in(labelled: Session) -> None:
    rows = [
        _row(party, event_date=date(1900, 1, 1), observation_end=date(9999, 12, 31),
             event_type=party, score_at_label=-5)
        for party in HARD
    ]  # fmt: skip
    with transaction(labelled):
        assert bulk_insert(labelled, LABELS, rows, COLUMNS) == len(HARD)
    with open_session() as fresh:
        found = fresh.scalars(select(GroundTruthLabel).order_by(GroundTruthLabel.id)).all()
    assert [label.party_id for label in found] == HARD
    assert [label.event_type for label in found] == HARD
    assert {label.scored_at for label in found} == {MOMENT}
    assert found[0].scored_at.tzinfo is not None
    assert found[0].event_date == date(1900, 1, 1)
    assert found[0].observation_end == date(9999, 12, 31)
    assert found[0].score_at_label == -5


def test_null_stays_null(labelled: Session) -> None:
    with transaction(labelled):
        bulk_insert(labelled, LABELS, [_row("a", label_value=None, status="immature")], COLUMNS)
    found = labelled.scalars(select(GroundTruthLabel)).one()
    assert (found.label_value, found.event_date, found.event_type) == (None, None, None)


def test_a_time_of_another_zone_is_the_same_moment(labelled: Session) -> None:
    elsewhere = MOMENT.astimezone(timezone(timedelta(hours=-7)))
    with transaction(labelled):
        bulk_insert(labelled, LABELS, [_row("a", scored_at=elsewhere)], COLUMNS)
    assert labelled.scalars(select(GroundTruthLabel.scored_at)).one() == MOMENT


def test_floats_and_json_come_back_to_the_last_bit(labelled: Session) -> None:
    columns = ("batch_id", "version", "file_path", "file_hash", "n_rows", "mean_score",
               "band_shares", "created_at", "created_by")  # fmt: skip
    shares = {"zeta": 0.1 + 0.2, "alpha": 1e-300}
    row = ("B1", "v1", "scores/a.parquet", "a", 1, 2.0 / 3.0, shares, MOMENT, "ada")
    with transaction(labelled):
        bulk_insert(labelled, ScoreSet.__table__, [row], columns)
    found = labelled.scalars(select(ScoreSet)).one()
    assert found.mean_score == 2.0 / 3.0
    assert found.band_shares == shares
    assert list(found.band_shares) == ["zeta", "alpha"]


def test_a_naive_time_is_refused(labelled: Session) -> None:
    rows = [_row("a", scored_at=MOMENT.replace(tzinfo=None))]
    with pytest.raises(ValueError, match="no time zone"), transaction(labelled):
        bulk_insert(labelled, LABELS, rows, COLUMNS)


def test_rows_and_event_come_and_go_together(labelled: Session) -> None:
    def fail() -> None:
        with transaction(labelled):
            bulk_insert(labelled, LABELS, [_row("a")], COLUMNS)
            record(labelled, actor="ada", action="a", subject="s", payload={})
            raise KeyboardInterrupt

    before = labelled.scalar(select(func.count()).select_from(GroundTruthLabel))
    with pytest.raises(KeyboardInterrupt):
        fail()
    assert labelled.scalar(select(func.count()).select_from(GroundTruthLabel)) == before == 0


def test_a_row_that_breaks_a_rule_is_an_integrity_error_on_both(labelled: Session) -> None:
    with pytest.raises(IntegrityError), transaction(labelled):
        bulk_insert(labelled, LABELS, [_row("a", label_value=0)], COLUMNS)
    assert labelled.scalars(select(GroundTruthLabel)).all() == []


def test_rows_stream_in_chunks(labelled: Session) -> None:
    seen: list[int] = []
    rows = (_row(str(number)) for number in range(25_001))
    with transaction(labelled):
        n = bulk_insert(labelled, LABELS, rows, COLUMNS, on_chunk=seen.append)
    assert (n, seen) == (25_001, [10_000, 20_000, 25_001])
    assert labelled.scalar(select(func.count()).select_from(GroundTruthLabel)) == n


def test_columns_mean_the_same_as_rows(labelled: Session) -> None:
    elsewhere = MOMENT.astimezone(timezone(timedelta(hours=-7)))
    rows = [
        _row("a", scored_at=elsewhere, event_date=date(2024, 3, 1)),
        _row("b", label_value=None, status="immature"),
        _row("c"),
    ]
    seen: list[int] = []
    chunks = [list(zip(*rows[:2], strict=True)), list(zip(*rows[2:], strict=True))]
    with transaction(labelled):
        n = bulk_insert_columns(labelled, LABELS, chunks, COLUMNS, on_chunk=seen.append)
        bulk_insert(labelled, LABELS, rows, COLUMNS)
    with open_session() as fresh:
        found = fresh.scalars(select(GroundTruthLabel).order_by(GroundTruthLabel.id)).all()
    written = [tuple(getattr(label, name) for name in COLUMNS) for label in found]
    assert (n, seen) == (3, [2, 3])
    assert written[:3] == written[3:] == rows


def test_columns_that_do_not_fit_together_are_refused(labelled: Session) -> None:
    columns = list(zip(_row("a"), _row("b"), strict=True))
    short = [*columns[:-1], columns[-1][:1]]
    with pytest.raises(ValueError, match="zip"), transaction(labelled):
        bulk_insert_columns(labelled, LABELS, [short], COLUMNS)
    with pytest.raises(ValueError, match="zip"), transaction(labelled):
        bulk_insert_columns(labelled, LABELS, [columns[:-1]], COLUMNS)
    assert labelled.scalar(select(func.count()).select_from(GroundTruthLabel)) == 0


def test_no_rows_are_no_error(labelled: Session) -> None:
    with transaction(labelled):
        assert bulk_insert(labelled, LABELS, [], COLUMNS) == 0


def test_bulk_rows_need_a_transaction(labelled: Session) -> None:
    with pytest.raises(OpenTransactionError):
        bulk_insert(labelled, LABELS, [_row("a")], COLUMNS)


def test_columns_are_read_as_they_were_written(labelled: Session) -> None:
    schema = pa.schema(
        [("party_id", pa.string()), ("event_type", pa.string()), ("label_value", pa.int64()),
         ("event_date", pa.date32())]
    )  # fmt: skip
    rows = [
        _row(
            party, event_type=None if n % 2 else party, event_date=MOMENT.date() if n % 3 else None
        )
        for n, party in enumerate([*HARD, *(f"P{n}" for n in range(100))])
    ]
    query = select(*(LABELS.c[name] for name in schema.names)).order_by(LABELS.c.id)
    assert read_columns(labelled, query, schema).equals(schema.empty_table())
    with transaction(labelled):
        bulk_insert(labelled, LABELS, rows, COLUMNS)
        found = read_columns(labelled, query, schema)  # the session's own transaction
    assert found.schema.equals(schema)
    wanted = [dict(zip(COLUMNS, row, strict=True)) for row in rows]
    assert found.to_pylist() == [{name: row[name] for name in schema.names} for row in wanted]
    some = query.where(LABELS.c.party_id.in_(["%s", "it's"]))
    assert read_columns(labelled, some, schema)["party_id"].to_pylist() == ["it's", "%s"]
    with pytest.raises(DBAPIError):
        read_columns(
            labelled, select(literal_column("no_such_column")), pa.schema([("x", pa.string())])
        )
