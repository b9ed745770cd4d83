"""Tables of several Parquet files: a manifest whose hash a row records, and parts that it names."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from app.errors import TamperingError

ENDING = ".parts.json"
"""Of the name of a manifest, where a table of one file ends in ``.parquet``."""

_FORMAT = 1


@dataclass(frozen=True, slots=True)
class StoredFile:
    """Name one written file, or the manifest of several.

    Attributes
    ----------
    path : str
        Relative to the lake, for example ``batches/<hash>.parquet``.
    sha256 : str
        Over the file's bytes, 64 hex digits.
    n_rows : int
        Rows.
    """

    path: str
    sha256: str
    n_rows: int


@dataclass(frozen=True, slots=True)
class LakeFile:
    """Describe one file found in the lake, whether a row names it or not."""

    path: str
    n_bytes: int
    modified_at: datetime | None


def is_manifest(path: str) -> bool:
    """Say whether a path of the lake names a manifest.

    Parameters
    ----------
    path : str
        Relative to the lake.

    Returns
    -------
    bool
        By its ending.

    Examples
    --------
    >>> is_manifest("scores/ab12.parts.json"), is_manifest("scores/ab12.parquet")
    (True, False)
    """
    return path.endswith(ENDING)


def manifest_text(parts: Sequence[StoredFile]) -> str:
    """Write a manifest: the same parts give the same text.

    Parameters
    ----------
    parts : sequence of StoredFile
        At least one, in the order of the rows.

    Returns
    -------
    str
        JSON.

    Examples
    --------
    >>> part = StoredFile("scores/ab.parquet", "ab", 3)
    >>> read_manifest(manifest_text([part]), "scores/cd.parts.json") == (part,)
    True
    """
    document = {
        "format": _FORMAT,
        "n_rows": sum(part.n_rows for part in parts),
        "parts": [asdict(part) for part in parts],
    }
    return json.dumps(document, indent=1) + "\n"


def read_manifest(text: str, path: str) -> tuple[StoredFile, ...]:
    """Read the parts that a manifest names.

    Parameters
    ----------
    text : str
        Of a manifest whose hash was verified.
    path : str
        Its path, for the error.

    Returns
    -------
    tuple of StoredFile
        In the order of the rows.

    Raises
    ------
    TamperingError
        If it is of a format that this release does not know.

    Examples
    --------
    >>> read_manifest('{"format": 2, "parts": []}', "scores/cd.parts.json")
    Traceback (most recent call last):
        ...
    app.errors.TamperingError: scores/cd.parts.json is a manifest of format 2, not 1
    """
    document = json.loads(text)
    if document["format"] != _FORMAT:
        raise TamperingError(f"{path} is a manifest of format {document['format']}, not {_FORMAT}")
    return tuple(StoredFile(**part) for part in document["parts"])


def unfinished_parts(root: Path, prefix: str, kinds: Sequence[str]) -> list[LakeFile]:
    """List the files in folders that executors were writing when they were stopped.

    Parameters
    ----------
    root : Path
        Of the lake.
    prefix : str
        Of the name of such a folder.
    kinds : sequence of str
        Folders of the lake.

    Returns
    -------
    list of LakeFile
        None where every write ended.
    """
    found = []
    for kind in kinds:
        for file in (root / kind).glob(f"{prefix}*/**/*"):
            if file.is_file():
                facts, path = file.stat(), file.relative_to(root).as_posix()
                moment = datetime.fromtimestamp(facts.st_mtime, UTC)
                found.append(LakeFile(path, facts.st_size, moment))
    return found
