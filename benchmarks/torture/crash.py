"""Kill the process at random moments of every step, restart, and look for half a change.

For each step a store is brought to where the step begins, and copied for every trial. A process
with all libraries loaded runs the step and is killed (SIGKILL); most trials at a moment drawn
uniformly over the time that the step takes, some right after a file was written or right around a
commit, where it matters most. Then
a fresh process examines the store, repeats the step and examines it again.

What the store holds must be exactly what an undisturbed run held after as many commits as the
killed process had made, or one more where it died inside a commit.
"""

from __future__ import annotations

import multiprocessing
import random
import statistics
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Literal

from benchmarks.torture.places import Engine, Ground, Place, open_ground
from benchmarks.torture.restarts import Restarted, run_restart
from benchmarks.torture.state import State
from benchmarks.torture.steps import (
    AIMS,
    COMMITTED,
    COMMITTING,
    DONE,
    READY,
    STEPS,
    run_initialise,
    run_reference,
    run_step,
)

When = Literal["before", "in a commit", "between", "after"]
WHEN: tuple[When, ...] = ("before", "in a commit", "between", "after")
"""Against the commits of the step: before its first, inside one, between two, after its last."""

BEYOND = 1.05
"""Moments are drawn over this much of the step's time, so that a few come after its end."""

AROUND_SECONDS = 0.004
PATIENCE_SECONDS = 120.0
_PROCESSES = multiprocessing.get_context("forkserver")
_PROCESSES.set_forkserver_preload(["benchmarks.torture.restarts"])


@dataclass(frozen=True, slots=True)
class Reference:
    """Hold how a step goes undisturbed.

    Attributes
    ----------
    seconds : float
        How long it takes, median of three.
    states : tuple of State
        What the store holds before it, and after each commit.
    n_aims : int
        Files that it writes, and commits that it makes.
    """

    seconds: float
    states: tuple[State, ...]
    n_aims: int


@dataclass(slots=True)
class Tally:
    """Count what the trials of one step came to.

    Attributes
    ----------
    step : str
        Which.
    seconds : float
        How long it takes undisturbed.
    n_commits : int
        How many commits it makes.
    killed : Counter
        Trials by when the process died.
    n_orphans, n_unfinished : int
        Files left in the lake that no row names, and how many of them are unfinished writes.
    refused : int
        Repeats that were refused, since the step had been done.
    faults : list of str
        What must not happen; empty if all is well.
    """

    step: str
    seconds: float
    n_commits: int
    killed: Counter[When] = field(default_factory=Counter)
    n_orphans: int = 0
    n_unfinished: int = 0
    refused: int = 0
    faults: list[str] = field(default_factory=list)

    @property
    def n_trials(self) -> int:
        """Count the trials."""
        return sum(self.killed.values())


def torture(
    engine: Engine,
    files: Path,
    folder: Path,
    *,
    n_uniform: int = 200,
    n_aimed: int = 60,
    seed: int = 1,
    report: Callable[[Tally], None] = lambda _tally: None,
) -> list[Tally]:
    """Kill every step at random moments.

    Parameters
    ----------
    engine : {"sqlite", "postgresql"}
        The database.
    files : Path
        Folder with ``card.yaml``, ``batch.csv`` and ``outcomes.csv``.
    folder : Path
        For the stores.
    n_uniform : int
        Trials over all steps at a moment drawn uniformly over the step.
    n_aimed : int
        Trials over all steps right after a file was written or around a commit.
    seed : int
        Of the moments.
    report : callable
        Called with the tally of each step when it is done.

    Returns
    -------
    list of Tally
        One per step.
    """
    rng = random.Random(seed)  # noqa: S311 - moments, not secrets
    shares = list(zip(_shares(n_uniform), _shares(n_aimed), strict=True))
    tallies = []
    with open_ground(engine, folder) as ground:
        before = ground.create()
        _run(run_initialise, before, files)
        for name, (uniform, aimed) in zip(STEPS, shares, strict=True):
            reference, after = _reference(ground, before, name, files)
            tally = Tally(name, reference.seconds, len(reference.states) - 1)
            for number in range(uniform + aimed):
                trial = _Trial(ground, before, name, files, reference)
                trial.run(rng, tally, aimed=number >= uniform)
            ground.drop(before)
            before = after
            tallies.append(tally)
            report(tally)
    return tallies


