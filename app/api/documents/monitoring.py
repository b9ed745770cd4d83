"""Monitoring reports, alerts and challengers."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import ConfigDict, Field

from app.api.documents.common import Answered, Evidence, Given, Name, Text

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


Cause = Literal["scored", "activated", "matured", "asked"]


class ReportSummary(Answered):
    """One monitoring report, on one line."""

    report_id: int
    batch_id: str
    version: str
    cause: Cause = Field(description="What made the report due.")
    n: int = Field(description="Parties of the batch.")
    psi: float = Field(description="Of the score, against the reference of the version.")
    n_labelled: int
    n_bad: int
    n_alerts: int
    sentence: str
    created_at: datetime


class Report(Answered):
    """How one batch looked under one version; docs/monitoring.md says what each field is."""

    report_id: int
    batch_id: str
    version: str
    cause: Cause
    n: int
    reference: Evidence
    calibration: Evidence | None
    score: Evidence
    features: list[Evidence]
    bands: list[Evidence]
    outcomes: Evidence | None
    challengers: list[Evidence]
    family: Evidence
    alerts: list[Evidence]
    sentences: list[str]
    hashes: Evidence
    created_at: datetime
    created_by: str
    content_hash: str


class OverTime(Answered):
    """The newest report of each batch under a version, side by side."""

    version: str
    batches: list[Evidence]
    features: dict[str, list[float]] = Field(
        description="CSI by feature, in the order of the batches."
    )


class NewReport(Given):
    """Which batch to look at, under which version: by default the active one."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"batch_id": "BATCH_2026_Q1"}]})

    batch_id: Name
    version: Name | None = None
