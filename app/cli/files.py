"""Files that a command writes: whole or not at all."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from app.errors import InvalidInputError


@contextmanager
def whole_file(path: Path) -> Iterator[TextIO]:
    """Open a text file that takes its name only when all is written; an error leaves nothing.

    Parameters
    ----------
    path : Path
        Where it goes; a file that is there is replaced.

    Yields
    ------
    text file
        UTF-8, line feeds only.

    Raises
    ------
    InvalidInputError
        If the folder cannot be written.
    """
    unfinished = path.with_name(f".{path.name}-{uuid.uuid4().hex}")
    try:
        file = unfinished.open("x", encoding="utf-8", newline="\n")
    except OSError as error:
        raise InvalidInputError(f"{path} cannot be written: {error.strerror}") from error
    try:
        with file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def write_whole(path: Path, parts: Iterable[str]) -> None:
    """Write a text file, whole or not at all.

    Parameters
    ----------
    path : Path
        Where it goes.
    parts : iterable of str
        Its text.
    """
    with whole_file(path) as file:
        file.writelines(parts)
