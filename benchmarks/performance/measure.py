"""Time contenders side by side, and say how they compare."""

from __future__ import annotations

import gc
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

Row = dict[str, Any]
"""One line of a table of docs/performance.md, JSON-ready."""

Run = Callable[[], float]
"""Does the work once, and says how many seconds it took."""

ROOT = Path(__file__).resolve().parents[2]
_LIBRARIES = ("duckdb", "pyarrow", "numpy", "scipy", "glum", "scikit-learn", "ibis-framework")


def timed(work: Callable[[], object]) -> Run:
    """Give a run of some work in this process, by the wall clock."""

    def run() -> float:
        gc.collect()
        started = time.perf_counter()
        work()
        return time.perf_counter() - started

    return run


def compare(what: str, n: int, runs: Mapping[str, Run], repeats: int, *, warm: bool = True) -> Row:
    """Run every contender in turn, over and over: what slows one round slows all of it.

    Parameters
    ----------
    what : str
        The work.
    n : int
        Rows, parties or events.
    runs : mapping of str to callable
        By name; the first is ours.
    repeats : int
        Rounds, >= 1.
    warm : bool, default True
        Whether a round that does not count goes first.

    Returns
    -------
    dict
        what, n, ours (name), and ``seconds`` by name, a list of one per round.
    """
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for number in range(-1 if warm else 0, repeats):
        for name, run in runs.items():
            taken = run()
            if number >= 0:
                seconds[name].append(taken)
                say(f"  {what}: {name} {taken:.3g} s")
    return {"what": what, "n": n, "ours": next(iter(runs)), "seconds": seconds}


def ratio(row: Row, name: str, against: str) -> dict[str, float]:
    """Give seconds of one contender over those of another, round by round.

    Parameters
    ----------
    row : dict
        From `compare`.
    name, against : str
        Contenders.

    Returns
    -------
    dict
        ``median``, ``low`` and ``high`` over the rounds.
    """
    pairs = zip(row["seconds"][name], row["seconds"][against], strict=True)
    ratios = [ours / theirs for ours, theirs in pairs]
    return spread(ratios)


def spread(values: list[float]) -> dict[str, float]:
    """Give ``median``, ``low`` and ``high`` of some values."""
    return {"median": statistics.median(values), "low": min(values), "high": max(values)}


def machine() -> dict[str, Any]:
    """Describe where the figures were measured, and with what."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "at": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "commit": _printed(["git", "rev-parse", "--short", "HEAD"]),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gib": round(memory / 2**30, 1),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "libraries": {name: version(name) for name in _LIBRARIES},
    }


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))


def _printed(words: list[str]) -> str:
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S603 - our own words
    return done.stdout.strip()


def say(text: str) -> None:
    """Tell how far the measurement has come."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()
