"""Read API keys and browser sessions."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Select, bindparam, func, select
from sqlalchemy.orm import Session

from app.db import single_statement
from app.errors import NotFoundError
from app.models import ApiKey, ApiKeyRevocation, BrowserSession, BrowserSessionEnd

KeyRow = tuple[ApiKey, ApiKeyRevocation | None]


@dataclass(frozen=True, slots=True)
class BrowserSessionRow:
    """Hold a browser session with what may have ended it: a sign-out, or its key's revocation."""

    session: BrowserSession
    end: BrowserSessionEnd | None
    revocation: ApiKeyRevocation | None


def _keys() -> Select[ApiKey, ApiKeyRevocation]:
    return select(ApiKey, ApiKeyRevocation).outerjoin(
        ApiKeyRevocation, ApiKeyRevocation.key_id == ApiKey.id
    )


_FIND = _keys().where(ApiKey.id == bindparam("key_id"))


def find_key(db: Session, key_id: str) -> KeyRow | None:
    """Find a key by its public part, with its revocation.

    Parameters
    ----------
    db : Session
        The store.
    key_id : str
        12 hexadecimal digits.

    Returns
    -------
    tuple of (ApiKey, ApiKeyRevocation or None), or None
        None if there is no such key.
    """
    found = db.execute(_FIND, {"key_id": key_id}).first()
    return None if found is None else (found[0], found[1])


_FIND_SESSION = (
    select(BrowserSession, BrowserSessionEnd, ApiKeyRevocation)
    .outerjoin(BrowserSessionEnd, BrowserSessionEnd.session_id == BrowserSession.id)
    .outerjoin(ApiKeyRevocation, ApiKeyRevocation.key_id == BrowserSession.key_id)
    .where(BrowserSession.id == bindparam("session_id"))
)
"""Asked at every page, so built once."""


def find_browser_session(db: Session, session_id: str) -> BrowserSessionRow | None:
    """Find a browser session by its public part.

    Parameters
    ----------
    db : Session
        The store.
    session_id : str
        12 hexadecimal digits.

    Returns
    -------
    BrowserSessionRow or None
        None if there is no such session.
    """
    found = db.execute(_FIND_SESSION, {"session_id": session_id}).first()
    return None if found is None else BrowserSessionRow(*found)


class KeyStanding(NamedTuple):
    """Hold what decides whether a key is valid, and for whom."""

    owner: str
    role: str
    secret_hash: str
    expires_at: datetime
    revoked_at: datetime | None


_FIND_STANDING = (
    select(
        ApiKey.owner, ApiKey.role, ApiKey.secret_hash, ApiKey.expires_at,
        ApiKeyRevocation.at.label("revoked_at"),
    )
    .outerjoin(ApiKeyRevocation, ApiKeyRevocation.key_id == ApiKey.id)
    .where(ApiKey.id == bindparam("key_id"))
)  # fmt: skip
"""Asked at every request, so built once."""


def find_standing(db: Session, key_id: str) -> KeyStanding | None:
    """Find how a key stands now, with one message to the database.

    Parameters
    ----------
    db : Session
        The store.
    key_id : str
        12 hexadecimal digits.

    Returns
    -------
    KeyStanding or None
        None if there is no such key.
    """
    with single_statement(db) as connection:
        found = connection.execute(_FIND_STANDING, {"key_id": key_id}).first()
    return None if found is None else KeyStanding(*found)


def require_key(db: Session, key_id: str) -> KeyRow:
    """Find a key that must exist.

    Parameters
    ----------
    db : Session
        The store.
    key_id : str
        Its public part.

    Returns
    -------
    tuple of (ApiKey, ApiKeyRevocation or None)
        The key, with its revocation.

    Raises
    ------
    NotFoundError
        If there is none.
    """
    found = find_key(db, key_id)
    if found is None:
        raise NotFoundError(f"There is no API key {key_id!r}: chancellor keys list.", key_id=key_id)
    return found


def list_keys(db: Session) -> tuple[KeyRow, ...]:
    """List all keys, revoked and expired ones included.

    Parameters
    ----------
    db : Session
        The store.

    Returns
    -------
    tuple of (ApiKey, ApiKeyRevocation or None)
        Oldest first.
    """
    return _read(db, _keys().order_by(ApiKey.created_at, ApiKey.id))


def list_last_sign_ins(db: Session) -> dict[str, datetime]:
    """Find when each key was last shown to sign in to the desk.

    Parameters
    ----------
    db : Session
        The store.

    Returns
    -------
    dict of str to datetime
        By the key's public part; keys that only programs used are not there.
    """
    wanted = select(BrowserSession.key_id, func.max(BrowserSession.created_at))
    rows = db.execute(wanted.where(BrowserSession.key_id.is_not(None)).group_by("key_id"))
    return {str(key_id): at for key_id, at in rows}


def _read(db: Session, wanted: Select[ApiKey, ApiKeyRevocation]) -> tuple[KeyRow, ...]:
    return tuple((key, revocation) for key, revocation in db.execute(wanted))
