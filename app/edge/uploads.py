"""An uploaded file: streamed to a temporary file, under a name that chooses no path."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import Request
from starlette.concurrency import run_in_threadpool

from app.edge.problems import Refusal
from app.services.processes import is_alive, process_started_at

MEDIA_TYPES = {
    "text/csv": ".csv",
    "application/gzip": ".csv.gz",
    "application/vnd.apache.parquet": ".parquet",
}
"""Media type to the ending by which intake knows the format."""

PLAIN_NAME = r"^[A-Za-z0-9][A-Za-z0-9 ._()-]{0,126}$"
"""What the name of an uploaded file may be: no path, nothing hidden."""

_NAME = re.compile(PLAIN_NAME[1:-1])
_CHUNK = 1 << 20
_PREFIX = "chancellor-upload-"
_OWNER = re.compile(_PREFIX + r"(\d+)-(\d+)-\w+")


def ending_of(content_type: str | None) -> str:
    """Give the ending for a media type.

    Parameters
    ----------
    content_type : str or None
        The header ``Content-Type``; parameters such as a charset are ignored.

    Returns
    -------
    str
        ``.csv``, ``.csv.gz`` or ``.parquet``.

    Raises
    ------
    Refusal
        415 for any other.

    Examples
    --------
    >>> ending_of("text/csv; charset=utf-8")
    '.csv'
    """
    kind = (content_type or "").partition(";")[0].strip().lower()
    if kind not in MEDIA_TYPES:
        detail = f"Send the file as {', '.join(MEDIA_TYPES)}, not as {kind or 'nothing named'}."
        raise Refusal(415, "unsupported_media_type", detail)
    return MEDIA_TYPES[kind]


def file_name(given: str | None, ending: str) -> str:
    """Give the name under which an upload is on the record.

    Parameters
    ----------
    given : str or None
        What the sender calls the file.
    ending : str
        As its media type says.

    Returns
    -------
    str
        A plain name with that ending.

    Raises
    ------
    Refusal
        400 if the name holds a path, or letters that a plain name has not.

    Examples
    --------
    >>> file_name("march", ".csv"), file_name(None, ".parquet")
    ('march.csv', 'upload.parquet')
    """
    name = given or "upload"
    if not _NAME.fullmatch(name):
        detail = (
            "file_name must be a plain name: letters, digits, blanks and . _ - ( ), at most 127, "
            "and no path."
        )
        raise Refusal(400, "unusable_file_name", detail)
    return name if name.lower().endswith(ending) else name + ending


def _own_prefix() -> str:
    return f"{_PREFIX}{os.getpid()}-{process_started_at(os.getpid()) or 0:.0f}-"


def remove_leftovers() -> None:
    """Remove what services left behind that were killed in the middle of an upload."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*"):
        owner = _OWNER.fullmatch(folder.name)
        if owner and not is_alive(int(owner.group(1)), started_at=float(owner.group(2))):
            shutil.rmtree(folder, ignore_errors=True)


@asynccontextmanager
async def received_file(request: Request, given_name: str | None) -> AsyncIterator[Path]:
    """Write the body of a request to a temporary file, in constant memory.

    Parameters
    ----------
    request : Request
        Its body is the file.
    given_name : str or None
        What the sender calls the file.

    Yields
    ------
    Path
        The whole file; it is removed with its folder at the end.

    Raises
    ------
    Refusal
        415, 400 or, as the bytes come in, 413 or 408.
    """
    name = file_name(given_name, ending_of(request.headers.get("content-type")))
    folder = Path(await run_in_threadpool(tempfile.mkdtemp, prefix=_own_prefix()))
    try:
        place = folder / name
        with place.open("wb") as file:
            pending = bytearray()
            async for chunk in request.stream():
                pending += chunk
                if len(pending) >= _CHUNK:
                    await run_in_threadpool(file.write, bytes(pending))
                    pending.clear()
            await run_in_threadpool(file.write, bytes(pending))
        yield place
    finally:
        await run_in_threadpool(shutil.rmtree, folder, ignore_errors=True)
