"""Files of the lake: written once and whole, named by their bytes, verified at each reading."""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from app.errors import FileHashError, NotFoundError, UnavailableError
from app.lake import parquet_file, store
from app.lake.engine import connect
from app.lake.store import Lake, hash_file, open_lake

N_ROWS = 2_500
MOMENT = datetime(2024, 2, 29, 12, tzinfo=UTC)


@pytest.fixture(params=["folder", "file://", pytest.param("s3://", marks=pytest.mark.slow)])
def lake(request: pytest.FixtureRequest, tmp_path: Path, home: Path) -> Lake:
    """Open an empty lake in a folder, by a URL, and in an object store."""
    return {
        "folder": lambda: open_lake(str(tmp_path / "lake")),
        "file://": lambda: open_lake(f"file://{tmp_path}/lake"),
        "s3://": lambda: open_lake(f"{request.getfixturevalue('bucket')}/lake"),
    }[request.param]()


@pytest.fixture
def local(tmp_path: Path) -> Lake:
    """Open an empty lake in a folder."""
    return open_lake(str(tmp_path / "lake"))


def _table(n_rows: int = N_ROWS) -> pa.Table:
    return pa.table(
        {
            "party_id": [f"00{number}" for number in range(n_rows)],
            "scored_at": pa.array([MOMENT] * n_rows, pa.timestamp("us", tz="UTC")),
            "x": [None if number % 7 == 0 else number / 3 for number in range(n_rows)],
            "flag": [number % 2 == 0 for number in range(n_rows)],
        }
    )


def _content(lake: Lake, path: str) -> bytes:
    with lake._storage.fs.open_input_file(lake._storage._key(path)) as file:
        return bytes(file.read())


