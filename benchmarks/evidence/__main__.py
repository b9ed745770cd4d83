"""Run the studies: ``python -m benchmarks.evidence [--quick] [--only STUDY ...]``."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from benchmarks.evidence.runner import collect, run_study

STUDIES = ("harm", "looks", "real", "leaks", "drift", "pooled", "recovery")
ROOT = Path(__file__).resolve().parents[2]


def main() -> int:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.evidence", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="the small form, a minute")
    parser.add_argument("--only", nargs="*", default=STUDIES, choices=STUDIES, metavar="STUDY")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "evidence")
    parser.add_argument("--resume", action="store_true", help="go on where a run was interrupted")
    parser.add_argument("--collect", action="store_true", help="only gather what is there")
    options = parser.parse_args()
    for name in options.only:
        if options.collect:
            n_records = collect(name, options.out, quick=options.quick)
            sys.stderr.write(f"{name}: {n_records} records so far\n")
            continue
        started = time.monotonic()
        run_study(
            name, options.out, quick=options.quick, workers=options.workers, resume=options.resume
        )
        sys.stderr.write(f"{name}: {time.monotonic() - started:.0f} s\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
