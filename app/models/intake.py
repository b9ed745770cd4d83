"""What was brought in: batches, outcomes, exposures, and what was withdrawn of it."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, CheckConstraint, Date, ForeignKey, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, UtcDateTime


class Batch(Base):
    """Parties scored together: one Parquet snapshot of what was known then."""

    __tablename__ = "batches"

    batch_id: Mapped[str] = mapped_column(primary_key=True)
    file_path: Mapped[str]
    file_hash: Mapped[str]
    n_rows: Mapped[int]
    columns: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    card_version: Mapped[str] = mapped_column(ForeignKey("scorecard_versions.version"))
    party_id_column: Mapped[str]
    scored_at_column: Mapped[str]
    scored_from: Mapped[date] = mapped_column(Date)
    scored_to: Mapped[date] = mapped_column(Date)
    source_name: Mapped[str]
    source_hash: Mapped[str]
    missing_features: Mapped[list[str]] = mapped_column(JSON)
    group_columns: Mapped[list[str] | None] = mapped_column(JSON(none_as_null=True))
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    created_by: Mapped[str]


class Withdrawal(Base):
    """The record that a batch or an import was wrong; nothing is deleted."""

    __tablename__ = "withdrawals"
    __table_args__ = (
        UniqueConstraint("subject_kind", "subject_id"),
        CheckConstraint(
            "subject_kind IN ('batch', 'outcome_import', 'exposure_import')", name="subject_kind"
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    subject_kind: Mapped[str]
    subject_id: Mapped[str]
    reason: Mapped[str]
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    actor: Mapped[str]


class OutcomeImport(Base):
    """One file of dated outcome events, or of final flags of one batch."""

    __tablename__ = "outcome_imports"
    __table_args__ = (CheckConstraint("kind IN ('events', 'final_flag')", name="kind"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str]
    batch_id: Mapped[str | None] = mapped_column(ForeignKey("batches.batch_id"))
    file_path: Mapped[str]
    file_hash: Mapped[str]
    content_hash: Mapped[str] = mapped_column(unique=True)
    source_name: Mapped[str]
    source_hash: Mapped[str]
    n_rows: Mapped[int]
    n_events: Mapped[int]
    through: Mapped[dict[str, str]] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    created_by: Mapped[str]


class ExposureImport(Base):
    """One list of the parties that were granted credit."""

    __tablename__ = "exposure_imports"

    id: Mapped[int] = mapped_column(primary_key=True)
    file_path: Mapped[str]
    file_hash: Mapped[str]
    content_hash: Mapped[str] = mapped_column(unique=True)
    source_name: Mapped[str]
    source_hash: Mapped[str]
    n_rows: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    created_by: Mapped[str]


class ScoreSet(Base):
    """The scores of one batch under one version, as a Parquet file."""

    __tablename__ = "score_sets"
    __table_args__ = (UniqueConstraint("batch_id", "version"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    batch_id: Mapped[str] = mapped_column(ForeignKey("batches.batch_id"))
    version: Mapped[str] = mapped_column(ForeignKey("scorecard_versions.version"))
    file_path: Mapped[str]
    file_hash: Mapped[str]
    n_rows: Mapped[int]
    mean_score: Mapped[float]
    band_shares: Mapped[dict[str, float]] = mapped_column(JSON)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    created_by: Mapped[str]
