"""The store's signing key: a file of its owner's, beside the store or where the settings say."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
)

from app.errors import ConflictError, InvalidInputError, NotFoundError, NotPermittedError

_OWNER_ONLY = 0o600
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def create_key(path: Path) -> Ed25519PrivateKey:
    """Create a signing key and write it to a new file that only its owner may read.

    Writes: the file, PEM (PKCS 8) without a password, mode 0600, on disk when this returns.

    Parameters
    ----------
    path : Path
        Where the private key goes.

    Returns
    -------
    Ed25519PrivateKey
        The new key.

    Raises
    ------
    ConflictError
        If there is a file already; a key is never overwritten.
    """
    key = Ed25519PrivateKey.generate()
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _OWNER_ONLY)
    except FileExistsError as error:
        raise ConflictError(
            f"{path} is there already: a key is never overwritten; move it away, and keep it",
            path=str(path),
        ) from error
    with os.fdopen(file, "wb") as out:
        out.write(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
        out.flush()
        os.fsync(out.fileno())
    return key


def load_key(path: Path) -> Ed25519PrivateKey:
    """Load the signing key.

    Parameters
    ----------
    path : Path
        Where the private key is.

    Returns
    -------
    Ed25519PrivateKey
        The key.

    Raises
    ------
    NotFoundError
        If there is no such file.
    NotPermittedError
        If others than its owner may read it.
    InvalidInputError
        If it is no Ed25519 private key without a password.
    """
    try:
        with path.open("rb") as file:
            mode, pem = os.fstat(file.fileno()).st_mode, file.read()
    except FileNotFoundError as error:
        raise NotFoundError(f"there is no signing key at {path}", path=str(path)) from error
    if mode & _OTHERS:
        raise NotPermittedError(
            f"others than its owner may read the signing key {path}: chmod 600 it, and if it is "
            "not only yours any more, sign with a new one",
            path=str(path),
        )
    try:
        key = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise InvalidInputError(
            f"{path} is no Ed25519 private key in PEM without a password", path=str(path)
        ) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise InvalidInputError(f"the key in {path} is not of Ed25519", path=str(path))
    return key


def public_pem(key: Ed25519PublicKey) -> str:
    """Give a public key as others need it.

    Parameters
    ----------
    key : Ed25519PublicKey
        The key.

    Returns
    -------
    str
        PEM (SubjectPublicKeyInfo).
    """
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode("ascii")
