"""What a person does after a crash, in a fresh process: look, repeat the step, tidy, look again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from multiprocessing.connection import Connection
from pathlib import Path

from app.db import close_engine, open_session
from app.errors import ConflictError
from app.services.audit_service import AuditService
from app.services.doctor import DoctorService
from benchmarks.torture.places import Place
from benchmarks.torture.state import State, read_state, unnamed_files
from benchmarks.torture.steps import STEPS

TIDY = {"orphan", "lost_run"}
"""Findings of the doctor that a crash may leave; every other is damage."""


@dataclass(frozen=True, slots=True)
class Restarted:
    """Say what was found after a crash, and how repeating the step went.

    Attributes
    ----------
    state : State
        What the store held.
    damage : tuple of str
        Findings of the doctor other than orphans and lost runs; the chain's among them.
    n_orphans, n_unfinished : int
        Files that no row names, and how many of them are unfinished writes.
    unlisted : tuple of str
        Files that no row names and that the doctor did not list.
    refusal : str or None
        The conflict that refused the repeated step; None where it went through.
    final_state : State
        After the step was repeated.
    left : tuple of str
        Findings of the doctor at the end, when orphans were removed.
    """

    state: State
    damage: tuple[str, ...]
    n_orphans: int
    n_unfinished: int
    unlisted: tuple[str, ...]
    refusal: str | None
    final_state: State
    left: tuple[str, ...]


def run_restart(place: Place, name: str, files: Path, answer: Connection) -> None:
    """Examine a store after a crash and repeat the step that was killed.

    Parameters
    ----------
    place : Place
        The store.
    name : str
        One of ``STEPS``.
    files : Path
        The portfolio.
    answer : Connection
        Takes a ``Restarted``, or the text of an error that nothing may raise.
    """
    try:
        answer.send(restart(place, name, files))
    except BaseException as error:
        answer.send(f"{type(error).__name__}: {error}")
        raise


def restart(place: Place, name: str, files: Path) -> Restarted:
    """Do what :func:`run_restart` sends.

    Parameters
    ----------
    place : Place
        The store.
    name : str
        One of ``STEPS``.
    files : Path
        The portfolio.

    Returns
    -------
    Restarted
        What was found.
    """
    place.enter()
    with open_session() as db:
        state = read_state(db)
        db.rollback()
        found = DoctorService(db).examine(minimum_age=timedelta(0))
        unnamed = unnamed_files(db, place.home / "lake")
        db.rollback()
        refusal = None
        try:
            STEPS[name](db, files)
        except ConflictError as error:
            refusal = error.message
        final_state = read_state(db)
        db.rollback()
        at_end = DoctorService(db).examine(remove_orphans=True, minimum_age=timedelta(0))
        AuditService(db).verify()
    close_engine(place.database_url)
    orphans = found["orphans"]
    return Restarted(
        state=state,
        damage=_sentences(found, but=TIDY),
        n_orphans=len(orphans),
        n_unfinished=sum(orphan["unfinished"] for orphan in orphans),
        unlisted=tuple(sorted(unnamed - {orphan["path"] for orphan in orphans})),
        refusal=refusal,
        final_state=final_state,
        left=_sentences(at_end, but=set()),
    )


def run_examination(place: Place, answer: Connection) -> None:
    """Examine a store.

    Parameters
    ----------
    place : Place
        The store.
    answer : Connection
        Takes a list of what the doctor finds beside orphans and lost runs.
    """
    place.enter()
    with open_session() as db:
        found = DoctorService(db).examine(minimum_age=timedelta(0))
    close_engine(place.database_url)
    answer.send(list(_sentences(found, but=TIDY)))


def _sentences(examined: dict[str, list[dict[str, str]]], *, but: set[str]) -> tuple[str, ...]:
    return tuple(
        f"{finding['kind']}: {finding['problem']}"
        for finding in examined["findings"]
        if finding["kind"] not in but
    )
