"""Sign in to the desk at a real identity provider on loopback, and every answer that must fail."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from types import SimpleNamespace

import httpx
import pytest
from playwright.sync_api import Browser

from app.db import close_engine
from app.edge import openid_codes
from app.edge.browser import SESSION_COOKIE
from app.main import create_app
from app.settings import Settings
from app.web.openid_sign_in import COOKIE
from tests.conftest import Store
from tests.support.identity_provider import (
    CLIENT_ID,
    CLIENT_SECRET,
    PASSWORD,
    IdentityProvider,
    running_identity_provider,
)
from tests.support.service import served


@dataclass(frozen=True, slots=True)
class Desk:
    """A desk, a browser at it, and the provider where its people sign in."""

    browser: httpx.Client
    provider: IdentityProvider

    def begin(self, target: str = "/") -> httpx.URL:
        """Press the button; give the provider's address to which the browser is sent."""
        answer = self.browser.get("/sign-in/openid", params={"next": target})
        assert answer.status_code == 303
        return httpx.URL(answer.headers["location"])

    def log_in(self, place: httpx.URL, username: str) -> httpx.URL:
        """Fill in the provider's form; give the address to which it sends the browser back."""
        typed = {"username": username, "password": PASSWORD}
        return httpx.URL(httpx.post(place, data=typed, trust_env=False).headers["location"])

    def sign_in(self, username: str, target: str = "/") -> httpx.Response:
        """Go the whole way."""
        return self.browser.get(self.log_in(self.begin(target), username))


@pytest.fixture(scope="module")
def provider() -> Iterator[IdentityProvider]:
    with running_identity_provider() as running:
        yield running


@pytest.fixture
def desk(
    sqlite_store: Store, provider: IdentityProvider, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Desk]:
    monkeypatch.setenv("CHANCELLOR_OIDC_ISSUER", provider.issuer)
    monkeypatch.setenv("CHANCELLOR_OIDC_CLIENT_ID", CLIENT_ID)
    monkeypatch.setenv("CHANCELLOR_OIDC_CLIENT_SECRET", CLIENT_SECRET)
    monkeypatch.setenv("CHANCELLOR_OIDC_AUDIENCE", "the API")  # of API tokens, not of browsers
    with (
        served(create_app(Settings(execute_runs=False))) as url,
        httpx.Client(base_url=url, trust_env=False) as browser,
    ):
        provider.redirect_uris.add(f"{url}/sign-in/openid/callback")
        yield Desk(browser, provider)
    close_engine(sqlite_store.database_url)


def _refused(answer: httpx.Response, status: int, words: str) -> None:
    assert (answer.status_code, "Not done." in answer.text) == (status, True)
    assert words in answer.text
    assert SESSION_COOKIE not in answer.cookies


def test_who_signs_in_at_the_provider_is_known_by_name_and_roles(desk: Desk) -> None:
    assert "Sign in at 127.0.0.1" in desk.browser.get("/sign-in").text
    answer = desk.sign_in("root", "/audit?actor=a&b=1")
    assert answer.status_code == 200  # a page, no redirect
    assert 'url=/audit?actor=a&amp;b=1"' in answer.text
    begun = next(one for one in answer.headers.get_list("set-cookie") if SESSION_COOKIE in one)
    assert {"httponly", "samesite=strict"} <= set(re.split(r"; ", begun.lower()))
    page = desk.browser.get("/")
    assert "root" in page.text
    assert "admin, analyst" in page.text


def test_a_provider_that_wants_the_secret_in_a_header_gets_it_there(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk.provider, "auth_methods", ("client_secret_basic",))
    assert desk.sign_in("ada").status_code == 200
    monkeypatch.setenv("CHANCELLOR_OIDC_CLIENT_SECRET", "wrong")
    with served(create_app(Settings(execute_runs=False))) as url:
        desk.provider.redirect_uris.add(f"{url}/sign-in/openid/callback")
        with httpx.Client(base_url=url, trust_env=False) as browser:
            _refused(Desk(browser, desk.provider).sign_in("ada"), 401, "invalid_client")


def test_the_flow_carries_state_nonce_and_pkce_and_a_cookie_of_this_browser(desk: Desk) -> None:
    place = desk.begin("https://evil.example/")
    asked = place.params
    assert (asked["response_type"], asked["code_challenge_method"]) == ("code", "S256")
    assert asked["redirect_uri"] == f"{desk.browser.base_url}".rstrip("/") + (
        "/sign-in/openid/callback"
    )
    values = {asked["state"], asked["nonce"], asked["code_challenge"]}
    assert len(values) == 3
    kept = desk.browser.cookies[COOKIE]
    assert not any(value in kept for value in values)
    answer = desk.browser.get(desk.log_in(place, "ada"))
    assert 'url=/"' in answer.text  # not to the other site


