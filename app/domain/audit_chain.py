"""The text of an audit event and its hash."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass

from app.domain.canonical import canonical_json

GENESIS_HASH = "0" * 64
"""What the first event names as the hash before it."""


@dataclass(frozen=True, slots=True)
class ChainLink:
    """Hold what is hashed of one event.

    Attributes
    ----------
    seq : int
        From 1, without gaps.
    at : str
        UTC time in ISO 8601 with microseconds.
    actor, action, subject : str
        Who did what to what.
    payload : str
        Canonical JSON.
    previous_hash : str
        Hash of the event before, 64 hex digits.
    """

    seq: int
    at: str
    actor: str
    action: str
    subject: str
    payload: str
    previous_hash: str


def event_text(link: ChainLink) -> str:
    """Give the exact text that is hashed: canonical JSON of every field.

    Parameters
    ----------
    link : ChainLink
        The event.

    Returns
    -------
    str
        The same for the same event, for ever.

    Examples
    --------
    >>> link = ChainLink(1, "2026-01-01T00:00:00.000000+00:00", "ada", "a", "s", "{}", "0")
    >>> event_text(link)[:32]
    '{"action":"a","actor":"ada","at"'
    """
    return canonical_json(asdict(link))


def hash_text(text: str) -> str:
    """Give the SHA-256 of a text's UTF-8 bytes, as 64 hex digits.

    Parameters
    ----------
    text : str
        From ``event_text``.

    Returns
    -------
    str
        The hash.

    References
    ----------
    .. [1] NIST FIPS 180-4, Secure Hash Standard, 2015; the example is its message "abc".

    Examples
    --------
    >>> hash_text("abc")[:16]
    'ba7816bf8f01cfea'
    """
    return hashlib.sha256(text.encode()).hexdigest()
