"""One piece of work of `benchmarks.scaling`, in a process of its own whose memory is watched."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from sqlalchemy.orm import Session

from app.domain.outcomes import default_definition
from app.domain.scorecard import default_card
from app.domain.table_score import TableScorer, goodness_matrix
from app.lake.engine import computing_on, find_spark, known_engine
from app.lake.store import Lake
from app.models import Batch
from app.services.batch_scoring import score_snapshot
from app.services.label_generation_service import compute_labels
from app.services.label_inputs import LabelInputs
from app.services.label_tables import FileName, WindowRule
from app.services.monitored_rows import MonitoredReader
from app.services.spark_scoring import score_on_spark
from app.services.training_goodness import goodness_on_spark
from benchmarks.performance.data import WINDOW_DAYS

_THROUGH = date(2026, 6, 30)


@dataclass(frozen=True, slots=True)
class Files:
    """Name what the work reads.

    Attributes
    ----------
    lake : Lake
        Where it is.
    snapshot, events : tuple of (path, sha256)
        Parties with their features, and their events.
    """

    lake: Lake
    snapshot: FileName
    events: FileName


def score(files: Files) -> int:
    """Score every party, with reasons and contributions, into the lake."""
    spark, card = find_spark(), default_card()
    if spark is not None:
        stored, _ = score_on_spark(spark, files.lake, files.snapshot, card, _silent)
    else:
        scorer = TableScorer(card)
        stored, _ = score_snapshot(files.lake, files.snapshot, scorer, "parties", _silent)
    return stored.n_rows


def label(files: Files) -> int:
    """Label and score every party; the database is left out."""
    inputs = LabelInputs(
        batch_id="SCALING",
        snapshot=files.snapshot,
        outcome_type="default",
        definition_id=None,
        rule=WindowRule(default_definition(), WINDOW_DAYS, _THROUGH),
        outcomes=(files.events,),
        exposures=(),
        scored_by="v1",
        card=default_card(),
        details={},
        input_hash="",
    )
    return compute_labels(files.lake, inputs).num_rows


def matrix(files: Files) -> int:
    """Map the features of every party to goodness, into the memory of this process."""
    spark, card = find_spark(), default_card()
    names = card.feature_names
    if spark is not None:
        _, goodness = goodness_on_spark(spark, files.lake, files.snapshot, card, names)
    else:
        columns = ["party_id", "scored_at", *names]
        goodness = goodness_matrix(card, files.lake.read_table(*files.snapshot, columns), names)
    return len(goodness)


def monitor(files: Files) -> int:
    """Freeze a reference on all parties, and count the same parties by its bins."""
    card = default_card()
    batch = Batch(
        batch_id="SCALING",
        file_path=files.snapshot[0],
        file_hash=files.snapshot[1],
        columns=[{"name": name} for name in card.feature_names],
    )
    reader = MonitoredReader(Session(), files.lake)  # no label is read: no database
    return reader.count(batch, card, reader.freeze([batch], card)).n


STEPS: dict[str, Callable[[Files], int]] = {
    "score": score,
    "labels": label,
    "matrix": matrix,
    "monitor": monitor,
}


def _silent(stage: str, done: int, total: int) -> None:
    del stage, done, total


def main() -> None:
    """Do what standard input asks for, and print the seconds that it took."""
    asked = json.load(sys.stdin)
    files = Files(Lake(asked["lake"]), tuple(asked["snapshot"]), tuple(asked["events"]))
    with computing_on(known_engine(asked["engine"])):
        began = time.perf_counter()
        find_spark()
        started = time.perf_counter()
        n_rows = STEPS[asked["step"]](files)
        ended = time.perf_counter()
    found = {"start": started - began, "seconds": ended - started, "n_rows": n_rows}
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main()