def test_a_person_without_a_role_is_told_so(desk: Desk) -> None:
    _refused(desk.sign_in("eve"), 403, "gives no role that is known here")
    assert desk.browser.get("/").status_code == 303


def test_the_answer_of_another_sign_in_is_refused(desk: Desk) -> None:
    back = desk.log_in(desk.begin(), "ada")
    _refused(desk.browser.get(back.copy_set_param("state", "0" * 64)), 401, "another sign-in")
    _refused(desk.browser.get(back), 401, "began no sign-in")  # its cookie is used up
    desk.browser.cookies.clear()
    _refused(desk.browser.get(back), 401, "began no sign-in")  # a browser that began none
    desk.begin()
    _refused(desk.browser.get(back), 401, "another sign-in")  # an attacker's code, my browser
    mixed_up = desk.log_in(desk.begin(), "ada").copy_set_param("iss", "https://evil.example")
    _refused(desk.browser.get(mixed_up), 401, "another provider")


def test_a_code_counts_once(desk: Desk) -> None:
    back = desk.log_in(desk.begin(), "ada")
    kept = desk.browser.cookies[COOKIE]
    assert desk.browser.get(back).status_code == 200
    desk.browser.cookies.clear()
    replayed = desk.browser.get(back, headers={"Cookie": f"{COOKIE}={kept}"})
    _refused(replayed, 401, "invalid_grant")


def test_a_token_of_another_sign_in_is_refused(desk: Desk) -> None:
    """The provider answers with a token whose nonce is not ours."""
    back = desk.log_in(desk.begin(), "ada")
    for code in desk.provider.codes.values():
        code.nonce = "another"
    _refused(desk.browser.get(back), 401, "nonce")


def test_a_sign_in_that_takes_too_long_is_refused(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    back = desk.log_in(desk.begin(), "ada")
    later = SimpleNamespace(time=lambda: time.time() + 601)
    monkeypatch.setattr(openid_codes, "time", later)
    _refused(desk.browser.get(back), 401, "longer than 10 minutes")


def test_the_providers_refusal_is_shown_by_its_code_alone(desk: Desk) -> None:
    state = desk.begin().params["state"]
    said = {"state": state, "error": "access_denied", "error_description": "<script>x</script>"}
    answer = desk.browser.get("/sign-in/openid/callback", params=said)
    _refused(answer, 401, "access_denied")
    assert "script" not in answer.text
    state = desk.begin().params["state"]
    answer = desk.browser.get(
        "/sign-in/openid/callback", params={"state": state, "error": "<b>boo</b>"}
    )
    _refused(answer, 401, "answered an error")


def test_a_provider_that_is_away_says_so_on_the_page(
    sqlite_store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running_identity_provider() as gone:
        issuer = gone.issuer
    monkeypatch.setenv("CHANCELLOR_OIDC_ISSUER", issuer)
    monkeypatch.setenv("CHANCELLOR_OIDC_CLIENT_ID", CLIENT_ID)
    with (
        served(create_app(Settings(execute_runs=False))) as url,
        httpx.Client(base_url=url, trust_env=False) as browser,
    ):
        _refused(browser.get("/sign-in/openid"), 503, "API key")
    monkeypatch.delenv("CHANCELLOR_OIDC_ISSUER")
    with (
        served(create_app(Settings(execute_runs=False))) as url,
        httpx.Client(base_url=url, trust_env=False) as browser,
    ):
        assert "Sign in at" not in browser.get("/sign-in").text
        assert browser.get("/sign-in/openid").status_code == 404
    close_engine(sqlite_store.database_url)


@pytest.mark.slow
def test_a_browser_comes_back_from_another_site_with_its_session(
    desk: Desk, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To a browser ``localhost`` is another site than ``127.0.0.1``: strict cookies count."""
    elsewhere = desk.provider.issuer.replace("127.0.0.1", "localhost")
    monkeypatch.setattr(desk.provider, "issuer", elsewhere)
    monkeypatch.setenv("CHANCELLOR_OIDC_ISSUER", elsewhere)
    with served(create_app(Settings(execute_runs=False))) as url:
        desk.provider.redirect_uris.add(f"{url}/sign-in/openid/callback")
        page = browser.new_page(base_url=url)
        page.goto("/policy?before=9")
        page.get_by_role("link", name="Sign in at localhost").click()
        page.locator("[name=username]").fill("root")
        page.locator("[name=password]").fill(PASSWORD)
        page.get_by_role("button", name="Log in").click()
        page.wait_for_url(f"{url}/policy?before=9")
        assert "root" in page.locator(".who").inner_text()
        page.get_by_role("button", name="Sign out").click()
        page.wait_for_url(f"{url}/sign-in")
        page.goto("/policy")
        assert page.url == f"{url}/sign-in?next=/policy"
        page.context.close()
