"""Challengers: drafts that run beside the active version until somebody or something ends them."""

from __future__ import annotations

import pytest
from sqlalchemy.orm import Session

from app.domain.scorecard import Scorecard
from app.errors import ConflictError, InvalidInputError, NotFoundError, NotPermittedError
from app.queries.audit import list_events
from app.queries.challengers import running_challengers
from app.services.challenger_service import ChallengerService
from app.services.scorecard_version_service import ScorecardVersionService


def person_draft(db: Session) -> str:
    versions = ScorecardVersionService(db, actor="ada")
    card = Scorecard.from_document(versions.get_active()["content"])
    return str(versions.add_version(card.with_weights({"network_size": 8.0}))["version"])


def test_a_draft_runs_until_it_is_stopped_and_may_run_again(db: Session) -> None:
    version = person_draft(db)
    challengers = ChallengerService(db, actor="ada")
    with pytest.raises(ConflictError, match="v1 is active"):
        challengers.start("v1", reason="watch it")
    with pytest.raises(InvalidInputError):
        challengers.start(version, reason=" ")
    with pytest.raises(NotFoundError):
        challengers.start("v9", reason="watch it")
    with pytest.raises(NotPermittedError):
        ChallengerService(db, actor="model:m-1").start(version, reason="watch it")
    with pytest.raises(ConflictError, match="does not run"):
        challengers.stop(version, reason="enough")
    assert challengers.start(version, reason="watch it")["is_running"]
    with pytest.raises(ConflictError, match=r"runs as a challenger since .* started by ada"):
        ChallengerService(db, actor="hal").start(version, reason="me too")
    stopped = ChallengerService(db, actor="hal").stop(version, reason="enough")
    assert (stopped["ended_by"], stopped["stopped"]["actor"]) == ("stopped", "hal")
    assert running_challengers(db) == ()
    challengers.start(version, reason="once more")
    assert running_challengers(db) == (version,)
    assert [one["is_running"] for one in challengers.list_challengers()] == [True, False]
    events = list_events(db, subject=f"version:{version}", limit=3)
    assert [one["action"].removeprefix("challenger.") for one in events] == [
        "started", "stopped", "started",
    ]  # fmt: skip


@pytest.mark.parametrize("decision", ["active", "rejected"])
def test_a_decision_about_the_version_ends_it(sqlite_db: Session, decision: str) -> None:
    version = person_draft(sqlite_db)
    challengers = ChallengerService(sqlite_db, actor="ada")
    challengers.start(version, reason="watch it")
    versions = ScorecardVersionService(sqlite_db, actor="grace")
    if decision == "active":
        versions.activate_version(version)
    else:
        found = versions.get_version(version)
        versions.reject(version, reason="no", expected_hash=found["review_hash"])
    assert running_challengers(sqlite_db) == ()
    (listed,) = challengers.list_challengers(version)
    assert (listed["is_running"], listed["ended_by"], listed["stopped"]) == (False, decision, None)
    with pytest.raises(ConflictError, match=f"{version}, {decision}, does not run"):
        challengers.stop(version, reason="enough")
