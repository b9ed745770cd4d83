"""What whole columns give in a file is what each row gives alone, whatever the types are."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from app.domain.intake import as_text
from app.domain.party_score import score_party
from app.domain.score_outputs import score_outputs
from app.domain.scorecard import Scorecard, load_scorecard
from app.domain.table_score import TableScorer
from app.errors import IntakeError
from app.lake.store import open_lake
from app.services.batch_scoring import score_snapshot
from app.services.file_scoring import score_stream
from app.services.scoring_run import ahead

CARD = load_scorecard("""
name: All kinds
range: {min: -1000000, max: 1000000}
bands: {low: -1000000, mid: 0, high: 500000}
features:
  line: {weight: 3, transform: {kind: linear, worst: 60, best: -20}, missing: 0.3}
  amount: {weight: 2.5, transform: {kind: log, worst: 0, best: 50000}}
  step: {weight: 1, transform: {kind: bins, edges: [0, 1.5, 9], values: [0.1, 1, 0.4, 0.7]}}
  word:
    weight: 2
    transform: {kind: categories, values: {1: 1, own: 0.5, 2024-02-29: 0.9}, other: 0.2}
    missing: 0.1
  idle: {weight: 0, transform: {kind: linear, worst: 0, best: 1}}
""")
N_ROWS = 300_000
"""Three pieces."""


def silent(stage: str, done: int, total: int) -> None:
    del stage, done, total


def written(tmp_path: Path, table: pa.Table) -> Path:
    pq.write_table(table, tmp_path / "parties.parquet")
    return tmp_path / "parties.parquet"


def as_row(card: Scorecard, party: dict[str, Any]) -> dict[str, Any]:
    result = score_party(card, party)
    names = [code.feature for code in result.reason_codes] + [None] * 4
    return {
        "score": result.score,
        "unrounded_score": result.unrounded_score,
        "band": result.band,
        "missing_features": ";".join(result.missing_features),
        **{f"reason_{place + 1}": names[place] for place in range(4)},
        **{f"points_{name}": points for name, points in result.contributions.items()},
    }


NUMBERS = {
    "double": pa.array([1.5, None, float("nan"), -0.0, 60.0, -1e300], pa.float64()),
    "float": pa.array([1.5, None, 0.1, 9.0, -20.0, 3e38], pa.float32()),
    "half": pa.array(np.array([1.5, 0.1, 9.0, np.nan, 2.0, 6e4], dtype=np.float16)),
    "byte": pa.array([1, None, 9, 0, 60, -20], pa.int8()),
    "large": pa.array([1, None, 2**64 - 1, 2**53 + 1, 0, 9], pa.uint64()),
    "decimal": pa.array(
        [Decimal("1.50"), None, Decimal("0.10"), Decimal(9), Decimal(-20), Decimal(60)]
    ),
    "flag": pa.array([True, None, False, True, True, False]),
    "text": pa.array(["1.5", "", " nan ", "+3e1", "true", "-.5"]),
    "large text": pa.array(["1.5", None, "0", "9", "TRUE", "1e-400"], pa.large_string()),
    "coded": pa.array(["1.5", None, "9", "9", "0.1", "60"]).dictionary_encode(),
    "coded numbers": pa.array([1.5, None, 9.0, 9.0, 0.1, 60.0]).dictionary_encode(),
    "nothing": pa.nulls(6),
}
WORDS = {
    "text": pa.array(["own", None, " own ", "1.0", "", "ä;b"]),
    "coded": pa.array(["own", None, "1", "1", "x", "nan"]).dictionary_encode(),
    "whole": pa.array([1, None, 2, 0, -1, 1], pa.int16()),
    "double": pa.array([1.0, None, float("nan"), 0.5, -0.0, 1e22]),
    "flag": pa.array([True, None, False, True, True, False]),
    "day": pa.array([date(2024, 2, 29), None, date(1970, 1, 1), date(1, 1, 1), None, None]),
    "decimal": pa.array([Decimal("1.0"), None, Decimal("0.50"), Decimal(2), Decimal(1), None]),
    "nothing": pa.nulls(6),
}


def plain(value: Any) -> Any:
    """Give a cell as a person types it: one value is not read by Arrow's types."""
    return as_text(value) if isinstance(value, date) else value


