"""The main job on a simulated portfolio, in a fresh store of its own."""

from __future__ import annotations

import csv
import os
import shlex
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from app.db import open_session
from app.domain.scorecard import Scorecard, default_card
from app.domain.simulated_events import EventTable
from app.domain.simulated_features import describe_features
from app.domain.simulation import (
    TRUE_FACTORS,
    Portfolio,
    distance_to_truth,
    simulate_portfolio,
    truth_table,
)
from app.domain.types import Document, Progress
from app.services.batch_service import BatchService
from app.services.outcome_service import OutcomeService
from app.services.scorecard_version_service import ScorecardVersionService
from app.services.store import initialise_store
from app.settings import default_actor

BATCH_ID = "DEMO_001"
SEED = 20_240_101
WINDOW_DAYS = 180
_OURS = ("CHANCELLOR_HOME", "CHANCELLOR_DATABASE_URL", "CHANCELLOR_LAKE", "DAGSTER_HOME")
_SIMULATED = (
    "Everything here is simulated: {n:,} parties that do not exist, scored over 18 months with "
    "the default supply-chain card, and dated events drawn from known true weights. The store, "
    "the files, the Dagster run, the fit, the gates and the draft are the real thing."
)


def run_demo(
    run_pipeline: Callable[..., Document],
    *,
    home: Path | None = None,
    actor: str | None = None,
    progress: Progress | None = None,
) -> Document:
    """Simulate a portfolio, import it into a fresh store, run the job, and say what now waits.

    Parameters
    ----------
    run_pipeline : callable
        ``app.pipeline.execution.run_pipeline``, handed in by the face: services know no pipeline.
    home : Path, optional
        A folder that does not exist yet; by default a new one in the system's folder for
        temporary files. The person's own store is never touched.
    actor : str, optional
        The person on the record; by default the OS user.
    progress : Progress, optional
        Called as ``progress(stage, done, total)``.

    Returns
    -------
    dict
        ``home``; ``simulated`` (what, seed, n_parties, features, ...); ``files``; ``store``,
        ``batch`` and ``outcomes`` as their services returned them; ``run`` as the job returned it
        (its ``stages`` hold scores, labels, model and refinement); ``comparison`` of ``v1`` with
        the draft, and ``version`` (both None without a draft); ``truth`` (per feature expert,
        refined and true weight); ``distance_to_truth`` (of ``expert`` and ``refined``, fractions);
        ``commands`` (each with ``what`` and ``command``). Twice in a row it says the same, but for
        the folder's name, ids of runs and times.

    Raises
    ------
    FileExistsError
        If ``home`` exists.

    Notes
    -----
    Writes: a whole store and two CSV files in ``home``; nothing anywhere else. While it runs,
    ``CHANCELLOR_HOME`` of this process names that folder.
    """
    tell = progress or _silent
    person = actor or default_actor()
    place = _fresh(home)
    card = default_card()
    tell("Simulating the portfolio", 0, 1)
    portfolio = simulate_portfolio(card, np.random.default_rng(SEED), window_days=WINDOW_DAYS)
    files = write_files(portfolio, place / "files")
    tell("Simulating the portfolio", 1, 1)
    with _living_in(place / "store"):
        store = initialise_store(card=card, actor=person)
        with open_session() as db:
            batch = BatchService(db, actor=person).import_file(
                files["portfolio"],
                batch_id=BATCH_ID,
                party_id="party_id",
                scored_at="scored_at",
                progress=progress,
            )
            outcomes = OutcomeService(db, actor=person).import_events(
                files["outcomes"],
                party_id="party_id",
                event_date="event_date",
                event_type="event_type",
                days_past_due="days_past_due",
                through=portfolio.data_through.isoformat(),
                progress=progress,
            )
        run = run_pipeline(
            batch_ids=[BATCH_ID], window=WINDOW_DAYS, actor=person, progress=progress
        )
        version = run["version"]
        comparison = None if version is None else _compare(version)
    refined = _refined_weights(run)
    return {
        "home": str(place / "store"),
        "simulated": _describe(portfolio),
        "files": {name: str(path) for name, path in files.items()},
        "store": store,
        "batch": batch,
        "outcomes": outcomes,
        "run": run,
        "version": version,
        "comparison": comparison,
        "truth": truth_table(portfolio, _weights(card), refined),
        "distance_to_truth": {
            "expert": distance_to_truth(_weights(card), portfolio.true_weights),
            "refined": (
                None if refined is None else distance_to_truth(refined, portfolio.true_weights)
            ),
        },
        "commands": _commands(place / "store", version),
    }


