"""Sign in with a browser at the identity provider: authorization code flow with PKCE."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import secrets
import time
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import quote_plus, urlencode

import httpx
import structlog
from authlib.oauth2.rfc7636 import create_s256_code_challenge

from app.domain.types import Document
from app.edge.openid_provider import OpenIdProvider
from app.edge.openid_settings import OpenIdSettings, is_safe_place
from app.errors import TokenRefusedError, UnavailableError

MINUTES = 10
"""How long somebody may take at the provider."""

_TIMEOUT_SECONDS = 10.0
_MAX_BYTES = 1 << 18
_AGAIN = "begin the sign-in again"
_COOKIE = re.compile(r"([A-Za-z0-9_-]{43})\.([0-9]{1,12})\.((?:[0-9a-f]{2}){1,8000})")
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Attempt:
    """One sign-in that a browser began; its cookie holds it until the provider sends it back.

    State, nonce and verifier are derived from one secret and the time, so that none of them can
    be changed alone.

    Attributes
    ----------
    secret : str
        Known to this browser only.
    began_at : int
        Seconds since 1970.
    target : str
        Page to go to afterwards, a path of ours.
    """

    secret: str
    began_at: int
    target: str

    @classmethod
    def begin(cls, target: str) -> Self:
        """Begin one now."""
        return cls(secrets.token_urlsafe(32), int(time.time()), target)

    @classmethod
    def from_cookie(cls, text: str) -> Self:
        """Read what the cookie holds.

        Parameters
        ----------
        text : str
            Its value.

        Returns
        -------
        Attempt
            Not yet compared with anything.

        Raises
        ------
        TokenRefusedError
            If it is none of ours, or too old.
        """
        found = _COOKIE.fullmatch(text)
        if found is None:
            raise TokenRefusedError(f"this browser began no sign-in, or its time is over: {_AGAIN}")
        secret, began, target = found.groups()
        if not 0 <= time.time() - int(began) <= MINUTES * 60:
            raise TokenRefusedError(f"the sign-in took longer than {MINUTES} minutes: {_AGAIN}")
        return cls(secret, int(began), bytes.fromhex(target).decode(errors="replace"))

    @property
    def cookie(self) -> str:
        """Give the value of the cookie."""
        target = self.target.encode(errors="replace").hex()
        return f"{self.secret}.{self.began_at}.{target}"

    @property
    def state(self) -> str:
        """Give what the provider must send back, so that no other site begins our sign-in."""
        return self._derived("state")

    @property
    def nonce(self) -> str:
        """Give what the ID token must repeat, so that no other sign-in's token fits."""
        return self._derived("nonce")

    @property
    def verifier(self) -> str:
        """Give what proves that who redeems the code is who asked for it (PKCE)."""
        return self._derived("verifier")

    def _derived(self, name: str) -> str:
        text = f"{name} {self.began_at} {self.target}"
        return hmac.new(self.secret.encode(), text.encode(), hashlib.sha256).hexdigest()


