"""Sign in and out of the desk; what a form must carry."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx
import pytest

from app.db import close_engine, open_session
from app.edge.browser import SESSION_COOKIE
from app.edge.middleware import SIGN_IN_BYTES
from app.main import create_app
from app.services.key_service import KeyService
from app.settings import Settings
from app.web.sign_in import own_path
from tests.conftest import Store
from tests.support.service import served


@pytest.fixture
def made(store: Store) -> Iterator[tuple[httpx.Client, Store]]:
    with (
        served(create_app(Settings(execute_runs=False))) as url,
        httpx.Client(base_url=url, trust_env=False) as client,
    ):
        yield client, store
    close_engine(store.database_url)


def _key(store: Store, role: str = "analyst", days: int = 9) -> dict[str, str]:
    with open_session(store.database_url) as db:
        return KeyService(db, actor="tester").create(owner="ada", role=role, days=days)


def _sign_in(client: httpx.Client, key: str, target: str = "/") -> httpx.Response:
    return client.post("/sign-in", data={"key": key, "next": target})


def _token(page: httpx.Response) -> str:
    found = re.search(r'name="csrf_token" value="(\w+)"', page.text)
    assert found
    return found.group(1)


def test_a_key_opens_a_session_that_signing_out_ends_for_good(
    made: tuple[httpx.Client, Store],
) -> None:
    client, store = made
    sent_away = client.get("/versions?x=1")
    assert sent_away.status_code in {303, 404}
    sent_away = client.get("/")
    assert sent_away.headers["location"] == "/sign-in?next=/"
    answer = _sign_in(client, _key(store)["key"], "/")
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    page = client.get("/")
    assert page.status_code == 200
    assert "ada" in page.text
    kept = client.cookies[SESSION_COOKIE]
    assert client.post("/sign-out", data={"csrf_token": _token(page)}).status_code == 303
    client.cookies.set(SESSION_COOKIE, kept, domain=client.base_url.host)
    assert client.get("/").headers["location"] == "/sign-in?next=/"


def test_a_revoked_key_ends_its_sessions(made: tuple[httpx.Client, Store]) -> None:
    client, store = made
    key = _key(store)
    _sign_in(client, key["key"])
    assert client.get("/").status_code == 200
    with open_session(store.database_url) as db:
        KeyService(db, actor="tester").revoke(key["key_id"], reason="lost")
    assert client.get("/").status_code == 303


@pytest.mark.parametrize("role", ["service", None])
def test_what_is_no_persons_key_opens_nothing(
    made: tuple[httpx.Client, Store], role: str | None
) -> None:
    client, store = made
    answer = _sign_in(client, _key(store, role)["key"] if role else "chancellor_nonsense")
    assert answer.status_code == (403 if role else 401)
    assert "Not done." in answer.text
    assert SESSION_COOKIE not in client.cookies


def test_nobody_unknown_fills_the_memory(made: tuple[httpx.Client, Store]) -> None:
    client, _ = made
    assert _sign_in(client, "x" * (SIGN_IN_BYTES - 100)).status_code == 401
    assert _sign_in(client, "x" * SIGN_IN_BYTES).status_code == 413


def test_a_form_without_its_token_or_from_elsewhere_is_refused(
    made: tuple[httpx.Client, Store],
) -> None:
    client, store = made
    _sign_in(client, _key(store)["key"])
    page = client.get("/")
    assert client.post("/sign-out", data={}).status_code == 403
    assert client.post("/sign-out", data={"csrf_token": "0" * 64}).status_code == 403
    foreign = {"origin": "https://evil.example"}
    said = client.post("/sign-out", data={"csrf_token": _token(page)}, headers=foreign)
    assert said.status_code == 403
    assert "another site" in said.text
    assert client.get("/").status_code == 200
    evil = _sign_in(client, _key(store)["key"], "//evil.example/x")
    assert evil.headers["location"] == "/"


def test_pages_load_nothing_inline_and_nothing_from_elsewhere(
    made: tuple[httpx.Client, Store],
) -> None:
    client, _ = made
    page = client.get("/sign-in")
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    sheet = re.search(r'href="(/static/desk.css\?v=\w+)"', page.text)
    assert sheet
    assert client.get(sheet.group(1)).headers["content-type"].startswith("text/css")
    assert client.get("/static/..%2frouting.py").status_code == 404


@pytest.mark.parametrize(
    "target", ["/\t/evil.example", "//evil.example", "/\\evil.example", "/\x0b/x"]
)
def test_no_sign_in_ends_at_another_site(target: str) -> None:
    assert own_path(target) == "/"
