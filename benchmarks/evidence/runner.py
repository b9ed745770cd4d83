"""Run studies in processes, each repeat from a seed of its own, and write what came out."""

from __future__ import annotations

import csv
import json
import sys
import time
import zlib
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field, replace
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from shutil import rmtree
from typing import Any

import numpy as np

from benchmarks.evidence import newton

SEED = 2026
CHUNK = 10
LIBRARIES = ("numpy", "scipy", "scikit-learn", "glum", "clarabel")


@dataclass(frozen=True, slots=True)
class Cell:
    """Hold one setting of a study and how often it is repeated.

    Attributes
    ----------
    study : str
        Module of ``benchmarks.evidence`` whose ``run(cell, rng)`` gives a record or several.
    scenario : str
        Name of the setting.
    options : dict
        What else defines it; goes into the records.
    repeats : int
        How many independent repeats.
    cost : int
        About how much a repeat costs against others: costly settings get their further repeats
        later, so that an interrupted study holds some of everything.
    """

    study: str
    scenario: str
    options: dict[str, Any] = field(default_factory=dict)
    repeats: int = 1
    cost: int = 1

    @property
    def code(self) -> int:
        """Give the number of this setting, from its name: adding others does not change it."""
        name = json.dumps([self.study, self.scenario, self.options], sort_keys=True)
        return zlib.crc32(name.encode())


def run_chunk(cell: Cell, first: int, last: int) -> list[dict[str, Any]]:
    """Run some repeats of a cell; repeat r draws from the seed (SEED, code, r)."""
    study = import_module(f"benchmarks.evidence.{cell.study}")
    records = []
    for repeat in range(first, last):
        found = study.run(cell, np.random.default_rng([SEED, cell.code, repeat]))
        head = {"scenario": cell.scenario, **cell.options, "repeat": repeat}
        records += [{**head, **row} for row in ([found] if isinstance(found, dict) else found)]
    return records


def run_cells(
    cells: Sequence[Cell], workers: int, kept: Path | None = None
) -> Iterator[list[dict[str, Any]]]:
    """Run all cells, in as many processes as asked for: first repeats come first.

    Parameters
    ----------
    cells : sequence of Cell
        What to run.
    workers : int
        Processes; with one, everything runs in this process.
    kept : Path, optional
        Folder where finished chunks are kept, and from which an interrupted run goes on.

    Yields
    ------
    list of dict
        The records of one chunk.
    """
    chunks = [
        (cell, first, min(first + CHUNK, cell.repeats), kept)
        for cell in cells
        for first in range(0, cell.repeats, CHUNK)
    ]
    chunks.sort(key=lambda chunk: chunk[0].cost * chunk[1])
    if workers == 1:
        prepare_process()
        yield from (keep_chunk(*chunk) for chunk in chunks)
        return
    with ProcessPoolExecutor(workers, initializer=prepare_process) as pool:
        yield from pool.map(keep_chunk, *zip(*chunks, strict=True))


def keep_chunk(cell: Cell, first: int, last: int, kept: Path | None) -> list[dict[str, Any]]:
    """Run a chunk, or read what an interrupted run kept of it."""
    if kept is None:
        return run_chunk(cell, first, last)
    path = kept / f"{cell.study}-{cell.code}-{first}-{last}.json"
    if not path.exists():
        text = json.dumps(run_chunk(cell, first, last), default=_plain)
        path.with_suffix(".part").write_text(text, encoding="utf-8")
        path.with_suffix(".part").rename(path)
    found: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8"))
    return found


def _plain(value: Any) -> Any:
    return value.item()


def prepare_process() -> None:
    """Keep linear algebra to one thread, for the same last bit, and fit by the small solver."""
    import glum  # noqa: F401, PLC0415 - loads the libraries whose threads are to be limited
    from threadpoolctl import threadpool_limits  # noqa: PLC0415 - goes with it

    threadpool_limits(1)
    newton.install()


