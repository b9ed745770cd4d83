"""Recorded decisions of scoring, and the seals that bind them to the audit chain."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, CheckConstraint, ForeignKey, Index, LargeBinary, Text
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, UtcDateTime
from app.models.record import Sequence


class Decision(Base):
    """The score that one party was given, with all that explains it; texts are as hashed."""

    __tablename__ = "decisions"
    __table_args__ = (
        CheckConstraint("seq > 0", name="seq"),
        Index(None, "at"),
        Index(None, "party_id"),
    )

    seq: Mapped[int] = mapped_column(Sequence, primary_key=True)
    id: Mapped[str] = mapped_column(unique=True)
    at: Mapped[str]
    actor: Mapped[str]
    party_id: Mapped[str]
    version: Mapped[str] = mapped_column(ForeignKey("scorecard_versions.version"))
    content_hash: Mapped[str]
    features: Mapped[str] = mapped_column(Text)
    score: Mapped[int]
    unrounded_score: Mapped[float]
    band: Mapped[str]
    contributions: Mapped[str] = mapped_column(Text)
    missing_features: Mapped[str] = mapped_column(Text)
    reason_codes: Mapped[str] = mapped_column(Text)
    row_hash: Mapped[str]


class DecisionSeal(Base):
    """One run of decisions whose Merkle root an audit event carries."""

    __tablename__ = "decision_seals"
    __table_args__ = (CheckConstraint("first_seq <= last_seq", name="order"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    first_seq: Mapped[int] = mapped_column(Sequence)
    last_seq: Mapped[int] = mapped_column(Sequence, unique=True)
    n_decisions: Mapped[int]
    runs: Mapped[list[list[int]]] = mapped_column(JSON)
    root: Mapped[str]
    row_hashes: Mapped[bytes] = mapped_column(LargeBinary, deferred=True)
    sealed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    sealed_by: Mapped[str]
