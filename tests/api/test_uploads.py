"""Uploads over a real connection: constant memory, and every harmful file a clear refusal."""

from __future__ import annotations

import gzip
import io
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sqlalchemy import func, select

from app.db import close_engine, open_session
from app.models import AuditEvent, Batch
from app.services.key_service import KeyService
from tests.conftest import Store
from tests.support.portfolio import FEATURES, party, write_batch
from tests.support.service_process import ServiceProcess, service_process

pytestmark = pytest.mark.slow  # each starts the service as a process of its own

MIB = 1 << 20
ROLE = {"batch_id": "B1", "party_id": "id", "scored_at": "on"}
LIMITS = {"CHANCELLOR_MAX_UNPACKED_BYTES": str(16 * MIB)}


def _key(store: Store) -> str:
    with open_session(store.database_url) as db:
        return str(KeyService(db, actor="tester").create(owner="ada", role="analyst")["key"])


@pytest.fixture
def key(sqlite_store: Store) -> Iterator[str]:
    yield _key(sqlite_store)
    close_engine(sqlite_store.database_url)


@pytest.fixture
def small(key: str, tmp_path: Path) -> Iterator[ServiceProcess]:
    """A service that takes files up to 16 MiB once they are unpacked."""
    with service_process(tmp_path, **LIMITS) as running:
        yield running


def send(
    running: ServiceProcess,
    key: str,
    content: Any,
    *,
    kind: str = "text/csv",
    **query: str,
) -> httpx.Response:
    return httpx.post(
        f"{running.url}/api/batches",
        params={**ROLE, **query},
        headers={"Authorization": f"Bearer {key}", "Content-Type": kind},
        content=content,
        timeout=120,
        trust_env=False,
    )


def nothing_is_kept(running: ServiceProcess, store: Store) -> None:
    with open_session(store.database_url) as db:
        assert db.scalar(select(func.count()).select_from(Batch)) == 0
        events = db.scalars(select(AuditEvent.action)).all()
    assert "batch.imported" not in events
    assert running.leftovers() == []
    assert not list(Path(store.lake_url).rglob("*.parquet"))
    assert not list(Path(store.lake_url).rglob(".writing-*"))


def _csv(folder: Path, *rows: dict[str, Any]) -> bytes:
    return write_batch(folder / "b.csv", rows).read_bytes()


def _bomb() -> bytes:
    plain = io.BytesIO()
    with gzip.GzipFile(fileobj=plain, mode="wb") as file:
        file.write(b"id,on\n")
        for _ in range(256):
            file.write(b"0" * MIB)
    return plain.getvalue()


def _parquet(*, broken: bool = False) -> bytes:
    buffer = io.BytesIO()
    columns = {"id": ["P1"], "on": ["2024-01-01"], **{name: [1.0] for name in FEATURES}}
    pq.write_table(pa.table(columns), buffer)
    whole = buffer.getvalue()
    return whole[:-8] + (1 << 30).to_bytes(4, "little") + whole[-4:] if broken else whole


def test_what_harms_is_refused_with_a_clear_problem_and_leaves_nothing(
    small: ServiceProcess, key: str, sqlite_store: Store, tmp_path: Path
) -> None:
    sound = _csv(tmp_path, party("P1"))
    files = {
        "a zip bomb": (_bomb(), "application/gzip", {}, 422, "once it is unpacked"),
        "a damaged gzip": (_bomb()[:-900], "application/gzip", {}, 422, "unpacked"),
        "a path in the name": (sound, "text/csv", {"file_name": "../../b"}, 400, "no path"),
        "a path of Windows": (sound, "text/csv", {"file_name": "c:\\b"}, 400, "no path"),
        "a hidden file": (sound, "text/csv", {"file_name": ".bashrc"}, 400, "plain name"),
        "a formula": (_csv(tmp_path, party("=1+1")), "text/csv", {}, 422, "a formula"),
        "a null byte": (_csv(tmp_path, party("P\0")), "text/csv", {}, 422, "null character"),
        "no UTF-8": (sound.replace(b"P1", b"P\xff"), "text/csv", {}, 422, "not UTF-8"),
        "a wrong footer": (
            _parquet(broken=True), "application/vnd.apache.parquet", {}, 422,
            "the Parquet file cannot be read",
        ),
        "nothing": (b"", "text/csv", {}, 422, "empty"),
    }  # fmt: skip
    for name, (content, kind, query, status, told) in files.items():
        answer = send(small, key, content, kind=kind, **query)
        assert (name, answer.status_code) == (name, status), answer.text
        assert answer.headers["content-type"] == "application/problem+json", name
        problem = answer.json()
        assert told in problem["detail"], name
        assert problem["status"] == status, name
        nothing_is_kept(small, sqlite_store)