@pytest.mark.parametrize("kind", NUMBERS)
def test_numbers_of_every_type_score_as_each_row_alone(tmp_path: Path, kind: str) -> None:
    column = NUMBERS[kind]
    features = {"line": column, "amount": column, "step": column, "idle": column}
    table = pa.table({"id": range(6), **features, "word": ["own"] * 6})
    source = written(tmp_path, table)
    score_stream(CARD, source, tmp_path / "out.parquet", silent)
    scored, given = pq.read_table(tmp_path / "out.parquet"), pq.read_table(source)
    assert scored.select(given.column_names).schema == given.schema
    # as text: NaN is not equal to itself
    assert str(scored.select(given.column_names).to_pylist()) == str(given.to_pylist())
    expected = [as_row(CARD, party) for party in table.to_pylist()]
    assert scored.select(score_outputs(CARD)).to_pylist() == expected


@pytest.mark.parametrize("kind", WORDS)
def test_words_of_every_type_score_as_each_row_alone(tmp_path: Path, kind: str) -> None:
    table = pa.table({"line": range(6), "amount": [1e9] * 6, "step": [None] * 6, "idle": [1] * 6})
    table = table.append_column("word", WORDS[kind])
    score_stream(CARD, written(tmp_path, table), tmp_path / "out.parquet", silent)
    scored = pq.read_table(tmp_path / "out.parquet").select(score_outputs(CARD))
    parties = [{**party, "word": plain(party["word"])} for party in table.to_pylist()]
    assert scored.to_pylist() == [as_row(CARD, party) for party in parties]


def many(n_rows: int = N_ROWS) -> pa.Table:
    generator = np.random.default_rng(3)
    line = generator.normal(20, 40, n_rows)
    return pa.table(
        {
            "party_id": np.arange(n_rows).astype(str),
            "scored_at": pa.array([0] * n_rows, pa.timestamp("us", tz="UTC")),
            "line": pa.array(line, mask=generator.random(n_rows) < 0.1),
            "amount": np.exp(generator.normal(8, 3, n_rows)),
            "step": generator.integers(-2, 12, n_rows),
            "word": generator.choice(["own", "1", "rent"], n_rows),
            "idle": pa.array(line, mask=generator.random(n_rows) < 0.5),
        }
    )


def without(columns: pa.Table, *starts: str) -> pa.Table:
    return columns.select([name for name in columns.column_names if not name.startswith(starts)])


def test_what_is_left_out_changes_nothing_of_the_rest(tmp_path: Path) -> None:
    table = many(5_000)
    source, out = written(tmp_path, table), tmp_path / "out.parquet"
    whole = score_stream(CARD, source, out, silent)
    full = pq.read_table(out)
    assert full.column_names == [*table.column_names, *score_outputs(CARD)]
    for reasons in (True, False):
        for contributions in (True, False):
            found = score_stream(
                CARD, source, out, silent, reasons=reasons, contributions=contributions
            )
            assert found == whole
            gone = [] if reasons else ["reason_"]
            gone += [] if contributions else ["points_"]
            assert pq.read_table(out).equals(without(full, *gone) if gone else full)
    assert pq.read_schema(out).metadata[b"chancellor.content_hash"] == CARD.content_hash.encode()


def test_a_name_that_is_not_written_may_stand_in_the_file(tmp_path: Path) -> None:
    table = many(3).append_column("reason_1", pa.array(["a", "b", "c"]))
    source, out = written(tmp_path, table), tmp_path / "out.parquet"
    with pytest.raises(IntakeError, match="rename or remove reason_1"):
        score_stream(CARD, source, out, silent)
    score_stream(CARD, source, out, silent, reasons=False)
    assert pq.read_table(out)["reason_1"].to_pylist() == ["a", "b", "c"]


