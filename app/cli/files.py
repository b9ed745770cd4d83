"""Files that a command writes: whole or not at all."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, TextIO, cast

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
    with _whole(path, "x", encoding="utf-8", newline="\n") as file:
        yield cast("TextIO", file)


@contextmanager
def _whole(path: Path, mode: str, **options: Any) -> Iterator[IO[Any]]:
    unfinished = path.with_name(f".{path.name}-{uuid.uuid4().hex}")
    try:
        file = unfinished.open(mode, **options)
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


def write_whole_bytes(path: Path, content: bytes) -> None:
    """Write a file, whole or not at all.

    Parameters
    ----------
    path : Path
        Where it goes.
    content : bytes
        All of it.
    """
    with _whole(path, "xb") as file:
        file.write(content)
