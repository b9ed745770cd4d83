"""Whether a process that wrote its number down is still there."""

from __future__ import annotations

import os
import subprocess
import time
from pathlib import Path

CLOCK_SLACK_SECONDS = 60.0


def process_started_at(pid: int) -> float | None:
    """Find when a process of this machine started.

    Parameters
    ----------
    pid : int
        Process number.

    Returns
    -------
    float or None
        Seconds since 1970 in UTC; None where there is no such process, or only its zombie.

    Examples
    --------
    >>> process_started_at(os.getpid()) <= time.time() + 1
    True
    """
    if not Path("/proc/self/stat").exists():
        return _started_at_by_ps(pid)
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = text.rpartition(")")[2].split()
    return None if fields[0] in "ZX" else _boot_time() + int(fields[19]) / os.sysconf("SC_CLK_TCK")


def is_alive(pid: int, *, started_at: float) -> bool:
    """Say whether a process is still the one that started at a time.

    Parameters
    ----------
    pid : int
        Process number on this machine.
    started_at : float
        What :func:`process_started_at` said of it, seconds since 1970. A process that started
        more than a minute off only inherited the number (a minute, as clocks get corrected).

    Returns
    -------
    bool
        False if there is none, or it is another one.

    Examples
    --------
    >>> is_alive(os.getpid(), started_at=process_started_at(os.getpid()))
    True
    >>> is_alive(os.getpid(), started_at=946_684_800.0)
    False
    """
    found = process_started_at(pid)
    return found is not None and abs(found - started_at) <= CLOCK_SLACK_SECONDS


def _boot_time() -> float:
    lines = Path("/proc/stat").read_text(encoding="ascii").splitlines()
    return next(float(line.split()[1]) for line in lines if line.startswith("btime"))


def _started_at_by_ps(pid: int) -> float | None:
    command = ["ps", "-o", "etime=", "-p", str(pid)]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - fixed words and a number
    elapsed = answer.stdout.strip()
    return time.time() - parse_elapsed(elapsed) if elapsed else None


def parse_elapsed(text: str) -> int:
    """Read the elapsed time that ``ps`` prints where there is no ``/proc``.

    Parameters
    ----------
    text : str
        ``[[days-]hours:]minutes:seconds``.

    Returns
    -------
    int
        Seconds since the process started.

    Examples
    --------
    >>> parse_elapsed("2-03:04:05"), parse_elapsed("04:05")
    (183845, 245)
    """
    days, _, clock = text.rpartition("-")
    parts = [int(part) for part in clock.split(":")]
    hours, minutes, seconds = [0] * (3 - len(parts)) + parts
    return ((int(days or 0) * 24 + hours) * 60 + minutes) * 60 + seconds
