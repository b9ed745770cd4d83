"""Import what was uploaded: small files here, all others in a process of their own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path
from threading import Timer
from typing import Any

import structlog
from anyio import to_thread
from fastapi import Request
from starlette.concurrency import run_in_threadpool

from app import errors
from app.domain.types import Document
from app.edge.access import Service, service_of
from app.edge.import_job import TOO_MUCH_MEMORY, Kind, importer
from app.edge.middleware import UPLOAD_PATIENCE
from app.edge.problems import Refusal
from app.edge.services import Services
from app.errors import ChancellorError, UnavailableError
from app.lake.intake_size import PARQUET, unpacked_bytes
from app.log import request_id

SMALL_BYTES = 8 << 20
"""A CSV file of this size takes some 60 MB to import: not worth a process."""

log = structlog.get_logger("chancellor.imports")


async def import_received(
    request: Request, use: Services, kind: Kind, path: Path, **options: Any
) -> Document:
    """Import an uploaded file.

    Parameters
    ----------
    request : Request
        The upload.
    use : Services
        On the request's session.
    kind : str
        Which service takes it, or looks at it.
    path : Path
        The whole file.
    **options : Any
        JSON-ready arguments of the service.

    Returns
    -------
    dict
        What the service answers.

    Raises
    ------
    ChancellorError
        What the service raises.
    Refusal
        413 if the file takes more memory than an import may.
    UnavailableError
        If the import was stopped from outside.
    """
    if await run_in_threadpool(_is_small, path):
        return await run_in_threadpool(importer(use, kind), path, **options)
    service = service_of(request)
    told = {
        "kind": kind,
        "path": str(path),
        "options": options,
        "actor": use.actor,
        "database_url": service.settings.database_url,
        "lake_url": service.settings.lake_url,
        "request_id": request_id.get(),
        "max_memory_bytes": service.settings.max_import_memory_bytes,
    }
    return await to_thread.run_sync(partial(_import_apart, service, told), limiter=service.imports)


def _is_small(path: Path) -> bool:
    """Say whether a file is small however it unpacks; of Parquet only reading it tells."""
    with path.open("rb") as file:
        if file.read(len(PARQUET)) == PARQUET:
            return False
    return unpacked_bytes(path, SMALL_BYTES) <= SMALL_BYTES


def _import_apart(service: Service, told: Document) -> Document:
    settings = service.settings
    environment = {
        **os.environ,
        "CHANCELLOR_HOME": str(settings.home),
        "CHANCELLOR_MAX_UNPACKED_BYTES": str(settings.max_unpacked_bytes),
    }
    with subprocess.Popen(
        [sys.executable, "-m", "app.edge.import_job"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment,
    ) as job:
        log.info("import apart", pid=job.pid, kind=told["kind"])
        try:
            answer = _exchange(job, told, settings.request_seconds * UPLOAD_PATIENCE)
        finally:
            job.kill()
    return _result(answer, told)


def _exchange(job: subprocess.Popen[bytes], told: Document, seconds: float) -> Document:
    """Tell the job what to do and wait for its answer, holding its stdin open."""
    assert job.stdin is not None  # noqa: S101 - both are pipes
    assert job.stdout is not None  # noqa: S101 - the same
    clock = Timer(seconds, job.kill)
    clock.start()
    try:
        job.stdin.write(json.dumps(told).encode() + b"\n")
        job.stdin.flush()
        said = job.stdout.read()
    except BrokenPipeError:
        said = b""
    finally:
        clock.cancel()
    try:
        found: Document = json.loads(said)
    except ValueError:  # it ended before the end of its answer
        job.stdin.close()
        return {"exit": job.wait()}
    return found


def _result(answer: Document, told: Document) -> Document:
    if "result" in answer:
        result: Document = answer["result"]
        return result
    if "error" in answer:
        raise _same_error(answer["error"])
    if TOO_MUCH_MEMORY in answer or answer["exit"] == -signal.SIGABRT:
        limit = told["max_memory_bytes"]
        raise Refusal(
            413,
            "too_large",
            f"The file takes more than {limit:,} bytes of memory to import: split it.",
            max_memory_bytes=limit,
        )
    log.error("import lost", **answer)
    raise UnavailableError("The import was stopped. See whether it is there, then try again.")


def _same_error(document: Document) -> ChancellorError:
    """Make the error again that the job raised."""
    kind: type[ChancellorError] = getattr(errors, document["class"])
    error = kind.__new__(kind)
    ChancellorError.__init__(error, document["message"], **document["facts"])
    return error
