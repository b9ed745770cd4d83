"""API keys and their revocations, and the browser sessions of the review desk."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from app.models.base import Base, UtcDateTime


class ApiKey(Base):
    """One key: whose it is and what it may do; of its secret only the hash."""

    __tablename__ = "api_keys"
    __table_args__ = (
        CheckConstraint(
            "role IN ('viewer', 'analyst', 'approver', 'admin', 'service')", name="role"
        ),
    )

    id: Mapped[str] = mapped_column(primary_key=True)
    name: Mapped[str]
    owner: Mapped[str]
    role: Mapped[str]
    secret_hash: Mapped[str]
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    created_by: Mapped[str]


class ApiKeyRevocation(Base):
    """The end of a key before its time."""

    __tablename__ = "api_key_revocations"

    key_id: Mapped[str] = mapped_column(ForeignKey("api_keys.id"), primary_key=True)
    reason: Mapped[str]
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    actor: Mapped[str]


class BrowserSession(Base):
    """Somebody signed in to the review desk: who, with which roles, until when."""

    __tablename__ = "browser_sessions"

    id: Mapped[str] = mapped_column(primary_key=True)
    secret_hash: Mapped[str]
    actor: Mapped[str]
    roles: Mapped[list[str]] = mapped_column(JSON)
    key_id: Mapped[str | None] = mapped_column(ForeignKey("api_keys.id"))
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class BrowserSessionEnd(Base):
    """The end of a browser session before its time: its owner signed out."""

    __tablename__ = "browser_session_ends"

    session_id: Mapped[str] = mapped_column(ForeignKey("browser_sessions.id"), primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
