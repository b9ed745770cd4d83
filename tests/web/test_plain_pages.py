"""Failures before a page: a person reads a page, a program a problem document."""

from __future__ import annotations

import httpx
import pytest

from app.db import close_engine
from app.main import create_app
from app.settings import Settings
from tests.conftest import Store
from tests.support.service import served

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
PERSON = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8", **FORM}


def _broken() -> None:
    raise RuntimeError("secret of the fault")


def test_a_person_reads_a_page_and_a_program_a_document(sqlite_store: Store) -> None:
    app = create_app(Settings(execute_runs=False, max_body_bytes=1000))
    app.add_api_route("/broken", _broken)
    asked = [
        ("GET", "/versionz<b>", 404, "no_such_endpoint", b""),
        ("DELETE", "/", 405, "method_not_allowed", b""),
        ("GET", "/?%00", 400, "unusable_text", b""),
        ("GET", "/broken", 500, "internal", b""),
    ]
    with served(app) as url, httpx.Client(base_url=url, trust_env=False) as client:
        for method, path, status, code, content in asked:
            page = client.request(method, path, headers=PERSON, content=content)
            document = client.request(method, path, headers=FORM, content=content)
            assert (page.status_code, document.status_code) == (status, status)
            assert document.json()["code"] == code
            assert code in page.text
            assert page.headers["content-type"] == "text/html; charset=utf-8"
            assert page.headers["content-security-policy"].startswith("default-src 'none'")
            assert page.headers.get("allow") == document.headers.get("allow")
            assert page.headers["x-request-id"] in page.text
            assert "<b>" not in page.text
            assert "secret of the fault" not in page.text
        large = client.post("/sign-in", headers=FORM, content=b"key=" + b"x" * 1001)
        assert (large.status_code, "too_large" in large.text) == (413, True)
        for path in ("/api/nothing", "/healthz/x", "/metrics/x"):
            answer = client.get(path, headers=PERSON)
            assert answer.headers["content-type"] == "application/problem+json"
    close_engine(sqlite_store.database_url)


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example"])
def test_a_stranger_at_an_open_desk_reads_why(sqlite_store: Store, host: str) -> None:
    with (
        served(create_app(Settings(execute_runs=False), is_open=True)) as url,
        httpx.Client(base_url=url, trust_env=False) as client,
    ):
        answer = client.get("/", headers={**PERSON, "Host": host})
    assert (answer.status_code, "not_from_here" in answer.text) == (403, True)
    assert "by its own name" in answer.text
    close_engine(sqlite_store.database_url)
