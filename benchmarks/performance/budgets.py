"""Steps that have a budget of seconds: refine and gates, audit verify, compare page, start."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import httpx

from app.db import open_session
from app.domain.fitting import calibrate, fit_anchored
from app.domain.policy import Policy
from app.domain.refinement import refine
from app.services.audit_service import AuditService
from app.services.key_service import KeyService
from benchmarks.audit_chain import BOUND, build_chain
from benchmarks.performance.data import THROUGH, WINDOW_DAYS, write_defaults, write_parties
from benchmarks.performance.fits import simulated_sample
from benchmarks.performance.measure import Row, Run, compare, timed
from benchmarks.performance.stores import store_in
from tests.support.service_process import service_process

HELP_SECONDS, PAGE_SECONDS, REFINE_SECONDS = 0.3, 0.15, 5.0
N_EVENTS, N_PARTIES, N_POPULATION = 200_000, 100_000, 1_000_000
_TAU = 100.0
_PATIENCE_SECONDS = 120.0


def measure_budgets(folder: Path) -> list[Row]:
    """Time each step several times.

    Parameters
    ----------
    folder : Path
        For stores.

    Returns
    -------
    list of dict
        Rows of `compare`, each with its ``budget`` in seconds and whose budget it is.
    """
    return [_start(), _refine(), _audit(folder / "chain"), _compare_page(folder / "page")]


def _row(what: str, n: int, run: Run, repeats: int, budget: float) -> Row:
    return {**compare(what, n, {what: run}, repeats), "budget": budget}


def _start() -> Row:
    program = Path(sys.executable).with_name("chancellor")

    def show_help() -> None:
        subprocess.run([program, "--help"], check=True, capture_output=True)  # noqa: S603 - our own command

    return _row("chancellor --help", 1, timed(show_help), 10, HELP_SECONDS)


def _refine() -> Row:
    sample, card = simulated_sample(N_POPULATION)
    base = calibrate(sample.goodness @ card.weights, sample.bad)
    fit = fit_anchored(sample.goodness, sample.bad, card.weights, _TAU, base)
    rails = card.rails(sample.goodness, Policy())
    run = timed(lambda: refine(fit, rails))
    return _row("refine and weight gates", N_POPULATION, run, 3, REFINE_SECONDS)


def _audit(folder: Path) -> Row:
    folder.mkdir()
    url = f"sqlite:///{folder / 'chancellor.db'}"
    build_chain(url, N_EVENTS)

    def verify() -> None:
        with open_session(url) as db:
            AuditService(db).verify()

    return _row("audit verify, SQLite", N_EVENTS, timed(verify), 3, N_EVENTS / BOUND)


def _compare_page(folder: Path) -> Row:
    folder.mkdir()
    with store_in(folder) as home:
        version, key = _drafted(folder)
        environment = {"CHANCELLOR_HOME": str(home), "CHANCELLOR_REQUESTS_PER_MINUTE": "0"}
        with (
            service_process(folder, **environment) as service,
            httpx.Client(base_url=service.url, timeout=60, trust_env=False) as client,
        ):
            client.post("/sign-in", data={"key": key})
            address = f"/versions/{version}/review"
            began = time.perf_counter()
            while 'http-equiv="refresh"' in _page(client, address):
                if time.perf_counter() - began > _PATIENCE_SECONDS:
                    raise RuntimeError(f"{address} is not ready after {_PATIENCE_SECONDS} s")
                time.sleep(0.2)
            run = timed(lambda: _page(client, address))
            return _row("compare page, over loopback", N_PARTIES, run, 20, PAGE_SECONDS)


def _page(client: httpx.Client, address: str) -> str:
    return client.get(address).raise_for_status().text


def _drafted(folder: Path) -> tuple[str, str]:
    """Fill a store with one batch and its draft, and give the draft's name and a key."""
    from app.services.batch_service import BatchService  # noqa: PLC0415 - only this row needs it
    from app.services.label_generation_service import LabelGenerationService  # noqa: PLC0415
    from app.services.model_training_service import ModelTrainingService  # noqa: PLC0415
    from app.services.outcome_service import OutcomeService  # noqa: PLC0415
    from app.services.scorecard_version_service import ScorecardVersionService  # noqa: PLC0415
    from app.services.store import initialise_store  # noqa: PLC0415

    parties = write_parties(folder / "parties.parquet", N_PARTIES)
    defaults = write_defaults(folder / "defaults.parquet", parties)
    initialise_store(actor="bench")
    with open_session() as db:
        BatchService(db, actor="bench").import_file(
            parties, batch_id="BENCH", party_id="party_id", scored_at="scored_at"
        )
        OutcomeService(db, actor="bench").import_events(
            defaults,
            party_id="party_id",
            event_date="event_date",
            event_type="event_type",
            through=THROUGH,
        )
        labels = LabelGenerationService(db, actor="bench")
        labels.generate_labels("BENCH", observation_window_days=WINDOW_DAYS)
        model = ModelTrainingService(db, actor="bench").train_model("BENCH")
        drafts = ScorecardVersionService(db, actor="bench")
        draft = drafts.refine_from_model(model["model_id"])
        key = KeyService(db, actor="bench").create(owner="grace", role="admin")["key"]
    return str(draft["version"]), str(key)
