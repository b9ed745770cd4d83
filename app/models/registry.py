"""Policies, registered models, verdicts and evidence."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, UtcDateTime


class Policy(Base):
    """One state of the policy; the newest is in force."""

    __tablename__ = "policies"

    id: Mapped[int] = mapped_column(primary_key=True)
    content: Mapped[dict[str, Any]] = mapped_column(JSON)
    content_hash: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    created_by: Mapped[str]


class ModelRegistry(Base):
    """A trained model: it never decides anything."""

    __tablename__ = "model_registry"
    __table_args__ = (
        CheckConstraint("status IN ('passed', 'failed_gate')", name="status"),
        CheckConstraint("advice IN ('adopt', 'keep', 'wait')", name="advice"),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    model_type: Mapped[str]
    batch_id: Mapped[str]
    batch_ids: Mapped[list[str]] = mapped_column(JSON)
    label_set_ids: Mapped[list[int]] = mapped_column(JSON)
    base_version: Mapped[str] = mapped_column(ForeignKey("scorecard_versions.version"))
    status: Mapped[str]
    advice: Mapped[str]
    metrics: Mapped[dict[str, Any]] = mapped_column(JSON)
    feature_importance: Mapped[dict[str, float]] = mapped_column(JSON)
    parameters: Mapped[dict[str, Any]] = mapped_column(JSON)
    validation: Mapped[dict[str, Any]] = mapped_column(JSON)
    warnings: Mapped[list[str]] = mapped_column(JSON)
    policy_id: Mapped[int] = mapped_column(ForeignKey("policies.id"))
    policy_hash: Mapped[str]
    seed: Mapped[int]
    input_hash: Mapped[str]
    content_hash: Mapped[str]
    library_versions: Mapped[dict[str, str]] = mapped_column(JSON)
    validation_path: Mapped[str]
    validation_hash: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    created_by: Mapped[str]


class Verdict(Base):
    """What one gate said of one label set, model or version."""

    __tablename__ = "verdicts"
    __table_args__ = (
        CheckConstraint("subject_kind IN ('label_set', 'model', 'version')", name="subject_kind"),
        CheckConstraint("verdict IN ('pass', 'fail', 'insufficient evidence')", name="verdict"),
        Index(None, "subject_kind", "subject_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    subject_kind: Mapped[str]
    subject_id: Mapped[str]
    gate: Mapped[str]
    verdict: Mapped[str]
    value: Mapped[float | None]
    threshold: Mapped[float]
    interval_low: Mapped[float | None]
    interval_high: Mapped[float | None]
    n: Mapped[int | None]
    rule: Mapped[str]
    judged_on: Mapped[str]
    sentence: Mapped[str]
    policy_hash: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class Evidence(Base):
    """One hashed document of evidence about a model or a version."""

    __tablename__ = "evidence"
    __table_args__ = (
        CheckConstraint("subject_kind IN ('model', 'version')", name="subject_kind"),
        UniqueConstraint("subject_kind", "subject_id", "kind"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    subject_kind: Mapped[str]
    subject_id: Mapped[str]
    kind: Mapped[str]
    content: Mapped[dict[str, Any]] = mapped_column(JSON)
    content_hash: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
