"""Alerts and challengers."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import ConfigDict, Field

from app.api.documents.common import Answered, Given, Name, Text

AlertStatus = Literal["open", "acknowledged", "closed"]


class AlertStep(Answered):
    """What a person did with an alert."""

    actor: str
    at: datetime
    note: str


class AlertSummary(Answered):
    """What a report found past a threshold, and what people did about it."""

    alert_id: int
    kind: str = Field(description="`score_psi`, `feature_csi`, `calibration` or `auc_drop`.")
    subject: str = Field(description="What it is about: `score`, a feature, a band or `all`.")
    sentence: str
    value: float
    threshold: float
    p_value: float | None = Field(description="Adjusted over everything that the report watches.")
    batch_id: str
    version: str
    report_id: int
    opened_at: datetime
    status: AlertStatus
    acknowledged: AlertStep | None
    closed: AlertStep | None


class Delivery(Answered):
    """One attempt to deliver an alert."""

    receiver: str = Field(description="`log`, or scheme, host and hash of the webhook's address.")
    at: datetime
    status_code: int | None
    fault: str | None
    is_delivered: bool


class Alert(AlertSummary):
    """An alert with every attempt to deliver it."""

    deliveries: list[Delivery]


class NewNote(Given):
    """What somebody found, or did about it."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"note": "The branch that opened in March; expected."}]}
    )

    note: Text


class Stopped(Answered):
    """Who stopped a challenger."""

    actor: str
    at: datetime
    reason: str


class Challenger(Answered):
    """A draft that is scored beside the active version, and decides nothing."""

    challenger_id: int
    version: str
    reason: str
    started_by: str
    started_at: datetime
    stopped: Stopped | None
    is_running: bool
    ended_by: str | None = Field(
        description="`stopped`, or the status of its version where that ended it: `active`, "
        "`inactive` or `rejected`."
    )


class Challengers(Answered):
    """Every challenger there is and was."""

    items: list[Challenger]


class NewChallenger(Given):
    """Which draft to compare from now on, and why."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"version": "ml_v2", "reason": "Watch it for a quarter first."}]
        }
    )

    version: Name
    reason: Text


class ChallengerStop(Given):
    """Why a challenger is compared no more."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"reason": "It ranks no better."}]})

    reason: Text
