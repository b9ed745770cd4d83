"""Worker processes of this machine: one executes one run and outlives the service that began it."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from app.settings import Settings

NOT_NOW = 75  # EX_TEMPFAIL: the run could not begin now and waits
LOG_TAIL_BYTES = 4_000
SECONDS_TO_LEAVE = 2.0

_left: list[subprocess.Popen[bytes]] = []


@dataclass(frozen=True, slots=True)
class Worker:
    """A process that this service started.

    Attributes
    ----------
    run_id : str
        The run it is to execute.
    process : Popen
        The process.
    log : Path
        What it wrote to stderr.
    """

    run_id: str
    process: subprocess.Popen[bytes]
    log: Path


def start_worker(settings: Settings, run_id: str) -> Worker:
    """Start the process that executes a queued run.

    Parameters
    ----------
    settings : Settings
        The store.
    run_id : str
        The run.

    Returns
    -------
    Worker
        Of a session of its own: neither a terminal's interrupt nor the end of the service ends it.
    """
    log = settings.home / "runs" / f"{run_id}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") as stderr:
        process = _start(settings, ("app.pipeline.run_job", run_id), stderr.fileno())
    return Worker(run_id, process, log)


def start_closing_lost_runs(settings: Settings) -> subprocess.Popen[bytes]:
    """Start the process that tells Dagster of runs whose process is gone.

    Parameters
    ----------
    settings : Settings
        The store.

    Returns
    -------
    Popen
        It ends by itself.
    """
    return _start(settings, ("app.pipeline.lost_runs",), subprocess.DEVNULL)


def log_tail(worker: Worker) -> str:
    """Read the end of what a worker wrote, and drop its log.

    Parameters
    ----------
    worker : Worker
        One that has ended.

    Returns
    -------
    str
        The last lines; "" if it wrote nothing.
    """
    written = worker.log.read_bytes()[-LOG_TAIL_BYTES:] if worker.log.exists() else b""
    worker.log.unlink(missing_ok=True)
    return written.decode("utf-8", errors="replace").strip()


def leave_to_itself(process: subprocess.Popen[bytes]) -> None:
    """Stop looking after a process; one that is about to end is awaited.

    Parameters
    ----------
    process : Popen
        One that this service started.
    """
    try:
        process.wait(SECONDS_TO_LEAVE)
    except subprocess.TimeoutExpired:
        _left.append(process)  # whoever drops a Popen that runs is warned


def _start(settings: Settings, module: tuple[str, ...], stderr: int) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603 - our own module and a run's id
        [sys.executable, "-m", *module],
        env={**os.environ, **places(settings)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=stderr,
        start_new_session=True,
    )


def places(settings: Settings) -> dict[str, str]:
    """Name the places of a store as the environment of another process.

    Parameters
    ----------
    settings : Settings
        The store.

    Returns
    -------
    dict of str
        ``CHANCELLOR_HOME``, ``CHANCELLOR_DATABASE_URL`` and ``CHANCELLOR_LAKE``.
    """
    return {
        "CHANCELLOR_HOME": str(settings.home),
        "CHANCELLOR_DATABASE_URL": settings.database_url,
        "CHANCELLOR_LAKE": settings.lake_url,
    }
