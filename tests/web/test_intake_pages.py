"""Bring in batches and outcomes at the desk: looked at first, stored after, faults as a table."""

from __future__ import annotations

import gzip
import io
import os
import re
import socket
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sqlalchemy import func, select

from app.db import open_session
from app.edge.aside import HELD_SECONDS, remove_old
from app.edge.browser import SESSION_COOKIE
from app.models import Batch, OutcomeImport
from app.services.key_service import KeyService
from tests.conftest import Store
from tests.support.page_client import at_the_desk, hidden, send_file, send_form
from tests.support.portfolio import FEATURES, party, write_batch
from tests.support.service import Running, running_service
from tests.support.service_process import service_process

ROLES = {"party_id": "id", "scored_at": "on"}


@pytest.fixture
def desk(sqlite_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    """Serve a store that was just made, with a folder of its own for temporary files."""
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    monkeypatch.setenv("CHANCELLOR_MAX_UNPACKED_BYTES", str(16 << 20))
    with running_service(sqlite_store) as service:
        yield service


def _held() -> list[Path]:
    return list(Path(tempfile.gettempdir()).glob("chancellor-aside-*"))


def _n_batches(desk: Running) -> int:
    with open_session(desk.store.database_url) as db:
        return db.scalar(select(func.count()).select_from(Batch)) or 0


def _batch(tmp_path: Path, n: int = 3) -> bytes:
    return write_batch(tmp_path / "b.csv", [party(f"P{i}") for i in range(n)]).read_bytes()


def test_a_batch_is_shown_before_it_is_stored_and_then_is_what_was_shown(
    desk: Running, tmp_path: Path
) -> None:
    with at_the_desk(desk) as client:
        shown = send_file(
            client, "/batches/preview", _batch(tmp_path), "march (1).csv", batch_id="MARCH"
        )
        assert shown.status_code == 200, shown.text
        assert "march (1).csv is sound: 3 parties" in shown.text
        for role, column in ROLES.items():  # guessed, and chosen in the form
            chosen = re.search(
                rf'name="{role}".*?<option value="([^"]+)" selected>', shown.text, re.DOTALL
            )
            assert chosen
            assert chosen.group(1) == column
        assert _n_batches(desk) == 0
        assert len(_held()) == 1
        form = hidden(shown) | ROLES
        stored = send_form(client, "/batches", form)
        assert stored.headers["location"] == "/batches/MARCH"
        assert "3 parties, not labelled yet" in client.get("/batches/MARCH").text
        assert _held() == []
        again = send_form(client, "/batches", form)  # a second click that came late
        assert again.status_code == 409
        assert "kept no more" in again.text
    assert _n_batches(desk) == 1


def test_columns_are_declared_as_groups_on_the_form(desk: Running, tmp_path: Path) -> None:
    header, *lines = _batch(tmp_path).decode().split("\n")
    kept = [f"{line.strip()},n" for line in lines if line.strip()]
    content = "\n".join([f"{header.strip()},region", *kept]).encode()
    with at_the_desk(desk) as client:
        shown = send_file(client, "/batches/preview", content, "g.csv", batch_id="G")
        assert '<input type="checkbox" name="group" value="region">' in shown.text
        fields = hidden(shown) | ROLES | {"batch_id": "G", "group": "region"}
        again = send_form(client, "/batches/preview", fields)
        assert 'name="group" value="region" checked' in again.text
        assert (
            "scored or trained on"
            in client.get(send_form(client, "/batches", fields).headers["location"]).text
        )
    with open_session(desk.store.database_url) as db:
        assert db.get_one(Batch, "G").group_columns == ["region"]


def test_what_is_held_opens_for_its_session_alone_and_for_an_hour(
    desk: Running, tmp_path: Path
) -> None:
    with at_the_desk(desk) as ana, at_the_desk(desk, "admin") as ada:
        shown = send_file(ana, "/batches/preview", _batch(tmp_path), "b.csv", batch_id="B1")
        form = hidden(shown) | ROLES
        theirs = form | {"csrf_token": hidden(ada.get("/batches/new"))["csrf_token"]}
        assert send_form(ada, "/batches", theirs).status_code == 409
        for name in ("", "../" * 3 + "etc", "0" * 32, form["held"] + "0"):
            assert send_form(ana, "/batches", form | {"held": name}).status_code in {409, 422}
        long_ago = time.time() - HELD_SECONDS - 1
        os.utime(_held()[0], (long_ago, long_ago))
        assert send_form(ana, "/batches", form).status_code == 409
        remove_old()
        assert _held() == []
        for number in range(6):  # the oldest of a session go
            send_file(ana, "/batches/preview", _batch(tmp_path), "b.csv", batch_id=f"B{number}")
        assert len(_held()) == 4
    assert _n_batches(desk) == 0


def _bomb() -> bytes:
    plain = io.BytesIO()
    with gzip.GzipFile(fileobj=plain, mode="wb") as file:
        file.write(b"id,on\n")
        for _ in range(64):
            file.write(b"0" * (1 << 20))
    return plain.getvalue()


def _broken_parquet() -> bytes:
    buffer = io.BytesIO()
    columns = {"id": ["P1"], "on": ["2024-01-01"], **{name: [1.0] for name in FEATURES}}
    pq.write_table(pa.table(columns), buffer)
    whole = buffer.getvalue()
    return whole[:-8] + (1 << 30).to_bytes(4, "little") + whole[-4:]


def _declared(desk: Running, client: httpx.Client, n_bytes: int) -> str:
    """Announce a form and send none of it: the page must not wait for it."""
    head = (
        f"POST /batches/preview HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {n_bytes}\r\n"
        f"Cookie: {SESSION_COOKIE}={client.cookies[SESSION_COOKIE]}\r\n"
        "Content-Type: multipart/form-data; boundary=x\r\n\r\n"
    )
    address = ("127.0.0.1", httpx.URL(desk.url).port or 0)
    with socket.create_connection(address, timeout=20) as connection:
        connection.sendall(head.encode())
        return "".join(iter(lambda: connection.recv(65_536).decode(), ""))


@pytest.mark.slow
def test_what_harms_gets_a_page_that_says_what_to_do(desk: Running, tmp_path: Path) -> None:
    """The attacks of the API's uploads, and markup in what the page repeats."""
    sound = _batch(tmp_path, 1)
    formula = write_batch(tmp_path / "f.csv", [party("=1+1")]).read_bytes()
    markup = sound.replace(b"P0", b"<script>alert(1)</script>").replace(b"id,", b"<b>id</b>,", 1)
    files = {
        "a zip bomb": (_bomb(), "b.csv.gz", 422, "Split the file into several batches."),
        "a damaged gzip": (_bomb()[:-900], "b.csv.gz", 422, "unpacked"),
        "a path": (sound, "../../b.csv", 400, "no path"),
        "a path of Windows": (sound, "..\\b.csv", 400, "no path"),
        "a hidden file": (sound, ".bashrc", 400, "plain name"),
        "a formula": (formula, "b.csv", 422, "put a letter in front"),
        "a null byte": (sound.replace(b"P0", b"P\0"), "b.csv", 422, "null character"),
        "no UTF-8": (sound.replace(b"P0", b"P\xff"), "b.csv", 422, "CSV UTF-8"),
        "a wrong footer": (_broken_parquet(), "b.parquet", 422, "Parquet file cannot be read"),
        "a spreadsheet": (b"PK\x03\x04rest", "b.xlsx", 415, "Save it as CSV UTF-8"),
        "nothing": (b"", "b.csv", 422, "empty"),
        "markup": (markup, "b.csv", 200, "&lt;script&gt;"),
    }
    with at_the_desk(desk) as client:
        for name, (content, called, status, told) in files.items():
            answer = send_file(client, "/batches/preview", content, called, batch_id="B1")
            assert (name, answer.status_code) == (name, status), answer.text
            assert answer.headers["content-type"].startswith("text/html"), name
            assert told in answer.text, (name, answer.text)
            assert "<script>alert" not in answer.text, name
            assert "<b>id</b>" not in answer.text, name
        head, _, page = _declared(desk, client, 5 << 30).partition("\r\n\r\n")
        assert head.startswith("HTTP/1.1 413 ")
        assert "content-type: text/html" in head.lower()
        assert "larger than" in page
    assert _n_batches(desk) == 0


def test_a_form_field_beside_a_file_stays_small(desk: Running, tmp_path: Path) -> None:
    with at_the_desk(desk) as client:
        answer = send_file(
            client, "/batches/preview", _batch(tmp_path), "b.csv", batch_id="B" * (1 << 20)
        )
        assert answer.status_code == 400
        token = hidden(client.get("/batches/new"))["csrf_token"]
        flat = client.post("/batches/preview", data={"csrf_token": token, "file": "x" * (1 << 20)})
        assert flat.status_code == 415
    assert _held() == []


def test_outcomes_are_shown_by_type_then_stored(desk: Running) -> None:
    content = b"party_id,event_date,event_type,days_past_due\nP1,2024-05-01,write_off,\nP2,,,\n"
    with at_the_desk(desk) as client:
        shown = send_file(client, "/outcomes/preview", content, "events.csv", through="2024-12-31")
        assert "events.csv is sound: 1 event in 2 rows" in shown.text
        roles = {
            "party_id": "party_id", "event_date": "event_date", "event_type": "event_type",
            "days_past_due": "-",
        }  # fmt: skip
        stored = send_form(client, "/outcomes", hidden(shown) | roles)
        assert stored.headers["location"] == "/outcomes"
        assert "complete through 2024-12-31 for write off" in client.get("/outcomes").text
        future = send_file(client, "/outcomes/preview", content, "e.csv", through="2999-01-01")
        assert future.status_code == 422
        assert "lies in the future" in future.text
    with open_session(desk.store.database_url) as db:
        assert db.scalars(select(OutcomeImport.n_events)).all() == [1]


def test_a_list_of_exposures_is_shown_then_stored(desk: Running) -> None:
    with at_the_desk(desk) as client:
        content = b"customer_id,granted\nP1,2024-05-01\nP1,2024-06-01\nP2,\n"
        shown = send_file(client, "/exposures/preview", content, "granted.csv")
        assert "granted.csv is sound: 2 parties in 3 rows" in shown.text
        roles = {"party_id": "customer_id", "granted_on": "granted"}
        stored = send_form(client, "/exposures", hidden(shown) | roles)
        assert stored.headers["location"] == "/exposures"
        page = client.get("/exposures").text
        assert "excluded from labels" in page
        assert 'href="/batches" aria-current="page"' in page
        wrong = send_file(client, "/exposures/preview", content, "g.csv", granted_on="when")
        assert wrong.status_code == 422
        assert "(the date of granting)" in wrong.text


def test_who_may_not_import_is_told_so(desk: Running) -> None:
    with at_the_desk(desk, "viewer") as client:
        page = client.get("/batches")
        assert "does not import files; an analyst does" in page.text
        assert 'href="/batches/new"' not in page.text
        assert client.get("/batches/new").status_code == 403


@pytest.mark.slow
def test_a_large_file_goes_to_disk_and_not_into_memory(sqlite_store: Store, tmp_path: Path) -> None:
    """Measured at the service's process; looking at the file has a process of its own."""
    with open_session(sqlite_store.database_url) as db:
        key = KeyService(db, actor="tester").create(owner="ada", role="analyst")["key"]
    row = "," + ",".join(["1"] * len(FEATURES)) + "," + "x" * 200 + "\n"
    header = f"id,on,{','.join(FEATURES)},note\n"

    def written(name: str, n_rows: int) -> Path:
        with (tmp_path / name).open("w") as file:
            file.write(header)
            file.writelines(f"P{number},2024-01-01{row}" for number in range(n_rows))
        return tmp_path / name

    with (
        service_process(tmp_path) as service,
        httpx.Client(base_url=service.url, timeout=300, trust_env=False) as client,
    ):
        client.post("/sign-in", data={"key": key})
        token = hidden(client.get("/batches/new"))["csrf_token"]

        def send(file: Path) -> httpx.Response:
            with file.open("rb") as content:
                return client.post(
                    "/batches/preview", data={"csrf_token": token, "batch_id": "B1"},
                    files={"file": (file.name, content, "text/csv")},
                )  # fmt: skip

        assert send(written("warm.csv", 50_000)).status_code == 200
        before = service.memory_bytes()
        service.forget_peak()
        shown = send(written("large.csv", 800_000))
        assert "large.csv is sound: 800,000 parties" in shown.text
        grown = service.peak_memory_bytes() - before
        assert grown < 32 << 20, f"grew by {grown / (1 << 20):.1f} MiB"
        assert len(list((tmp_path / "scratch").glob("chancellor-aside-*"))) == 2
