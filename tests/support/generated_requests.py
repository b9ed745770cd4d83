"""Requests generated from the OpenAPI document, against a running service with a filled store.

``python -m tests.support.generated_requests --examples 150`` is the full form: every phase, every
check, at least 5,000 cases; it prints what was found and ends with 1 if anything was.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.db import open_session
from app.domain.scorecard import load_scorecard
from app.services.batch_service import BatchService
from app.services.decision_service import DecisionService
from app.services.key_service import KeyService
from app.services.label_generation_service import LabelGenerationService
from app.services.model_training_service import ModelTrainingService
from app.services.monitoring_service import MonitoringService
from app.services.outcome_service import OutcomeService
from app.services.scorecard_version_service import ScorecardVersionService
from app.services.store import initialise_store
from tests.support.service_process import service_process
from tests.support.small_portfolio import THROUGH, write_portfolio

CONFIGURATION = Path(__file__).parents[1] / "api" / "schemathesis.toml"
PHASES = "examples,coverage,fuzzing,stateful"
_CASES = re.compile(r"(\d+) generated")


@dataclass(frozen=True, slots=True)
class Generated:
    """What came of it.

    Attributes
    ----------
    n_cases : int
        Requests that were checked.
    n_faults : int
        Answers with a status of 500 or more, by the service's own log.
    ended_well : bool
        Whether no check failed.
    report : str
        What Schemathesis printed.
    """

    n_cases: int
    n_faults: int
    ended_well: bool
    report: str


def fill_store(folder: Path) -> str:
    """Make one of everything in the store that the environment names, and give an admin's key."""
    files = write_portfolio(folder, n=400)
    initialise_store(card=load_scorecard(files.card), actor="tester")
    with open_session() as db:
        BatchService(db, actor="ann").import_file(
            files.batch, batch_id="B1", party_id="party", scored_at="scored"
        )
        OutcomeService(db, actor="ann").import_events(
            files.outcomes, party_id="party", event_date="written_off",
            event_type="write_off", through=THROUGH,
        )  # fmt: skip
        LabelGenerationService(db, actor="ann").generate_labels(batch_id="B1")
        model = ModelTrainingService(db, actor="ann").train_model(batch_id="B1")
        ScorecardVersionService(db, actor="ann").refine_from_model(
            model_id=model["model_id"], despite_advice=True
        )
        DecisionService(db, actor="ann").decide(
            [{"party_id": "P1", "features": {"a": 0.5, "b": 0.5, "c": 0.5}}]
        )
        MonitoringService(db, actor="ann").monitor("B1")
        return str(KeyService(db, actor="tester").create(owner="root", role="admin")["key"])


def send_generated_requests(
    folder: Path, *, examples: int, seed: int, phases: str = PHASES, more: tuple[str, ...] = ()
) -> Generated:
    """Fill a store, serve it, and let Schemathesis ask.

    Parameters
    ----------
    folder : Path
        For files, log and report.
    examples : int
        Cases of each operation in the phases that draw them.
    seed : int
        Same seed, same requests.
    phases : str
        Of Schemathesis.
    more : tuple of str
        More of its options.
    """
    key = fill_store(folder / "portfolio")
    with service_process(
        folder, CHANCELLOR_REQUESTS_PER_MINUTE="0", CHANCELLOR_MAX_UPLOAD_BYTES=str(1 << 20)
    ) as running:
        done = subprocess.run(
            [
                str(Path(sys.executable).with_name("schemathesis")),
                "--config-file", str(CONFIGURATION), "run", f"{running.url}/api/openapi.json",
                "--header", f"Authorization: Bearer {key}", "--checks", "all",
                "--phases", phases, "--max-examples", str(examples), "--seed", str(seed),
                "--continue-on-failure", "--no-color", "--generation-database", "none",
                "--request-timeout", "60", *more,
            ],
            cwd=folder, capture_output=True, text=True, check=False,
            env={**os.environ, "COLUMNS": "160"},
        )  # fmt: skip
        log = running.log.read_text(encoding="utf-8", errors="replace")
    found = _CASES.search(done.stdout)
    return Generated(
        n_cases=int(found.group(1)) if found else 0,
        n_faults=sum(line.get("status", 0) >= 500 for line in _lines(log)),
        ended_well=done.returncode == 0,
        report=done.stdout + done.stderr,
    )


def _lines(log: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.splitlines() if line.startswith("{")]


def main() -> int:
    """Run the full form."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--examples", type=int, default=140)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="chancellor-generated-") as folder:
        os.environ["CHANCELLOR_HOME"] = str(Path(folder) / "home")
        (Path(folder) / "portfolio").mkdir()
        found = send_generated_requests(Path(folder), examples=options.examples, seed=options.seed)
    sys.stdout.write(found.report)
    sys.stdout.write(f"\n{found.n_cases} cases, {found.n_faults} answers of 500 or more\n")
    return 0 if found.ended_well and not found.n_faults else 1


if __name__ == "__main__":
    sys.exit(main())
