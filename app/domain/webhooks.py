"""What a receiver of alerts is sent, how it is signed, and when it is tried again."""

from __future__ import annotations

import hashlib
import hmac
import uuid
from datetime import datetime, timedelta

from app.domain.canonical import canonical_json
from app.domain.types import Document

ID_HEADER, TIME_HEADER, SIGNATURE_HEADER = (
    "Chancellor-Delivery", "Chancellor-Timestamp", "Chancellor-Signature",
)  # fmt: skip
SCHEME = "v1"
SHORTEST_SECRET = 16
"""Characters of the secret, at least."""

FIRST_WAIT = timedelta(seconds=10)
LONGEST_WAIT = timedelta(hours=1)

_DELIVERIES = uuid.UUID("0d6e1f0e-41a1-4b0e-9f0b-3f6f6d0f3c57")  # names of deliveries
_DOUBLINGS = 20  # past the longest wait in any case


def signature(secret: str, timestamp: str, body: bytes) -> str:
    """Sign what is sent: HMAC-SHA256 over the timestamp, a full stop and the body.

    Parameters
    ----------
    secret : str
        Shared with the receiver.
    timestamp : str
        Seconds since 1970, as in the header.
    body : bytes
        Exactly what is sent.

    Returns
    -------
    str
        ``v1=`` and 64 hex digits.

    References
    ----------
    .. [1] H. Krawczyk, M. Bellare, R. Canetti, "HMAC: Keyed-Hashing for Message
       Authentication", RFC 2104, 1997.

    Examples
    --------
    ``printf '1774958400.{}' | openssl dgst -sha256 -hmac 'a secret of twenty-3'`` says the same:

    >>> signature("a secret of twenty-3", "1774958400", b"{}")[:15]
    'v1=93deebd5ff36'
    """
    keyed = hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256)
    return f"{SCHEME}={keyed.hexdigest()}"


def delivery_id(receiver: str, alert: Document) -> str:
    """Name the delivery of an alert to a receiver: the same at every attempt.

    Parameters
    ----------
    receiver : str
        Its address.
    alert : dict
        What is sent.

    Returns
    -------
    str
        A UUID (version 5); of another store's alert with the same number it is another.

    Examples
    --------
    >>> one = delivery_id("https://a.example/", {"alert_id": 1, "opened_at": "2026-03-31"})
    >>> one == delivery_id("https://a.example/", {"opened_at": "2026-03-31", "alert_id": 1})
    True
    >>> one == delivery_id("https://b.example/", {"alert_id": 1, "opened_at": "2026-03-31"})
    False
    """
    return str(uuid.uuid5(_DELIVERIES, f"{receiver}\0{canonical_json(alert)}"))


def next_attempt_at(n_failed: int, last_at: datetime) -> datetime:
    """Say when to try again: after 10 seconds, then twice as long each time, an hour at most.

    Parameters
    ----------
    n_failed : int
        Attempts that failed, >= 1.
    last_at : datetime
        When the last of them was.

    Returns
    -------
    datetime
        In the zone of `last_at`.

    Examples
    --------
    >>> noon = datetime(2026, 3, 31, 12)
    >>> [str(next_attempt_at(n, noon).time()) for n in (1, 2, 3, 99)]
    ['12:00:10', '12:00:20', '12:00:40', '13:00:00']
    """
    doubled: timedelta = FIRST_WAIT * 2 ** min(n_failed - 1, _DOUBLINGS)
    return last_at + min(doubled, LONGEST_WAIT)


def receiver_name(url: str) -> str:
    """Name a receiver on the record without its path, which may hold a token.

    Parameters
    ----------
    url : str
        Its address.

    Returns
    -------
    str
        Scheme, host and port, and the beginning of a hash of the whole address.

    Examples
    --------
    >>> receiver_name("https://hooks.example/services/T0/secret")
    'https://hooks.example#f0000467'
    """
    scheme, _, rest = url.partition("://")
    host = rest.split("/", 1)[0].split("?", 1)[0]
    return f"{scheme}://{host}#{hashlib.sha256(url.encode()).hexdigest()[:8]}"
