"""Torture stores: ``python -m benchmarks.torture crash|... [--quick]``."""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.torture.places import ENGINES, Engine

ROOT = Path(__file__).resolve().parents[2]


def main() -> int:
    """Run what was asked for on each engine; 1 if anything was found that must not be."""
    options = _parser().parse_args()
    n_faults = 0
    for engine in options.engine:
        started = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="chancellor-torture-") as folder:
            found = STUDIES[options.study](engine, Path(folder), options.quick)
        found |= {"engine": engine, "minutes": round((time.monotonic() - started) / 60, 1)}
        options.out.mkdir(parents=True, exist_ok=True)
        text = json.dumps(found, indent=2)
        (options.out / f"{options.study}-{engine}.json").write_text(text + "\n")
        sys.stdout.write(text + "\n")
        n_faults += len(found["faults"])
    return 1 if n_faults else 0


def _crash(engine: Engine, folder: Path, quick: bool) -> dict[str, object]:  # noqa: FBT001 - one of a table
    from benchmarks.torture.crash import WHEN, torture  # noqa: PLC0415 - heavy, and only here
    from tests.support.small_portfolio import write_portfolio  # noqa: PLC0415 - the same

    write_portfolio(folder / "files", n=600)
    tallies = torture(
        engine,
        folder / "files",
        folder / "stores",
        n_uniform=18 if quick else 200,
        n_aimed=6 if quick else 60,
        report=lambda tally: sys.stderr.write(f"{engine}: {tally}\n"),
    )
    return {
        "steps": [
            {
                "step": tally.step,
                "seconds": round(tally.seconds, 3),
                "commits": tally.n_commits,
                "trials": tally.n_trials,
                "killed": {when: tally.killed[when] for when in WHEN},
                "orphans": tally.n_orphans,
                "unfinished": tally.n_unfinished,
                "refused": tally.refused,
            }
            for tally in tallies
        ],
        "faults": [fault for tally in tallies for fault in tally.faults],
    }


def _crowd(engine: Engine, folder: Path, quick: bool) -> dict[str, object]:  # noqa: FBT001 - one of a table
    from benchmarks.torture.crowd import DECIDERS, MIXED, crowd  # noqa: PLC0415 - heavy
    from tests.support.small_portfolio import write_portfolio  # noqa: PLC0415 - the same

    write_portfolio(folder / "files", n=600)
    found = {
        name: crowd(
            engine, folder / "files", folder / name, roles=roles, seconds=8.0 if quick else 60.0
        )
        for name, roles in (("deciders", DECIDERS), ("mixed", MIXED))
    }
    return {**found, "faults": [fault for one in found.values() for fault in one.pop("faults")]}


def _restart(engine: Engine, folder: Path, quick: bool) -> dict[str, object]:  # noqa: FBT001 - one of a table
    from benchmarks.torture.restart import restart_trials  # noqa: PLC0415 - heavy
    from tests.support.small_portfolio import write_portfolio  # noqa: PLC0415 - the same

    if engine == "sqlite":
        return {"trials": 0, "faults": []}
    write_portfolio(folder / "files", n=900)
    found: dict[str, object] = restart_trials(
        folder / "stores", folder / "files", n_trials=2 if quick else 20
    )
    return found


STUDIES: dict[str, Callable[[Engine, Path, bool], dict[str, object]]] = {
    "crash": _crash, "crowd": _crowd, "restart": _restart,
}  # fmt: skip
"""Name to what runs it: engine, an empty folder, whether the small form is wanted."""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.torture", description=__doc__)
    parser.add_argument("study", choices=STUDIES)
    parser.add_argument("--engine", nargs="*", default=ENGINES, choices=ENGINES, metavar="ENGINE")
    parser.add_argument("--quick", action="store_true", help="the small form")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "torture", help="records")
    return parser


if __name__ == "__main__":
    sys.exit(main())
