"""Many processes at once on one store: nothing is lost, and one version is active at every moment.

Workers draft, activate, reject and roll back at random, or import and train beside that, and note
each success. A watcher reads the active version all the time. At the end what the workers noted and
what the audit chain says must be the same, event by event.
"""

from __future__ import annotations

import itertools
import multiprocessing
import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db import open_session
from app.domain.scorecard import Scorecard
from app.errors import ConflictError, QualityGateError
from app.models import Activation, AuditEvent, ScorecardVersion
from app.queries.versions import require_active
from app.services.audit_service import AuditService
from app.services.batch_service import BatchService
from app.services.doctor import DoctorService
from app.services.scorecard_version_service import ScorecardVersionService
from benchmarks.torture import steps
from benchmarks.torture.places import Engine, Place, open_ground

OPEN_DRAFTS = ("draft", "approved")
PATIENCE_SECONDS = 180.0
DECIDERS = ("decide",) * 8
MIXED = ("import", "import", "train", "train", "decide", "decide", "decide")
_PROCESSES = multiprocessing.get_context("forkserver")
_PROCESSES.set_forkserver_preload(["benchmarks.torture.crowd"])

Note = tuple[str, str, str]
"""Actor, action and subject, as the audit chain has them."""


@dataclass(slots=True)
class Worked:
    """Hold what one worker did.

    Attributes
    ----------
    notes : Counter
        Its successes.
    refused : Counter
        How often it was refused, by kind of error: somebody was faster.
    faults : list of str
        Errors that must not come.
    slowest_seconds : float
        The longest that one call took.
    """

    notes: Counter[Note] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    slowest_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class _Hand:
    """One worker's session, chance and name."""

    db: Session
    rng: random.Random
    actor: str
    files: Path
    notes: Counter[Note]

    def note(self, action: str, subject: str, actor: str | None = None) -> None:
        """Take down a success."""
        self.notes[actor or self.actor, action, subject] += 1


def _decide(hand: _Hand) -> None:
    """Draft a card, and then activate or reject some open draft, or roll back."""
    move = hand.rng.choice(("draft", "activate", "activate", "reject", "rollback"))
    versions = ScorecardVersionService(hand.db, actor=hand.actor)
    if move == "draft":
        maker = f"maker of {hand.actor}"
        card = _changed_card(hand)
        made = ScorecardVersionService(hand.db, actor=maker).add_version(card, note="try")
        hand.note("draft.created", f"version:{made['version']}", maker)
        return
    statuses = ("inactive",) if move == "rollback" else OPEN_DRAFTS
    query = select(ScorecardVersion.version).where(ScorecardVersion.status.in_(statuses))
    found = hand.db.scalars(query.order_by(ScorecardVersion.number.desc()).limit(5)).all()
    hand.db.rollback()
    if not found:
        return
    version = hand.rng.choice(found)
    if move == "activate":
        versions.activate_version(version, reason="random")
        hand.note("version.activated", f"version:{version}")
    elif move == "reject":
        versions.reject(version, reason="random")
        hand.note("version.rejected", f"version:{version}")
    else:
        versions.rollback(version, reason="random")
        hand.note("version.rolled_back", f"version:{version}")


def _changed_card(hand: _Hand) -> Scorecard:
    card = Scorecard.from_document(require_active(hand.db).content)
    hand.db.rollback()
    weights = {name: round(hand.rng.uniform(5, 50), 4) for name in card.features}
    return card.with_weights(weights)


def _import(hand: _Hand) -> None:
    batch_id = f"{hand.actor}-{sum(hand.notes.values())}"
    BatchService(hand.db, actor=hand.actor).import_file(
        hand.files / "batch.csv", batch_id=batch_id, party_id="party", scored_at="scored"
    )
    hand.note("batch.imported", f"batch:{batch_id}")


def _train(hand: _Hand) -> None:
    from app.services.model_training_service import ModelTrainingService  # noqa: PLC0415 - heavy

    seed = hand.rng.randrange(10**6)
    made = ModelTrainingService(hand.db, actor=hand.actor).train_model(
        batch_id=steps.BATCH, base_version="v1", seed=seed
    )
    hand.note("model.registered", f"model:{made['model_id']}")


ROLES: dict[str, Callable[[_Hand], None]] = {
    "decide": _decide, "import": _import, "train": _train,
}  # fmt: skip
NOTED = frozenset(
    {
        "draft.created", "version.activated", "version.rejected", "version.rolled_back",
        "batch.imported", "model.registered",
    }
)  # fmt: skip


def run_worker(
    place: Place, role: str, number: int, files: Path, until: float, seed: int, answer: Connection
) -> None:
    """Work until a moment, then send what was done.

    Parameters
    ----------
    place : Place
        The store.
    role : str
        One of ``ROLES``.
    number : int
        Of this worker.
    files : Path
        The portfolio.
    until : float
        Moment of the monotonic clock.
    seed : int
        Of its moves.
    answer : Connection
        Takes a ``Worked``.
    """
    place.enter()
    worked = Worked()
    rng = random.Random(f"{seed}-{number}")  # noqa: S311 - moves, not secrets
    with open_session() as db:
        hand = _Hand(db, rng, f"{role}-{number}", files, worked.notes)
        while (started := time.monotonic()) < until:
            try:
                ROLES[role](hand)
            except (ConflictError, QualityGateError) as error:
                worked.refused[type(error).__name__] += 1
            except Exception as error:  # noqa: BLE001 - counted as a fault and shown
                worked.faults.append(f"{hand.actor}: {type(error).__name__}: {error}")
                db.rollback()
            worked.slowest_seconds = max(worked.slowest_seconds, time.monotonic() - started)
    answer.send(worked)