@pytest.mark.slow
def test_many_pieces_keep_their_order_and_add_up(tmp_path: Path) -> None:
    table = many()
    source, out = written(tmp_path, table), tmp_path / "out.parquet"
    seen: list[tuple[int, str]] = []

    def report(stage: str, done: int, total: int) -> None:
        assert (stage, total) == ("Scoring the rows", N_ROWS)
        seen.append((done, threading.current_thread().name))

    summary = score_stream(CARD, source, out, report)
    scored = pq.read_table(out)
    assert scored.select(table.column_names).equals(table)
    assert {name for _, name in seen} == {"MainThread"}
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    assert seen[-1][0] == N_ROWS
    scores = scored["score"].to_numpy()
    assert summary["mean_score"] == pytest.approx(scores.mean(), rel=1e-12)
    shares = {name: (scored["band"].to_numpy() == name).mean() for name in CARD.band_names}
    assert summary["band_shares"] == pytest.approx(shares)
    assert summary["missing_values"]["line"] == table["line"].null_count
    rows = scored.select(score_outputs(CARD)).take(list(range(0, N_ROWS, 997))).to_pylist()
    parties = table.take(list(range(0, N_ROWS, 997))).to_pylist()
    assert rows == [as_row(CARD, party) for party in parties]


@pytest.mark.parametrize("value", [float("inf"), float("-inf")])
def test_a_fault_in_the_last_piece_leaves_no_file(tmp_path: Path, value: float) -> None:
    n_rows = 150_000
    amounts = np.ones(n_rows)
    amounts[[0, n_rows - 1]] = value
    table = pa.table(
        {name: amounts if name == "amount" else [1] * n_rows for name in CARD.features}
    )
    with pytest.raises(
        IntakeError, match=r"row 150001, column amount: '-?inf' is infinite"
    ) as caught:
        score_stream(CARD, written(tmp_path, table), tmp_path / "out.parquet", silent)
    assert caught.value.facts["n_faults"] == 2
    assert [file.name for file in tmp_path.iterdir()] == ["parties.parquet"]


@pytest.mark.slow
def test_a_snapshot_is_scored_in_pieces_as_it_would_be_at_once(tmp_path: Path) -> None:
    lake, table = open_lake(str(tmp_path / "lake")), many()
    snapshot = lake.write_table("batches", table)
    done: list[int] = []
    stored, summary = score_snapshot(
        lake,
        (snapshot.path, snapshot.sha256),
        TableScorer(CARD),
        "batch B",
        lambda _stage, rows, _total: done.append(rows),
    )
    scores = TableScorer(CARD).run(table)
    at_once = lake.write_table(
        "scores",
        pa.table(
            {
                **{n: table[n] for n in ("party_id", "scored_at")},
                **dict(zip(scores.column_names, scores.columns, strict=True)),
            }
        ),
    )
    assert (stored, summary["n_rows"]) == (at_once, N_ROWS)
    assert done[0] == 0
    assert done[-1] == N_ROWS
    assert len(done) > 3


def test_a_snapshot_with_faults_leaves_no_scores(tmp_path: Path) -> None:
    lake, n_rows = open_lake(str(tmp_path / "lake")), 200_000
    values = pa.array(["1"] * (n_rows - 1) + ["many"])
    table = many(n_rows).drop_columns(["line"]).append_column("line", values)
    snapshot = lake.write_table("batches", table)
    with pytest.raises(IntakeError) as caught:
        score_snapshot(lake, (snapshot.path, snapshot.sha256), TableScorer(CARD), "batch B", silent)
    assert caught.value.message == (
        f"batch B: 1 fault, nothing was stored\n  row {n_rows}, column line: 'many' is not a number"
    )
    assert [file.path for file in lake.list_files()] == [snapshot.path]


def test_what_the_other_thread_raises_is_raised_here() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise ZeroDivisionError

    made = ahead(items())
    assert next(made) == 1
    with pytest.raises(ZeroDivisionError):
        next(made)


def test_no_row_makes_a_table_without_rows() -> None:
    empty = TableScorer(CARD).run(pa.table({"line": pa.array([], pa.float64())}))
    assert (empty.num_rows, tuple(empty.column_names)) == (0, score_outputs(CARD))
