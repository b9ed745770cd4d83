"""A lake in an object store: what breaks is tried again, and no partial file is ever visible."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import httpx
import numpy as np
import pyarrow as pa
import pytest

from app.errors import ChancellorError, FileHashError, InvalidInputError, UnavailableError
from app.lake.file_cache import SPARED_SECONDS, FileCache
from app.lake.store import TEMPORARY, Lake, hash_file, open_lake
from app.settings import get_settings
from tests.support.faulty_proxy import Fault, FaultyProxy, faulty_proxy
from tests.support.object_store import SECRET, ObjectStore
from tests.support.ports import free_port

pytestmark = pytest.mark.slow

N_ROWS = 2_000_000
"""Of random numbers: 16 MB, which pyarrow sends in two parts."""


@pytest.fixture(scope="module")
def large() -> pa.Table:
    """Make a table whose file does not compress."""
    return pa.table({"x": np.random.default_rng(1).random(N_ROWS)})


@pytest.fixture
def small() -> pa.Table:
    """Make a table of one request."""
    return pa.table({"x": [1.0, 2.0, 3.0]})


@pytest.fixture
def proxy(
    object_store: ObjectStore, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[FaultyProxy]:
    """Put a proxy before the server, which the environment names from now on."""
    monkeypatch.setenv("CHANCELLOR_LAKE_ATTEMPTS", "3")
    with faulty_proxy(object_store.port) as found:
        monkeypatch.setenv("AWS_ENDPOINT_URL", found.endpoint)
        yield found


def _lake(bucket: str) -> Lake:
    return open_lake(f"{bucket}/lake")


def _seen(store: ObjectStore, bucket: str) -> dict[str, int]:
    """List every object with its size, without the client that the lake uses.

    Names that end in / are pyarrow's marks of folders, without content.
    """
    name = bucket.removeprefix("s3://")
    answer = httpx.get(f"{store.endpoint}/{name}", params={"list-type": 2}, trust_env=False)
    found = ET.fromstring(answer.raise_for_status().text).iterfind("{*}Contents")  # noqa: S314 - ours
    sizes = {str(one.findtext("{*}Key")): int(one.findtext("{*}Size") or 0) for one in found}
    return {f"{name}/{key}": size for key, size in sizes.items() if not key.endswith("/")}


def _final(seen: dict[str, int]) -> dict[str, int]:
    return {path: size for path, size in seen.items() if f"/{TEMPORARY}" not in path}


@pytest.mark.parametrize("fault", ["500", "503", "drop", "cut request", "cut answer"])
def test_each_request_may_fail_twice(
    fault: Fault, proxy: FaultyProxy, bucket: str, small: pa.Table
) -> None:
    def twice(method: str, path: str, number: int) -> Fault | None:
        meant = {"cut request": ("PUT",), "cut answer": ("GET",)}.get(fault, ("PUT", "GET"))
        return fault if method in meant and number <= 2 else None

    proxy.choose = twice
    lake = _lake(bucket)
    stored = lake.write_table("batches", small)
    _forget_copies()
    assert lake.read_table(stored.path, stored.sha256).equals(small)
    assert [file.path for file in lake.list_files()] == [stored.path]
    assert proxy.broken
    assert {line.split(":")[0] for line in proxy.broken} == {fault}


@pytest.mark.parametrize("fault", ["500", "cut request", "lose answer"])
def test_each_request_of_a_large_file_may_fail_once(
    fault: Fault, proxy: FaultyProxy, object_store: ObjectStore, bucket: str, large: pa.Table
) -> None:
    """Look at the store at each request: under the name there is nothing, or the whole file."""
    sizes: list[int] = []

    def once(method: str, path: str, number: int) -> Fault | None:
        sizes.extend(_final(_seen(object_store, bucket)).values())
        return fault if method in ("PUT", "POST") and number == 1 else None

    proxy.choose = once
    stored = _lake(bucket).write_table("batches", large)
    (size,) = _final(_seen(object_store, bucket)).values()
    assert set(sizes) <= {size}
    assert len(proxy.broken) >= 4  # begin, two parts, end, copy
    _forget_copies()
    assert _lake(bucket).read_table(stored.path, stored.sha256).equals(large)


@pytest.mark.parametrize(
    ("fault", "broken"),
    [("500", "partNumber=1"), ("cut request", "partNumber=2"), ("500", "POST"), ("drop", "copy")],
)
def test_an_upload_that_cannot_end_shows_nothing(
    fault: Fault, broken: str, proxy: FaultyProxy, object_store: ObjectStore, bucket: str,
    large: pa.Table,
) -> None:  # fmt: skip
    def always(method: str, path: str, number: int) -> Fault | None:
        is_meant = {
            "POST": method == "POST" and "uploadId" in path,
            "copy": method == "PUT" and TEMPORARY not in path,
        }.get(broken, broken in path)
        return fault if is_meant else None

    proxy.choose = always
    with pytest.raises(UnavailableError) as caught:
        _lake(bucket).write_table("batches", large)
    assert proxy.broken
    assert SECRET not in caught.value.message
    assert _final(_seen(object_store, bucket)) == {}
    proxy.choose = lambda *_: None
    stored = _lake(bucket).write_table("batches", large)
    assert _lake(bucket).read_table(stored.path, stored.sha256).num_rows == N_ROWS


def test_an_upload_whose_source_breaks_shows_nothing(
    object_store: ObjectStore, bucket: str, large: pa.Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A stream that is closed by a passing exception completes its upload: pyarrow's own way."""
    lake = _lake(bucket)
    begun: list[str] = []
    real = lake._storage._write

    def broken(source: Path, path: str) -> None:
        with lake._storage.fs.open_output_stream(lake._storage._key(path)) as stream:
            stream.write(source.read_bytes()[: 12 << 20])
            begun.append(path)
            raise KeyboardInterrupt

    monkeypatch.setattr(lake._storage, "_write", broken)
    with pytest.raises(KeyboardInterrupt):
        lake.write_table("batches", large)
    assert begun
    assert _seen(object_store, bucket) == {}
    monkeypatch.setattr(lake._storage, "_write", real)
    assert lake.write_table("batches", large).n_rows == N_ROWS


