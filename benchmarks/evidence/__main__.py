"""Run the studies: ``python -m benchmarks.evidence [--quick] [--only STUDY ...]``."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from benchmarks.evidence.report import write_report
from benchmarks.evidence.runner import collect, run_study

STUDIES = ("harm", "looks", "real", "leaks", "drift", "pooled", "recovery")
ROOT = Path(__file__).resolve().parents[2]


def main() -> int:
    """Run what was asked for, and write the report."""
    options = _parser().parse_args()
    for name in options.only:
        started = time.monotonic()
        if options.collect:
            collect(name, options.out, quick=options.quick)
        else:
            run_study(
                name, options.out, quick=options.quick, workers=options.workers,
                resume=options.resume, limit=options.limit,
            )  # fmt: skip
        sys.stderr.write(f"{name}: {time.monotonic() - started:.0f} s\n")
    if options.docs:
        sys.stderr.write(f"wrote {write_report(options.out, options.docs)}\n")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.evidence", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="the small form, a minute")
    parser.add_argument("--only", nargs="*", default=STUDIES, choices=STUDIES, metavar="STUDY")
    parser.add_argument("--workers", type=int, default=2, help="processes, by default 2")
    parser.add_argument("--limit", type=int, help="most repeats of a setting")
    parser.add_argument("--resume", action="store_true", help="go on where a run was interrupted")
    parser.add_argument("--collect", action="store_true", help="only gather what is there")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "evidence", help="records")
    parser.add_argument("--docs", type=Path, help="write the report into this folder")
    return parser


if __name__ == "__main__":
    sys.exit(main())
