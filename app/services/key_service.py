"""API keys: made once, shown once, known by their hash, revoked for good."""

from __future__ import annotations

import secrets
from datetime import timedelta

from sqlalchemy.orm import Session

from app.db import transaction, utc_now
from app.domain.access import ROLES, Role
from app.domain.api_keys import ID_BYTES, SECRET_BYTES, key_from_bytes, key_state, read_key
from app.domain.types import Document
from app.errors import ConflictError, InvalidInputError, KeyRefusedError
from app.models import ApiKey, ApiKeyRevocation
from app.queries.access import KeyRow, find_standing, list_keys, require_key
from app.services.audit_service import record
from app.services.conflicts import conflicts_named
from app.services.version_cases import require_text
from app.settings import default_actor

MAX_DAYS = 3650
_FORM = "That is no API key of Chancellor: send `Authorization: Bearer chancellor_...`."
_UNKNOWN = "There is no such API key."


class KeyService:
    """Make, list, check and revoke API keys.

    Parameters
    ----------
    db : Session
        The store.
    actor : str, optional
        The person on the record; by default the OS user.
    """

    def __init__(self, db: Session, actor: str | None = None) -> None:
        self.db = db
        self._actor = actor

    @property
    def actor(self) -> str:
        """Give who is on the record; to check a key, nobody asks the OS for its user."""
        return self._actor or default_actor()

    def create(self, *, owner: str, role: str, name: str = "", days: int = 90) -> Document:
        """Make a key; this is the only time that it is shown.

        Writes: one row in ``api_keys`` and the event ``key.created``, without the secret.

        Parameters
        ----------
        owner : str
            The person, or the program, on the record of everything done with it.
        role : str
            One of ``app.domain.access.ROLES``.
        name : str
            What it is for; by default the role.
        days : int
            How long it may be used, 1 to 3650 days.

        Returns
        -------
        dict
            As :meth:`list_keys`, and ``key``: the whole text.

        Raises
        ------
        InvalidInputError
            If the role is none, the owner is blank or a model's, or the days are out of range.
        """
        owner = require_text(owner, "owner")
        if owner.lower().startswith("model:"):
            raise InvalidInputError("A model owns no key: it never decides anything.", owner=owner)
        if role not in ROLES:
            raise InvalidInputError(
                f"{role!r} is no role; there is {', '.join(ROLES)}.", role=role, known=list(ROLES)
            )
        if not 1 <= days <= MAX_DAYS:
            raise InvalidInputError(f"{days} days is out of range: 1 to {MAX_DAYS}.", days=days)
        key = key_from_bytes(secrets.token_bytes(ID_BYTES), secrets.token_bytes(SECRET_BYTES))
        now = utc_now()
        with transaction(self.db):
            row = ApiKey(
                id=key.key_id,
                name=name.strip() or role,
                owner=owner,
                role=role,
                secret_hash=key.secret_hash,
                expires_at=now + timedelta(days=days),
                created_at=now,
                created_by=self.actor,
            )
            self.db.add(row)
            document = _document((row, None))
            record(
                self.db,
                actor=self.actor,
                action="key.created",
                subject=f"key:{row.id}",
                payload={
                    "name": row.name,
                    "owner": owner,
                    "role": role,
                    "secret_hash": row.secret_hash,
                    "expires_at": str(row.expires_at),
                },
            )
        return {**document, "key": key.text}

    def list_keys(self) -> tuple[Document, ...]:
        """List all keys, oldest first.

        Returns
        -------
        tuple of dict
            key_id, name, owner, role, state (valid, expired or revoked), expires_at, created_at,
            created_by and revoked: never a secret.
        """
        return tuple(_document(row) for row in list_keys(self.db))

    def revoke(self, key_id: str, *, reason: str) -> Document:
        """Revoke a key for good; the next request with it is refused.

        Writes: one row in ``api_key_revocations`` and the event ``key.revoked``.

        Parameters
        ----------
        key_id : str
            Its public part.
        reason : str
            Why; not blank.

        Returns
        -------
        dict
            As :meth:`list_keys`.

        Raises
        ------
        NotFoundError
            If there is none.
        ConflictError
            If it was revoked before.
        """
        said = require_text(reason, "reason")
        again = f"API key {key_id} is revoked already."
        with conflicts_named(again), transaction(self.db):
            key, revocation = require_key(self.db, key_id)
            if revocation is not None:
                raise ConflictError(again, key_id=key_id)
            revocation = ApiKeyRevocation(
                key_id=key_id, reason=said, at=utc_now(), actor=self.actor
            )
            self.db.add(revocation)
            record(
                self.db,
                actor=self.actor,
                action="key.revoked",
                subject=f"key:{key_id}",
                payload={"owner": key.owner, "reason": said},
            )
            return _document((key, revocation))

    def check(self, text: str) -> Document:
        """Recognise a key that somebody sent.

        Parameters
        ----------
        text : str
            The whole key.

        Returns
        -------
        dict
            key_id, owner and role.

        Raises
        ------
        KeyRefusedError
            If it has not the form of a key, is unknown, expired or revoked. Whoever does not
            hold the secret is not told more than that it is unknown.
        """
        key = read_key(text)
        if key is None:
            raise KeyRefusedError(_FORM)
        found = find_standing(self.db, key.key_id)
        if found is None or not key.has_hash(found.secret_hash):
            raise KeyRefusedError(_UNKNOWN)
        state = key_state(expires_at=found.expires_at, revoked_at=found.revoked_at, now=utc_now())
        if state != "valid":
            raise KeyRefusedError(f"This API key is {state}.", key_id=key.key_id, state=state)
        role: Role = found.role  # type: ignore[assignment] # the table's CHECK holds it
        return {"key_id": key.key_id, "owner": found.owner, "role": role}


def _state(row: KeyRow) -> str:
    key, revocation = row
    return key_state(
        expires_at=key.expires_at,
        revoked_at=None if revocation is None else revocation.at,
        now=utc_now(),
    )


def _document(row: KeyRow) -> Document:
    key, revocation = row
    return {
        "key_id": key.id,
        "name": key.name,
        "owner": key.owner,
        "role": key.role,
        "state": _state(row),
        "expires_at": key.expires_at.isoformat(),
        "created_at": key.created_at.isoformat(),
        "created_by": key.created_by,
        "revoked": None
        if revocation is None
        else {
            "at": revocation.at.isoformat(),
            "actor": revocation.actor,
            "reason": revocation.reason,
        },
    }