def _declared(running: ServiceProcess, key: str, n_bytes: int) -> bytes:
    """Announce a body and send none of it: the answer must not wait for it."""
    head = (
        f"POST /api/batches?batch_id=B1&party_id=id&scored_at=on HTTP/1.1\r\n"
        f"Host: 127.0.0.1\r\nAuthorization: Bearer {key}\r\nContent-Type: text/csv\r\n"
        f"Content-Length: {n_bytes}\r\n\r\n"
    )
    address = ("127.0.0.1", httpx.URL(running.url).port or 0)
    with socket.create_connection(address, timeout=20) as connection:
        connection.sendall(head.encode())
        return connection.recv(65_536)


def test_five_gigabytes_are_refused_before_they_are_sent(
    small: ServiceProcess, key: str, sqlite_store: Store
) -> None:
    answer = _declared(small, key, 5 * (1 << 30))
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"application/problem+json" in answer
    nothing_is_kept(small, sqlite_store)


def test_a_body_without_a_length_is_cut_off_at_the_limit(
    key: str, sqlite_store: Store, tmp_path: Path
) -> None:
    def endless() -> Iterator[bytes]:
        yield b"id,on\n"
        for _ in range(64):
            yield b"0" * MIB

    with service_process(tmp_path, CHANCELLOR_MAX_UPLOAD_BYTES=str(4 * MIB)) as running:
        try:
            answer = send(running, key, endless())
        except httpx.WriteError:  # it answered and hung up while we were still sending
            pass
        else:
            assert answer.status_code == 413
        nothing_is_kept(running, sqlite_store)


def test_a_large_file_that_is_sound_goes_on_the_record_under_the_senders_name(
    key: str, sqlite_store: Store, tmp_path: Path
) -> None:
    """Parquet goes to a process of its own, whatever its size."""
    with service_process(tmp_path) as running:
        answer = send(running, key, _parquet(), kind="application/vnd.apache.parquet")
        assert answer.status_code == 201, answer.text
        assert answer.json()["n_rows"] == 1
        with open_session(sqlite_store.database_url) as db:
            event = db.scalars(
                select(AuditEvent).where(AuditEvent.action == "batch.imported")
            ).one()
        assert event.actor == "ada"
        assert answer.headers["x-request-id"] in event.payload
        again = send(running, key, _csv(tmp_path, party("P2")))
        assert (again.status_code, again.json()["code"]) == (409, "conflict")
        assert running.leftovers() == []


def test_an_import_that_takes_too_much_memory_is_stopped_and_the_service_goes_on(
    key: str, sqlite_store: Store, tmp_path: Path
) -> None:
    """One long text, repeated by the dictionary of its column: small in file and footer."""
    long = pa.array(["x" * MIB])
    repeated = pa.DictionaryArray.from_arrays(pa.array([0] * 20_000), long)
    names = {"id": np.arange(20_000).astype(str), "on": ["2024-01-01"] * 20_000}
    columns = {**names, **{name: np.ones(20_000) for name in FEATURES}, "note": repeated}
    buffer = io.BytesIO()
    pq.write_table(pa.table(columns), buffer)
    assert buffer.tell() < 2 * MIB
    limit = str(3 << 30)
    with service_process(tmp_path, CHANCELLOR_MAX_IMPORT_MEMORY_BYTES=limit) as running:
        answer = send(running, key, buffer.getvalue(), kind="application/vnd.apache.parquet")
        assert answer.status_code == 413, answer.text
        assert "bytes of memory" in answer.json()["detail"]
        nothing_is_kept(running, sqlite_store)
        assert httpx.get(f"{running.url}/readyz", trust_env=False).status_code == 200


def test_a_million_rows_are_taken_in_constant_memory(
    key: str, sqlite_store: Store, tmp_path: Path
) -> None:
    """Measured at the service's process; the import itself has a process of its own."""
    rng = np.random.default_rng(1)
    block = rng.random((10_000, len(FEATURES))).round(4).tolist()
    rows = [",".join(map(str, row)) for row in block]

    def lines(n_rows: int) -> Iterator[bytes]:
        yield f"id,on,{','.join(FEATURES)}\n".encode()
        for start in range(0, n_rows, 10_000):
            yield "".join(
                f"P{start + at},2024-01-{1 + at % 28:02d},{row}\n" for at, row in enumerate(rows)
            ).encode()

    with service_process(tmp_path) as running:
        assert send(running, key, lines(10_000), batch_id="warm").status_code == 201
        before = running.memory_bytes()
        running.forget_peak()
        answer = send(running, key, lines(1_000_000), batch_id="large")
        assert answer.status_code == 201, answer.text
        assert answer.json()["n_rows"] == 1_000_000
        grown = running.peak_memory_bytes() - before
        assert grown < 24 * MIB, f"grew by {grown / MIB:.1f} MiB"
        assert running.leftovers() == []
