"""A store as a bank would have it after some months: what every page of the desk can show."""

from __future__ import annotations

import csv
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sqlalchemy.orm import Session

from app.db import close_engine, open_session
from app.domain.scorecard import default_card
from app.domain.simulation import simulate_portfolio
from app.pipeline.execution import run_pipeline
from app.queries.versions import require_active
from app.services.alert_service import AlertService
from app.services.batch_service import BatchService
from app.services.challenger_service import ChallengerService
from app.services.decision_service import DecisionService
from app.services.demo import run_demo, write_files
from app.services.monitoring_service import MonitoringService
from app.services.outcome_service import OutcomeService
from app.services.pipeline_service import PipelineService
from app.services.policy_service import PolicyService
from app.services.scorecard_version_service import ScorecardVersionService
from app.services.scoring_service import ScoringService, card_of
from app.settings import get_settings

ANALYST, APPROVER = "Ana Ruiz", "Ben Okafor"
OWNERS = {"viewer": "Vera Lind", "analyst": ANALYST, "approver": APPROVER, "admin": "Ada Moreau"}
"""Role to the person who has its key."""


def furnish(folder: Path) -> Path:
    """Make a store by services: batches, runs, models, versions of every status, decisions.

    ``v1`` was active until the model's ``ml_v2`` was approved and activated; a person's draft was
    rejected, another waits, and so does the model's next, a challenger. Of four batches one is too
    small, and its run failed at a gate, and the last opened alerts; a scoring run waits in the
    queue.

    Parameters
    ----------
    folder : Path
        Must not exist.

    Returns
    -------
    Path
        The home of the store.
    """
    home = Path(run_demo(run_pipeline, home=folder, actor=ANALYST)["home"])
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("CHANCELLOR_HOME", str(home))
        with open_session() as db:
            _the_months_after(db, folder)
        for batches in (["SUPPLIERS_PILOT"], ["DEMO_001", "SUPPLIERS_2025"]):
            run_pipeline(batch_ids=batches, actor=ANALYST)
        with open_session() as db:
            _talk(db)
            PipelineService(db, actor=ANALYST).trigger(
                pipeline="scoring_pipeline", batch_ids=["SUPPLIERS_2025"]
            )
            _monitor(db, folder / "fourth")
        close_engine(get_settings().database_url)  # so that the file can be copied
    return home


def _the_months_after(db: Session, folder: Path) -> None:
    versions = ScorecardVersionService(db, actor=APPROVER)
    PolicyService(db, actor="Ada Moreau").set_policy({"min_auc_roc": 0.62})
    versions.approve(
        "ml_v2",
        reason="Ranks better on the vintages it never saw.",
        acknowledge=versions.get_version("ml_v2")["to_acknowledge"],
    )
    versions.activate_version("ml_v2", reason="Credit committee of 3 February.")
    _import(db, folder / "second", "SUPPLIERS_2025", seed=2, n_parties=3000)
    _import(db, folder / "third", "SUPPLIERS_PILOT", seed=3, n_parties=60)
    rejected = _person_draft(db, "kyc_verified", 1.2, "Verified parties turned out safer.")
    versions.reject(rejected, reason="One quarter of evidence is not enough for this change.")
    _person_draft(db, "has_tax_id", 0.8, "Nearly every supplier has a tax id by now.")
    DecisionService(db, actor="core banking").decide(
        [
            {"party_id": f"SUP-{age:03d}", "features": {"company_age_years": age, "has_tax_id": 1}}
            for age in range(0, 30, 3)
        ]
    )


def _monitor(db: Session, folder: Path) -> None:
    """Monitor each batch; the last one has new suppliers only, which opens alerts."""
    newest = ScorecardVersionService(db).list_versions()[-1]["version"]
    ChallengerService(db, actor=ANALYST).start(newest, reason="Watch it for a quarter first.")
    folder.mkdir()
    lines = (folder.parent / "second" / "portfolio.csv").read_text(encoding="utf-8").splitlines()
    rows = list(csv.DictReader(lines))[:300]
    for row in rows:
        row["party_id"] = row["party_id"].replace("2025", "2026")
        row["scored_at"] = "2026-01-15"
        row["company_age_years"] = "0"
    with (folder / "new.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    BatchService(db, actor=ANALYST).import_file(
        folder / "new.csv", batch_id="SUPPLIERS_NEW", party_id="party_id", scored_at="scored_at"
    )
    ScoringService(db, actor=ANALYST).score_batch("SUPPLIERS_NEW")
    MonitoringService(db, actor=ANALYST).monitor_due()
    first, *_ = AlertService(db).list_alerts()["items"]
    AlertService(db, actor=ANALYST).acknowledge(
        first["alert_id"], note="The programme for new suppliers began in January; expected."
    )


def _talk(db: Session) -> None:
    newest = ScorecardVersionService(db).list_versions()[-1]["version"]
    for actor, text in (
        (ANALYST, "The gain comes from payment regularity; see the months after March."),
        (APPROVER, "Why does the weight of the tax id fall?"),
        (ANALYST, "Nearly every supplier has one now, so it tells them apart less than it did."),
    ):
        ScorecardVersionService(db, actor=actor).comment(newest, text)


def _import(db: Session, folder: Path, batch_id: str, *, seed: int, n_parties: int) -> None:
    portfolio = simulate_portfolio(
        default_card(),
        np.random.default_rng(seed),
        n_parties=n_parties,
        first_scored_on=date(2025, 1, 1),
        n_months=12,
    )
    names = tuple(name.replace("SIM", batch_id[-4:]) for name in portfolio.party_id)
    portfolio = replace(portfolio, party_id=names)
    files = write_files(portfolio, folder)
    _add_region(Path(files["portfolio"]), seed)
    BatchService(db, actor=ANALYST).import_file(
        files["portfolio"],
        batch_id=batch_id,
        party_id="party_id",
        scored_at="scored_at",
        groups=["region"],
    )
    OutcomeService(db, actor=ANALYST).import_events(
        files["outcomes"],
        party_id="party_id",
        event_date="event_date",
        event_type="event_type",
        days_past_due="days_past_due",
        through=portfolio.data_through.isoformat(),
    )


def _add_region(path: Path, seed: int) -> None:
    """Give each party a region, where the young live more often in the south; some have none."""
    rows = list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))
    rng = np.random.default_rng(seed)
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [*rows[0], "region"])
        writer.writeheader()
        for row in rows:
            is_south = rng.random() < (0.7 if float(row["company_age_years"] or 0) < 4 else 0.3)
            region = "south" if is_south else rng.choice(["north", "west", "east"])
            writer.writerow({**row, "region": "" if rng.random() < 0.02 else str(region)})


def _person_draft(db: Session, feature: str, factor: float, note: str) -> str:
    card = card_of(require_active(db))
    weights: dict[str, Any] = {feature: card.features[feature].weight * factor}
    made = ScorecardVersionService(db, actor=ANALYST).add_version(card.with_weights(weights), note)
    return str(made["version"])
