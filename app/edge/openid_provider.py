"""The identity provider's own description and keys, fetched and kept for a while."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import Any

import httpx
import structlog
from joserfc.errors import JoseError
from joserfc.jwk import Key, KeySet, import_key

from app.domain.types import Document
from app.edge.openid_settings import is_safe_place
from app.errors import UnavailableError

DESCRIPTION = "/.well-known/openid-configuration"
KEEP_SECONDS = 3600.0
"""How long keys count without being asked for again; a withdrawn key is refused after that."""
REFETCH_SECONDS = 10.0
"""How often an unknown key may make us ask anew: invented key names must not become a flood."""
_TIMEOUT_SECONDS = 5.0
_MAX_BYTES = 1 << 20
_KINDS = frozenset({"RSA", "EC", "OKP"})
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class _Held:
    """What the provider said at one time."""

    description: Document
    keys: KeySet
    fetched_at: float


class OpenIdProvider:
    """Know one identity provider.

    Parameters
    ----------
    issuer : str
        As in the settings.
    clock : callable, default time.monotonic
        Seconds; only tests give another one.
    """

    def __init__(self, issuer: str, clock: Callable[[], float] = time.monotonic) -> None:
        self.issuer = issuer
        self._clock = clock
        self._lock = Lock()
        self._held: _Held | None = None
        self._asked_at = float("-inf")

    def description(self) -> Document:
        """Give the provider's description of itself, such as where its endpoints are."""
        return self._current().description

    def keys(self) -> KeySet:
        """Give the keys that the provider signs with."""
        return self._current().keys

    def newer_keys(self) -> KeySet | None:
        """Ask again because a key is unknown: the provider may have changed its keys.

        Returns
        -------
        KeySet or None
            None if they were asked for just before.
        """
        with self._lock:
            if self._clock() - self._asked_at < REFETCH_SECONDS:
                return None
            return self._refresh().keys

    def _current(self) -> _Held:
        if (held := self._fresh()) is not None:  # without the lock: a fetch may hold it for long
            return held
        with self._lock:
            if (held := self._fresh()) is not None:
                return held
            if self._clock() - self._asked_at < 1.0:
                raise _unavailable(self.issuer, "it did not answer a moment ago")
            return self._refresh()

    def _fresh(self) -> _Held | None:
        held = self._held
        return held if held and self._clock() - held.fetched_at < KEEP_SECONDS else None

    def _refresh(self) -> _Held:
        self._asked_at = self._clock()
        try:
            with httpx.Client(timeout=_TIMEOUT_SECONDS, trust_env=False) as client:
                description = _describe(client, self.issuer)
                keys = _signing_keys(_fetch(client, description.get("jwks_uri")))
        except (httpx.HTTPError, ValueError, TypeError) as error:
            _log.warning("sign_in.provider_unavailable", issuer=self.issuer, problem=str(error))
            raise _unavailable(self.issuer, str(error)) from error
        self._held = _Held(description, keys, self._clock())
        _log.info("sign_in.keys_fetched", issuer=self.issuer, n_keys=len(keys.keys))
        return self._held


def _describe(client: httpx.Client, issuer: str) -> Document:
    found: Document = _fetch(client, issuer.rstrip("/") + DESCRIPTION)
    if found.get("issuer") != issuer:
        raise ValueError(f"it calls itself {found.get('issuer')!r}")
    return found


def _signing_keys(document: Any) -> KeySet:
    """Read the keys that can verify a signature; of kinds that we do not know, none is used."""
    listed = document.get("keys")
    if not isinstance(listed, list):
        raise TypeError("its keys are not a list")
    keys: list[Key] = []
    for one in listed:
        if not isinstance(one, dict) or one.get("kty") not in _KINDS:
            continue
        if one.get("use", "sig") != "sig":
            continue
        try:
            keys.append(import_key(one))
        except (JoseError, ValueError, TypeError, KeyError) as error:
            _log.warning("sign_in.key_not_usable", kid=one.get("kid"), problem=str(error))
    if not keys:
        raise ValueError("it publishes no key that verifies signatures")
    return KeySet(keys)


def _fetch(client: httpx.Client, url: object) -> Any:
    """Get a JSON object of bounded size, following no redirect."""
    if not isinstance(url, str) or not is_safe_place(url):
        raise ValueError(f"{url!r} is no https URL")
    with client.stream("GET", url, headers={"Accept": "application/json"}) as answer:
        answer.raise_for_status()
        content = bytearray()
        for chunk in answer.iter_bytes():
            content += chunk
            if len(content) > _MAX_BYTES:
                raise ValueError(f"{url} answers with more than {_MAX_BYTES} bytes")
    found = json.loads(bytes(content))
    if not isinstance(found, dict):
        raise TypeError(f"{url} does not answer with a JSON object")
    return found


def _unavailable(issuer: str, problem: str) -> UnavailableError:
    return UnavailableError(
        f"the identity provider {issuer} cannot be asked for its keys: {problem}", issuer=issuer
    )
