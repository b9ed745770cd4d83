"""Measure speed and memory, keep the figures, and write docs/performance.md: ``make bench``.

    python -m benchmarks.performance [score] [decision] [labels] [fits] [pipeline] [budgets]

measures the parts that are named, by default all; figures of the other parts stay as they were.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.performance.budgets import measure_budgets
from benchmarks.performance.fits import measure_fits
from benchmarks.performance.labels import measure_labels
from benchmarks.performance.measure import ROOT, Row, machine, say
from benchmarks.performance.peers import peer_versions
from benchmarks.performance.pipeline import measure_pipeline
from benchmarks.performance.report import write_report
from benchmarks.performance.scoring import measure_decision, measure_scoring

RESULTS = ROOT / "benchmarks" / "results" / "performance.json"
PARTS: dict[str, Callable[[Path], list[Row]]] = {
    "score": measure_scoring,
    "decision": measure_decision,
    "labels": measure_labels,
    "fits": measure_fits,
    "pipeline": measure_pipeline,
    "budgets": measure_budgets,
}


def main(arguments: list[str] | None = None) -> int:
    """Measure, keep and report."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help="by default all")
    parser.add_argument("--report", action="store_true", help="only write the report anew")
    chosen = parser.parse_args(arguments)
    results: dict[str, Any] = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    for part in [] if chosen.report else (chosen.parts or PARTS):
        say(f"{part}:")
        began = time.perf_counter()
        with tempfile.TemporaryDirectory(prefix="chancellor-bench-") as folder:
            rows = PARTS[part](Path(folder))
        say(f"{part} took {time.perf_counter() - began:.0f} s")
        results[part] = {"machine": {**machine(), "peers": peer_versions()}, "rows": rows}
        RESULTS.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    say(f"written: {write_report(results, ROOT / 'docs')}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
