"""Scorecard versions, their reviews and their activations."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, UtcDateTime
from app.models.record import Sequence


class ScorecardVersion(Base):
    """One version of the card; its content is frozen when the draft is made."""

    __tablename__ = "scorecard_versions"
    __table_args__ = (
        CheckConstraint(
            "status IN ('draft', 'approved', 'rejected', 'active', 'inactive')", name="status"
        ),
        CheckConstraint("origin IN ('person', 'model')", name="origin"),
        CheckConstraint("(origin = 'model') = (model_id IS NOT NULL)", name="model_id"),
        Index(
            "one_active_version",
            "status",
            unique=True,
            sqlite_where=text("status = 'active'"),
            postgresql_where=text("status = 'active'"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[str] = mapped_column(unique=True)
    number: Mapped[int] = mapped_column(unique=True)
    origin: Mapped[str]
    status: Mapped[str]
    name: Mapped[str]
    features: Mapped[dict[str, Any]] = mapped_column(JSON)
    content: Mapped[dict[str, Any]] = mapped_column(JSON)
    content_hash: Mapped[str]
    evidence_hash: Mapped[str | None]
    base_version: Mapped[str | None] = mapped_column(ForeignKey("scorecard_versions.version"))
    model_id: Mapped[str | None] = mapped_column(ForeignKey("model_registry.id", use_alter=True))
    despite_advice: Mapped[bool]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    created_by: Mapped[str]
    requested_by: Mapped[str]
    note: Mapped[str]
    activated_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    deactivated_at: Mapped[datetime | None] = mapped_column(UtcDateTime)


class Review(Base):
    """One person's approval or rejection of one draft, bound to what was seen."""

    __tablename__ = "reviews"
    __table_args__ = (
        CheckConstraint("kind IN ('approve', 'reject')", name="kind"),
        Index(None, "version"),
        Index("one_review_per_event", "audit_seq", unique=True),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[str] = mapped_column(ForeignKey("scorecard_versions.version"))
    kind: Mapped[str]
    reviewer: Mapped[str]
    reason: Mapped[str]
    content_hash: Mapped[str]
    evidence_hash: Mapped[str | None]
    acknowledged: Mapped[list[str]] = mapped_column(JSON)
    override_reason: Mapped[str | None]
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    audit_seq: Mapped[int | None] = mapped_column(Sequence, ForeignKey("audit_events.seq"))


class ApprovalWithdrawal(Base):
    """The record that a person takes an approval back before the version decides."""

    __tablename__ = "approval_withdrawals"

    id: Mapped[int] = mapped_column(primary_key=True)
    review_id: Mapped[int] = mapped_column(ForeignKey("reviews.id"), unique=True)
    actor: Mapped[str]
    reason: Mapped[str]
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    audit_seq: Mapped[int] = mapped_column(Sequence, ForeignKey("audit_events.seq"), unique=True)


class Activation(Base):
    """From when on a version decided; what was active at t is the last row with at <= t."""

    __tablename__ = "activations"
    __table_args__ = (
        CheckConstraint(
            "kind IN ('initial', 'activate', 'rollback', 'emergency_rollback')", name="kind"
        ),
        Index(None, "at"),
        Index("one_activation_per_event", "audit_seq", unique=True),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[str] = mapped_column(ForeignKey("scorecard_versions.version"))
    kind: Mapped[str]
    previous_version: Mapped[str | None] = mapped_column(ForeignKey("scorecard_versions.version"))
    actor: Mapped[str]
    reason: Mapped[str]
    override_reason: Mapped[str | None]
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    audit_seq: Mapped[int | None] = mapped_column(Sequence, ForeignKey("audit_events.seq"))


class EmergencyAcknowledgement(Base):
    """The record that an approver looked at an emergency rollback afterwards."""

    __tablename__ = "emergency_acknowledgements"

    id: Mapped[int] = mapped_column(primary_key=True)
    activation_id: Mapped[int] = mapped_column(ForeignKey("activations.id"), unique=True)
    actor: Mapped[str]
    reason: Mapped[str]
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    audit_seq: Mapped[int] = mapped_column(Sequence, ForeignKey("audit_events.seq"), unique=True)
