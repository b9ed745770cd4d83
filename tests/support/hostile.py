"""A store where every text that a user controls is markup."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from app.db import close_engine, open_session
from app.domain.scorecard import Scorecard
from app.pipeline.execution import run_pipeline
from app.queries.versions import require_active
from app.services.batch_service import BatchService
from app.services.decision_service import DecisionService
from app.services.exposure_service import ExposureService
from app.services.key_service import KeyService
from app.services.outcome_service import OutcomeService
from app.services.pipeline_service import PipelineService
from app.services.policy_service import PolicyService
from app.services.scorecard_version_service import ScorecardVersionService
from app.services.scoring_service import card_of
from app.services.store import initialise_store
from app.settings import get_settings
from tests.support.small_portfolio import THROUGH, write_portfolio


def markup(what: str) -> str:
    """Give a text that does harm wherever it is taken for a link, markup, script or template."""
    return (
        f"javascript:alert(1)//{what}\"'><img src=x onerror=alert(document.domain)>"
        "<script>alert(1)</script>{{7*7}}[x]"
    )


MAKER, CHECKER = markup("maker"), markup("checker")
OWNERS = {role: markup(role) for role in ("viewer", "analyst", "approver", "admin")}
COLUMNS = {name: markup(f"feature {name}") for name in ("a", "b", "c", "d")}
PARTY, SCORED, EVENT = markup("party column"), markup("date column"), markup("event column")


def hostile_card() -> Scorecard:
    """Make the card of the small portfolio, and a feature of two words, with names that harm."""
    linear = {"kind": "linear", "worst": 0, "best": 1}
    words = {"kind": "categories", "values": {markup("word"): 1.0}, "other": 0.5}
    weights = {"a": 50, "b": 30, "c": 20, "d": 10}
    return Scorecard.from_document(
        {
            "name": markup("card name"),
            "bands": {markup("band low"): 300, markup("band high"): 600},
            "features": {
                COLUMNS[name]: {
                    "weight": weight,
                    "transform": words if name == "d" else linear,
                    "reason": markup(f"why {name}"),
                }
                for name, weight in weights.items()
            },
        }
    )


def hostile_store(folder: Path, home: Path) -> None:
    """Make the store by services, in ``home``, which the environment names.

    Parameters
    ----------
    folder : Path
        Where the files that are imported go.
    home : Path
        Of the store.
    """
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("CHANCELLOR_HOME", str(home))
        initialise_store(card=hostile_card(), actor=MAKER)
        with open_session() as db:
            _bring_files(db, folder)
        run_pipeline(batch_ids=["B1"], actor=MAKER)
        with open_session() as db:
            _decide(db)
            _keep_keys(db)
            _withdraw(db)
        close_engine(get_settings().database_url)


def _bring_files(db: Session, folder: Path) -> None:
    for batch, n in (("B1", 1500), ("B2", 80)):
        files = write_portfolio(folder / batch, n=n, prefix=markup("party"))
        name = markup(f"file {batch}").replace("/", "\\")
        portfolio = folder / batch / f"{name}.csv"
        _rename(files.batch, portfolio, {"party": PARTY, "scored": SCORED, **COLUMNS}, word=True)
        BatchService(db, actor=MAKER).import_file(
            portfolio, batch_id=batch, party_id=PARTY, scored_at=SCORED
        )
        events = folder / batch / f"{name}.events.csv"
        _rename(files.outcomes, events, {"party": PARTY, "written_off": EVENT})
        if batch == "B1":
            OutcomeService(db, actor=MAKER).import_events(
                events, party_id=PARTY, event_date=EVENT, event_type="write_off", through=THROUGH
            )
            ExposureService(db, actor=MAKER).import_file(portfolio, party_id=PARTY)
    PolicyService(db, actor=MAKER).set_policy({"roles": {markup("role"): [markup("validator")]}})


def _rename(source: Path, target: Path, names: dict[str, str], *, word: bool = False) -> None:
    """Copy a CSV file with other column names, and perhaps with one more column, of words."""
    with (
        source.open(encoding="utf-8", newline="") as read,
        target.open("w", encoding="utf-8", newline="") as written,
    ):
        rows = csv.reader(read)
        writer = csv.writer(written)
        header = next(rows)
        writer.writerow([names[name] for name in header] + ([names["d"]] if word else []))
        for number, row in enumerate(rows):
            writer.writerow(row + ([markup("word") if number % 2 else "plain"] if word else []))


def _decide(db: Session) -> None:
    made = ScorecardVersionService(db, actor=MAKER)
    checked = ScorecardVersionService(db, actor=CHECKER)
    card = card_of(require_active(db))
    for name, weight in {"b": 25.0, "c": 25.0}.items():
        made.add_version(card.with_weights({COLUMNS[name]: weight}), markup(f"note {name}"))
    made.comment("ml_v2", markup("comment"))
    checked.reject("v3", reason=markup("rejection"))
    unproven = checked.get_version("ml_v2")["to_acknowledge"]
    checked.approve("ml_v2", reason=markup("first approval"), acknowledge=unproven)
    checked.withdraw_approval("ml_v2", reason=markup("withdrawal of approval"))
    checked.approve("ml_v2", reason=markup("approval"), acknowledge=unproven)
    checked.activate_version("ml_v2", reason=markup("activation"))
    DecisionService(db, actor=MAKER).decide(
        [{"party_id": markup("decided party"), "features": {markup("unknown feature"): "x"}}]
    )
    checked.rollback("v1", reason=markup("rollback"))


def _keep_keys(db: Session) -> None:
    keys = KeyService(db, actor=MAKER)
    keys.create(owner=markup("key owner"), name=markup("key name"), role="service")
    revoked = keys.create(owner=markup("key owner"), name=markup("old key"), role="viewer")
    keys.revoke(revoked["key_id"], reason=markup("revocation"))


def _withdraw(db: Session) -> None:
    runs = PipelineService(db, actor=MAKER)
    run = runs.trigger(pipeline="scoring_pipeline", batch_ids=["B1"])
    runs.cancel(run["run_id"], reason=markup("cancellation"))
    BatchService(db, actor=CHECKER).withdraw("B2", reason=markup("withdrawal of batch"))
