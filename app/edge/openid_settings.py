"""Which identity provider people sign in with, and what its tokens mean here."""

from __future__ import annotations

import ipaddress
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, SecretStr, ValidationError, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from app.domain.access import ROLES
from app.errors import InvalidInputError

ASYMMETRIC = frozenset(
    {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}
)
"""Algorithms whose verifying key cannot sign: ``none`` and shared secrets are never among them."""


def _words(value: object) -> object:
    return tuple(value.replace(",", " ").split()) if isinstance(value, str) else value


class OpenIdSettings(BaseSettings):
    """Hold what the environment says about the identity provider.

    Attributes
    ----------
    issuer : str
        ``CHANCELLOR_OIDC_ISSUER``, as the provider writes it in its tokens; empty for none.
    client_id : str
        ``CHANCELLOR_OIDC_CLIENT_ID``, under which the provider knows Chancellor.
    client_secret : SecretStr
        ``CHANCELLOR_OIDC_CLIENT_SECRET``; empty for a public client.
    audience : str
        ``CHANCELLOR_OIDC_AUDIENCE``, for whom tokens must be meant; by default the client id.
    roles_claim : str
        ``CHANCELLOR_OIDC_ROLES_CLAIM``, dots lead into objects, such as ``realm_access.roles``.
    roles : dict of str to str
        ``CHANCELLOR_OIDC_ROLES``, JSON from a value of that claim to a role; empty where the
        provider uses the names of the roles themselves.
    name_claim : str
        ``CHANCELLOR_OIDC_NAME_CLAIM``, whose value is on the record; it must be unique and not
        the person's own to change, since maker and checker are told apart by it.
    algorithms : tuple of str
        ``CHANCELLOR_OIDC_ALGORITHMS``, what tokens may be signed with.
    leeway_seconds : int
        ``CHANCELLOR_OIDC_LEEWAY_SECONDS``, how far the two clocks may differ.
    scopes : str
        ``CHANCELLOR_OIDC_SCOPES``, what a browser's sign-in asks the provider for.
    """

    model_config = SettingsConfigDict(env_prefix="CHANCELLOR_OIDC_", frozen=True, extra="ignore")

    issuer: str = ""
    client_id: str = ""
    client_secret: SecretStr = SecretStr("")
    audience: str = ""
    roles_claim: str = "roles"
    roles: dict[str, str] = Field(default_factory=dict)
    name_claim: str = "preferred_username"
    algorithms: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_words)] = ("RS256", "ES256")
    leeway_seconds: int = Field(default=60, ge=0, le=300)
    scopes: str = "openid profile"

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.issuer and not is_safe_place(self.issuer):
            raise ValueError("CHANCELLOR_OIDC_ISSUER must be an https URL (http on loopback only)")
        if self.issuer and not (self.audience or self.client_id):
            raise ValueError("with CHANCELLOR_OIDC_ISSUER set, set CHANCELLOR_OIDC_CLIENT_ID too")
        wrong = sorted(set(self.algorithms) - ASYMMETRIC)
        if wrong or not self.algorithms:
            known = ", ".join(sorted(ASYMMETRIC))
            raise ValueError(f"CHANCELLOR_OIDC_ALGORITHMS: {wrong} not usable; choose of {known}")
        unknown = sorted(set(self.roles.values()) - set(ROLES))
        if unknown:
            known = ", ".join(ROLES)
            raise ValueError(f"CHANCELLOR_OIDC_ROLES: {unknown} no roles; choose of {known}")
        return self

    @property
    def is_configured(self) -> bool:
        """Whether there is a provider to sign in with."""
        return bool(self.issuer)

    @property
    def signs_in_browsers(self) -> bool:
        """Whether people can sign in to the desk there: Chancellor is known by a client id."""
        return bool(self.issuer and self.client_id)

    @property
    def accepted_audience(self) -> str:
        """Give the audience that a token must name."""
        return self.audience or self.client_id


def get_openid_settings() -> OpenIdSettings:
    """Read the settings from the environment as it is now.

    Returns
    -------
    OpenIdSettings
        With an empty issuer where nothing is configured.

    Raises
    ------
    InvalidInputError
        If they cannot be used; it names the variable.
    """
    try:
        return OpenIdSettings()
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(str(part) for part in one['loc'])} {one['msg']}".strip()
            for one in error.errors(include_input=False, include_url=False)
        )
        raise InvalidInputError(f"the settings for sign-in are not usable: {problems}") from None


def is_safe_place(url: str) -> bool:
    """Say whether a URL may be asked for keys: https, or http to this machine.

    Parameters
    ----------
    url : str
        Of the issuer, or of an endpoint that it names.

    Returns
    -------
    bool
        False also for a URL that carries a user or a fragment.

    Examples
    --------
    >>> [is_safe_place(url) for url in ("https://id.example", "http://id.example",
    ...                                 "http://127.0.0.1:8080", "file:///etc/passwd")]
    [True, False, True, False]
    """
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
    except ValueError:
        return False
    if not host or "@" in parts.netloc or parts.fragment:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(host))


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