def test_a_killed_upload_shows_nothing(
    proxy: FaultyProxy, object_store: ObjectStore, bucket: str, large: pa.Table
) -> None:
    """Kill the process while its second part is on the way, then write again."""
    script = (
        "import numpy as np, pyarrow as pa; from app.lake.store import open_lake; "
        f"table = pa.table({{'x': np.random.default_rng(1).random({N_ROWS})}}); "
        f"open_lake('{bucket}/lake').write_table('batches', table)"
    )
    proxy.choose = lambda method, path, number: "hang" if "partNumber=2" in path else None
    process = subprocess.Popen([sys.executable, "-c", script], env=dict(os.environ))
    deadline = time.monotonic() + 60
    while not proxy.broken and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    assert proxy.broken
    assert _seen(object_store, bucket) == {}
    proxy.choose = lambda *_: None
    stored = _lake(bucket).write_table("batches", large)
    assert list(_final(_seen(object_store, bucket))) == [
        f"{bucket.removeprefix('s3://')}/lake/{stored.path}"
    ]


def test_a_silent_store_is_given_up(
    proxy: FaultyProxy, bucket: str, small: pa.Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHANCELLOR_LAKE_SECONDS", "1")
    monkeypatch.setenv("CHANCELLOR_LAKE_ATTEMPTS", "1")
    proxy.choose = lambda *_: "hang"
    began = time.monotonic()
    with pytest.raises(UnavailableError, match=rf"{proxy.endpoint} does not answer"):
        _lake(bucket).require_there()
    assert time.monotonic() - began < 10


def test_errors_name_the_place_and_no_secret(
    object_store: ObjectStore, bucket: str, proxy: FaultyProxy, monkeypatch: pytest.MonkeyPatch,
    small: pa.Table,
) -> None:  # fmt: skip
    def message(url: str, kind: type[ChancellorError] = UnavailableError) -> str:
        with pytest.raises(kind) as caught:
            open_lake(url).write_table("batches", small)
        assert SECRET not in f"{caught.value.message} {caught.value.facts}"
        return caught.value.message

    text = message("s3://no-such-bucket/lake")
    assert text.startswith(
        f"there is no bucket for the lake s3://no-such-bucket/lake at {proxy.endpoint}"
    )
    with pytest.raises(UnavailableError, match="there is no lake at s3://no-such-bucket"):
        open_lake("s3://no-such-bucket/lake").require_there()
    proxy.choose = lambda *_: "403"
    assert "AWS_ACCESS_KEY_ID" in message(f"{bucket}/lake")
    nobody = f"http://127.0.0.1:{free_port()}"
    monkeypatch.setenv("AWS_ENDPOINT_URL", nobody)
    assert message(f"{bucket}/lake").startswith(f"{nobody} does not answer")
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://me:{SECRET}@127.0.0.1:1")
    assert "no credentials" in message(f"{bucket}/lake", InvalidInputError)
    assert "no credentials" in message(f"s3://me:{SECRET}@bucket/lake", InvalidInputError)
    assert "no credentials" in message(f"s3://bucket/lake?secret_key={SECRET}", InvalidInputError)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "127.0.0.1:9000")
    assert "AWS_ENDPOINT_URL is http(s)://HOST:PORT" in message("s3://bucket/x", InvalidInputError)
    assert "no place for a lake" in message("ftp://host/lake", InvalidInputError)
    assert "names no bucket" in message("s3:///lake", InvalidInputError)