@dataclass(frozen=True, slots=True)
class CodeFlow:
    """Send a browser to the provider, and redeem the code that it comes back with.

    Attributes
    ----------
    settings : OpenIdSettings
        With an issuer and a client id.
    provider : OpenIdProvider
        Whom to ask.
    redirect_uri : str
        Where the provider sends the browser back; it must know this address.
    """

    settings: OpenIdSettings
    provider: OpenIdProvider
    redirect_uri: str

    def address(self, attempt: Attempt) -> str:
        """Give where to send the browser.

        Parameters
        ----------
        attempt : Attempt
            The sign-in that begins.

        Returns
        -------
        str
            At the provider.

        Raises
        ------
        UnavailableError
            If the provider cannot be asked, or names no place of its own.
        """
        asked = {
            "response_type": "code",
            "client_id": self.settings.client_id,
            "redirect_uri": self.redirect_uri,
            "scope": self.settings.scopes,
            "state": attempt.state,
            "nonce": attempt.nonce,
            "code_challenge": create_s256_code_challenge(attempt.verifier),
            "code_challenge_method": "S256",
        }
        place = self._place("authorization_endpoint")
        return f"{place}{'&' if '?' in place else '?'}{urlencode(asked)}"

    def redeem(self, attempt: Attempt, answer: dict[str, str]) -> str:
        """Turn what the browser brought back into an ID token, not yet verified.

        Parameters
        ----------
        attempt : Attempt
            The one that this browser's cookie holds.
        answer : dict of str to str
            Query of the callback.

        Returns
        -------
        str
            The ID token.

        Raises
        ------
        TokenRefusedError
            If the state is another's, the provider refused, or the code is not good.
        UnavailableError
            If the provider does not answer.
        """
        if not hmac.compare_digest(answer.get("state", "").encode(), attempt.state.encode()):
            raise TokenRefusedError(f"the answer belongs to another sign-in: {_AGAIN}")
        if answer.get("iss", self.settings.issuer) != self.settings.issuer:
            raise TokenRefusedError(f"the answer comes from another provider: {_AGAIN}")
        if "error" in answer:
            raise TokenRefusedError(f"the identity provider answered {_word(answer['error'])}")
        found = self._ask(attempt, answer.get("code", ""))
        token = found.get("id_token")
        if not isinstance(token, str):
            raise TokenRefusedError("the identity provider gave no ID token")
        return token

    def _ask(self, attempt: Attempt, code: str) -> Document:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self.redirect_uri,
            "code_verifier": attempt.verifier,
        }
        place, auth = self._place("token_endpoint"), self._authenticate(form)
        try:
            with (
                httpx.Client(timeout=_TIMEOUT_SECONDS, trust_env=False, auth=auth) as client,
                client.stream("POST", place, data=form, headers=_JSON) as said,
            ):
                status, found = said.status_code, _document(said)
        except (httpx.HTTPError, ValueError, TypeError) as error:
            _log.warning("sign_in.code_not_redeemed", problem=str(error))
            raise UnavailableError("the identity provider does not redeem codes now") from error
        if status >= httpx.codes.BAD_REQUEST:
            raise TokenRefusedError(
                f"the identity provider refused the code ({_word(found.get('error'))}): {_AGAIN}"
            )
        return found

    def _authenticate(self, form: dict[str, str]) -> httpx.BasicAuth | None:
        """Say who we are, in a way that the provider knows; RFC 6749, section 2.3.1."""
        name, secret = self.settings.client_id, self.settings.client_secret.get_secret_value()
        ways = self.provider.description().get("token_endpoint_auth_methods_supported")
        if secret and "client_secret_post" not in (ways or ()):
            return httpx.BasicAuth(quote_plus(name), quote_plus(secret))
        form["client_id"] = name
        if secret:
            form["client_secret"] = secret
        return None

    def _place(self, name: str) -> str:
        place = self.provider.description().get(name)
        if not isinstance(place, str) or not is_safe_place(place):
            raise UnavailableError(f"the identity provider names no usable {name}")
        return place


_JSON = {"Accept": "application/json"}


def _document(said: httpx.Response) -> Document:
    content = bytearray()
    for chunk in said.iter_bytes():
        content += chunk
        if len(content) > _MAX_BYTES:
            raise ValueError("the answer is too long")
    if said.status_code >= httpx.codes.INTERNAL_SERVER_ERROR:
        raise ValueError(f"it answers {said.status_code}")
    found = json.loads(bytes(content))
    if not isinstance(found, dict):
        raise TypeError("the answer is no JSON object")
    return found


def _word(value: Any) -> str:
    """Quote the code of an error, and nothing else that somebody may have put there."""
    text = str(value)[:40]
    return text if text.replace("_", "").isalnum() and text.isascii() else "an error"
