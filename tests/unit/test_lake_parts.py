"""A table of several parts: one recorded hash, every part verified."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from app.errors import FileHashError, NotFoundError
from app.lake.engine import connect
from app.lake.parts import StoredFile
from app.lake.store import Lake


@pytest.fixture
def stored(tmp_path: Path) -> tuple[Lake, StoredFile]:
    lake = Lake(str(tmp_path / "lake"))
    files = []
    for place in (0, 1):
        files.append(tmp_path / f"{place}.parquet")
        pq.write_table(pa.table({"x": [2 * place, 2 * place + 1]}), files[-1])
    (tmp_path / "lake" / "scores").mkdir(parents=True)
    return lake, lake.adopt_parts("scores", files)


def test_it_reads_as_one_table_in_the_order_of_the_parts(stored: tuple[Lake, StoredFile]) -> None:
    lake, table = stored
    assert table.n_rows == 4
    assert lake.read_table(table.path, table.sha256)["x"].to_pylist() == [0, 1, 2, 3]
    assert lake.open_ibis(connect(), table.path, table.sha256).x.sum().to_pyarrow().as_py() == 6


def test_a_changed_part_is_named(stored: tuple[Lake, StoredFile]) -> None:
    lake, table = stored
    part, recorded = lake.parts_of(table.path, table.sha256)[1]
    Path(lake.place_of(part)).write_bytes(b"another")
    for ask in (lake.verify, lake.read_table):
        with pytest.raises(FileHashError) as raised:
            ask(table.path, table.sha256)
        assert (raised.value.facts["path"], raised.value.facts["recorded"]) == (part, recorded)


def test_a_part_that_is_gone_is_named(stored: tuple[Lake, StoredFile]) -> None:
    lake, table = stored
    part, _ = lake.parts_of(table.path, table.sha256)[0]
    Path(lake.place_of(part)).unlink()
    with pytest.raises(NotFoundError) as raised:
        lake.verify(table.path, table.sha256)
    assert raised.value.facts["path"] == part


def test_a_changed_manifest_names_no_part(stored: tuple[Lake, StoredFile]) -> None:
    lake, table = stored
    Path(lake.place_of(table.path)).write_text("{}", encoding="utf-8")
    with pytest.raises(FileHashError, match="was changed"):
        lake.parts_of(table.path, table.sha256)


def test_what_executors_left_unfinished_is_listed(stored: tuple[Lake, StoredFile]) -> None:
    lake, _ = stored
    left = Path(lake.place_of("scores/.writing-ab/part-0.parquet"))
    left.parent.mkdir()
    left.write_bytes(b"half")
    assert "scores/.writing-ab/part-0.parquet" in [file.path for file in lake.list_files()]
