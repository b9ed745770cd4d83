"""Tokens of the identity provider: who signed in, with which roles, or why not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from authlib.oauth2.claims import JWTClaims
from authlib.oauth2.rfc9068.claims import JWTAccessTokenClaims
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError

from app.domain.types import Document
from app.edge.openid_provider import OpenIdProvider
from app.edge.openid_settings import OpenIdSettings
from app.errors import NotPermittedError, TokenRefusedError

ROLES = frozenset({"viewer", "analyst", "approver", "admin", "service"})
_MAX_TOKEN = 16_384
_MAX_NAME = 128
_ACCESS_TOKEN_TYPES = frozenset({"at+jwt", "application/at+jwt"})


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A person, or a program, whom the identity provider vouches for.

    Attributes
    ----------
    actor : str
        Who is on the record.
    roles : frozenset of str
        At least one.
    subject, issuer : str
        Their lasting name at the provider, and the provider.
    """

    actor: str
    roles: frozenset[str]
    subject: str
    issuer: str


class TokenVerifier:
    """Turn a bearer token into a person with roles, or refuse it.

    Parameters
    ----------
    settings : OpenIdSettings
        With an issuer.
    provider : OpenIdProvider or None
        By default the one of the settings.
    """

    def __init__(self, settings: OpenIdSettings, provider: OpenIdProvider | None = None) -> None:
        self.settings = settings
        self.provider = provider or OpenIdProvider(settings.issuer)

    def identify(self, token: str, *, nonce: str | None = None) -> SignedIn:
        """Verify a token.

        Parameters
        ----------
        token : str
            An ID token, or an access token in the form of a JWT (RFC 9068 or alike).
        nonce : str or None
            What the ID token must repeat, where a browser signed in.

        Returns
        -------
        SignedIn
            The name and the roles.

        Raises
        ------
        TokenRefusedError
            If signature, algorithm, issuer, audience or times are not right.
        NotPermittedError
            If the token is right but gives no role that is known here, or no usable name.
        UnavailableError
            If the provider's keys cannot be had.
        """
        found = self._verified(token, nonce)
        claims: Document = dict(found)
        roles = self._roles(claims)
        actor = _usable_name(claims.get(self.settings.name_claim), self.settings.name_claim)
        return SignedIn(actor, roles, str(claims["sub"]), self.settings.issuer)

    def _verified(self, token: str, nonce: str | None) -> JWTClaims:
        if len(token) > _MAX_TOKEN:
            raise _refused("it is longer than any token of a sign-in")
        try:
            decoded = self._decode(token)
            claims = self._claims(decoded, nonce)
            claims.validate(leeway=self.settings.leeway_seconds)
        except (JoseError, ValueError, TypeError, RecursionError) as error:
            raise _refused(str(error) or type(error).__name__) from error
        if claims["iss"] != self.settings.issuer:
            raise _refused("it was issued by another provider")
        return claims

    def _decode(self, token: str) -> jwt.Token:
        algorithms = list(self.settings.algorithms)
        try:
            return jwt.decode(token, self.provider.keys(), algorithms)
        except InvalidKeyIdError:
            newer = self.provider.newer_keys()
            if newer is None:
                raise
            return jwt.decode(token, newer, algorithms)

    def _claims(self, decoded: jwt.Token, nonce: str | None) -> JWTClaims:
        options: dict[str, Any] = {
            name: {"essential": True} for name in ("iss", "sub", "aud", "exp", "iat")
        }
        options["iss"]["value"] = self.settings.issuer
        # the ID token of a browser's sign-in is for the client, whatever API tokens are for
        audience = self.settings.accepted_audience if nonce is None else self.settings.client_id
        options["aud"]["value"] = audience
        kind = str(decoded.header.get("typ", "JWT")).lower()
        if nonce is None and kind in _ACCESS_TOKEN_TYPES:
            return JWTAccessTokenClaims(decoded.claims, decoded.header, options)
        if kind != "jwt":
            raise ValueError(f"it is a {kind!r}, not an ID token or access token")
        params = {"nonce": nonce}
        if audience == self.settings.client_id:
            params["client_id"] = self.settings.client_id
        return CodeIDToken(decoded.claims, decoded.header, options, params)

    def _roles(self, claims: Document) -> frozenset[str]:
        given = _words(_led_to(claims, self.settings.roles_claim))
        mapping = self.settings.roles or {role: role for role in ROLES}
        roles = frozenset(mapping[name] for name in given if name in mapping)
        if not roles:
            raise NotPermittedError(
                f"the identity provider gives no role that is known here in the claim "
                f"{self.settings.roles_claim!r}: ask whoever runs it",
                roles=sorted(given)[:20],
            )
        return roles


def _led_to(claims: Document, path: str) -> object:
    """Follow dots into objects; a claim whose own name has dots comes first."""
    if path in claims:
        return claims[path]
    value: object = claims
    for part in path.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value


def _words(value: object) -> frozenset[str]:
    if isinstance(value, str):
        return frozenset(value.split())
    if isinstance(value, list):
        return frozenset(one for one in value if isinstance(one, str))
    return frozenset()


def _usable_name(value: object, claim: str) -> str:
    """Take a name for the record as it is: two spellings of one person would be two people."""
    if (
        not isinstance(value, str)
        or not value.isprintable()
        or value != value.strip()
        or not 0 < len(value) <= _MAX_NAME
        or value.casefold().startswith("model:")
    ):
        raise NotPermittedError(
            f"the token's claim {claim!r} is no name for the record: set "
            "CHANCELLOR_OIDC_NAME_CLAIM to a claim that names each person once",
            claim=claim,
        )
    return value


def _refused(problem: str) -> TokenRefusedError:
    return TokenRefusedError(f"the token is refused: {problem}")
