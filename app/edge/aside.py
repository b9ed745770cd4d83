"""Uploads that wait for a person's word: set aside for one browser session, for an hour.

A preview is one request and storing what it showed is another, perhaps to another process of this
machine. In between the file lies in a folder whose name only the session's secret can make again:
whoever learns the name in somebody's form opens nothing with it.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import shutil
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from app.edge.problems import Refusal
from app.edge.uploads import file_name
from app.errors import ConflictError
from app.lake.intake_size import GZIP, PARQUET

HELD_SECONDS = 3600
MOST_PER_SESSION = 4

_PREFIX = "chancellor-aside-"
_NAME = re.compile(r"[0-9a-f]{32}")
_ENDINGS = (".csv", ".csv.gz", ".parquet")
_ZIP = b"PK\x03\x04"
_LONGEST_START = 4
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class HeldFile:
    """A file that waits.

    Attributes
    ----------
    name : str
        32 hexadecimal digits by which the session that sent it finds it again.
    path : Path
        Where it lies, under the name that its sender gave it.
    """

    name: str
    path: Path

    def discard(self) -> None:
        """Remove it; it may be gone already."""
        shutil.rmtree(self.path.parent, ignore_errors=True)


def put_aside(content: IO[bytes], given_name: str | None, session: str) -> HeldFile:
    """Keep an uploaded file for the session that sent it.

    Parameters
    ----------
    content : file
        At its beginning.
    given_name : str or None
        What the sender calls it.
    session : str
        Secret value of the session.

    Returns
    -------
    HeldFile
        The copy. Of one session the four newest are kept.

    Raises
    ------
    Refusal
        400 if the name holds a path, 415 if it is a spreadsheet or an archive.
    """
    start = content.read(_LONGEST_START)
    content.seek(0)
    plain = file_name(given_name or None, _ending(given_name or "", start))
    remove_old()
    ours = _session_prefix(session)
    held = sorted(_folders(ours), key=_age_of, reverse=True)
    for folder in held[: max(0, len(held) + 1 - MOST_PER_SESSION)]:
        shutil.rmtree(folder, ignore_errors=True)
    name = secrets.token_hex(16)
    place = Path(tempfile.gettempdir()) / (ours + name)
    place.mkdir(mode=0o700)
    with (place / plain).open("wb") as file:
        shutil.copyfileobj(content, file, _CHUNK)
    return HeldFile(name, place / plain)


def find_held(name: str, session: str) -> HeldFile:
    """Find a file that this session put aside.

    Parameters
    ----------
    name : str
        As `put_aside` gave it.
    session : str
        Secret value of the session.

    Returns
    -------
    HeldFile
        The file.

    Raises
    ------
    ConflictError
        If it was stored, is older than an hour, or is another session's.
    """
    if _NAME.fullmatch(name):
        place = Path(tempfile.gettempdir()) / (_session_prefix(session) + name)
        if place.is_dir() and _age_of(place) <= HELD_SECONDS:
            for path in place.iterdir():
                return HeldFile(name, path)
    raise ConflictError(
        "The file that you looked at is kept no more: either it was stored already, or an hour has "
        "passed. See whether it is on the list, and choose it again if it is not."
    )


def remove_old() -> None:
    """Remove what nobody came back for within an hour, whichever process put it aside."""
    for folder in _folders(_PREFIX):
        if _age_of(folder) > HELD_SECONDS:
            shutil.rmtree(folder, ignore_errors=True)


def _session_prefix(session: str) -> str:
    owner = hmac.new(session.encode(), b"chancellor aside", hashlib.sha256).hexdigest()[:32]
    return f"{_PREFIX}{owner}-"


def _folders(prefix: str) -> list[Path]:
    return list(Path(tempfile.gettempdir()).glob(f"{prefix}*"))


def _age_of(folder: Path) -> float:
    try:
        return time.time() - folder.stat().st_mtime
    except FileNotFoundError:  # another process was quicker
        return 0.0


def _ending(given_name: str, start: bytes) -> str:
    """Give the ending for a file: its own if we know it, otherwise what its content says."""
    if start == _ZIP:
        detail = (
            "This is a spreadsheet or an archive. Save it as CSV UTF-8 and choose that file; "
            "CSV, CSV.gz and Parquet are taken."
        )
        raise Refusal(415, "unsupported_media_type", detail)
    known = [ending for ending in _ENDINGS if given_name.lower().endswith(ending)]
    if known:
        return known[0]
    if start == PARQUET:
        return ".parquet"
    return ".csv.gz" if start.startswith(GZIP) else ".csv"
