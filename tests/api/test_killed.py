"""The service is killed in the middle of an upload or of an import: nothing wrong is left."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from sqlalchemy import func, select

from app.db import close_engine, open_session
from app.models import AuditEvent, Batch
from app.services.audit_service import AuditService
from app.services.doctor import DoctorService
from app.services.key_service import KeyService
from app.services.processes import process_started_at
from tests.conftest import Store
from tests.support.portfolio import FEATURES, party, write_batch
from tests.support.service_process import ServiceProcess, service_process

pytestmark = pytest.mark.slow

QUERY = "batch_id=B1&party_id=id&scored_at=on"


@pytest.fixture
def key(store: Store) -> str:
    with open_session(store.database_url) as db:
        return str(KeyService(db, actor="tester").create(owner="ada", role="analyst")["key"])


def _wait_for(condition: Callable[[], bool], seconds: float = 60.0) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.005)


def _nothing_wrong(store: Store, running: ServiceProcess) -> int:
    """Give the number of batches, each of which has its event and its file."""
    assert running.leftovers() == []
    with open_session(store.database_url) as db:
        n_batches = db.scalar(select(func.count()).select_from(Batch)) or 0
        actions = db.scalars(select(AuditEvent.action)).all()
        assert actions.count("batch.imported") == n_batches
        assert AuditService(db).verify()["verified"] is True
        examined = DoctorService(db).examine()
        assert examined["healthy"], examined["findings"]
    close_engine(store.database_url)
    return n_batches


def _sound(folder: Path, n_rows: int) -> bytes:
    lines = [f"id,on,{','.join(FEATURES)}"]
    ones = ",".join(["1"] * len(FEATURES))
    lines += [f"P{at},2024-01-01,{ones}" for at in range(n_rows)]
    return "\n".join(lines).encode()


def test_killed_while_bytes_come_in_it_leaves_nothing_behind(
    store: Store, key: str, tmp_path: Path
) -> None:
    with service_process(tmp_path) as running:
        address = ("127.0.0.1", httpx.URL(running.url).port or 0)
        with socket.create_connection(address, timeout=20) as connection:
            connection.sendall(
                f"POST /api/batches?{QUERY} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                f"Authorization: Bearer {key}\r\nContent-Type: text/csv\r\n"
                f"Content-Length: 8000000\r\n\r\n".encode()
            )
            connection.sendall(b"id,on\n" + b"P1,2024-01-01\n" * 200_000)
            _wait_for(lambda: running.leftovers() != [])
            running.kill()
        assert running.leftovers() != []  # nobody could tidy up
    with service_process(tmp_path) as again:
        assert _nothing_wrong(store, again) == 0
        sound = write_batch(tmp_path / "b.csv", [party("P1")]).read_bytes()
        answer = _post(again, key, sound)
        assert answer.status_code == 201
        assert _nothing_wrong(store, again) == 1


def _post(running: ServiceProcess, key: str, content: bytes) -> httpx.Response:
    return httpx.post(
        f"{running.url}/api/batches?{QUERY}",
        headers={"Authorization": f"Bearer {key}", "Content-Type": "text/csv"},
        content=content,
        timeout=120,
        trust_env=False,
    )


@pytest.mark.parametrize("seconds", [0.0, 3.0])
def test_killed_while_a_file_is_imported_all_of_it_is_there_or_nothing(
    store: Store, key: str, tmp_path: Path, seconds: float
) -> None:
    """The process that imports ends with the service, wherever it is by then."""
    content = _sound(tmp_path, 250_000)
    with service_process(tmp_path) as running:
        sending = threading.Thread(target=_post_in_vain, args=(running, key, content))
        sending.start()
        _wait_for(lambda: _job_of(running) is not None)
        job = _job_of(running)
        time.sleep(seconds)  # however far it comes in this time
        running.kill()
        sending.join()
        _wait_for(lambda: job is None or process_started_at(job) is None)
    with service_process(tmp_path) as again:
        n_batches = _nothing_wrong(store, again)
        answer = _post(again, key, content)
        assert answer.status_code == 201, answer.text
        assert answer.json()["already_imported"] is (n_batches == 1)
        assert _nothing_wrong(store, again) == 1


def _job_of(running: ServiceProcess) -> int | None:
    """Find the process that imports, by the service's own log."""
    lines = running.log.read_text(encoding="utf-8", errors="replace").splitlines()
    said = [json.loads(line) for line in lines if line.startswith("{") and line.endswith("}")]
    return next((line["pid"] for line in said if line["event"] == "import apart"), None)


def _post_in_vain(running: ServiceProcess, key: str, content: bytes) -> None:
    try:
        _post(running, key, content)
    except httpx.HTTPError:
        return  # the service is gone
