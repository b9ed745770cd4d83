"""Outcome definitions, label sets and the labels themselves."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    Date,
    ForeignKey,
    Index,
    Integer,
    SmallInteger,
    UniqueConstraint,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, UtcDateTime

BigId = BigInteger().with_variant(Integer, "sqlite")


class OutcomeDefinition(Base):
    """Which events make a party bad, which indeterminate; named and versioned."""

    __tablename__ = "outcome_definitions"
    __table_args__ = (UniqueConstraint("name", "version"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    version: Mapped[int]
    content: Mapped[dict[str, Any]] = mapped_column(JSON)
    content_hash: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    created_by: Mapped[str]


class LabelSet(Base):
    """The labels of one batch under one definition and window, and what made them."""

    __tablename__ = "label_sets"
    __table_args__ = (UniqueConstraint("batch_id", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[int]
    batch_id: Mapped[str] = mapped_column(ForeignKey("batches.batch_id"))
    outcome_type: Mapped[str]
    definition_id: Mapped[int | None] = mapped_column(ForeignKey("outcome_definitions.id"))
    observation_window_days: Mapped[int | None]
    data_through: Mapped[date | None] = mapped_column(Date)
    scored_by: Mapped[str] = mapped_column(ForeignKey("scorecard_versions.version"))
    n_parties: Mapped[int]
    n_labelled: Mapped[int]
    n_bad: Mapped[int]
    n_good: Mapped[int]
    n_indeterminate: Mapped[int]
    n_excluded: Mapped[int]
    n_immature: Mapped[int]
    default_rate: Mapped[float | None]
    has_exposures: Mapped[bool]
    details: Mapped[dict[str, Any]] = mapped_column(JSON)
    input_hash: Mapped[str] = mapped_column(index=True)
    content_hash: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    created_by: Mapped[str]


class GroundTruthLabel(Base):
    """What became of one party of one batch: 1 bad, 0 good, null for the other statuses."""

    __tablename__ = "ground_truth_labels"
    __table_args__ = (
        CheckConstraint(
            "status IN ('good', 'bad', 'indeterminate', 'excluded', 'immature')", name="status"
        ),
        CheckConstraint(
            "CASE status WHEN 'bad' THEN label_value IS NOT NULL AND label_value = 1 "
            "WHEN 'good' THEN label_value IS NOT NULL AND label_value = 0 "
            "ELSE label_value IS NULL END",
            name="label_value",
        ),
        Index(None, "label_set_id"),
        Index(None, "batch_id", "party_id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    label_set_id: Mapped[int] = mapped_column(ForeignKey("label_sets.id"))
    batch_id: Mapped[str] = mapped_column(ForeignKey("batches.batch_id"))
    party_id: Mapped[str]
    outcome_type: Mapped[str]
    label_value: Mapped[int | None] = mapped_column(SmallInteger)
    status: Mapped[str]
    scored_at: Mapped[datetime] = mapped_column(UtcDateTime)
    observation_end: Mapped[date | None] = mapped_column(Date)
    event_type: Mapped[str | None]
    event_date: Mapped[date | None] = mapped_column(Date)
    score_at_label: Mapped[int | None]
