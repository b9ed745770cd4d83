"""Signed checkpoints of the audit chain, and their proof with a public key alone."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy.orm import Session

from app.db import transaction, utc_now
from app.domain.audit_chain import checked_pages, event_time
from app.domain.checkpoint import (
    Checkpoint,
    checkpoint_text,
    fingerprint,
    open_checkpoint,
    parse_public_key,
    sign_text,
    verified_chain,
)
from app.domain.exported_chain import exported_pages
from app.domain.types import Document, Progress
from app.errors import AuditChainError, InvalidInputError, NotFoundError, TamperingError
from app.queries import audit as audit_queries
from app.services.audit_service import AuditService, record
from app.services.signing_key import create_key, load_key, public_pem
from app.settings import default_actor, get_settings

KEY_ADDED = "audit.key_added"
SIGNED = "audit.checkpoint_signed"


class CheckpointService:
    """Sign what the audit chain is now.

    Parameters
    ----------
    db : Session
        The store.
    actor : str or None
        The person on the record; by default the OS user.
    key_file : Path or None
        The private key; by default the one of the settings.
    """

    def __init__(self, db: Session, actor: str | None = None, key_file: Path | None = None) -> None:
        self.db = db
        self.actor = actor or default_actor()
        self.key_file = key_file or get_settings().audit_key

    def sign(self, *, new_key: bool = False, progress: Progress | None = None) -> Document:
        """Sign the newest event's number and hash, once the chain is found whole.

        The chain is verified before the transaction; in it no event can come between head and
        signature.

        Writes: the private key, at first use; one event ``audit.key_added`` where a key signs for
        the first time; one event ``audit.checkpoint_signed`` with what was signed.

        Parameters
        ----------
        new_key : bool
            Create another key although the store signed with one before; its file must be gone.
        progress : callable, optional
            Called as ``progress("verify", done, total)``.

        Returns
        -------
        dict
            signed_text and signature, which are the checkpoint; seq, head, at, store, key (its
            fingerprint), public_key (PEM), created_key, and event_seq, where it is on record.

        Raises
        ------
        AuditChainError
            If the chain does not hold: it is not signed.
        NotFoundError
            If the key that signed before is gone.
        ConflictError
            If a new key is asked for and there is a file.
        NotPermittedError
            If others than its owner may read the key.
        """
        AuditService(self.db).verify_chain(progress)
        with transaction(self.db):
            audit_queries.require_head(self.db, lock=True)  # one at a time, also at first use
            key, created = self._key(new_key=new_key)
            self._record_key(key, created=created)
            head = audit_queries.require_head(self.db)
            checkpoint = Checkpoint(
                store=_identity(self.db),
                seq=head.seq,
                head=head.hash,
                at=event_time(utc_now()),
                key=fingerprint(key.public_key()),
            )
            text = checkpoint_text(checkpoint)
            signed = {"signed_text": text, "signature": sign_text(text, key)}
            event_seq = record(
                self.db,
                actor=self.actor,
                action=SIGNED,
                subject=f"checkpoint:{checkpoint.seq}",
                payload=signed,
            )
        return {
            **signed,
            "seq": checkpoint.seq,
            "head": checkpoint.head,
            "at": checkpoint.at,
            "store": checkpoint.store,
            "key": checkpoint.key,
            "public_key": public_pem(key.public_key()),
            "created_key": created,
            "event_seq": event_seq,
        }

    def public_key(self) -> Document:
        """Give the public half of the signing key.

        Returns
        -------
        dict
            public_key (PEM) and key, its fingerprint.

        Raises
        ------
        NotFoundError
            If there is no key yet.
        """
        key = load_key(self.key_file).public_key()
        return {"public_key": public_pem(key), "key": fingerprint(key)}

    def _key(self, *, new_key: bool) -> tuple[Ed25519PrivateKey, bool]:
        if new_key:
            return create_key(self.key_file), True
        try:
            return load_key(self.key_file), False
        except NotFoundError as error:
            earlier = audit_queries.list_events(self.db, action=KEY_ADDED, limit=1)
            if not earlier:
                return create_key(self.key_file), True
            raise NotFoundError(
                f"there is no signing key at {self.key_file}, and this store signed with the key "
                f"{earlier[0]['payload']['key']} before: bring it back, or give --new-key, which "
                "goes on the record, and hand its public key to whoever checks",
                path=str(self.key_file),
            ) from error

    def _record_key(self, key: Ed25519PrivateKey, *, created: bool) -> None:
        name = fingerprint(key.public_key())
        subject = f"audit_key:{name}"
        if audit_queries.list_events(self.db, action=KEY_ADDED, subject=subject, limit=1):
            return
        record(
            self.db,
            actor=self.actor,
            action=KEY_ADDED,
            subject=subject,
            payload={
                "key": name, "public_key": public_pem(key.public_key()), "created": created,
            },
        )  # fmt: skip


def signed_checkpoint(file: Path, public_key_file: Path) -> Checkpoint:
    """Read a checkpoint and prove its signature, without a store.

    Parameters
    ----------
    file : Path
        What ``chancellor audit checkpoint --out`` wrote.
    public_key_file : Path
        The public key, PEM, from a source that is trusted.

    Returns
    -------
    Checkpoint
        What was signed.

    Raises
    ------
    NotFoundError
        If a file is not there.
    InvalidInputError
        If one of them is something else.
    CheckpointError
        If the signature does not hold.
    """
    key = parse_public_key(_read(public_key_file))
    try:
        document: Any = json.loads(_read(file).decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise InvalidInputError(f"{file} is no checkpoint: it is no JSON document") from error
    return open_checkpoint(document, key)


def verify_exported(events: Path, checkpoint: Checkpoint | None = None) -> Document:
    """Check an exported audit chain, in constant memory and without a store.

    Parameters
    ----------
    events : Path
        JSON Lines, as ``chancellor audit export`` wrote them.
    checkpoint : Checkpoint or None
        From ``signed_checkpoint``; without one the chain is shown to be whole in itself only.

    Returns
    -------
    dict
        As ``AuditService.verify_chain``.

    Raises
    ------
    NotFoundError
        If the file is not there.
    AuditChainError
        Names the first event that is not what was written, or is gone.
    """
    try:
        with events.open("rb") as lines:
            result = verified_chain(checked_pages(exported_pages(lines)), checkpoint)
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
        raise NotFoundError(f"there is no file {events}", path=str(events)) from error
    except TamperingError as error:
        error.facts["file"] = str(events)
        raise
    return result


def _identity(db: Session) -> str:
    """Give the hash of the first event: no two stores have the same."""
    found = audit_queries.find_hash(db, 1)
    if found is None:
        raise AuditChainError("event 1 is gone", seq=1)
    return found


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
        raise NotFoundError(f"there is no file {file}", path=str(file)) from error
