"""How busy the machine is, and with what: figures of a shared machine say little without it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")
_CPUS = os.cpu_count() or 1


@dataclass(frozen=True, slots=True)
class Moment:
    """Processor time so far.

    Attributes
    ----------
    at : float
        Seconds since the machine started.
    busy : float
        Seconds of all processors at work, or wanted by another guest of the same host.
    own : dict of str to float
        Seconds by the name of what we run.
    """

    at: float
    busy: float
    own: dict[str, float]


def moment(roots: dict[str, int]) -> Moment:
    """Read the clocks.

    Parameters
    ----------
    roots : dict of str to int
        Name to process id; children that are not named themselves count with it.

    Returns
    -------
    Moment
        As of now.
    """
    fields = [int(part) for part in Path("/proc/stat").read_text().splitlines()[0].split()[1:]]
    idle = fields[3] + fields[4]
    up = float(Path("/proc/uptime").read_text().split()[0])
    times, parents = _processes()
    named = set(roots.values())
    own = {name: _tree(pid, times, parents, named) / _TICKS for name, pid in roots.items()}
    return Moment(up, (sum(fields[:8]) - idle) / _TICKS, own)


def shares(before: Moment, after: Moment) -> dict[str, float]:
    """Say what the processors did between two moments.

    Parameters
    ----------
    before, after : Moment
        With the same names.

    Returns
    -------
    dict of str to float
        Fractions of all processors: each name, ``others`` and ``idle``.
    """
    total = (after.at - before.at) * _CPUS
    own = {name: (after.own[name] - before.own[name]) / total for name in after.own}
    busy = (after.busy - before.busy) / total
    return {**own, "others": max(0.0, busy - sum(own.values())), "idle": max(0.0, 1 - busy)}


def _processes() -> tuple[dict[int, int], dict[int, int]]:
    """Give ticks and parent by process id; children that ended count with their parent."""
    times, parents = {}, {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            text = (entry / "stat").read_text()
        except OSError:  # it ended meanwhile
            continue
        parts = text.rpartition(")")[2].split()
        pid = int(entry.name)
        parents[pid] = int(parts[1])
        times[pid] = sum(int(part) for part in parts[11:15])
    return times, parents


def _tree(root: int, times: dict[int, int], parents: dict[int, int], named: set[int]) -> int:
    below = [pid for pid, up in parents.items() if up == root and pid not in named]
    return times.get(root, 0) + sum(_tree(pid, times, parents, named) for pid in below)
