"""Signing in at a real identity provider on loopback, and every forged token that must not pass."""

from __future__ import annotations

import base64
import hmac
import json
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from authlib.common.security import generate_token
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from joserfc.jwk import ECKey, RSAKey

from app.edge import openid_provider
from app.edge.openid_provider import OpenIdProvider
from app.edge.openid_settings import OpenIdSettings, get_openid_settings
from app.edge.openid_tokens import TokenVerifier
from app.errors import (
    InvalidInputError,
    NotPermittedError,
    TokenRefusedError,
    UnavailableError,
)
from tests.support.identity_provider import (
    CLIENT_ID,
    CLIENT_SECRET,
    PASSWORD,
    PEOPLE,
    REDIRECT_URI,
    IdentityProvider,
    running_identity_provider,
)


class Clock:
    """A clock that tests move."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture(scope="module")
def provider() -> Iterator[IdentityProvider]:
    with running_identity_provider() as running:
        yield running


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def verifier(provider: IdentityProvider, clock: Clock) -> TokenVerifier:
    return _verifier(provider, clock)


def _verifier(provider: IdentityProvider, clock: Clock | None = None, **said: Any) -> TokenVerifier:
    settings = OpenIdSettings(issuer=provider.issuer, client_id=CLIENT_ID, **said)
    return TokenVerifier(settings, OpenIdProvider(provider.issuer, clock or Clock()))


def _authorize(provider: IdentityProvider, username: str, verifier: str, nonce: str) -> str:
    """Fill in the login form as a browser does, and give the code that comes back."""
    state = generate_token(20)
    asked = {
        "response_type": "code", "client_id": CLIENT_ID, "redirect_uri": REDIRECT_URI,
        "scope": "openid", "state": state, "nonce": nonce, "code_challenge_method": "S256",
        "code_challenge": create_s256_code_challenge(verifier),
    }  # fmt: skip
    with httpx.Client(base_url=provider.issuer, trust_env=False) as browser:
        assert "<form" in browser.get("/authorize", params=asked).text
        typed = {"username": username, "password": PASSWORD}
        answer = browser.post("/authorize", params=asked, data=typed)
    back = httpx.URL(answer.headers["location"])
    assert str(back).startswith(REDIRECT_URI)
    assert back.params["state"] == state
    return back.params["code"]


def _redeem(provider: IdentityProvider, code: str, verifier: str) -> dict[str, Any]:
    answer = httpx.post(
        f"{provider.issuer}/token",
        data={"grant_type": "authorization_code", "code": code, "redirect_uri": REDIRECT_URI,
              "code_verifier": verifier},
        auth=(CLIENT_ID, CLIENT_SECRET), trust_env=False,
    )  # fmt: skip
    found: dict[str, Any] = answer.json()
    return found


def _sign_in(provider: IdentityProvider, username: str) -> dict[str, Any]:
    """Go the whole way of a browser: login form, code, PKCE, token endpoint."""
    verifier = generate_token(48)
    code = _authorize(provider, username, verifier, generate_token(20))
    return _redeem(provider, code, verifier)


def _base64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _unsigned(claims: Any, header: Any) -> str:
    return ".".join([*(_base64(_written(part)) for part in (header, claims)), ""])


def _written(part: Any) -> bytes:
    return part if isinstance(part, bytes) else json.dumps(part).encode()


def _signed_raw(key: RSAKey, header: Any, claims: Any) -> str:
    """Sign what joserfc would refuse to sign, with a right signature."""
    said = _unsigned(claims, header).removesuffix(".")
    signature = key.raw_value.sign(said.encode(), PKCS1v15(), SHA256())
    return f"{said}.{_base64(signature)}"


@pytest.mark.parametrize("kind", ["id_token", "access_token"])
def test_whoever_signed_in_is_known_by_name_and_roles(
    provider: IdentityProvider, verifier: TokenVerifier, kind: str
) -> None:
    found = verifier.identify(_sign_in(provider, "ada")[kind])
    assert (found.actor, found.roles) == ("ada", {"analyst"})
    assert (found.subject, found.issuer) == ("s-1", provider.issuer)


def test_a_person_may_have_several_roles(
    provider: IdentityProvider, verifier: TokenVerifier
) -> None:
    assert verifier.identify(provider.token(PEOPLE["root"])).roles == {"admin", "analyst"}


def test_a_code_is_worth_nothing_without_its_verifier_or_a_second_time(
    provider: IdentityProvider,
) -> None:
    """That the provider of the tests is a real one: PKCE holds there."""
    verifier = generate_token(48)
    code = _authorize(provider, "ada", verifier, generate_token(20))
    assert _redeem(provider, code, generate_token(48))["error"] == "invalid_grant"
    code = _authorize(provider, "ada", verifier, generate_token(20))
    assert "id_token" in _redeem(provider, code, verifier)
    assert _redeem(provider, code, verifier)["error"] == "invalid_grant"


NOW = int(time.time())
WRONG_CLAIMS: dict[str, dict[str, Any]] = {
    "another audience": {"aud": "someone-else"},
    "an audience among which we are not": {"aud": ["someone-else", "chancellor-2"]},
    "no audience": {"aud": None},
    "another issuer": {"iss": "https://id.example"},
    "the issuer with a slash": {"iss": "PROVIDER/"},
    "no issuer": {"iss": None},
    "expired": {"iat": NOW - 900, "exp": NOW - 120},
    "without an end": {"exp": None},
    "an end that is no number": {"exp": "tomorrow"},
    "an end that never comes": {"exp": float("inf")},
    "not yet valid": {"nbf": NOW + 3600},
    "issued in the future": {"iat": NOW + 3600},
    "no subject": {"sub": None},
    "a blank subject": {"sub": ""},
    "issued for another client": {"azp": "someone-else"},
}


@pytest.mark.parametrize("changes", WRONG_CLAIMS.values(), ids=WRONG_CLAIMS)
def test_a_token_with_wrong_claims_is_refused(
    provider: IdentityProvider, verifier: TokenVerifier, changes: dict[str, Any]
) -> None:
    said = {k: v.replace("PROVIDER", provider.issuer) if isinstance(v, str) else v
            for k, v in changes.items()}  # fmt: skip
    with pytest.raises(TokenRefusedError, match="the token is refused"):
        verifier.identify(provider.token(**said))


def test_a_small_difference_of_the_clocks_is_forgiven(
    provider: IdentityProvider, verifier: TokenVerifier
) -> None:
    now = int(time.time())
    assert verifier.identify(provider.token(exp=now - 20, iat=now - 300)).actor == "ada"
    assert verifier.identify(provider.token(iat=now + 20)).actor == "ada"
    with pytest.raises(TokenRefusedError):
        _verifier(provider, leeway_seconds=0).identify(provider.token(exp=now - 20, iat=now - 300))


def _forged(provider: IdentityProvider) -> dict[str, str]:
    own = provider.keys[0]
    claims = provider.claims()
    kid = own.kid
    head, body, signature = provider.token().split(".")
    other_body = provider.token(PEOPLE["root"]).split(".")[1]
    stranger = RSAKey.generate_key(2048)
    public = own.as_pem(private=False)
    shared = _unsigned(claims, {"alg": "HS256", "kid": kid}).removesuffix(".")
    return {
        "no signature": _unsigned(claims, {"alg": "none", "typ": "JWT"}),
        "no signature, with the name of a key": _unsigned(claims, {"alg": "none", "kid": kid}),
        "no signature, spelt differently": _unsigned(claims, {"alg": "nOnE", "kid": kid}),
        "signature cut off": f"{head}.{body}.",
        "signature of other claims": f"{head}.{other_body}.{signature}",
        "a key of somebody else": provider.sign(claims, key=stranger),
        "a key of somebody else, unnamed": provider.sign(claims, key=stranger, header={"kid": "x"}),
        "a key that comes with the token": provider.sign(
            claims, key=stranger, header={"jwk": stranger.as_dict(private=False)}
        ),
        "keys from another place": provider.sign(
            claims, key=stranger, header={"jku": "https://id.example/keys"}
        ),
        "the public key as a shared secret": (
            f"{shared}.{_base64(hmac.digest(public, shared.encode(), 'sha256'))}"
        ),
        "an algorithm that is not pinned": provider.sign(claims, algorithm="RS384"),
        "a curve instead of RSA": provider.sign(
            claims, key=ECKey.generate_key("P-256"), algorithm="ES256"
        ),
        "an extension that must be understood": _signed_raw(
            own, {"alg": "RS256", "kid": kid, "crit": ["x"], "x": 1}, claims
        ),
        "a header that is no object": _signed_raw(own, [], claims),
        "a header of other types": _signed_raw(own, {"alg": "RS256", "kid": {}, "crit": 7}, claims),
        "claims that are no object": _signed_raw(own, {"alg": "RS256", "kid": kid}, []),
        "claims nested without end": _signed_raw(own, {"alg": "RS256", "kid": kid}, b"[" * 11_000),
        "a token for signing out": provider.sign(claims, header={"typ": "logout+jwt"}),
        "nothing": "",
        "words": "no token at all",
        "three dots": "...",
        "not base64": "a.b.c",
        "too long": "a" * 20_000,
    }


FORGERIES = (
    "no signature", "no signature, with the name of a key", "no signature, spelt differently",
    "signature cut off", "signature of other claims", "a key of somebody else",
    "a key of somebody else, unnamed", "a key that comes with the token",
    "keys from another place", "the public key as a shared secret",
    "an algorithm that is not pinned", "a curve instead of RSA",
    "an extension that must be understood", "a header that is no object",
    "a header of other types", "claims that are no object", "claims nested without end",
    "a token for signing out", "nothing", "words",
    "three dots", "not base64", "too long",
)  # fmt: skip


@pytest.mark.filterwarnings("ignore::joserfc.errors.SecurityWarning")  # the forger does not care
@pytest.mark.parametrize("name", FORGERIES)
def test_a_forged_token_is_refused(
    provider: IdentityProvider, verifier: TokenVerifier, name: str
) -> None:
    with pytest.raises(TokenRefusedError, match="the token is refused"):
        verifier.identify(_forged(provider)[name])


def test_every_forgery_is_tried(provider: IdentityProvider) -> None:
    assert set(_forged(provider)) == set(FORGERIES)


@pytest.mark.parametrize("roles", [["gardener"], [], None, "", {"admin": True}, [["admin"]], 7])
def test_without_a_known_role_nothing_is_permitted(
    provider: IdentityProvider, verifier: TokenVerifier, roles: Any
) -> None:
    with pytest.raises(NotPermittedError, match="no role that is known here"):
        verifier.identify(provider.token(roles=roles))


def test_roles_come_from_the_claim_and_by_the_mapping_of_the_settings(
    provider: IdentityProvider,
) -> None:
    mapped = _verifier(
        provider,
        roles_claim="realm_access.roles",
        roles={"risk-managers": "approver", "risk-analysts": "analyst"},
    )
    token = provider.token(realm_access={"roles": ["risk-managers", "staff"]}, roles=["admin"])
    assert mapped.identify(token).roles == {"approver"}
    with pytest.raises(NotPermittedError):
        mapped.identify(provider.token(realm_access={"roles": ["admin"]}))


@pytest.mark.parametrize(
    "name", [None, "", " ada", "ada\n", "ada\x00", "model:m-1", "MODEL:m-1", "a" * 129, ["ada"], 7]
)
def test_a_name_that_cannot_stand_on_the_record_is_refused(
    provider: IdentityProvider, verifier: TokenVerifier, name: Any
) -> None:
    with pytest.raises(NotPermittedError, match="CHANCELLOR_OIDC_NAME_CLAIM"):
        verifier.identify(provider.token(preferred_username=name))


def test_the_nonce_of_a_browser_must_come_back(
    provider: IdentityProvider, verifier: TokenVerifier
) -> None:
    token = provider.token(nonce="once")
    assert verifier.identify(token, nonce="once").actor == "ada"
    for other in (token, provider.token()):
        with pytest.raises(TokenRefusedError, match="nonce"):
            verifier.identify(other, nonce="another")


def test_new_keys_are_fetched_and_old_ones_count_no_more(clock: Clock) -> None:
    with running_identity_provider() as provider:
        verifier = _verifier(provider, clock)
        old = provider.token()
        assert verifier.identify(old).actor == "ada"
        provider.rotate()
        clock.seconds += openid_provider.REFETCH_SECONDS
        assert verifier.identify(provider.token()).actor == "ada"
        with pytest.raises(TokenRefusedError):
            verifier.identify(old)
        assert provider.n_key_requests == 2


def test_a_withdrawn_key_is_refused_after_the_keys_were_kept_for_their_time(clock: Clock) -> None:
    with running_identity_provider() as provider:
        verifier = _verifier(provider, clock)
        stolen = provider.token()
        assert verifier.identify(stolen).actor == "ada"
        provider.rotate()
        clock.seconds += openid_provider.KEEP_SECONDS
        with pytest.raises(TokenRefusedError):
            verifier.identify(stolen)


@pytest.mark.filterwarnings("ignore::joserfc.errors.SecurityWarning")  # the forger does not care
def test_invented_key_names_do_not_flood_the_provider(clock: Clock) -> None:
    with running_identity_provider() as provider:
        verifier = _verifier(provider, clock)
        stranger = RSAKey.generate_key(2048)
        for number in range(20):
            with pytest.raises(TokenRefusedError):
                verifier.identify(
                    provider.sign(provider.claims(), key=stranger, header={"kid": f"k{number}"})
                )
        assert provider.n_key_requests == 1


def test_a_provider_that_is_down_is_said_to_be_unavailable_and_asked_again_later(
    clock: Clock,
) -> None:
    with running_identity_provider() as provider:
        issuer, token = provider.issuer, provider.token()
    verifier = TokenVerifier(
        OpenIdSettings(issuer=issuer, client_id=CLIENT_ID), OpenIdProvider(issuer, clock)
    )
    for _ in range(2):
        with pytest.raises(UnavailableError, match="cannot be asked for its keys"):
            verifier.identify(token)


def test_a_provider_that_calls_itself_otherwise_is_not_believed(
    provider: IdentityProvider, clock: Clock
) -> None:
    other = provider.issuer.replace("127.0.0.1", "localhost")
    settings = OpenIdSettings(issuer=other, client_id=CLIENT_ID)
    verifier = TokenVerifier(settings, OpenIdProvider(other, clock))
    with pytest.raises(UnavailableError, match="it calls itself"):
        verifier.identify(provider.token(iss=other))


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("ISSUER", "http://id.example", "https URL"),
        ("ISSUER", "file:///etc/passwd", "https URL"),
        ("ISSUER", "https://id.example", "CHANCELLOR_OIDC_CLIENT_ID"),
        ("ALGORITHMS", "RS256, HS256", "HS256"),
        ("ALGORITHMS", "none", "none"),
        ("ALGORITHMS", "", "not usable"),
        ("LEEWAY_SECONDS", "86400", "leeway_seconds"),
        ("ROLES", '{"x": ["admin"]}', "roles"),
        ("ROLES", '{"x": "viewer", "y": "root"}', r"CHANCELLOR_OIDC_ROLES: \['root'\].*viewer"),
    ],
)
def test_settings_that_would_let_anyone_in_are_refused(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, told: str
) -> None:
    monkeypatch.setenv(f"CHANCELLOR_OIDC_{name}", value)
    with pytest.raises(InvalidInputError, match=told):
        get_openid_settings()


def test_a_secret_does_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHANCELLOR_OIDC_CLIENT_SECRET", CLIENT_SECRET)
    settings = get_openid_settings()
    assert CLIENT_SECRET not in f"{settings!r} {settings}"
    assert not settings.is_configured