def _fresh(home: Path | None) -> Path:
    if home is None:
        return Path(tempfile.mkdtemp(prefix="chancellor-demo-"))
    home.mkdir(parents=True, exist_ok=False)
    return home.resolve()


@contextmanager
def _living_in(home: Path) -> Iterator[None]:
    """Let this process's environment name the demo's store, and nothing of the person's."""
    kept = {name: os.environ.pop(name) for name in _OURS if name in os.environ}
    os.environ["CHANCELLOR_HOME"] = str(home)
    try:
        yield
    finally:
        del os.environ["CHANCELLOR_HOME"]
        os.environ.update(kept)


def _compare(version: str) -> Document:
    with open_session() as db:
        return ScorecardVersionService(db).compare_versions("v1", version)


def _weights(card: Scorecard) -> dict[str, float]:
    return {name: feature.weight for name, feature in card.features.items()}


def _refined_weights(run: Document) -> dict[str, float] | None:
    draft = run["stages"]["refinement"]
    if draft is None or draft["version"] is None:
        return None
    return {name: row["new_weight"] for name, row in draft["features"].items()}


def _describe(portfolio: Portfolio) -> Document:
    return {
        "what": _SIMULATED.format(n=portfolio.n_parties),
        "seed": SEED,
        "n_parties": portfolio.n_parties,
        "scored_from": str(portfolio.scored_on.min()),
        "scored_to": str(portfolio.scored_on.max()),
        "n_events": portfolio.events.n_events,
        "data_through": portfolio.data_through.isoformat(),
        "mean_p_bad": float(portfolio.p_bad.mean()),
        "true_factors": dict(TRUE_FACTORS),
        "features": describe_features(portfolio.features),
    }


def write_files(portfolio: Portfolio, folder: Path) -> dict[str, Path]:
    """Write a portfolio as the two files that a lender would bring.

    Parameters
    ----------
    portfolio : Portfolio
        The simulated parties and their events.
    folder : Path
        A new folder.

    Returns
    -------
    dict of str to Path
        ``portfolio`` (one row per party) and ``outcomes`` (one row per event), both CSV.
    """
    folder.mkdir()
    files = {"portfolio": folder / "portfolio.csv", "outcomes": folder / "outcomes.csv"}
    columns = {
        "party_id": portfolio.party_id,
        "scored_at": portfolio.scored_on.astype(str).tolist(),
        **{name: [_text(x) for x in values] for name, values in portfolio.features.items()},
    }
    _write_csv(files["portfolio"], columns)
    _write_csv(files["outcomes"], _event_columns(portfolio.party_id, portfolio.events))
    return files


def _event_columns(party_id: tuple[str, ...], events: EventTable) -> dict[str, list[str]]:
    return {
        "party_id": [party_id[row] for row in events.party],
        "event_date": events.event_date.astype(str).tolist(),
        "event_type": events.event_type.tolist(),
        "days_past_due": [_text(x) for x in events.days_past_due],
    }


def _write_csv(path: Path, columns: Mapping[str, list[str] | tuple[str, ...]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))


def _text(value: float) -> str:
    if np.isnan(value):
        return ""
    return str(int(value)) if float(value).is_integer() else repr(float(value))


def _commands(home: Path, version: str | None) -> list[Document]:
    """Give what a reviewer would type next, ready to paste."""
    steps = [
        ("Look at all of it in a browser, at http://127.0.0.1:8000/", "serve --no-auth"),
        ("Check that nothing on the record was changed", "audit verify"),
    ]
    if version is not None:
        steps = [
            ("Read the draft beside the active card", f"versions compare v1 {version}"),
            ("Agree", f'versions approve {version} --reason "ranks better on later vintages"'),
            ("Or refuse", f'versions reject {version} --reason "wait for another quarter"'),
            ("Put the approved draft into force", f"versions activate {version}"),
            ("Go back, once it is in force", 'versions rollback v1 --reason "as before"'),
            *steps,
        ]
    prefix = f"CHANCELLOR_HOME={shlex.quote(str(home))} {_program()}"
    return [{"what": what, "command": f"{prefix} {rest}"} for what, rest in steps]


def _program() -> str:
    """Give the command as this person can type it here: by name, or by where it stands."""
    beside = Path(sys.executable).with_name("chancellor")
    if shutil.which("chancellor") or not beside.exists():
        return "chancellor"
    here = Path.cwd()
    return shlex.quote(str(beside.relative_to(here) if beside.is_relative_to(here) else beside))


def _silent(_stage: str, _done: int, _total: int) -> None:
    """Tell nobody."""
