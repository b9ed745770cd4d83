"""Time and memory of DuckDB and of Spark on this machine, by the number of parties.

``make scaling`` measures 1 M and 10 M parties with two events each; ``make scaling
SCALING_OPTIONS="--parties 50000000"`` the largest size of docs/scaling.md. Each piece of work runs
in a process of its own: seconds are those of the work alone, memory is the most that the process
and its children held together at any moment (proportional set size).
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from app.lake.store import Lake
from benchmarks.performance.data import write_events, write_parties
from benchmarks.performance.measure import ROOT, machine, say

RESULTS = ROOT / "benchmarks" / "results" / "scaling.json"
PYTHONS = {"duckdb": ROOT / ".venv/bin/python", "spark": ROOT / ".spark/bin/python"}
STEPS = ("score", "labels", "matrix", "monitor")
EVENTS_PER_PARTY = 2
SIZES = (1_000_000, 10_000_000)
_LOOK_SECONDS = 0.2
_GIB = 2**30
_Row = dict[str, Any]


def main() -> None:
    """Measure what is asked for, and put it beside what was measured before."""
    asked = _arguments()
    folder = asked.folder or Path(tempfile.mkdtemp(prefix="scaling-"))
    folder.mkdir(parents=True, exist_ok=True)
    for n in asked.parties:
        names = _prepare(folder, n)
        for step in asked.steps:
            for engine in asked.engines:
                row = _measure(folder, names, engine, step, n, asked.most_gib)
                _keep(row)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--parties", type=int, nargs="+", default=list(SIZES))
    parser.add_argument("--steps", nargs="+", choices=STEPS, default=list(STEPS))
    parser.add_argument("--engines", nargs="+", choices=list(PYTHONS), default=list(PYTHONS))
    parser.add_argument("--folder", type=Path, help="of the files; kept, and used again")
    parser.add_argument("--most-gib", type=float, default=20.0, help="work beyond is ended")
    return parser.parse_args()


def _prepare(folder: Path, n: int) -> dict[str, list[str]]:
    """Put parties and events into a lake, once; give their paths and hashes."""
    known = folder / f"lake_{n}.json"
    if known.exists():
        found: dict[str, list[str]] = json.loads(known.read_text())
        return found
    say(f"writing {n:,} parties and {EVENTS_PER_PARTY * n:,} events")
    lake = Lake(str(folder / "lake"))
    parties = write_parties(folder / f"parties_{n}.parquet", n)
    events = write_events(folder / f"events_{n}.parquet", n, EVENTS_PER_PARTY * n)
    names = {}
    for what, kind, source in (
        ("snapshot", "batches", parties),
        ("events", "outcomes", events),
    ):
        with pq.ParquetFile(source) as file:
            reader = file.schema_arrow, file.iter_batches()
            stored = lake.write_table(kind, _reader(*reader))
        source.unlink()
        names[what] = [stored.path, stored.sha256]
    known.write_text(json.dumps(names))
    return names


def _reader(schema: Any, batches: Any) -> Any:
    import pyarrow as pa  # noqa: PLC0415 - of this function alone

    return pa.RecordBatchReader.from_batches(schema, batches)


def _measure(
    folder: Path, names: dict[str, list[str]], engine: str, step: str, n: int, most_gib: float
) -> _Row:
    lake = str(folder / "lake")
    asked = {"lake": lake, **names, "engine": engine, "step": step}
    run = _run(asked, folder, most_gib)
    took = "ended" if run["seconds"] is None else f"{run['seconds']:.3g} s"
    say(f"{n:,} {step} on {engine}: {took}, {run['peak_gib']:.2f} GiB")
    return {"engine": engine, "step": step, "n": n, **run, "machine": machine()}


def _run(asked: _Row, folder: Path, most_gib: float) -> _Row:
    environment = {
        **os.environ, "CHANCELLOR_HOME": str(folder / "home"), "SPARK_LOCAL_IP": "127.0.0.1",
        "SPARK_LOCAL_DIRS": str(folder / "spark"), "PYTHONPATH": str(ROOT),
    }  # fmt: skip
    process = subprocess.Popen(  # noqa: S603 - our own words
        [PYTHONS[asked["engine"]], "-W", "ignore", "-m", "benchmarks.scaling_work"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=environment, cwd=ROOT,
    )  # fmt: skip
    watch = _Watch(process, most_gib)
    watch.start()
    said, complained = process.communicate(json.dumps(asked))
    watch.join()
    if watch.is_past:
        return {"seconds": None, "start": None, "peak_gib": watch.peak / _GIB}
    if process.returncode != 0:
        raise SystemExit(f"{asked['step']} on {asked['engine']} failed:\n{complained[-3000:]}")
    return {**json.loads(said), "peak_gib": watch.peak / _GIB}


class _Watch(threading.Thread):
    """Look at the memory of a process and its children; end them past a limit."""

    def __init__(self, process: subprocess.Popen[str], most_gib: float) -> None:
        super().__init__(daemon=True)
        self._process = process
        self._most = most_gib * _GIB
        self._ended = threading.Event()
        self.peak = 0.0
        self.is_past = False

    def run(self) -> None:
        while self._process.poll() is None:
            family = _family(self._process.pid)
            self.peak = max(self.peak, sum(_memory(pid) for pid in family))
            if self.peak > self._most:
                self.is_past = True
                for pid in reversed(family):
                    _end(pid)
                return
            self._ended.wait(_LOOK_SECONDS)


def _family(root: int) -> list[int]:
    """Give a process and all its descendants, parents first."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                text = (entry / "stat").read_text()
            except OSError:  # it ended meanwhile
                continue
            parents[int(entry.name)] = int(text.rpartition(")")[2].split()[1])
    found = [root]
    for pid in found:
        found += [child for child, parent in parents.items() if parent == pid]
    return found


def _memory(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:  # it ended meanwhile
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))


def _end(pid: int) -> None:
    try:
        os.kill(pid, 9)
    except ProcessLookupError:  # it ended with its parent
        return


def _keep(row: _Row) -> None:
    rows = json.loads(RESULTS.read_text()) if RESULTS.exists() else []
    key = [row[name] for name in ("engine", "step", "n")]
    others = [one for one in rows if [one[name] for name in ("engine", "step", "n")] != key]
    found = sorted([*others, row], key=lambda one: (one["n"], STEPS.index(one["step"])))
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
