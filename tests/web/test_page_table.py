"""Every page times every role, and every way of having no session: as the table says."""

from __future__ import annotations

import re
from datetime import timedelta

import httpx
import pytest

from app.db import open_session, utc_now
from app.domain.access import ENDPOINTS, OPEN_PAGES, PAGES, ROLES
from app.edge.browser import CSRF_FIELD, SESSION_COOKIE, csrf_token
from app.services.browser_session_service import BrowserSessionService
from app.services.key_service import KeyService
from tests.support.rights import ALLOWED
from tests.support.service import Running

REFUSED = {401, 403}


def _session(desk: Running, role: str, key_id: str | None = None) -> str:
    with open_session(desk.store.database_url) as db:
        begun = BrowserSessionService(db).begin(actor=role, roles=[role], key_id=key_id, minutes=60)
    return str(begun["token"])


def _send(client: httpx.Client, method: str, path: str, token: str | None) -> httpx.Response:
    """Ask as a browser would, about things that do not exist: nothing changes."""
    filled = re.sub(r"\{[^}]+\}", "nothing", path)
    client.cookies.clear()
    if token is not None:
        client.cookies.set(SESSION_COOKIE, token, domain=client.base_url.host)
    form = {CSRF_FIELD: csrf_token(token or "")} if method == "POST" else None
    return client.request(method, filled, data=form)


def _is_strict(answer: httpx.Response) -> bool:
    """Say whether a browser runs nothing of a page but our own scripts, and keeps no copy of it."""
    if not answer.headers.get("content-type", "").startswith("text/html"):
        return True
    policy = answer.headers.get("content-security-policy", "")
    return (
        {"default-src 'none'", "script-src 'self'", "style-src 'self'", "frame-ancestors 'none'"}
        <= set(policy.split("; "))
        and "unsafe" not in policy
        and answer.headers.get("x-content-type-options") == "nosniff"
        and "no-store" in answer.headers.get("cache-control", "")
    )


def test_every_page_works_for_the_roles_that_may_and_no_other(empty_desk: Running) -> None:
    wrong = []
    with httpx.Client(base_url=empty_desk.url, timeout=60, trust_env=False) as client:
        for role in ROLES:
            for (method, path), right in PAGES.items():
                answer = _send(client, method, path, _session(empty_desk, role))
                works = answer.status_code not in REFUSED
                if works != (role in ALLOWED[right]) or answer.status_code >= 500:
                    wrong.append((role, method, path, answer.status_code, answer.text[-700:]))
                if not _is_strict(answer):
                    wrong.append((role, method, path, dict(answer.headers)))
                if not works and "not_permitted" not in answer.text:
                    wrong.append((role, method, path, answer.status_code, "not_permitted"))
    assert wrong == []


def _sessions_that_do_not_hold(
    desk: Running, monkeypatch: pytest.MonkeyPatch
) -> dict[str, str | None]:
    good = _session(desk, "admin")
    with open_session(desk.store.database_url) as db:
        keys, sessions = KeyService(db, actor="tester"), BrowserSessionService(db)
        key_id = keys.create(owner="eve", role="admin")["key_id"]
        revoked = _session(desk, "admin", key_id)
        keys.revoke(key_id, reason="lost")
        ended = _session(desk, "admin")
        sessions.end(sessions.check(ended)["session_id"])
        with monkeypatch.context() as patched:
            long_ago = utc_now() - timedelta(minutes=61)
            patched.setattr("app.services.browser_session_service.utc_now", lambda: long_ago)
            expired = _session(desk, "admin")
    return {
        "none": None,
        "expired": expired,
        "of a revoked key": revoked,
        "signed out": ended,
        "wrong secret": f"{good[:-4]}AAAA",
        "unknown": f"chancellor_{'0' * 12}_{'A' * 43}",
        "an API key": desk.keys["admin"],
        "malformed": "x",
        "empty": "",
    }


def test_without_a_session_that_holds_a_page_sends_to_the_sign_in(
    empty_desk: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = []
    sessions = _sessions_that_do_not_hold(empty_desk, monkeypatch)
    with httpx.Client(base_url=empty_desk.url, timeout=60, trust_env=False) as client:
        for why, token in sessions.items():
            for method, path in PAGES:
                answer = _send(client, method, path, token)
                to = answer.headers.get("location", "")
                is_sent = answer.status_code == 303 and to.startswith("/sign-in?next=/")
                if not (is_sent if method == "GET" else answer.status_code == 401):
                    wrong.append((why, method, path, answer.status_code))
            if _send(client, "GET", "/sign-in", token).status_code != 200:
                wrong.append((why, "GET", "/sign-in", 200))
    assert wrong == []


def test_no_form_is_taken_without_the_token_of_its_session(empty_desk: Running) -> None:
    wrong = []
    other = csrf_token(_session(empty_desk, "admin"))
    with httpx.Client(base_url=empty_desk.url, timeout=60, trust_env=False) as client:
        client.cookies.set(
            SESSION_COOKIE, _session(empty_desk, "admin"), domain=client.base_url.host
        )
        for method, path in PAGES:
            filled = re.sub(r"\{[^}]+\}", "nothing", path)
            for form in ({}, {CSRF_FIELD: ""}, {CSRF_FIELD: other}) if method == "POST" else ():
                answer = client.post(filled, data=form)
                if answer.status_code != 403 or "csrf_token" not in answer.text:
                    wrong.append((path, form, answer.status_code))
        assert client.get("/").status_code == 200
    assert wrong == []


def test_a_session_opens_no_endpoint_of_the_api(empty_desk: Running) -> None:
    """Else any site could make a browser send what no form's token guards."""
    wrong = []
    token = _session(empty_desk, "admin")
    with httpx.Client(base_url=empty_desk.url, timeout=60, trust_env=False) as client:
        for method, path in ENDPOINTS:
            answer = _send(client, method, path, token)
            if answer.status_code != 401:
                wrong.append((method, path, answer.status_code))
    assert wrong == []


def test_what_changes_something_is_a_form_and_what_reads_needs_none() -> None:
    """A link that changes something could be sent to somebody who may."""
    assert {method for method, _ in {*PAGES, *OPEN_PAGES}} == {"GET", "POST"}
