"""What a backup says of itself: which files it has and their hashes, schema and audit head."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from app.domain.types import Document
from app.errors import FileHashError, InvalidInputError, NotFoundError
from app.lake.parquet_file import hash_file

MANIFEST = "manifest.json"
FORMAT = 1
LAKE = "lake"
LEFT_OUT = (
    "the private key that signs audit checkpoints",
    "the environment (CHANCELLOR_ variables) and passwords",
    "Dagster's own history of runs (what they led to is in the database)",
    "files in the lake that no row names",
)
"""What is not in a backup, for people to read."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """Hold what a backup says of itself.

    Attributes
    ----------
    database : str
        ``sqlite`` or ``postgresql``.
    revision : str
        Of the schema.
    audit_seq, audit_hash : int, str
        The head of the audit chain.
    made_at, made_by : str
        When, in ISO form, and by whom.
    tables : mapping of str to dict
        On PostgreSQL for each table its ``columns`` and ``n_rows``; empty on SQLite.
    files : mapping of str to str
        Path in the backup to SHA-256.
    """

    database: str
    revision: str
    audit_seq: int
    audit_hash: str
    made_at: str
    made_by: str
    tables: Mapping[str, Document]
    files: Mapping[str, str]

    @property
    def lake_files(self) -> dict[str, str]:
        """Give the files of the lake: path relative to it, and hash."""
        prefix = f"{LAKE}/"
        return {
            path.removeprefix(prefix): sha256
            for path, sha256 in self.files.items()
            if path.startswith(prefix)
        }


def write_manifest(folder: Path, manifest: Manifest) -> str:
    """Write the manifest, which makes a backup complete.

    Parameters
    ----------
    folder : Path
        The backup.
    manifest : Manifest
        What it says.

    Returns
    -------
    str
        The manifest's own SHA-256, to be kept elsewhere.
    """
    document = {"format": FORMAT, **asdict(manifest), "left_out": list(LEFT_OUT)}
    file = folder / MANIFEST
    unfinished = file.with_suffix(".writing")
    unfinished.write_text(json.dumps(document, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    unfinished.replace(file)
    return hash_file(file)


def read_manifest(folder: Path) -> Manifest:
    """Read a manifest and check every file that it names.

    Parameters
    ----------
    folder : Path
        The backup.

    Returns
    -------
    Manifest
        What it says; all files are there and unchanged.

    Raises
    ------
    InvalidInputError
        If this is no backup, an unfinished one, or one of another format.
    NotFoundError, FileHashError
        If a file is gone or was changed; it is named.
    """
    file = folder / MANIFEST
    if not file.is_file():
        raise InvalidInputError(
            f"{folder} has no {MANIFEST}: it is no backup, or one that was not finished.",
            folder=str(folder),
        )
    manifest = _parse(file)
    for path, sha256 in manifest.files.items():
        _verify(folder / path, sha256)
    return manifest


def _parse(file: Path) -> Manifest:
    try:
        found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        if found.pop("format") != FORMAT:
            raise InvalidInputError(f"{file} is of a format that this release does not know.")
        found.pop("left_out")
        manifest = Manifest(**found)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InvalidInputError(f"{file} is not what a backup wrote: {error}.") from error
    outside = [path for path in manifest.files if ".." in path.split("/") or path.startswith("/")]
    if outside:
        raise InvalidInputError(f"{file} names files outside of the backup: {outside[0]}.")
    return manifest


def _verify(file: Path, sha256: str) -> None:
    if not file.is_file():
        raise NotFoundError(f"{file} is gone: the backup is not complete.", path=str(file))
    found = hash_file(file)
    if found != sha256:
        raise FileHashError(
            f"{file} was changed: its hash is {found}, the backup was made with {sha256}.",
            path=str(file),
            recorded=sha256,
            found=found,
        )
