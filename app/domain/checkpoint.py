"""A signed checkpoint: what the audit chain was at one event, provable with a public key alone.

Whoever owns the database can write the whole chain anew. What was signed before and is kept
elsewhere shows it: the event of that number had another hash.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_public_key,
)

from app.domain.audit_chain import GENESIS_HASH, Page, StoredEvent
from app.domain.canonical import canonical_json
from app.domain.counted import counted
from app.domain.types import Document
from app.errors import AuditChainError, CheckpointError, InvalidInputError

KIND = "chancellor audit checkpoint 1"
"""Stands in what is signed, so that no other signature of the key can pass for a checkpoint."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What is signed.

    Attributes
    ----------
    store : str
        Identity of the store: the hash of its first event.
    seq : int
        Number of the event that was the newest.
    head : str
        Its hash.
    at : str
        When it was signed, as events carry times.
    key : str
        Fingerprint of the public key.
    """

    store: str
    seq: int
    head: str
    at: str
    key: str


def checkpoint_text(checkpoint: Checkpoint) -> str:
    """Give the exact text that is signed.

    Parameters
    ----------
    checkpoint : Checkpoint
        What is signed.

    Returns
    -------
    str
        Canonical JSON.

    Examples
    --------
    >>> checkpoint_text(Checkpoint("aa", 7, "bb", "2026-03-31", "cc"))[:40]
    '{"at":"2026-03-31","head":"bb","key":"cc'
    """
    return canonical_json(
        {
            "kind": KIND,
            "store": checkpoint.store,
            "seq": checkpoint.seq,
            "head": checkpoint.head,
            "at": checkpoint.at,
            "key": checkpoint.key,
        }
    )


def sign_text(text: str, key: Ed25519PrivateKey) -> str:
    """Sign the UTF-8 bytes of a text.

    Parameters
    ----------
    text : str
        From ``checkpoint_text``.
    key : Ed25519PrivateKey
        The store's signing key.

    Returns
    -------
    str
        128 hex digits, the same each time.

    References
    ----------
    .. [1] S. Josefsson, I. Liusvaara, RFC 8032, 2017; the example is test 2 of its section 7.1.

    Examples
    --------
    >>> seed = "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb"
    >>> sign_text("r", Ed25519PrivateKey.from_private_bytes(bytes.fromhex(seed)))[:32]
    '92a009a9f0d4cab8720e820b5f642540'
    """
    return key.sign(text.encode()).hex()


def fingerprint(key: Ed25519PublicKey) -> str:
    """Name a public key: the SHA-256 of its DER form (SubjectPublicKeyInfo).

    Parameters
    ----------
    key : Ed25519PublicKey
        The key.

    Returns
    -------
    str
        64 hex digits, as ``openssl pkey -pubin -outform DER | sha256sum`` gives them.

    Examples
    --------
    >>> key = Ed25519PrivateKey.from_private_bytes(bytes(32)).public_key()
    >>> len(fingerprint(key))
    64
    """
    der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(der).hexdigest()


def parse_public_key(pem: bytes) -> Ed25519PublicKey:
    """Read a public key.

    Parameters
    ----------
    pem : bytes
        PEM, as ``chancellor audit public-key`` writes it.

    Returns
    -------
    Ed25519PublicKey
        The key.

    Raises
    ------
    InvalidInputError
        If it is no PEM of an Ed25519 public key.

    Examples
    --------
    >>> parse_public_key(b"ssh-rsa AAAA")
    Traceback (most recent call last):
    ...
    app.errors.InvalidInputError: the public key is no PEM file of an Ed25519 public key
    """
    try:
        key = load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm) as error:
        raise InvalidInputError(_NO_KEY) from error
    if not isinstance(key, Ed25519PublicKey):
        raise InvalidInputError(_NO_KEY)
    return key


_NO_KEY = "the public key is no PEM file of an Ed25519 public key"


def open_checkpoint(document: Any, key: Ed25519PublicKey) -> Checkpoint:
    """Give what was signed, once the signature holds.

    Parameters
    ----------
    document : Any
        What a checkpoint file holds: ``signed_text`` and ``signature``.
    key : Ed25519PublicKey
        The key of the store, from a source that is trusted.

    Returns
    -------
    Checkpoint
        Signed by this key.

    Raises
    ------
    InvalidInputError
        If the document is no checkpoint.
    CheckpointError
        If the signature does not hold, or is another key's.
    """
    text, signature = _signed_parts(document)
    try:
        key.verify(bytes.fromhex(signature), text.encode())
    except (InvalidSignature, ValueError) as error:
        told = _told_key(text)
        reason = (
            f"it was signed with the key {told}, the public key given is {fingerprint(key)}"
            if told is not None and told != fingerprint(key)
            else "its signature does not hold: text or signature were changed"
        )
        raise CheckpointError(f"the checkpoint is not to be trusted: {reason}") from error
    signed = json.loads(text)
    if not isinstance(signed, dict) or signed.pop("kind", None) != KIND:
        raise CheckpointError("what was signed there is no checkpoint of an audit chain")
    return Checkpoint(**signed)


def verified_chain(pages: Iterable[Page], checkpoint: Checkpoint | None = None) -> Document:
    """Walk a chain to its end, hold it against what was signed, and say what holds.

    Parameters
    ----------
    pages : iterable of sequence of tuple
        From ``checked_pages``, the whole chain.
    checkpoint : Checkpoint or None
        From ``open_checkpoint``, where there is one.

    Returns
    -------
    dict
        verified (True), n_events, the hash of the last one as head, and the checkpoint: store,
        seq, head, at, key and n_events_since, or None.

    Raises
    ------
    AuditChainError
        If the first event, or the one that was signed, is another or is gone.

    Examples
    --------
    >>> verified_chain(())["n_events"]
    0
    """
    seq, last_hash = 0, GENESIS_HASH
    for page in pages:
        if checkpoint is not None:
            _hold_against(page, checkpoint)
        last = StoredEvent._make(page[-1])
        seq, last_hash = last.seq, last.hash
    if checkpoint is None:
        return {"verified": True, "n_events": seq, "head": last_hash, "checkpoint": None}
    if seq < checkpoint.seq:
        raise AuditChainError(
            f"event {seq + 1} is gone: "
            f"{counted(checkpoint.seq, 'event was', 'events were')} signed at {checkpoint.at}",
            seq=seq + 1,
        )
    proven = {**asdict(checkpoint), "n_events_since": seq - checkpoint.seq}
    return {"verified": True, "n_events": seq, "head": last_hash, "checkpoint": proven}


def _hold_against(page: Page, checkpoint: Checkpoint) -> None:
    first = StoredEvent._make(page[0])
    if first.seq == 1 and first.hash != checkpoint.store:
        raise AuditChainError(
            "event 1 is not the one that was signed: the chain was written anew, or the "
            "checkpoint is another store's",
            seq=1,
        )
    place = checkpoint.seq - first.seq
    if 0 <= place < len(page) and StoredEvent._make(page[place]).hash != checkpoint.head:
        raise AuditChainError(
            f"event {checkpoint.seq} is not the one that was signed at {checkpoint.at}: the chain "
            "was written anew, from this event or an earlier one",
            seq=checkpoint.seq,
        )


def _signed_parts(document: Any) -> tuple[str, str]:
    if isinstance(document, Mapping):
        text, signature = document.get("signed_text"), document.get("signature")
        if isinstance(text, str) and isinstance(signature, str):
            return text, signature
    raise InvalidInputError("the file is no checkpoint: it has no signed_text with a signature")


def _told_key(text: str) -> str | None:
    """Read which key the unproven text names."""
    try:
        told = json.loads(text)["key"]
    except (ValueError, TypeError, KeyError):
        return None
    return told if isinstance(told, str) else None
