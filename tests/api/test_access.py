"""Every endpoint times every role, and every way of having no key: the table of issue D."""

from __future__ import annotations

import re
from datetime import timedelta

import httpx
import pytest
from fastapi.routing import iter_route_contexts

from app.db import open_session, utc_now
from app.domain.access import ENDPOINTS, OPEN_ENDPOINTS, OPEN_PAGES, PAGES, ROLES
from app.main import create_app
from app.services.key_service import KeyService
from tests.api.conftest import Running
from tests.support.rights import ALLOWED


def _send(client: httpx.Client, method: str, path: str) -> httpx.Response:
    """Ask in a way that reaches the endpoint and changes nothing that others need."""
    filled = re.sub(r"\{[^}]+\}", "nothing", path)
    return client.request(method, filled, json={} if method in {"POST", "PUT"} else None)


def test_the_table_names_every_endpoint_and_no_other(sqlite_store: object) -> None:
    del sqlite_store
    served = {
        (method, context.path)
        for context in iter_route_contexts(create_app().routes)
        for method in context.methods or ()
    }
    assert served == set(ENDPOINTS) | OPEN_ENDPOINTS | set(PAGES) | OPEN_PAGES


def test_every_endpoint_works_for_the_roles_that_may_and_no_other(running: Running) -> None:
    wrong = []
    for role in ROLES:
        with running.client(role) as client:
            for (method, path), right in ENDPOINTS.items():
                answer = _send(client, method, path)
                works = answer.status_code not in {401, 403}
                if works != (role in ALLOWED[right]) or answer.status_code >= 500:
                    wrong.append((role, method, path, answer.status_code, answer.text[:200]))
                if not works and answer.json()["code"] != "not_permitted":
                    wrong.append((role, method, path, answer.json()["code"]))
    assert wrong == []


def _keys_that_do_not_hold(running: Running, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    with open_session(running.store.database_url) as db:
        service = KeyService(db, actor="tester")
        revoked = service.create(owner="eve", role="admin")
        service.revoke(revoked["key_id"], reason="lost")
        long_ago = utc_now() - timedelta(days=91)
        with monkeypatch.context() as patched:
            patched.setattr("app.services.key_service.utc_now", lambda: long_ago)
            expired = service.create(owner="eve", role="admin", days=90)
    good = running.keys["admin"]
    return {
        "revoked": f"Bearer {revoked['key']}",
        "expired": f"Bearer {expired['key']}",
        "wrong secret": f"Bearer {good[:-4]}AAAA",
        "unknown": f"Bearer chancellor_{'0' * 12}_{'A' * 43}",
        "malformed": "Bearer chancellor_secret",
        "one letter": "Bearer x",
        "another scheme": f"Basic {good}",
        "no scheme": good,
        "null": "Bearer null",
    }


def test_without_a_key_that_holds_nothing_but_health_is_served(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    headers: list[dict[str, str]] = [{}]
    keys = _keys_that_do_not_hold(running, monkeypatch)
    headers += [{"Authorization": value} for value in keys.values()]
    wrong = []
    for sent in headers:
        with httpx.Client(base_url=running.url, headers=sent) as client:
            for method, path in ENDPOINTS:
                answer = _send(client, method, path)
                if (
                    answer.status_code != 401
                    or answer.json()["code"] != "key_refused"
                    or "Bearer" not in answer.headers["WWW-Authenticate"]
                ):
                    wrong.append((sent, method, path, answer.status_code))
            for method, path in OPEN_ENDPOINTS:
                if client.request(method, path).status_code != 200:
                    wrong.append((sent, method, path))
    assert wrong == []


def test_a_key_is_refused_from_the_moment_it_is_revoked(running: Running) -> None:
    with open_session(running.store.database_url) as db, running.client("viewer") as client:
        assert client.get("/api/policy").status_code == 200
        key_id = running.keys["viewer"].split("_")[1]
        KeyService(db, actor="tester").revoke(key_id, reason="left the bank")
        assert client.get("/api/policy").status_code == 401


def test_a_refused_caller_is_answered_before_the_body_is_read(sqlite_running: Running) -> None:
    """The body is no JSON: who has no key learns nothing of it."""
    for headers, status in (({}, 401), (sqlite_running.headers("viewer"), 403)):
        for method, path in (("PUT", "/api/policy"), ("POST", "/api/scoring/score")):
            answer = httpx.request(
                method,
                f"{sqlite_running.url}{path}",
                content=b"{",
                headers={**headers, "Content-Type": "application/json"},
            )
            assert answer.status_code == status


def test_the_actor_of_an_event_is_the_owner_of_the_key(running: Running) -> None:
    with running.client("admin") as client:
        name = "a-request-of-mine"
        sent = client.put("/api/policy", json={"min_auc_roc": 0.62}, headers={"X-Request-ID": name})
        assert sent.status_code == 200
        assert sent.headers["X-Request-ID"] == name
        newest = client.get("/api/audit", params={"limit": 1}).json()["items"][0]
    assert (newest["actor"], newest["action"]) == ("admin", "policy.set")
    assert newest["payload"]["request_id"] == name
