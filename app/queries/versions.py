"""Read scorecard versions: which there are, which is active, who their expert ancestor is."""

from __future__ import annotations

from datetime import UTC, datetime
from difflib import get_close_matches

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.domain.ancestry import Link, find_expert
from app.domain.types import Document
from app.errors import NotFoundError
from app.models import (
    Activation,
    ApprovalWithdrawal,
    EmergencyAcknowledgement,
    Review,
    ScorecardVersion,
)
from app.queries.evidence import list_evidence


def require_version(db: Session, version: str) -> ScorecardVersion:
    """Find a version by its name.

    Parameters
    ----------
    db : Session
        The store.
    version : str
        Such as ``v1`` or ``ml_v2``.

    Returns
    -------
    ScorecardVersion
        The row, read afresh.

    Raises
    ------
    NotFoundError
        If there is none; the message lists close names, or all of them.
    """
    row = db.scalars(
        select(ScorecardVersion)
        .where(ScorecardVersion.version == version)
        .execution_options(populate_existing=True)
    ).first()
    if row is None:
        names = list(db.scalars(select(ScorecardVersion.version).order_by(ScorecardVersion.number)))
        shown = get_close_matches(version, names) or names[-10:]
        raise NotFoundError(
            f"There is no version {version!r}. There is: {', '.join(shown) or 'none'}.",
            version=version,
            known=shown,
        )
    return row


def list_versions(db: Session) -> tuple[ScorecardVersion, ...]:
    """List all versions.

    Parameters
    ----------
    db : Session
        The store.

    Returns
    -------
    tuple of ScorecardVersion
        By running number.
    """
    return tuple(db.scalars(select(ScorecardVersion).order_by(ScorecardVersion.number)))


def find_active(db: Session) -> ScorecardVersion | None:
    """Find the active version.

    Parameters
    ----------
    db : Session
        The store.

    Returns
    -------
    ScorecardVersion or None
        The row, read afresh; None in a store that was never initialised.
    """
    return db.scalars(
        select(ScorecardVersion)
        .where(ScorecardVersion.status == "active")
        .execution_options(populate_existing=True)
    ).first()


def require_active(db: Session) -> ScorecardVersion:
    """Find the active version, which decides.

    Parameters
    ----------
    db : Session
        The store.

    Returns
    -------
    ScorecardVersion
        The row, read afresh.

    Raises
    ------
    NotFoundError
        If none is active, so the store was never initialised.
    """
    row = find_active(db)
    if row is None:
        raise NotFoundError("No scorecard version is active; run `chancellor init`.")
    return row


def next_number(db: Session) -> int:
    """Give the running number of the next version.

    Parameters
    ----------
    db : Session
        The store.

    Returns
    -------
    int
        From 1, without gaps.
    """
    return int(db.scalar(select(func.coalesce(func.max(ScorecardVersion.number), 0))) or 0) + 1


def find_pending_copy(db: Session, content_hash: str, base_version: str) -> str | None:
    """Find a version with the same content that waits or decides already.

    Parameters
    ----------
    db : Session
        The store.
    content_hash : str
        Of the card.
    base_version : str
        The version it would be made against.

    Returns
    -------
    str or None
        Name of the active version or of a pending draft against the same baseline.
    """
    same = select(ScorecardVersion.version).where(ScorecardVersion.content_hash == content_hash)
    waits = ScorecardVersion.status.in_(("draft", "approved")) & (
        ScorecardVersion.base_version == base_version
    )
    return db.scalars(same.where(waits | (ScorecardVersion.status == "active"))).first()


_LINKS = select(
    ScorecardVersion.version,
    ScorecardVersion.number,
    ScorecardVersion.origin,
    ScorecardVersion.base_version,
    ScorecardVersion.features,
).order_by(ScorecardVersion.number)
"""What descent is told by, of every version: whole rows of hundreds take a tenth of a second."""


