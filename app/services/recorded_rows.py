"""How the rows of each table are recorded in the audit chain: the row's name and the event's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from app.domain.types import Document
from app.models import (
    Activation,
    Alert,
    AlertStep,
    ApiKey,
    ApiKeyRevocation,
    ApprovalWithdrawal,
    Batch,
    Challenger,
    ChallengerEnd,
    DecisionSeal,
    EmergencyAcknowledgement,
    ExposureImport,
    LabelSet,
    ModelRegistry,
    MonitoringReference,
    MonitoringReport,
    OutcomeDefinition,
    OutcomeImport,
    Policy,
    Review,
    ScoreCalibration,
    ScorecardVersion,
    ScoreSet,
    Withdrawal,
)
from app.models.base import Base

ACTIVATED = ("version.activated", "version.rolled_back", "version.emergency_rollback")
_ALERT_STEPS = ("alert.acknowledged", "alert.closed")


@dataclass(frozen=True, slots=True)
class RecordedEvent:
    """One event, with its payload read."""

    seq: int
    actor: str
    action: str
    subject: str
    payload: Document


@dataclass(frozen=True, slots=True)
class RecordedKind:
    """How the rows of one table are recorded.

    `name` gives the row's name, which the event gives too; the same name again is counted.
    `person` is the column of who is on the record; None where the row names nobody.
    """

    table: type[Base]
    person: str | None
    name: Callable[[Any], str]
    recorded_as: Callable[[RecordedEvent], str | None]
    order: str = "id"


def _of(action: str, *more: str) -> Callable[[RecordedEvent], str | None]:
    """Name the subject of an event of one action, and more of its payload."""

    def name(event: RecordedEvent) -> str | None:
        parts = (str(event.payload.get(key)) for key in more)
        return " ".join((event.subject, *parts)) if event.action == action else None

    return name


def _naming(action: str, words: str, key: str) -> Callable[[RecordedEvent], str | None]:
    """Name a row by what an event of one action says of it."""

    def name(event: RecordedEvent) -> str | None:
        return f"{words} {event.payload.get(key)}" if event.action == action else None

    return name


def _withdrawn(event: RecordedEvent) -> str | None:
    return f"withdrawal of {event.subject}" if event.action.endswith(".withdrawn") else None


def _activation(event: RecordedEvent) -> str | None:
    kind = event.payload.get("kind")
    return f"{kind} of {event.subject}" if event.action in ACTIVATED else None


def _alert_step(event: RecordedEvent) -> str | None:
    if event.action not in _ALERT_STEPS:
        return None
    return f"{event.action.removeprefix('alert.')} {event.subject}"


def _about(action: str, words: str) -> Callable[[RecordedEvent], str | None]:
    """Name a row by words and the subject of an event of one action."""
    return lambda event: f"{words} {event.subject}" if event.action == action else None


def _review(event: RecordedEvent) -> str | None:
    if event.action == "version.rejected":
        return f"reject of {event.subject} by {event.actor}"
    counts = event.action == "version.activated" and event.payload.get("counted_as_approval")
    if counts or event.action == "version.approved":
        return f"approve of {event.subject} by {event.actor}"
    return None


RECORDED_KINDS: tuple[RecordedKind, ...] = (
    RecordedKind(Policy, "created_by", lambda row: f"policy:{row.id}", _of("policy.set")),
    RecordedKind(
        OutcomeDefinition,
        "created_by",
        lambda row: f"definition:{row.name} {row.version}",
        _of("definition.added", "version"),
    ),
    RecordedKind(
        ScorecardVersion, "created_by", lambda row: f"version:{row.version}", _of("draft.created")
    ),
    RecordedKind(
        Batch,
        "created_by",
        lambda row: f"batch:{row.batch_id}",
        _of("batch.imported"),
        order="batch_id",
    ),
    RecordedKind(
        OutcomeImport,
        "created_by",
        lambda row: f"outcome_import:{row.id}",
        _of("outcomes.imported"),
    ),
    RecordedKind(
        ExposureImport,
        "created_by",
        lambda row: f"exposure_import:{row.id}",
        _of("exposures.imported"),
    ),
    RecordedKind(
        ScoreSet,
        "created_by",
        lambda row: f"batch:{row.batch_id} {row.version}",
        _of("scores.written", "version"),
    ),
    RecordedKind(
        DecisionSeal, "sealed_by", lambda row: f"seal:{row.id}", _of("decisions.sealed")
    ),
    RecordedKind(
        LabelSet, "created_by", lambda row: f"label_set:{row.id}", _of("labels.generated")
    ),
    RecordedKind(
        ModelRegistry, "created_by", lambda row: f"model:{row.id}", _of("model.registered")
    ),
    RecordedKind(
        Withdrawal,
        "actor",
        lambda row: f"withdrawal of {row.subject_kind}:{row.subject_id}",
        _withdrawn,
    ),
    RecordedKind(
        Review,
        "reviewer",
        lambda row: f"{row.kind} of version:{row.version} by {row.reviewer}",
        _review,
    ),
    RecordedKind(
        ApprovalWithdrawal,
        "actor",
        lambda row: f"withdrawal of approval {row.review_id}",
        _naming("version.approval_withdrawn", "withdrawal of approval", "review_id"),
    ),
    RecordedKind(
        EmergencyAcknowledgement,
        "actor",
        lambda row: f"acknowledgement of activation {row.activation_id}",
        _naming("version.emergency_acknowledged", "acknowledgement of activation", "activation_id"),
    ),
    RecordedKind(
        Activation, "actor", lambda row: f"{row.kind} of version:{row.version}", _activation
    ),
    RecordedKind(ApiKey, "created_by", lambda row: f"key:{row.id}", _of("key.created")),
    RecordedKind(
        ApiKeyRevocation,
        "actor",
        lambda row: f"revocation of key:{row.key_id}",
        _about("key.revoked", "revocation of"),
        order="key_id",
    ),
    RecordedKind(
        MonitoringReference,
        "created_by",
        lambda row: f"reference of version:{row.version}",
        _about("monitoring.reference_frozen", "reference of"),
    ),
    RecordedKind(
        ScoreCalibration,
        "created_by",
        lambda row: f"calibration of version:{row.version}",
        _about("monitoring.calibrated", "calibration of"),
    ),
    RecordedKind(
        MonitoringReport,
        "created_by",
        lambda row: f"report:{row.id}",
        _of("monitoring.reported"),
    ),
    RecordedKind(Alert, None, lambda row: f"alert:{row.id}", _of("alert.opened")),
    RecordedKind(AlertStep, "actor", lambda row: f"{row.kind} alert:{row.alert_id}", _alert_step),
    RecordedKind(
        Challenger,
        "actor",
        lambda row: f"challenger version:{row.version}",
        _about("challenger.started", "challenger"),
    ),
    RecordedKind(
        ChallengerEnd,
        "actor",
        lambda row: f"end of challenger {row.challenger_id}",
        _naming("challenger.stopped", "end of challenger", "challenger_id"),
    ),
)  # fmt: skip
"""Every table whose rows an event records."""
