"""Stores that two engines fill: real data, and values at the edges of what a card takes."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from sqlalchemy.orm import Session

from app.services.batch_service import BatchService
from app.services.challenger_service import ChallengerService
from app.services.outcome_service import OutcomeService
from app.services.scorecard_version_service import ScorecardVersionService
from tests.support.spark import PYTHON, ROOT

N_EDGE = 3_000
MOST_ROWS = 10_000
"""Of a training: of the 30,000 parties of taiwan a third is drawn."""


def edge_parties(card: Any, path: Path, seed: int, *more: Any) -> None:
    """Nulls, zeros of both signs, huge and tiny numbers, ties, categories that nobody knows."""
    rng = np.random.default_rng(seed)
    columns: dict[str, Any] = {
        "id": [f"p{number:05d}" for number in range(N_EDGE)],
        "at": [f"2020-0{1 + number % 9}-15" for number in range(N_EDGE)],
    }
    for name, feature in card.features.items():
        known: list[Any] = [None, 0.0, -0.0, 1.0, 0.1, 1e20, -1e20, 1e-300, 12.0, 60.0, 5.5]
        if not feature.transform.takes_numbers:
            known = [None, *feature.transform.values, "new", "ö", "a;b", *more]
        columns[name] = [known[place] for place in rng.integers(0, len(known), N_EDGE)]
    pq.write_table(pa.table(columns), path)


def edge_events(path: Path) -> None:
    """Write-offs of edge parties, before and after they were scored; some of nobody."""
    rng = np.random.default_rng(11)
    days = rng.integers(0, 700, N_EDGE)
    events = pa.table(
        {
            "id": [f"p{number:05d}" for number in rng.integers(0, N_EDGE + 50, N_EDGE)],
            "on": [str(np.datetime64("2020-01-15") + int(day)) for day in days],
        }
    )
    pq.write_table(events, path)


def _sba(db: Session, card: Any, data: Path, home: Path) -> None:
    file = data / "sba_case" / "sba_case.csv"
    BatchService(db).import_file(
        file, batch_id="sba_case", party_id="LoanNr_ChkDgt", scored_at="ApprovalDate"
    )
    OutcomeService(db).import_events(
        file, party_id="LoanNr_ChkDgt", event_date="ChgOffDate", event_type="write_off",
        through="2014-08-31",
    )  # fmt: skip
    unlabelled = home / "unlabelled.parquet"
    edge_parties(card, unlabelled, 13)
    BatchService(db).import_file(unlabelled, batch_id="unlabelled", party_id="id", scored_at="at")


def _taiwan(db: Session, card: Any, data: Path, home: Path) -> None:
    file = data / "taiwan" / "taiwan_default.csv.gz"
    BatchService(db).import_file(file, batch_id="taiwan", party_id="ID", scored_at="2005-09-30")
    OutcomeService(db).import_flags(
        file, batch_id="taiwan", party_id="ID", flag="default.payment.next.month", bad="1"
    )


def _edge(db: Session, card: Any, data: Path, home: Path) -> None:
    for batch_id, seed, more in (("edge", 11, ()), ("later", 12, ("newer", None, None))):
        file = home / f"{batch_id}.parquet"
        edge_parties(card, file, seed, *more)
        BatchService(db).import_file(file, batch_id=batch_id, party_id="id", scored_at="at")
    other = card.with_weights(dict.fromkeys(card.feature_names[:2], 1.0))
    version = ScorecardVersionService(db, actor="tester").add_version(other)["version"]
    ChallengerService(db, actor="tester").start(version, reason="compare engines")
    edge_events(home / "events.parquet")
    OutcomeService(db).import_events(
        home / "events.parquet", party_id="id", event_date="on", event_type="write_off",
        through="2020-12-31",
    )  # fmt: skip


FILLED = {"sba_case": _sba, "taiwan": _taiwan, "edge": _edge}
SPARK = ("--engine", "spark")
REQUEST = {
    "batch_ids": ["sba_case"], "observation_window_days": 1825, "validation": "cross_validation",
}  # fmt: skip
COMMANDS: dict[str, list[list[str]]] = {
    "sba_case": [
        ["batch", "score", "sba_case", *SPARK],
        ["labels", "generate", "sba_case", "--window", "1825", *SPARK],
        ["monitor", "sba_case", *SPARK],
        ["monitor", "unlabelled", *SPARK],
    ],
    "taiwan": [["pipeline", "run", "taiwan", "--outcome", "final_flag", *SPARK]],
    "edge": [
        ["batch", "score", "edge", *SPARK],
        ["labels", "generate", "edge", "--window", "90", *SPARK],
        ["monitor", "edge", *SPARK],
        ["labels", "generate", "later", "--window", "90", *SPARK],
        ["monitor", "later", *SPARK],
    ],
}


def run_on_spark(jobs: list[dict[str, Any]]) -> None:
    """Do jobs in one process of the environment `.spark`; each must succeed."""
    environment = {
        **os.environ, "SPARK_LOCAL_IP": "127.0.0.1", "CHANCELLOR_SPARK_MEMORY": "1g",
        "CHANCELLOR_SPARK_MASTER": "local[2]", "CHANCELLOR_TRAINING_ROWS": str(MOST_ROWS),
        "PYTHONPATH": str(ROOT),
    }  # fmt: skip
    done = subprocess.run(
        [PYTHON, "-m", "tests.support.engine_process"],
        input=json.dumps(jobs), capture_output=True, text=True, env=environment, cwd=ROOT,
        check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    answer: list[list[Any]] = json.loads(done.stdout)
    assert [code for code, _ in answer] == [0] * len(answer), (answer, done.stderr[-3000:])