def run_study(
    name: str, folder: Path, *, quick: bool, workers: int, resume: bool = False,
    limit: int | None = None,
) -> Path:  # fmt: skip
    """Run one study and write its records and its description.

    Parameters
    ----------
    name : str
        Module of ``benchmarks.evidence`` with ``cells(quick=)`` and ``run(cell, rng)``.
    folder : Path
        Where ``<name>_runs.csv`` and ``<name>.json`` go.
    quick : bool
        The small form.
    workers : int
        Processes.
    resume : bool
        Whether to go on from the chunks that an interrupted run kept.
    limit : int, optional
        Most repeats of a setting in this run; later runs may go on from there.

    Returns
    -------
    Path
        The file of records.
    """
    kept = folder / "chunks" / name
    if not resume:
        rmtree(kept, ignore_errors=True)
    kept.mkdir(parents=True, exist_ok=True)
    cells = [
        replace(cell, repeats=min(cell.repeats, limit or cell.repeats))
        for cell in import_module(f"benchmarks.evidence.{name}").cells(quick=quick)
    ]
    n_runs = sum(cell.repeats for cell in cells)
    started, n_records = time.monotonic(), 0
    for found in run_cells(cells, workers, kept):
        n_records += len(found)
        _report(name, found, n_records, n_runs, started)
    seconds = round(time.monotonic() - started)
    return collect(name, folder, quick=quick, seconds=seconds, workers=workers)


def collect(
    name: str, folder: Path, *, quick: bool = False, seconds: int = 0, workers: int = 0
) -> Path:
    """Write the records of the chunks that are there, and a description of them.

    An interrupted study can so be looked at; its tables say how many repeats they hold.

    Parameters
    ----------
    name : str
        The study.
    folder : Path
        Where its chunks are, and ``<name>_runs.csv`` and ``<name>.json`` go.
    quick : bool
        Whether it was the small form.
    seconds, workers : int
        How long the run took in how many processes; 0 where it was not measured.

    Returns
    -------
    Path
        The file of records.
    """
    records: list[dict[str, Any]] = []
    described = []
    for cell in import_module(f"benchmarks.evidence.{name}").cells(quick=quick):
        found = list(_kept_records(folder / "chunks" / name, cell))
        records += found
        described.append({
            "scenario": cell.scenario, **cell.options, "repeats_planned": cell.repeats,
            "repeats": len({record["repeat"] for record in found}), "code": cell.code,
        })  # fmt: skip
    path = folder / f"{name}_runs.csv"
    write_records(path, records)
    about = {
        "study": name,
        "quick": quick,
        "seed": f"numpy.random.default_rng([{SEED}, code, repeat])",
        "cells": described,
        "n_records": len(records),
        "seconds": seconds,
        "workers": workers,
        "libraries": {library: version(library) for library in LIBRARIES},
    }
    (folder / f"{name}.json").write_text(json.dumps(about, indent=1) + "\n", encoding="utf-8")
    return path


def _kept_records(kept: Path, cell: Cell) -> Iterator[dict[str, Any]]:
    paths = kept.glob(f"{cell.study}-{cell.code}-*.json")
    for path in sorted(paths, key=lambda path: int(path.stem.split("-")[2])):
        yield from json.loads(path.read_text(encoding="utf-8"))


def _report(
    name: str, found: list[dict[str, Any]], n_records: int, n_runs: int, started: float
) -> None:
    where = ", ".join(str(value) for value in list(found[-1].values())[:4]) if found else ""
    seconds = time.monotonic() - started
    sys.stderr.write(f"{name}: {n_records} records of {n_runs} runs, {seconds:.0f} s ({where})\n")


def write_records(path: Path, records: Iterable[dict[str, Any]]) -> None:
    """Write records as CSV; columns are the union of all keys, in order of appearance."""
    rows = list(records)
    columns = list(dict.fromkeys(key for row in rows for key in row))
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows({key: _short(value) for key, value in row.items()} for row in rows)


def _short(value: object) -> object:
    if isinstance(value, bool | np.bool_):
        return int(value)
    return f"{value:.6g}" if isinstance(value, float) else value