def _shares(n: int) -> list[int]:
    """Share trials out over the steps as evenly as it goes."""
    return [n // len(STEPS) + (place < n % len(STEPS)) for place in range(len(STEPS))]


def _reference(ground: Ground, before: Place, name: str, files: Path) -> tuple[Reference, Place]:
    """Run a step undisturbed three times; the last store is where the next step begins."""
    times, states = [], []
    for last in (False, False, True):
        place = ground.copy(before)
        seconds, found, n_aims = ask(run_reference, place, name, files)
        ground.wait_until_idle(place)
        times.append(seconds)
        states.append(tuple(found))
        if not last:
            ground.drop(place)
    if len(set(states)) != 1:
        raise AssertionError(f"{name} does not do the same each time: {states}")
    return Reference(statistics.median(times), states[0], n_aims), place


@dataclass(frozen=True, slots=True)
class _Trial:
    """One killed process and the restart after it."""

    ground: Ground
    template: Place
    step: str
    files: Path
    reference: Reference

    def run(self, rng: random.Random, tally: Tally, *, aimed: bool) -> None:
        """Kill, restart, compare; what is wrong goes to the faults of the tally."""
        place = self.ground.copy(self.template)
        marks = self._kill(place, rng, aimed=aimed)
        self.ground.wait_until_idle(place)
        n_commits = marks.count(COMMITTED)
        is_committing = marks.count(COMMITTING) > n_commits
        tally.killed[self._when(n_commits, is_committing=is_committing)] += 1
        found = ask(run_restart, place, self.step, self.files)
        faults = list(self._faults(found, n_commits, is_committing=is_committing))
        tally.faults += [f"{self.step}, {marks}: {fault}" for fault in faults]
        if isinstance(found, Restarted):
            tally.n_orphans += found.n_orphans
            tally.n_unfinished += found.n_unfinished
            tally.refused += found.refusal is not None
        self.ground.wait_until_idle(place)
        self.ground.drop(place)

    def _kill(self, place: Place, rng: random.Random, *, aimed: bool) -> list[bytes]:
        """Run the step and kill it; give the marks that it left."""
        ours, theirs = _PROCESSES.Pipe(duplex=False)
        process = _PROCESSES.Process(target=run_step, args=(place, self.step, self.files, theirs))
        process.start()
        theirs.close()
        if ours.recv_bytes() != READY:
            raise AssertionError("the process did not begin")
        marks: list[bytes] = []
        if aimed:
            aim = rng.randint(1, self.reference.n_aims)
            while sum(mark in AIMS for mark in marks) < aim:
                marks.append(ours.recv_bytes())
            time.sleep(rng.uniform(0, AROUND_SECONDS))
        else:
            time.sleep(rng.uniform(0, BEYOND * self.reference.seconds))
        if process.is_alive():
            process.kill()
        process.join(PATIENCE_SECONDS)
        return marks + _rest(ours)

    def _when(self, n_commits: int, *, is_committing: bool) -> When:
        if is_committing:
            return "in a commit"
        if n_commits == 0:
            return "before"
        return "after" if n_commits == len(self.reference.states) - 1 else "between"

    def _faults(self, found: Any, n_commits: int, *, is_committing: bool) -> Any:
        if not isinstance(found, Restarted):
            yield f"the restart failed: {found}"
            return
        states = self.reference.states
        if found.state not in states[n_commits : n_commits + 1 + is_committing]:
            yield f"the store holds half a change: {found.state}"
        yield from found.damage
        yield from (f"the doctor did not list {path}" for path in found.unlisted)
        if found.refusal is not None and found.state != states[-1]:
            yield f"the repeated step was refused: {found.refusal}"
        if found.state == states[-1]:  # it was done: repeating it may add, never take away
            if not found.final_state.holds(states[-1]):
                yield f"the repeated step left {found.final_state}"
        elif found.final_state.once() != states[-1].once():
            yield f"the repeated step left {found.final_state}"
        yield from (f"left at the end: {one}" for one in found.left)


def _rest(marks: Connection) -> list[bytes]:
    """Read what a dead process had sent."""
    found = []
    while True:
        try:
            mark = marks.recv_bytes()
        except EOFError:
            return found
        if mark != DONE:
            found.append(mark)


def _run(work: Callable[..., None], *arguments: Any) -> None:
    process = _PROCESSES.Process(target=work, args=arguments)
    process.start()
    process.join(PATIENCE_SECONDS)
    if process.exitcode != 0:
        raise AssertionError(f"{work.__name__} ended with {process.exitcode}")


def ask(work: Callable[..., None], *arguments: Any) -> Any:
    """Run in a process of its own, and give what it answers.

    Parameters
    ----------
    work : callable
        Takes the arguments and a connection for its answer.
    *arguments : Any
        What it works on.

    Returns
    -------
    Any
        Its answer; a text where it ended without one.
    """
    ours, theirs = _PROCESSES.Pipe(duplex=False)
    process = _PROCESSES.Process(target=work, args=(*arguments, theirs))
    process.start()
    theirs.close()
    try:
        answer = ours.recv()
    except EOFError:
        answer = "it ended without an answer"
    process.join(PATIENCE_SECONDS)
    return answer
