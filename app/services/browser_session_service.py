"""Browser sessions of the review desk: begun by a sign-in, known by their hash, ended for good."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from datetime import timedelta

from sqlalchemy.orm import Session

from app.db import transaction, utc_now
from app.domain.access import ROLES
from app.domain.api_keys import ID_BYTES, SECRET_BYTES, key_from_bytes, key_state, read_key
from app.domain.types import Document
from app.errors import KeyRefusedError
from app.models import BrowserSession, BrowserSessionEnd
from app.queries.access import find_browser_session, find_key

_OVER = "Your session is over; sign in again. Nothing that you sent was stored."


class BrowserSessionService:
    """Begin, recognise and end browser sessions.

    Parameters
    ----------
    db : Session
        The store.
    """

    def __init__(self, db: Session) -> None:
        self.db = db

    def begin(
        self, *, actor: str, roles: Iterable[str], key_id: str | None, minutes: int
    ) -> Document:
        """Begin a session for somebody who has just proved who they are.

        Writes: one row in ``browser_sessions``, without the secret.

        Parameters
        ----------
        actor : str
            The name on the record.
        roles : iterable of str
            What the key, or the identity provider, makes of the person.
        key_id : str or None
            The key that was shown; the session ends with it. None after another sign-in.
        minutes : int
            How long the session lasts, > 0; a key's own end comes first.

        Returns
        -------
        dict
            ``token``, for the cookie and shown nowhere else, and ``expires_at``.

        Raises
        ------
        KeyRefusedError
            If the key is no longer valid.
        """
        token = key_from_bytes(secrets.token_bytes(ID_BYTES), secrets.token_bytes(SECRET_BYTES))
        with transaction(self.db):
            now = utc_now()
            until = now + timedelta(minutes=minutes)
            found = find_key(self.db, key_id) if key_id else None
            if found is not None:
                until = min(until, found[0].expires_at)
            row = BrowserSession(
                id=token.key_id,
                secret_hash=token.secret_hash,
                actor=actor,
                roles=[role for role in ROLES if role in set(roles)],
                key_id=key_id,
                expires_at=until,
                created_at=now,
            )
            self.db.add(row)
        return {"token": token.text, "expires_at": until}

    def check(self, token: str) -> Document:
        """Recognise the session of a cookie.

        Parameters
        ----------
        token : str
            The cookie's value.

        Returns
        -------
        dict
            ``session_id``, ``actor``, ``roles``, ``key_id`` and ``expires_at``.

        Raises
        ------
        KeyRefusedError
            If there is no such session, it is over, or the key behind it was revoked.
        """
        sent = read_key(token)
        found = None if sent is None else find_browser_session(self.db, sent.key_id)
        if sent is None or found is None or not sent.has_hash(found.session.secret_hash):
            raise KeyRefusedError(_OVER)
        ended_at = found.end.at if found.end else None
        revoked_at = found.revocation.at if found.revocation else None
        state = key_state(
            expires_at=found.session.expires_at, revoked_at=ended_at or revoked_at, now=utc_now()
        )
        if state != "valid":
            raise KeyRefusedError(_OVER)
        return {
            "session_id": found.session.id,
            "actor": found.session.actor,
            "roles": tuple(found.session.roles),
            "key_id": found.session.key_id,
            "expires_at": found.session.expires_at,
        }

    def end(self, session_id: str) -> None:
        """End a session for good: its owner signs out.

        Writes: one row in ``browser_session_ends``, unless it is over already.

        Parameters
        ----------
        session_id : str
            Its public part.
        """
        with transaction(self.db):
            found = find_browser_session(self.db, session_id)
            if found is not None and found.end is None:
                self.db.add(BrowserSessionEnd(session_id=session_id, at=utc_now()))
