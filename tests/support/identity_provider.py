"""An identity provider of the tests' own: Authlib's server side, real HTTP, real keys, loopback.

It has a login form, single-use codes bound to PKCE, a token endpoint with client secrets, keys
that rotate, and a description under the well-known path. ``sign`` makes tokens as an attacker, or
a provider with other habits, would.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, ClassVar
from urllib.parse import unquote_plus

from authlib.integrations.flask_oauth2 import AuthorizationServer
from authlib.oauth2.rfc6749 import ClientMixin, grants
from authlib.oauth2.rfc6749.errors import OAuth2Error
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oauth2.rfc9068 import JWTBearerTokenGenerator
from authlib.oidc.core import AuthorizationCodeMixin
from authlib.oidc.core.grants import OpenIDCode
from flask import Flask, abort, jsonify, request
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey
from werkzeug.serving import BaseWSGIServer, make_server

CLIENT_ID = "chancellor"
CLIENT_SECRET = "the secret of the tests"  # noqa: S105 - of a provider that lives for one test
REDIRECT_URI = "http://127.0.0.1:1/signed-in"
PASSWORD = "correct horse"  # noqa: S105 - the same
FORM = (
    '<form method="post"><input name="username"><input name="password" type="password">'
    "<button>Log in</button></form>"
)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who can sign in."""

    subject: str
    username: str
    roles: tuple[str, ...]

    def get_user_id(self) -> str:
        """Give the lasting name, as Authlib asks for it."""
        return self.subject


PEOPLE = {
    person.username: person
    for person in (
        Person("s-1", "ada", ("analyst",)),
        Person("s-2", "grace", ("approver",)),
        Person("s-3", "eve", ("gardener",)),
        Person("s-4", "root", ("admin", "analyst")),
    )
}


class _Client(ClientMixin):
    def __init__(self, redirect_uris: set[str]) -> None:
        self._redirect_uris = redirect_uris

    def get_client_id(self) -> str:
        return CLIENT_ID

    def get_default_redirect_uri(self) -> str:
        return REDIRECT_URI

    def get_allowed_scope(self, scope: str) -> str:
        return scope

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        return redirect_uri in self._redirect_uris

    def check_client_secret(self, client_secret: str) -> bool:
        return CLIENT_SECRET in {client_secret, unquote_plus(client_secret)}  # RFC 6749, 2.3.1

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        del endpoint
        return method in {"client_secret_basic", "client_secret_post"}

    def check_response_type(self, response_type: str) -> bool:
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type == "authorization_code"


@dataclass(slots=True)
class _Code(AuthorizationCodeMixin):
    """A code that was given out once."""

    code: str
    person: Person
    redirect_uri: str
    scope: str
    nonce: str | None
    code_challenge: str
    code_challenge_method: str
    issued_at: float = field(default_factory=time.time)

    def get_redirect_uri(self) -> str:
        return self.redirect_uri

    def get_scope(self) -> str:
        return self.scope

    def get_nonce(self) -> str | None:
        return self.nonce

    def get_auth_time(self) -> int:
        return int(self.issued_at)

    def get_acr(self) -> None:
        return None

    def get_amr(self) -> list[str]:
        return ["pwd"]


class IdentityProvider:
    """A provider that listens on loopback while a test runs."""

    def __init__(self) -> None:
        self.keys: list[RSAKey] = []
        self.n_key_requests = 0
        self.codes: dict[str, _Code] = {}
        self.redirect_uris = {REDIRECT_URI}
        self.auth_methods = ("client_secret_basic", "client_secret_post")
        self.rotate()
        self._server: BaseWSGIServer = make_server(
            "127.0.0.1", 0, _application(self), threaded=True
        )
        self.issuer = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def rotate(self) -> None:
        """Sign with a new key from now on, and publish only that one."""
        kid = f"key-{time.monotonic_ns()}"
        self.keys = [RSAKey.generate_key(2048, {"kid": kid, "use": "sig"})]

    def stop(self) -> None:
        """Answer no more."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def claims(self, person: Person = PEOPLE["ada"], **changes: Any) -> dict[str, Any]:
        """Give what an ID token of this provider says, with changes; None leaves a claim out."""
        now = int(time.time())
        said: dict[str, Any] = {
            "iss": self.issuer, "aud": CLIENT_ID, "sub": person.subject, "iat": now,
            "exp": now + 300, "preferred_username": person.username, "roles": list(person.roles),
            **changes,
        }  # fmt: skip
        return {name: value for name, value in said.items() if value is not None}

    def sign(
        self,
        claims: dict[str, Any],
        *,
        key: Any = None,
        algorithm: str = "RS256",
        header: dict[str, Any] | None = None,
    ) -> str:
        """Sign any claims, by default with the provider's own key."""
        wanted = {"alg": algorithm, "kid": self.keys[0].kid, **(header or {})}
        return jwt.encode(wanted, claims, key or self.keys[0], [algorithm])

    def token(self, person: Person = PEOPLE["ada"], **changes: Any) -> str:
        """Give an ID token of this provider, with changes."""
        return self.sign(self.claims(person, **changes))


