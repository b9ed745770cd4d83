"""The one receiver of alerts that the settings name, and how it is asked to take one."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlsplit

import httpx

from app.domain.canonical import canonical_json
from app.domain.types import Document
from app.domain.webhooks import (
    ID_HEADER,
    SHORTEST_SECRET,
    SIGNATURE_HEADER,
    TIME_HEADER,
    delivery_id,
    receiver_name,
    signature,
)
from app.errors import InvalidInputError
from app.settings import Settings

SECONDS_TO_ANSWER = 10.0
"""From the first byte to the answer's status; a service that ends waits so long at most."""

_PRINTABLE = re.compile(r"[\x21-\x7e]+")
_TAKEN = range(200, 300)


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one attempt.

    Attributes
    ----------
    status_code : int or None
        What the receiver answered; None if it did not.
    fault : str or None
        Why it did not take the alert; None if it did.
    """

    status_code: int | None
    fault: str | None

    @property
    def is_delivered(self) -> bool:
        """Say whether the receiver took the alert."""
        return self.fault is None


@dataclass(frozen=True, slots=True)
class Receiver:
    """Somebody who is sent alerts.

    Attributes
    ----------
    url : str
        Where; http or https.
    secret : str
        Signs what is sent; never shown.
    seconds : float
        How long it may take to answer.
    """

    url: str
    secret: str = field(repr=False)
    seconds: float = SECONDS_TO_ANSWER

    @property
    def name(self) -> str:
        """Give what the record calls it."""
        return receiver_name(self.url)

    def send(self, alert: Document, now: datetime) -> Answer:
        """Send an alert once.

        Parameters
        ----------
        alert : dict
            What is sent, as canonical JSON.
        now : datetime
            The time, UTC; part of what is signed.

        Returns
        -------
        Answer
            Taken only by a status from 200 to 299; a redirection is not followed.
        """
        body = canonical_json(alert).encode()
        timestamp = str(int(now.timestamp()))
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "chancellor",
            ID_HEADER: delivery_id(self.url, alert),
            TIME_HEADER: timestamp,
            SIGNATURE_HEADER: signature(self.secret, timestamp, body),
        }
        try:
            status = asyncio.run(self._post(body, headers))
        except TimeoutError:
            return Answer(None, f"no answer within {self.seconds:g} s")
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
            return Answer(None, f"no answer: {type(error).__name__}")
        return Answer(status, None if status in _TAKEN else f"answered {status}")

    async def _post(self, body: bytes, headers: dict[str, str]) -> int:
        """Post, and read no more of the answer than its status: its sender may be anybody."""
        async with asyncio.timeout(self.seconds):
            client = httpx.AsyncClient(follow_redirects=False, timeout=self.seconds)
            async with client, client.stream(
                "POST", self.url, content=body, headers=headers
            ) as answer:  # fmt: skip
                return answer.status_code


def receiver_of(settings: Settings) -> Receiver | None:
    """Give the receiver that the settings name.

    Parameters
    ----------
    settings : Settings
        With ``webhook_url`` and ``webhook_secret``.

    Returns
    -------
    Receiver or None
        None where there is no address.

    Raises
    ------
    InvalidInputError
        If address or secret cannot be used; it names the variable, and neither value.
    """
    if not settings.webhook_url:
        return None
    _require_address(settings.webhook_url)
    secret = settings.webhook_secret.get_secret_value()
    if len(secret) < SHORTEST_SECRET:
        raise InvalidInputError(
            f"CHANCELLOR_WEBHOOK_SECRET has {len(secret)} characters; with CHANCELLOR_WEBHOOK_URL "
            f"it must have {SHORTEST_SECRET} at least, since it signs each alert. Make one: "
            "openssl rand -hex 32"
        )
    return Receiver(settings.webhook_url, secret)


def _require_address(url: str) -> None:
    problem = _problem_of(url)
    if problem is not None:
        raise InvalidInputError(f"CHANCELLOR_WEBHOOK_URL {problem}.")


def _problem_of(url: str) -> str | None:
    try:
        parts = urlsplit(url)
        httpx.URL(url)  # what sends must be able to read it too
        is_place = parts.scheme in ("http", "https") and bool(parts.hostname)
        is_place = is_place and parts.port != 0 and _PRINTABLE.fullmatch(url) is not None
    except (ValueError, httpx.InvalidURL):
        is_place = False
    if not is_place:
        return "is not an http or https address"
    if "@" in parts.netloc:
        return "names a user; alerts are known by their signature, so leave the name out"
    return "ends in a fragment, which nobody would receive" if parts.fragment else None