def expert_ancestor(db: Session, version: str) -> ScorecardVersion:
    """Find the nearest ancestor that a person really wrote, starting at the version itself.

    Parameters
    ----------
    db : Session
        The store.
    version : str
        Name of the version.

    Returns
    -------
    ScorecardVersion
        See :func:`app.domain.ancestry.find_expert`.

    Raises
    ------
    NotFoundError
        If there is no such version.
    """
    require_version(db, version)
    links = [
        Link(
            version=row.version,
            number=row.number,
            origin="model" if row.origin == "model" else "person",
            base_version=row.base_version,
            weights={name: part["weight"] for name, part in row.features.items()},
        )
        for row in db.execute(_LINKS)
    ]
    return require_version(db, find_expert(version, links))


def evidence_of(db: Session, version: str) -> dict[str, Document]:
    """Read the evidence that was frozen with a version.

    Parameters
    ----------
    db : Session
        The store.
    version : str
        Name of the version.

    Returns
    -------
    dict
        Content by kind, such as ``refinement``; empty where there is none.
    """
    return {row.kind: row.content for row in list_evidence(db, "version", version)}


def list_reviews(db: Session, version: str) -> tuple[Review, ...]:
    """List the reviews of a version.

    Parameters
    ----------
    db : Session
        The store.
    version : str
        Name of the version.

    Returns
    -------
    tuple of Review
        Oldest first.
    """
    return tuple(db.scalars(select(Review).where(Review.version == version).order_by(Review.id)))


def list_approvals(db: Session, version: str) -> tuple[Review, ...]:
    """List the approvals of a version that were not withdrawn.

    Parameters
    ----------
    db : Session
        The store.
    version : str
        Name of the version.

    Returns
    -------
    tuple of Review
        Oldest first; whether each still counts is for the policy in force to say.
    """
    withdrawn = select(ApprovalWithdrawal.review_id)
    return tuple(
        db.scalars(
            select(Review)
            .where(Review.version == version, Review.kind == "approve")
            .where(Review.id.not_in(withdrawn))
            .order_by(Review.id)
        )
    )


def list_approval_withdrawals(db: Session, version: str) -> dict[int, ApprovalWithdrawal]:
    """List the approvals of a version that were withdrawn.

    Parameters
    ----------
    db : Session
        The store.
    version : str
        Name of the version.

    Returns
    -------
    dict of int to ApprovalWithdrawal
        By id of the review.
    """
    rows = db.scalars(
        select(ApprovalWithdrawal)
        .join(Review, Review.id == ApprovalWithdrawal.review_id)
        .where(Review.version == version)
    )
    return {row.review_id: row for row in rows}


def list_open_emergencies(db: Session) -> tuple[Activation, ...]:
    """List the emergency rollbacks that no approver has acknowledged.

    Parameters
    ----------
    db : Session
        The store.

    Returns
    -------
    tuple of Activation
        Oldest first.
    """
    acknowledged = select(EmergencyAcknowledgement.activation_id)
    return tuple(
        db.scalars(
            select(Activation)
            .where(Activation.kind == "emergency_rollback", Activation.id.not_in(acknowledged))
            .order_by(Activation.id)
        )
    )


def list_activations(db: Session, version: str | None = None) -> tuple[Activation, ...]:
    """List activations, of one version or of all.

    Parameters
    ----------
    db : Session
        The store.
    version : str or None
        Name of the version; None is all of them.

    Returns
    -------
    tuple of Activation
        Oldest first.
    """
    query = select(Activation).order_by(Activation.id)
    if version is not None:
        query = query.where(Activation.version == version)
    return tuple(db.scalars(query))


def find_activation_at(db: Session, time: datetime) -> Activation | None:
    """Find the activation that was in force at a time.

    Parameters
    ----------
    db : Session
        The store.
    time : datetime
        A moment; without a zone it is UTC.

    Returns
    -------
    Activation or None
        The last one at or before the moment; None before the store began.
    """
    moment = time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)
    return db.scalars(
        select(Activation)
        .where(Activation.at <= moment)
        .order_by(Activation.at.desc(), Activation.id.desc())
        .limit(1)
    ).first()