def run_watcher(place: Place, until: float, answer: Connection) -> None:
    """Read the active version all the time; send how often, which, and every wrong reading.

    Parameters
    ----------
    place : Place
        The store.
    until : float
        Moment of the monotonic clock.
    answer : Connection
        Takes the number of readings, how many versions were seen, and the wrong readings.
    """
    place.enter()
    active = select(ScorecardVersion.version).where(ScorecardVersion.status == "active")
    n_readings, seen, wrong = 0, set(), []
    with open_session() as db:
        while time.monotonic() < until:
            found = db.scalars(active).all()
            db.rollback()
            n_readings += 1
            seen.update(found)
            if len(found) != 1:
                wrong.append(f"active at once: {list(found)}")
    answer.send((n_readings, len(seen), wrong))


def crowd(
    engine: Engine,
    files: Path,
    folder: Path,
    *,
    roles: Sequence[str] = DECIDERS,
    seconds: float = 60.0,
    seed: int = 1,
) -> dict[str, Any]:
    """Let workers work at once on a new store, and hold the record against what they noted.

    Parameters
    ----------
    engine : {"sqlite", "postgresql"}
        The database.
    files : Path
        Folder with ``card.yaml``, ``batch.csv`` and ``outcomes.csv``.
    folder : Path
        For the store.
    roles : sequence of str
        One process each.
    seconds : float
        How long.
    seed : int
        Of the moves.

    Returns
    -------
    dict
        ``successes`` by action, ``refused`` by error, ``readings`` of the watcher, ``events`` of
        the chain, ``slowest_seconds`` of a call, and ``faults``, empty if all is well.
    """
    with open_ground(engine, folder) as ground:
        place = ground.create()
        _finish(_start(run_preparation, place, files, set(roles) != {"decide"}))
        until = time.monotonic() + seconds
        watcher = _start(run_watcher, place, until)
        workers = [
            _start(run_worker, place, role, number, files, until, seed)
            for number, role in enumerate(roles)
        ]
        worked: list[Worked] = [_finish(worker) for worker in workers]
        n_readings, n_seen, wrong = _finish(watcher)
        ground.wait_until_idle(place)
        notes = sum((one.notes for one in worked), Counter[Note]())
        events, faults = _finish(_start(run_audit, place, notes))
        ground.wait_until_idle(place)
        ground.drop(place)
    return {
        "seconds": seconds,
        "workers": dict(Counter(roles)),
        "successes": dict(_by_action(notes)),
        "refused": dict(sum((one.refused for one in worked), Counter[str]())),
        "readings": n_readings,
        "versions_seen_active": n_seen,
        "events": events,
        "slowest_seconds": round(max(one.slowest_seconds for one in worked), 2),
        "faults": [*wrong, *(fault for one in worked for fault in one.faults), *faults],
    }


def _by_action(notes: Counter[Note]) -> Counter[str]:
    by_action: Counter[str] = Counter()
    for (_, action, _subject), n in notes.items():
        by_action[action] += n
    return by_action


def run_preparation(
    place: Place,
    files: Path,
    with_batch: bool,  # noqa: FBT001 - an argument of a process
    answer: Connection,
) -> None:
    """Make the store, with a labelled batch to train on where that is wanted.

    Parameters
    ----------
    place : Place
        An empty place.
    files : Path
        The portfolio.
    with_batch : bool
        Whether there is something to train on.
    answer : Connection
        Takes None when it is done.
    """
    steps.run_initialise(place, files)
    with open_session() as db:
        for name in ("import", "labels") if with_batch else ():
            steps.STEPS[name](db, files)
    answer.send(None)


def run_audit(place: Place, notes: Counter[Note], answer: Connection) -> None:
    """Hold the record against what the workers noted.

    Parameters
    ----------
    place : Place
        The store, at rest.
    notes : Counter
        What all workers noted.
    answer : Connection
        Takes the number of events, and what does not agree.
    """
    place.enter()
    with open_session() as db:
        n_events = AuditService(db).verify()["n_events"]
        recorded = _recorded(db)
        faults = [f"not in the record: {one}" for one in (notes - recorded).elements()]
        faults += [f"nobody reported: {one}" for one in (recorded - notes).elements()]
        faults += _broken_line(db)
        db.rollback()
        examined = DoctorService(db).examine()
        faults += [finding["problem"] for finding in examined["findings"]]
    answer.send((n_events, faults))


def _recorded(db: Session) -> Counter[Note]:
    """Count the events of the workers; they are the actors with a number."""
    columns = select(AuditEvent.actor, AuditEvent.action, AuditEvent.subject)
    return Counter(
        (actor, action, subject)
        for actor, action, subject in db.execute(columns)
        if action in NOTED and actor[-1].isdigit()
    )


def _broken_line(db: Session) -> list[str]:
    """Find activations that do not follow the one before."""
    line = db.execute(
        select(Activation.version, Activation.previous_version).order_by(Activation.id)
    ).all()
    active = db.scalars(
        select(ScorecardVersion.version).where(ScorecardVersion.status == "active")
    ).all()
    faults = [
        f"{later.version} replaced {later.previous_version}, active was {before.version}"
        for before, later in itertools.pairwise(line)
        if later.previous_version != before.version
    ]
    return faults if list(active) == [line[-1].version] else [*faults, f"active are {active}"]


def _start(work: Callable[..., None], *arguments: Any) -> tuple[Any, Connection]:
    ours, theirs = _PROCESSES.Pipe(duplex=False)
    process = _PROCESSES.Process(target=work, args=(*arguments, theirs))
    process.start()
    theirs.close()
    return process, ours


def _finish(started: tuple[Any, Connection]) -> Any:
    process, answer = started
    found = answer.recv()
    process.join(PATIENCE_SECONDS)
    return found
