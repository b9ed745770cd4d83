"""API keys as text: how one is written, read and recognised."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

PREFIX = "chancellor"
ID_BYTES, SECRET_BYTES = 6, 32
_FORM = re.compile(PREFIX + r"_([0-9a-f]{12})_([A-Za-z0-9_-]{43})")

KeyState = Literal["valid", "expired", "revoked"]


@dataclass(frozen=True, slots=True)
class KeyText:
    """A key taken apart.

    Attributes
    ----------
    key_id : str
        Its public part, 12 hexadecimal digits: it may be shown and logged.
    secret : str
        Its secret part, 43 characters for 256 bits of chance.
    """

    key_id: str
    secret: str

    def __repr__(self) -> str:
        return f"KeyText(key_id={self.key_id!r})"

    @property
    def text(self) -> str:
        """Give the whole key, as its owner sends it."""
        return f"{PREFIX}_{self.key_id}_{self.secret}"

    @property
    def secret_hash(self) -> str:
        """Give what is stored of the secret: its SHA-256, 64 hexadecimal digits.

        A slow hash would protect guessable passwords; nobody guesses 256 random bits.
        """
        return hashlib.sha256(self.secret.encode()).hexdigest()

    def has_hash(self, stored: str) -> bool:
        """Compare with a stored hash, in a time that tells nothing about it."""
        return hmac.compare_digest(self.secret_hash, stored)


def key_from_bytes(key_id: bytes, secret: bytes) -> KeyText:
    """Write random bytes as a key.

    Parameters
    ----------
    key_id : bytes
        6 bytes.
    secret : bytes
        32 bytes.

    Returns
    -------
    KeyText
        The key.

    Examples
    --------
    >>> key_from_bytes(bytes(6), bytes(32)).text
    'chancellor_000000000000_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'
    """
    return KeyText(key_id.hex(), base64.urlsafe_b64encode(secret).decode().rstrip("="))


def read_key(text: str) -> KeyText | None:
    """Take a key apart.

    Parameters
    ----------
    text : str
        What was sent.

    Returns
    -------
    KeyText or None
        None for what has not the form of a key.

    Examples
    --------
    >>> read_key("chancellor_000000000000_" + "A" * 43)
    KeyText(key_id='000000000000')
    >>> read_key("chancellor_000000000000_short") is None
    True
    """
    match = _FORM.fullmatch(text)
    return None if match is None else KeyText(match.group(1), match.group(2))


def key_state(*, expires_at: datetime, revoked_at: datetime | None, now: datetime) -> KeyState:
    """Say whether a key may still be used.

    Parameters
    ----------
    expires_at : datetime
        The first moment at which it may not, UTC.
    revoked_at : datetime or None
        When somebody revoked it.
    now : datetime
        The time, UTC.

    Returns
    -------
    str
        ``valid``, ``expired`` or ``revoked``.

    Examples
    --------
    >>> from datetime import UTC
    >>> end = datetime(2026, 1, 1, tzinfo=UTC)
    >>> key_state(expires_at=end, revoked_at=None, now=end)
    'expired'
    """
    if revoked_at is not None:
        return "revoked"
    return "expired" if now >= expires_at else "valid"
