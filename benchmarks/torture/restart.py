"""Stop PostgreSQL in the middle of a pipeline run, start it again, and run the pipeline again.

In half of the trials the server stays away until the run has ended, in half it comes back at once.
Either way the run ends with success or with a clear error, the store holds no half of anything, the
record shows how the run ended (or the next run finds that it was lost), and the next run succeeds.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from benchmarks.torture.crash import ask
from benchmarks.torture.crowd import run_preparation
from benchmarks.torture.places import Ground, Place, open_ground
from benchmarks.torture.restarts import run_examination
from benchmarks.torture.steps import BATCH
from tests.support.postgres import Server

PATIENCE_SECONDS = 300.0
STARTED = "SELECT count(*) FROM audit_events WHERE action = 'run.started'"


@dataclass(frozen=True, slots=True)
class Ended:
    """Say how a pipeline run in a process of its own ended.

    Attributes
    ----------
    code : int
        Exit code.
    document : dict
        What it printed with ``--json``.
    seconds : float
        From its start on record to its end.
    """

    code: int
    document: dict[str, Any]
    seconds: float


def restart_trials(folder: Path, files: Path, *, n_trials: int = 12, seed: int = 1) -> Any:
    """Stop and start the server at random moments of a pipeline run.

    Parameters
    ----------
    folder : Path
        For the stores.
    files : Path
        Folder with ``card.yaml``, ``batch.csv`` and ``outcomes.csv``.
    n_trials : int
        How often.
    seed : int
        Of the moments.

    Returns
    -------
    dict
        ``trials``, ``ended`` (counts by how the run ended, with the server away or back),
        ``on_record`` (counts by what the record says of it) and ``faults``, empty if all is well.
    """
    rng = random.Random(seed)  # noqa: S311 - moments, not secrets
    ended, on_record, faults = Counter[str](), Counter[str](), []
    with open_ground("postgresql", folder) as ground:
        template = ground.create()
        ask(run_preparation, template, files, True)
        undisturbed = _undisturbed(ground, template)
        for number in range(n_trials):
            place = ground.copy(template)
            stays_away = number % 2 == 0
            moment = rng.uniform(0, undisturbed)
            name = f"{'away' if stays_away else 'back at once'}, stopped after {moment:.1f} s"
            first = run_and_stop(ground, place, moment, stays_away=stays_away)
            ended[f"{'away' if stays_away else 'back'}: {_ending(first)}"] += 1
            status, found = settle(ground, place, first)
            on_record[status] += 1
            faults += [f"{name}: {fault}" for fault in found]
            sys.stderr.write(f"{name}: {_ending(first)}, on record {status}; faults: {found}\n")
            ground.drop(place)
    return {
        "trials": n_trials,
        "ended": dict(ended),
        "on_record": dict(on_record),
        "faults": faults,
    }


def run_and_stop(ground: Ground, place: Place, moment: float, *, stays_away: bool) -> Ended:
    """Run the pipeline and stop the server some seconds after the run is on record.

    Parameters
    ----------
    ground : Ground
        With the server.
    place : Place
        The store.
    moment : float
        Seconds.
    stays_away : bool
        Whether the server starts again only when the run has ended.

    Returns
    -------
    Ended
        How the run ended; the server runs again.
    """
    server = _server(ground)
    process = _begin(place)
    _wait_for_run(server, place, process)
    started = time.monotonic()
    time.sleep(moment)
    server.stop()
    if not stays_away:
        server.start()
    ended = _end(process, started)
    if stays_away:
        server.start()
    return ended


def settle(ground: Ground, place: Place, first: Ended) -> tuple[str, list[str]]:
    """Hold a store against what a stopped run may leave, and run the pipeline again.

    Parameters
    ----------
    ground : Ground
        With the server.
    place : Place
        The store.
    first : Ended
        The run that was disturbed.

    Returns
    -------
    tuple of str and list of str
        What the record says of the first run at the end, and what must not be.
    """
    faults = [] if first.code == 0 else _unclear(first)
    faults += ask(run_examination, place)
    again = _end(_begin(place), time.monotonic())
    if again.code != 0:
        faults.append(f"the next run ended with {again.code}: {again.document}")
    faults += ask(run_examination, place)
    ground.wait_until_idle(place)
    with psycopg.connect(place.database_url.replace("+psycopg", "")) as connection:
        rows = connection.execute(
            "SELECT status, error FROM pipeline_runs ORDER BY created_at"
        ).fetchall()
    status, error = rows[0]
    lost = " (lost)" if error and "process ended" in error else ""
    if [row[0] for row in rows[1:]] != ["succeeded"]:
        faults.append(f"the record of the runs is {rows}")
    if status != ("succeeded" if first.code == 0 else "failed"):
        faults.append(f"the run ended with {first.code} and is on record as {status}")
    return f"{status}{lost}", faults


def _unclear(ended: Ended) -> list[str]:
    error = ended.document.get("error") or {}
    clear = ended.code == 1 and error.get("code") == "unavailable" and error.get("message")
    return [] if clear else [f"no clear error: {ended.code}, {ended.document}"]


def _ending(ended: Ended) -> str:
    return "succeeded" if ended.code == 0 else f"exit {ended.code}"


def _undisturbed(ground: Ground, template: Place) -> float:
    place = ground.copy(template)
    process = _begin(place)
    _wait_for_run(_server(ground), place, process)
    ended = _end(process, time.monotonic())
    if ended.code != 0:
        raise AssertionError(f"the undisturbed run failed: {ended.document}")
    ground.drop(place)
    return ended.seconds


def _server(ground: Ground) -> Server:
    if ground.server is None:
        raise AssertionError("only PostgreSQL can be stopped")
    return ground.server


def _begin(place: Place) -> subprocess.Popen[str]:
    return subprocess.Popen(  # noqa: S603 - our own command
        [sys.executable, "-m", "app.cli.main", "pipeline", "run", BATCH, "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={
            **os.environ,
            "CHANCELLOR_HOME": str(place.home),
            "CHANCELLOR_DATABASE_URL": place.database_url,
        },
    )


def _wait_for_run(server: Server, place: Place, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    with psycopg.connect(place.database_url.replace("+psycopg", ""), autocommit=True) as connection:
        while connection.execute(STARTED).fetchone() == (0,):
            if process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"no run began: {process.communicate()}, {server.folder}")
            time.sleep(0.02)


def _end(process: subprocess.Popen[str], started: float) -> Ended:
    out, err = process.communicate(timeout=PATIENCE_SECONDS)
    seconds = time.monotonic() - started
    try:
        return Ended(process.returncode, json.loads(out), seconds)
    except json.JSONDecodeError:
        return Ended(process.returncode, {"out": out, "err": err}, seconds)