def test_a_file_is_fetched_once(proxy: FaultyProxy, bucket: str, small: pa.Table) -> None:
    stored = _lake(bucket).write_table("batches", small)
    assert _lake(bucket).read_table(stored.path, stored.sha256).equals(small)
    assert _gets(proxy, stored.path) == 0  # what was written is kept
    _forget_copies()
    for _ in range(3):
        assert _lake(bucket).read_table(stored.path, stored.sha256).equals(small)
    assert _gets(proxy, stored.path) == 1
    (copy,) = get_settings().lake_cache.iterdir()
    assert copy.parent.stat().st_mode & 0o777 == 0o700
    copy.write_bytes(b"edited on this machine")
    assert _lake(bucket).read_table(stored.path, stored.sha256).equals(small)
    assert _gets(proxy, stored.path) == 2


def test_a_copy_does_not_hide_that_the_object_changed(bucket: str, small: pa.Table) -> None:
    lake = _lake(bucket)
    stored = lake.write_table("batches", small)
    files, key = lake._storage.fs, lake._storage._key(stored.path)
    with files.open_output_stream(key) as stream:
        stream.write(b"edited in the store")
    with pytest.raises(FileHashError, match=stored.sha256):
        lake.read_table(stored.path, stored.sha256)


def test_a_local_file_has_the_recorded_bytes(bucket: str, small: pa.Table, tmp_path: Path) -> None:
    lake = _lake(bucket)
    stored = lake.write_table("batches", small)
    assert hash_file(lake.local_file(stored.path, stored.sha256)) == stored.sha256
    lake.copy_out(stored.path, stored.sha256, tmp_path / "out")
    assert hash_file(tmp_path / "out") == stored.sha256
    with pytest.raises(FileHashError):
        lake.copy_out(stored.path, "0" * 64, tmp_path / "other")
    assert not (tmp_path / "other").exists()


def test_copies_make_room_for_newer_ones(tmp_path: Path) -> None:
    cache = FileCache(tmp_path / "cache", limit_bytes=250)
    for age, name in enumerate(("newest", "second", "third", "oldest")):
        place = cache.fetch(name, lambda scratch: _write(scratch, 100))
        then = time.time() - (SPARED_SECONDS + 10) * (age > 1) - age
        os.utime(place, (then, then))
    cache.fetch("new", lambda scratch: _write(scratch, 100))
    assert {place.name for place in cache.folder.iterdir()} == {"new", "newest", "second"}
    with pytest.raises(RuntimeError, match="broke"):
        cache.fetch("broken", _broken)
    assert cache.find("broken") is None
    assert len(list(cache.folder.iterdir())) == 3


def _write(place: Path, n_bytes: int) -> None:
    place.write_bytes(b"x" * n_bytes)


def _broken(place: Path) -> None:
    _write(place, 10)
    raise RuntimeError("it broke")


def _forget_copies() -> None:
    for copy in get_settings().lake_cache.iterdir():
        copy.unlink()


def _gets(proxy: FaultyProxy, path: str) -> Any:
    return sum(n for (method, place), n in proxy.seen.items() if method == "GET" and path in place)
