"""Times of the main steps on this machine: ``make bench``.

Each line is one step in a fresh store of its own: what, rows, seconds, and the bound that the
design names, where it names one.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from app.db import open_session
from app.domain.discrimination import auc_estimate
from app.domain.scorecard import default_card, load_scorecard
from app.domain.simulated_features import simulate_features
from app.services.batch_service import BatchService
from app.services.label_generation_service import LabelGenerationService
from app.services.model_training_service import ModelTrainingService
from app.services.outcome_service import OutcomeService
from app.services.scoring_service import ScoringService
from app.services.store import initialise_store

MILLION = 1_000_000
SHARED = Path(__file__).resolve().parents[2] / "shared"
SEED = 1
BAD_IF_UNVERIFIED, BAD_LESS_IF_VERIFIED = 0.28, 0.18


def main() -> int:
    """Run every step and print its line."""
    _line("chancellor --help", 0, _timed(_help), None)
    _ranking()
    with tempfile.TemporaryDirectory(prefix="chancellor-bench-") as folder:
        _scoring(Path(folder))
    with tempfile.TemporaryDirectory(prefix="chancellor-bench-") as folder:
        _labels(Path(folder))
    if (SHARED / "data").is_dir():
        with tempfile.TemporaryDirectory(prefix="chancellor-bench-") as folder:
            _taiwan(Path(folder))
    else:
        sys.stderr.write(f"left out: training on real data, {SHARED / 'data'} is not here\n")
    return 0


def _help() -> None:
    program = Path(sys.executable).with_name("chancellor")
    subprocess.run([program, "--help"], check=True, capture_output=True)  # noqa: S603 - our own command


def _ranking() -> None:
    rng = np.random.default_rng(SEED)
    risk, bad = rng.random(MILLION), rng.integers(0, 2, MILLION)
    _line("AUC with its standard error", MILLION, _timed(lambda: auc_estimate(risk, bad)), None)


def _scoring(folder: Path) -> None:
    features = simulate_features(np.random.default_rng(SEED), MILLION)
    table = pa.table({"party_id": np.arange(MILLION).astype(str), **features})
    pq.write_table(table, folder / "million.parquet")
    with _store(folder):
        initialise_store(card=default_card())
        with open_session() as db:
            seconds = _timed(
                lambda: ScoringService(db).score_file(
                    folder / "million.parquet", folder / "scored.parquet"
                )
            )
    _line("score a file, with reasons", MILLION, seconds, None)


def _labels(folder: Path) -> None:
    n_parties = MILLION // 5
    rng = np.random.default_rng(SEED)
    features = simulate_features(rng, n_parties)
    names = np.arange(n_parties).astype(str)
    scored_on = np.datetime64("2024-01-01") + rng.integers(0, 365, n_parties)
    batch = {"party_id": names, "scored_at": scored_on, **features}
    pa_csv.write_csv(pa.table(batch), folder / "batch.csv")
    some = (
        rng.random(n_parties) < BAD_IF_UNVERIFIED - BAD_LESS_IF_VERIFIED * features["kyc_verified"]
    )
    events = {"party_id": names[some], "event_date": scored_on[some] + 60}
    pa_csv.write_csv(pa.table(events), folder / "events.csv")
    with _store(folder):
        initialise_store(card=default_card())
        with open_session() as db:
            seconds = _timed(
                lambda: BatchService(db).import_file(
                    folder / "batch.csv",
                    batch_id="BENCH",
                    party_id="party_id",
                    scored_at="scored_at",
                )
            )
            _line("import a batch from CSV", n_parties, seconds, None)
            OutcomeService(db).import_events(
                folder / "events.csv",
                party_id="party_id",
                event_date="event_date",
                event_type="write_off",
                through="2025-12-31",
            )
            labels = LabelGenerationService(db)
            seconds = _timed(lambda: labels.generate_labels(batch_id="BENCH"))
            _line("generate labels", n_parties, seconds, None)
            models = ModelTrainingService(db)
            seconds = _timed(lambda: models.train_model(batch_id="BENCH"))
            _line("train, out of time", n_parties, seconds, None)


def _taiwan(folder: Path) -> None:
    file = SHARED / "data" / "taiwan" / "taiwan_default.csv.gz"
    with _store(folder):
        initialise_store(card=load_scorecard(SHARED / "scorecards" / "taiwan.yaml"))
        with open_session() as db:
            BatchService(db).import_file(
                file, batch_id="TAIWAN", party_id="ID", scored_at="2005-09-30"
            )
            OutcomeService(db).import_flags(
                file,
                batch_id="TAIWAN",
                party_id="ID",
                flag="default.payment.next.month",
                bad="1",
            )
            LabelGenerationService(db).generate_labels(batch_id="TAIWAN", outcome_type="final_flag")
            models = ModelTrainingService(db)
            seconds = _timed(lambda: models.train_model(batch_id="TAIWAN"))
    _line("train taiwan, cross-validation", 30_000, seconds, 30)


@contextmanager
def _store(folder: Path) -> Iterator[None]:
    names = ("CHANCELLOR_HOME", "CHANCELLOR_DATABASE_URL", "CHANCELLOR_LAKE")
    kept = {name: os.environ.pop(name) for name in names if name in os.environ}
    os.environ["CHANCELLOR_HOME"] = str(folder / "store")
    try:
        yield
    finally:
        del os.environ["CHANCELLOR_HOME"]
        os.environ.update(kept)


def _timed(step: Callable[[], object]) -> float:
    started = time.perf_counter()
    step()
    return time.perf_counter() - started


def _line(what: str, n_rows: int, seconds: float, bound: float | None) -> None:
    rows = f"{n_rows:>9,} rows" if n_rows else " " * 14
    limit = "" if bound is None else f"   (bound {bound:.0f} s: {_verdict(seconds, bound)})"
    sys.stdout.write(f"{what:<34}{rows}{seconds:>9.2f} s{limit}\n")
    sys.stdout.flush()


def _verdict(seconds: float, bound: float) -> str:
    return "kept" if seconds <= bound else "NOT kept"


if __name__ == "__main__":
    sys.exit(main())