def _tamper(lake: Lake, path: str) -> None:
    content = bytearray(_content(lake, path))
    content[len(content) // 2] ^= 1
    time.sleep(1.1 if not lake.is_local else 0)  # S3 tells the time in seconds
    with lake._storage.fs.open_output_stream(lake._storage._key(path)) as stream:
        stream.write(bytes(content))


def test_what_is_read_is_what_was_written(lake: Lake) -> None:
    stored = lake.write_table("batches", _table())
    assert stored.path == f"batches/{stored.sha256}.parquet"
    assert stored.n_rows == N_ROWS
    assert lake.read_table(stored.path, stored.sha256).equals(_table())
    assert lake.read_table(stored.path, stored.sha256, columns=["x"]).column_names == ["x"]


def test_ibis_opens_what_was_written(lake: Lake) -> None:
    stored = lake.write_table("outcomes", _table())
    table = lake.open_ibis(connect(), stored.path, stored.sha256)
    assert table.count().to_pyarrow().as_py() == N_ROWS
    assert table.x.sum().to_pyarrow().as_py() == pytest.approx(
        sum(number / 3 for number in range(N_ROWS) if number % 7)
    )


def test_an_edited_file_is_named_with_both_hashes(lake: Lake) -> None:
    stored = lake.write_table("batches", _table())
    _tamper(lake, stored.path)
    for read in (lake.read_table, lake.verify):
        with pytest.raises(FileHashError, match=stored.sha256) as caught:
            read(stored.path, stored.sha256)
        assert lake.place_of(stored.path) in caught.value.message
        assert caught.value.facts["recorded"] == stored.sha256
        assert caught.value.facts["found"] != stored.sha256
    with pytest.raises(FileHashError):
        lake.open_ibis(connect(), stored.path, stored.sha256)


def test_a_file_that_is_gone_is_named(lake: Lake) -> None:
    stored = lake.write_table("batches", _table())
    lake.remove_orphan(stored.path)
    with pytest.raises(NotFoundError, match=stored.path):
        lake.read_table(stored.path, stored.sha256)


def test_the_name_is_the_hash_of_the_bytes(local: Lake) -> None:
    stored = local.write_table("batches", _table())
    assert hash_file(local.place_of(stored.path)) == stored.sha256


@pytest.mark.parametrize("chunk_rows", [1, 7, 999, 1000, 1001, 10_000])
def test_the_same_rows_are_the_same_file_however_they_arrive(
    local: Lake, chunk_rows: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet_file, "ROW_GROUP_ROWS", 1000)
    batches = _table().to_batches(max_chunksize=chunk_rows)
    whole = local.write_table("batches", _table())
    chunked = local.write_table("batches", pa.Table.from_batches(batches))
    streamed = local.write_table(
        "batches", pa.RecordBatchReader.from_batches(_table().schema, batches)
    )
    sliced = local.write_table("batches", pa.concat_tables([_table(5), _table()]).slice(5))
    noted = local.write_table("batches", _table().replace_schema_metadata({"written": "today"}))
    assert whole == chunked == streamed == sliced == noted
    assert len(local.list_files()) == 1


def test_another_order_is_another_file(local: Lake) -> None:
    first = local.write_table("batches", _table(2))
    other = local.write_table("batches", _table(2).take([1, 0]))
    assert first.sha256 != other.sha256


def test_no_rows_make_a_file_too(lake: Lake) -> None:
    stored = lake.write_table("exposures", _table().slice(0, 0))
    assert stored.n_rows == 0
    assert lake.read_table(stored.path, stored.sha256).schema.equals(_table().schema)


def test_writing_again_gives_the_file_a_new_time_and_nothing_else(local: Lake) -> None:
    """So that ``doctor`` takes an orphan that an import counts on for young."""
    stored = local.write_table("batches", _table())
    old = (MOMENT - timedelta(days=1)).timestamp()
    os.utime(local.place_of(stored.path), (old, old))
    assert local.write_table("batches", _table()) == stored
    (file,) = local.list_files()
    assert file.modified_at is not None
    assert datetime.now(UTC) - file.modified_at < timedelta(minutes=1)


def test_an_edited_file_is_not_taken_for_the_one_being_written(lake: Lake) -> None:
    stored = lake.write_table("batches", _table())
    _tamper(lake, stored.path)
    with pytest.raises(FileHashError, match=stored.sha256):
        lake.write_table("batches", _table())


def test_a_write_that_fails_shows_nothing(lake: Lake) -> None:
    def broken() -> Any:
        yield _table().to_batches()[0]
        raise RuntimeError("the source broke")

    reader = pa.RecordBatchReader.from_batches(_table().schema, broken())
    with pytest.raises(RuntimeError, match="the source broke"):
        lake.write_table("batches", reader)
    assert lake.list_files() == ()


def test_nothing_is_seen_under_the_name_before_it_is_whole(
    local: Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Look at each moment of a write, as a crash would leave it."""
    seen: list[list[str]] = []
    real = store.hash_file

    def look(path: Path) -> str:
        seen.append([file.path for file in local.list_files()])
        return real(path)

    monkeypatch.setattr(store, "hash_file", look)
    stored = local.write_table("batches", _table())
    ((unfinished,),) = seen
    assert unfinished.startswith(f"batches/{store.TEMPORARY}")
    assert [file.path for file in local.list_files()] == [stored.path]


def test_a_lake_that_cannot_be_written_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "lake").write_text("a file, not a folder")
    with pytest.raises(UnavailableError, match="cannot be written"):
        open_lake(str(tmp_path / "lake")).write_table("batches", _table())


def test_a_folder_may_have_any_name(tmp_path: Path) -> None:
    lake = open_lake(str(tmp_path / "[a] b*c? %20 ä"))
    stored = lake.write_table("batches", _table())
    assert (
        lake.open_ibis(connect(), stored.path, stored.sha256).count().to_pyarrow().as_py() == N_ROWS
    )


def test_listing_tells_size_and_time_and_leaves_out_folders(lake: Lake) -> None:
    assert lake.list_files() == ()
    stored = [lake.write_table(kind, _table()) for kind in ("scores", "batches", "validation")]
    lake._storage.fs.create_dir(lake._storage._key("batches/a folder"))
    found = lake.list_files()
    assert [file.path for file in found] == sorted(one.path for one in stored)
    assert {file.n_bytes for file in found} == {len(_content(lake, stored[0].path))}
    for file in found:
        assert file.modified_at is not None
        assert abs(datetime.now(UTC) - file.modified_at) < timedelta(minutes=1)


def test_the_lake_of_the_settings_is_the_default(home: Path) -> None:
    assert open_lake().url == str(home / "lake")
