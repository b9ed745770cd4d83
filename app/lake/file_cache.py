"""Verified copies of the files of an object store, on the local disk."""

from __future__ import annotations

import os
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

UNFINISHED = ".writing-"
SPARED_SECONDS = 3_600.0
"""A copy that was used since is not removed: somebody may be about to open it by its name."""
_FORGOTTEN_SECONDS = 86_400.0


class FileCache:
    """Keep local copies under names that say of which bytes they are.

    Parameters
    ----------
    folder : Path
        Made at first use, for its owner only: the files hold data of parties.
    limit_bytes : int
        The oldest copies are removed beyond this; ones used in the last hour are spared.
    """

    def __init__(self, folder: Path, limit_bytes: int) -> None:
        self.folder = folder
        self.limit_bytes = limit_bytes

    @contextmanager
    def scratch_file(self) -> Iterator[Path]:
        """Give a path to write to, which is gone afterwards unless it was kept."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        scratch = self.folder / f"{UNFINISHED}{uuid.uuid4().hex}"
        try:
            yield scratch
        finally:
            scratch.unlink(missing_ok=True)

    def find(self, name: str) -> Path | None:
        """Find a copy, and note that it was used.

        Parameters
        ----------
        name : str
            As it was kept.

        Returns
        -------
        Path or None
            The copy; its bytes are for the caller to verify.
        """
        place = self.folder / name
        try:
            os.utime(place)
        except FileNotFoundError:
            return None
        return place

    def fetch(self, name: str, download: Callable[[Path], None]) -> Path:
        """Make a copy; it has its name only when the download has ended.

        Parameters
        ----------
        name : str
            For `find`.
        download : callable
            Writes the path that it is given, or raises.

        Returns
        -------
        Path
            The copy.
        """
        with self.scratch_file() as scratch:
            download(scratch)
            return self.keep(scratch, name)

    def keep(self, scratch: Path, name: str) -> Path:
        """Take a finished scratch file as a copy, and make room.

        Parameters
        ----------
        scratch : Path
            From `scratch_file`.
        name : str
            For `find`.

        Returns
        -------
        Path
            The copy.
        """
        place = self.folder / name
        scratch.replace(place)
        self._make_room(place)
        return place

    def _make_room(self, newest: Path) -> None:
        now = time.time()
        aged = []
        for entry in os.scandir(self.folder):
            try:
                aged.append((entry.stat().st_mtime, entry.stat().st_size, Path(entry.path)))
            except FileNotFoundError:  # another process made room too
                continue
        held = sum(size for _, size, _ in aged)
        for used_at, size, place in sorted(aged):
            unfinished = place.name.startswith(UNFINISHED)
            if now - used_at < (_FORGOTTEN_SECONDS if unfinished else SPARED_SECONDS):
                continue
            if place != newest and (unfinished or held > self.limit_bytes):
                place.unlink(missing_ok=True)
                held -= size
