"""What direct SQL cannot do about alerts and challengers: each rule is broken alone."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy.orm import Session

from app import models
from app.db import utc_now
from tests.support.refusals import add, refused
from tests.support.rows import review_row


def alert_row(subject: str = "age") -> models.Alert:
    return models.Alert(
        report_id=1, batch_id="B1", version="v1", kind="feature_csi", subject=subject,
        sentence="It moved.", value=0.3, threshold=0.1, p_value=0.001, opened_at=utc_now(),
    )  # fmt: skip


def step_row(alert: models.Alert, kind: str, **changes: Any) -> models.AlertStep:
    columns = {"note": "seen", "actor": "ada", "at": utc_now()}
    return models.AlertStep(kind=kind, alert_id=alert.id, **(columns | changes))


def attempt_row(**changes: Any) -> models.AlertAttempt:
    columns = {"receiver": "http://127.0.0.1/alerts", "at": utc_now(), "is_delivered": False}
    return models.AlertAttempt(alert_id=1, **(columns | changes))


def challenger_row(version: str, **changes: Any) -> models.Challenger:
    columns = {"reason": "promising", "actor": "ada", "at": utc_now()}
    return models.Challenger(version=version, **(columns | changes))


def test_what_is_done_with_an_alert_has_an_event(changes: Session) -> None:
    alert = alert_row()
    add(changes, alert)
    changes.add(step_row(alert, "acknowledged", audit_seq=1))
    with pytest.raises(Exception, match="the audit event that was just written"):
        changes.flush()


@pytest.mark.parametrize("what", [{"actor": "model:m-1"}, {"note": " "}])
def test_a_person_looks_at_an_alert_before_it_is_closed(
    changes: Session, what: dict[str, str]
) -> None:
    alert = alert_row()
    add(changes, alert)
    refused(changes, "a person looks at an alert", step_row(alert, "acknowledged", **what))
    refused(changes, "a person looks at an alert", step_row(alert, "closed"))
    add(changes, step_row(alert, "acknowledged"), step_row(alert, "closed"))


def test_an_alert_that_arrived_is_not_delivered_again(changes: Session) -> None:
    refused(changes, "not delivered again", attempt_row())
    refused(changes, "not delivered again", attempt_row(is_delivered=True))
    add(changes, attempt_row(receiver="http://127.0.0.1/other", fault="it did not answer"))


def test_a_challenger_has_its_events_and_was_not_decided_about(changes: Session) -> None:
    for version in ("v1", "v4"):  # active and inactive
        refused(changes, "was not decided about", challenger_row(version))
    refused(changes, "was not decided about", challenger_row("v2", reason=" "))
    add(changes, challenger_row("v2"))
    refused(changes, "runs once at a time", challenger_row("v2"))
    challenger = challenger_row("ml_v3")
    add(changes, review_row("ml_v3", "ada"), challenger)
    changes.add(models.ChallengerEnd(
        challenger_id=challenger.id, reason="enough", actor="ada", at=utc_now(), audit_seq=1,
    ))  # fmt: skip
    with pytest.raises(Exception, match="the end of a challenger belongs"):
        changes.flush()
