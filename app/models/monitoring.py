"""Monitoring: what is compared with what, reports, alerts and challengers."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, UtcDateTime
from app.models.record import Sequence


class MonitoringReference(Base):
    """What later batches of a version are compared with: bins and counts, frozen."""

    __tablename__ = "monitoring_references"

    id: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[str] = mapped_column(ForeignKey("scorecard_versions.version"), unique=True)
    content: Mapped[dict[str, Any]] = mapped_column(JSON)
    content_hash: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    created_by: Mapped[str]


class ScoreCalibration(Base):
    """From the score of a version to the probability that a party turns bad, frozen."""

    __tablename__ = "score_calibrations"

    id: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[str] = mapped_column(ForeignKey("scorecard_versions.version"), unique=True)
    content: Mapped[dict[str, Any]] = mapped_column(JSON)
    content_hash: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    created_by: Mapped[str]


class MonitoringReport(Base):
    """How one batch looked under one version, from what was known then."""

    __tablename__ = "monitoring_reports"
    __table_args__ = (
        CheckConstraint("cause IN ('scored', 'activated', 'matured', 'asked')", name="cause"),
        UniqueConstraint("batch_id", "version", "input_hash"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    batch_id: Mapped[str] = mapped_column(ForeignKey("batches.batch_id"))
    version: Mapped[str] = mapped_column(ForeignKey("scorecard_versions.version"))
    cause: Mapped[str]
    reference_id: Mapped[int] = mapped_column(ForeignKey("monitoring_references.id"))
    calibration_id: Mapped[int | None] = mapped_column(ForeignKey("score_calibrations.id"))
    label_set_id: Mapped[int | None] = mapped_column(ForeignKey("label_sets.id"))
    input_hash: Mapped[str]
    content: Mapped[dict[str, Any]] = mapped_column(JSON)
    content_hash: Mapped[str]
    policy_hash: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    created_by: Mapped[str]


class Alert(Base):
    """One thing that a report found past a threshold of the policy; opened once."""

    __tablename__ = "alerts"
    __table_args__ = (UniqueConstraint("batch_id", "version", "kind", "subject"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    report_id: Mapped[int] = mapped_column(ForeignKey("monitoring_reports.id"))
    batch_id: Mapped[str] = mapped_column(ForeignKey("batches.batch_id"))
    version: Mapped[str] = mapped_column(ForeignKey("scorecard_versions.version"))
    kind: Mapped[str]
    subject: Mapped[str]
    sentence: Mapped[str]
    value: Mapped[float]
    threshold: Mapped[float]
    p_value: Mapped[float | None]
    opened_at: Mapped[datetime] = mapped_column(UtcDateTime)


class AlertStep(Base):
    """What a person did with an alert: looked at it, or closed it, with a note."""

    __tablename__ = "alert_steps"
    __table_args__ = (
        CheckConstraint("kind IN ('acknowledged', 'closed')", name="kind"),
        UniqueConstraint("alert_id", "kind"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    alert_id: Mapped[int] = mapped_column(ForeignKey("alerts.id"))
    kind: Mapped[str]
    note: Mapped[str]
    actor: Mapped[str]
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    audit_seq: Mapped[int] = mapped_column(Sequence, ForeignKey("audit_events.seq"), unique=True)


class AlertAttempt(Base):
    """One attempt to deliver an alert to a receiver; after one that arrived there is no other."""

    __tablename__ = "alert_attempts"
    __table_args__ = (
        Index(
            "one_delivery_per_receiver",
            "alert_id",
            "receiver",
            unique=True,
            sqlite_where=text("is_delivered"),
            postgresql_where=text("is_delivered"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    alert_id: Mapped[int] = mapped_column(ForeignKey("alerts.id"))
    receiver: Mapped[str]
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    status_code: Mapped[int | None]
    fault: Mapped[str | None]
    is_delivered: Mapped[bool]


class Challenger(Base):
    """A draft that is scored beside the active version on every batch; it decides nothing."""

    __tablename__ = "challengers"

    id: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[str] = mapped_column(ForeignKey("scorecard_versions.version"))
    reason: Mapped[str]
    actor: Mapped[str]
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    audit_seq: Mapped[int] = mapped_column(Sequence, ForeignKey("audit_events.seq"), unique=True)


class ChallengerEnd(Base):
    """From when on a challenger is not scored any more."""

    __tablename__ = "challenger_ends"

    id: Mapped[int] = mapped_column(primary_key=True)
    challenger_id: Mapped[int] = mapped_column(ForeignKey("challengers.id"), unique=True)
    reason: Mapped[str]
    actor: Mapped[str]
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    audit_seq: Mapped[int] = mapped_column(Sequence, ForeignKey("audit_events.seq"), unique=True)
