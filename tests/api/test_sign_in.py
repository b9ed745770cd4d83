"""Tokens of an identity provider at the door of the service, beside keys."""

from __future__ import annotations

import time
from collections.abc import Iterator

import httpx
import pytest

from app.db import close_engine, open_session
from app.main import create_app
from app.services.key_service import KeyService
from app.settings import Settings
from tests.conftest import Store
from tests.support.identity_provider import (
    CLIENT_ID,
    PEOPLE,
    IdentityProvider,
    running_identity_provider,
)
from tests.support.service import served


@pytest.fixture(scope="module")
def provider() -> Iterator[IdentityProvider]:
    with running_identity_provider() as running:
        yield running


@pytest.fixture
def place(
    sqlite_store: Store, provider: IdentityProvider, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    monkeypatch.setenv("CHANCELLOR_OIDC_ISSUER", provider.issuer)
    monkeypatch.setenv("CHANCELLOR_OIDC_CLIENT_ID", CLIENT_ID)
    with served(create_app(Settings(execute_runs=False))) as url:
        yield url
    close_engine(sqlite_store.database_url)


def _ask(place: str, token: str, method: str = "GET", path: str = "/api/policy") -> httpx.Response:
    return httpx.request(
        method,
        place + path,
        json={"min_auc_roc": 0.61} if method == "PUT" else None,
        headers={"Authorization": f"Bearer {token}"},
        trust_env=False,
        timeout=30,
    )


def test_who_signed_in_has_the_rights_of_their_roles(
    place: str, provider: IdentityProvider
) -> None:
    for person in PEOPLE.values():
        allowed = set(person.roles) & {"viewer", "analyst", "approver", "admin"}
        read = _ask(place, provider.token(person))
        assert read.status_code == (200 if allowed else 403), (person, read.text)
        written = _ask(place, provider.token(person), "PUT")
        assert written.status_code == (200 if "admin" in person.roles else 403), person


def test_a_token_that_does_not_hold_is_refused_and_keys_still_open(
    place: str, provider: IdentityProvider
) -> None:
    expired = provider.token(exp=int(time.time()) - 3600)
    for token in (expired, provider.token() + "x", "a.b.c"):
        answer = _ask(place, token)
        assert (answer.status_code, answer.json()["code"]) == (401, "token_refused")
    with open_session() as db:
        key = KeyService(db, actor="tester").create(owner="ada", role="viewer")["key"]
    assert _ask(place, key).status_code == 200