@contextmanager
def running_identity_provider() -> Iterator[IdentityProvider]:
    """Run a provider on loopback."""
    provider = IdentityProvider()
    try:
        yield provider
    finally:
        provider.stop()


def _application(provider: IdentityProvider) -> Flask:
    app = Flask("identity-provider")
    server = _authorization_server(app, provider)

    @app.get("/.well-known/openid-configuration")
    def describe() -> Any:
        issuer = provider.issuer
        return jsonify(
            issuer=issuer,
            authorization_endpoint=f"{issuer}/authorize",
            token_endpoint=f"{issuer}/token",
            jwks_uri=f"{issuer}/keys",
            response_types_supported=["code"],
            token_endpoint_auth_methods_supported=list(provider.auth_methods),
            subject_types_supported=["public"],
            id_token_signing_alg_values_supported=["RS256"],
        )

    @app.get("/keys")
    def keys() -> Any:
        provider.n_key_requests += 1
        return jsonify(KeySet(list(provider.keys)).as_dict(private=False))

    @app.route("/authorize", methods=["GET", "POST"])
    def authorize() -> Any:
        try:
            grant = server.get_consent_grant(end_user=None)
        except OAuth2Error as error:
            return jsonify(dict(error.get_body())), 400
        if request.method == "GET":
            return FORM
        person = PEOPLE.get(request.form.get("username", ""))
        if person is None or request.form.get("password") != PASSWORD:
            abort(401)
        return server.create_authorization_response(grant=grant, grant_user=person)

    @app.post("/token")
    def token() -> Any:
        return server.create_token_response()

    return app


def _authorization_server(app: Flask, provider: IdentityProvider) -> AuthorizationServer:
    client = _Client(provider.redirect_uris)
    server = AuthorizationServer(
        app,
        query_client=lambda client_id: client if client_id == CLIENT_ID else None,
        save_token=lambda token, request: None,
    )
    server.register_token_generator("default", _AccessTokens(provider))
    codes = type("CodeGrant", (_CodeGrant,), {"provider": provider})
    server.register_grant(codes, [_SignedCode(provider), CodeChallenge(required=True)])
    return server


class _CodeGrant(grants.AuthorizationCodeGrant):
    TOKEN_ENDPOINT_AUTH_METHODS: ClassVar = ["client_secret_basic", "client_secret_post"]
    provider: IdentityProvider

    def save_authorization_code(self, code: str, request: Any) -> None:
        asked = request.payload.data
        self.provider.codes[code] = _Code(
            code=code,
            person=request.user,
            redirect_uri=asked["redirect_uri"],
            scope=request.payload.scope,
            nonce=asked.get("nonce"),
            code_challenge=asked["code_challenge"],
            code_challenge_method=asked["code_challenge_method"],
        )

    def query_authorization_code(self, code: str, client: Any) -> _Code | None:
        del client
        return self.provider.codes.get(code)

    def delete_authorization_code(self, authorization_code: _Code) -> None:
        del self.provider.codes[authorization_code.code]

    def authenticate_user(self, authorization_code: _Code) -> Person:
        return authorization_code.person


class _SignedCode(OpenIDCode):
    def __init__(self, provider: IdentityProvider) -> None:
        super().__init__(require_nonce=True)
        self.provider = provider

    def exists_nonce(self, nonce: str, request: Any) -> bool:
        return any(code.nonce == nonce for code in self.provider.codes.values())

    def get_client_claims(self, client: Any) -> dict[str, Any]:
        return {"iss": self.provider.issuer, "aud": [client.get_client_id()]}

    def get_client_algorithm(self, client: Any) -> str:
        return "RS256"

    def get_encode_header(self, client: Any) -> dict[str, Any]:
        return {"alg": "RS256", "kid": self.provider.keys[0].kid}

    def resolve_client_private_key(self, client: Any) -> RSAKey:
        return self.provider.keys[0]

    def generate_user_info(self, user: Person, scope: str) -> dict[str, Any]:
        return {"sub": user.subject, **_said_of(user)}


class _AccessTokens(JWTBearerTokenGenerator):
    def __init__(self, provider: IdentityProvider) -> None:
        super().__init__(issuer="")  # known once the server listens
        self.provider = provider

    def get_jwks(self) -> KeySet:
        return KeySet(list(self.provider.keys))

    def get_extra_claims(
        self, client: Any, grant_type: str, user: Person, scope: str
    ) -> dict[str, Any]:
        return {"iss": self.provider.issuer, **_said_of(user)}


def _said_of(person: Person) -> dict[str, Any]:
    return {"preferred_username": person.username, "roles": list(person.roles)}
