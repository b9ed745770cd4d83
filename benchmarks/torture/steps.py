"""The steps from an empty store to an activated draft, each run in a process that may be killed.

The fork server imports this module once, with all that the steps load lazily: what is then killed
is the step, not the import of a library.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import clarabel  # noqa: F401 - loaded once, in the fork server
import glum  # noqa: F401 - the same
import ibis.backends.duckdb  # noqa: F401 - the same
import pyarrow.parquet  # noqa: F401 - the same
import sklearn.ensemble  # noqa: F401 - the same
from sqlalchemy import event
from sqlalchemy.orm import Session

from app.db import open_session
from app.domain.scorecard import load_scorecard
from app.lake.store import Lake, StoredFile
from app.queries.models import list_models
from app.services import drafting, training_sample  # noqa: F401 - loaded once
from app.services.batch_service import BatchService
from app.services.label_generation_service import LabelGenerationService
from app.services.model_training_service import ModelTrainingService
from app.services.outcome_service import OutcomeService
from app.services.scorecard_version_service import ScorecardVersionService
from app.services.store import initialise_store
from benchmarks.torture.places import Place
from benchmarks.torture.state import State, read_state

BATCH, DRAFT = "B1", "ml_v2"
THROUGH = "2025-12-31"


def initialise(files: Path) -> None:
    """Make the store with the card of the portfolio."""
    initialise_store(card=load_scorecard(files / "card.yaml"), actor="ada")


def import_files(db: Session, files: Path) -> None:
    """Import a batch and its outcomes."""
    BatchService(db, actor="ada").import_file(
        files / "batch.csv", batch_id=BATCH, party_id="party", scored_at="scored"
    )
    OutcomeService(db, actor="ada").import_events(
        files / "outcomes.csv", party_id="party", event_date="written_off",
        event_type="write_off", through=THROUGH,
    )  # fmt: skip


def generate_labels(db: Session, _files: Path) -> None:
    """Label the batch."""
    LabelGenerationService(db, actor="ada").generate_labels(batch_id=BATCH)


def train(db: Session, _files: Path) -> None:
    """Train and judge a model."""
    ModelTrainingService(db, actor="ada").train_model(batch_id=BATCH)


def refine(db: Session, _files: Path) -> None:
    """Draft a version from the newest model."""
    (model, *_) = list_models(db)
    ScorecardVersionService(db, actor="ada").refine_from_model(
        model_id=model.id, despite_advice=True
    )


def approve(db: Session, _files: Path) -> None:
    """Approve the draft."""
    ScorecardVersionService(db, actor="bob").approve(DRAFT, reason="read it")


def activate(db: Session, _files: Path) -> None:
    """Activate the draft."""
    ScorecardVersionService(db, actor="bob").activate_version(DRAFT, reason="committee")


STEPS: dict[str, Callable[[Session, Path], None]] = {
    "import": import_files,
    "labels": generate_labels,
    "training": train,
    "refinement": refine,
    "approval": approve,
    "activation": activate,
}
"""In the order in which a store goes through them."""

READY, WROTE, COMMITTING, COMMITTED, DONE = (
    b"ready", b"wrote", b"committing", b"committed", b"done",
)  # fmt: skip
AIMS = (WROTE, COMMITTING)
"""What a trial may wait for: a file stands in the lake without its row, a commit begins."""


def run_initialise(place: Place, files: Path) -> None:
    """Make a store in this process."""
    place.enter()
    initialise(files)


def run_step(place: Place, name: str, files: Path, marks: Connection) -> None:
    """Run one step in this process, telling how far it is before and after each commit.

    Parameters
    ----------
    place : Place
        The store, left by the step before.
    name : str
        One of ``STEPS``.
    files : Path
        The portfolio.
    marks : Connection
        Takes ``READY``, then ``WROTE`` after every file of the lake, ``COMMITTING`` and
        ``COMMITTED`` around every commit, and ``DONE``.
    """
    place.enter()
    _tell_of_files(lambda: marks.send_bytes(WROTE))
    with open_session() as db:
        event.listen(db, "before_commit", lambda _db: marks.send_bytes(COMMITTING))
        event.listen(db, "after_commit", lambda _db: marks.send_bytes(COMMITTED))
        marks.send_bytes(READY)
        STEPS[name](db, files)
        marks.send_bytes(DONE)


def _tell_of_files(tell: Callable[[], None]) -> None:
    write = Lake.write_table

    def write_and_tell(*arguments: Any) -> StoredFile:
        stored = write(*arguments)
        tell()
        return stored

    Lake.write_table = write_and_tell  # type: ignore[method-assign]  # this process ends soon


def run_reference(place: Place, name: str, files: Path, answer: Connection) -> None:
    """Run one step undisturbed, and send what the store held before it and after each commit.

    Parameters
    ----------
    place : Place
        The store, left by the step before.
    name : str
        One of ``STEPS``.
    files : Path
        The portfolio.
    answer : Connection
        Takes the seconds that the step took, the states, and how many ``AIMS`` it passes.
    """
    place.enter()
    states: list[State] = []
    files_written: list[int] = []
    looking = 0.0
    _tell_of_files(lambda: files_written.append(1))

    def look(*_: Any) -> None:
        nonlocal looking
        started = time.perf_counter()
        with open_session() as other:
            states.append(read_state(other))
        looking += time.perf_counter() - started

    with open_session() as db:
        look()
        event.listen(db, "after_commit", look)
        started, looking = time.perf_counter(), 0.0
        STEPS[name](db, files)
        seconds = time.perf_counter() - started - looking
    answer.send((seconds, states, len(states) - 1 + len(files_written)))
