"""The whole job at four sizes, each in a process of its own: how time and peak memory grow.

    python -m benchmarks.performance.pipeline STAGE FOLDER N

does one stage in this process and prints what it took as JSON.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.performance.data import THROUGH, WINDOW_DAYS, write_defaults, write_parties
from benchmarks.performance.measure import ROOT, Row, say
from benchmarks.performance.stores import store_in

SIZES = (10_000, 100_000, 1_000_000, 10_000_000)
STAGES = ("import", "pipeline")
BATCH_ID = "BENCH"
_KIB_PER_GIB = 1 << 20


def measure_pipeline(folder: Path) -> list[Row]:
    """Import parties and defaults, then run the training pipeline, at each size.

    Parameters
    ----------
    folder : Path
        For files and stores, some gigabytes.

    Returns
    -------
    list of dict
        Two rows per size, ``import`` and ``pipeline``: what, n, ``wall`` (seconds, the start of
        the process left out) and ``peak_gib`` of the process and its children; of the pipeline
        ``seconds`` by step, as the run's record has them, and the draft's ``version``.
    """
    rows = []
    for n in SIZES:
        parties = write_parties(folder / f"parties_{n}.parquet", n)
        write_defaults(folder / f"defaults_{n}.parquet", parties)
        for stage in STAGES:
            row = _in_a_process(stage, folder, n)
            say(f"  {stage} of {n:,} parties: {row['wall']:.1f} s, {row['peak_gib']:.2f} GiB")
            rows.append(row)
    return rows


def _in_a_process(stage: str, folder: Path, n: int) -> Row:
    words = [sys.executable, "-m", "benchmarks.performance.pipeline", stage, str(folder), str(n)]
    done = subprocess.run(words, stdout=subprocess.PIPE, text=True, cwd=ROOT, check=True)  # noqa: S603 - this module itself
    row: Row = json.loads(done.stdout.splitlines()[-1])
    return row


def _import(folder: Path, n: int) -> dict[str, Any]:
    from app.db import open_session  # noqa: PLC0415 - inside what is measured
    from app.services.batch_service import BatchService  # noqa: PLC0415 - the same
    from app.services.outcome_service import OutcomeService  # noqa: PLC0415 - the same
    from app.services.store import initialise_store  # noqa: PLC0415 - the same

    initialise_store(actor="bench")
    with open_session() as db:
        BatchService(db, actor="bench").import_file(
            folder / f"parties_{n}.parquet",
            batch_id=BATCH_ID,
            party_id="party_id",
            scored_at="scored_at",
        )
        OutcomeService(db, actor="bench").import_events(
            folder / f"defaults_{n}.parquet",
            party_id="party_id",
            event_date="event_date",
            event_type="event_type",
            through=THROUGH,
        )
    return {"seconds": {}}


def _pipeline(folder: Path, n: int) -> dict[str, Any]:
    del folder, n
    from app.db import open_session  # noqa: PLC0415 - inside what is measured
    from app.pipeline.execution import run_pipeline  # noqa: PLC0415 - the same
    from app.services.pipeline_service import PipelineService  # noqa: PLC0415 - the same

    found = run_pipeline(batch_ids=[BATCH_ID], window=WINDOW_DAYS, actor="bench")
    if found["status"] != "succeeded":
        raise RuntimeError(f"the pipeline did not succeed: {found['error']}")
    with open_session() as db:
        steps = PipelineService(db).get_run(found["run_id"])["steps"]
    seconds = {step["asset"]: step["duration_seconds"] for step in steps}
    return {"seconds": seconds, "version": found["version"]}


def main(stage: str, folder: Path, n: int) -> None:
    """Do one stage and print its row."""
    started = time.perf_counter()
    with store_in(folder / f"of_{n}"):
        found = (_import if stage == "import" else _pipeline)(folder, n)
    wall = time.perf_counter() - started
    row = {"what": stage, "n": n, "wall": wall, "peak_gib": _peak_kib() / _KIB_PER_GIB}
    sys.stdout.write("\n" + json.dumps({**row, **found}) + "\n")


def _peak_kib() -> int:
    """Give the most that this process or one of its children held.

    The kernel's ``ru_maxrss`` of this process begins with what its parent held when it started it.
    """
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    own = next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))
    return max(own, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
