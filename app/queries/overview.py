"""Read what the overview shows, in a number of queries that does not grow with the store."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import and_, case, func, or_, select
from sqlalchemy.orm import Session

from app.domain.types import Document
from app.models import (
    Activation,
    ApprovalWithdrawal,
    AuditEvent,
    Batch,
    ModelRegistry,
    Review,
    ScorecardVersion,
    ScoreSet,
    Verdict,
    Withdrawal,
)
from app.queries.evidence import newest_per_gate, verdict_document

OPEN = ("draft", "approved")
_CHECKPOINTS = ("checkpoint:0", f"checkpoint:{'9' * 20}")
"""Every number as text lies between, in any collation: the index on subjects finds them."""


def find_last_activation(db: Session) -> Activation | None:
    """Find the activation that put the present version in force.

    Parameters
    ----------
    db : Session
        The store.

    Returns
    -------
    Activation or None
        The newest one.
    """
    return db.scalars(select(Activation).order_by(Activation.id.desc()).limit(1)).first()


def list_open_versions(db: Session, *, limit: int) -> tuple[ScorecardVersion, ...]:
    """List the versions that people can still decide about.

    Parameters
    ----------
    db : Session
        The store.
    limit : int
        At most so many.

    Returns
    -------
    tuple of ScorecardVersion
        Newest first.
    """
    wanted = select(ScorecardVersion).where(ScorecardVersion.status.in_(OPEN))
    return tuple(db.scalars(wanted.order_by(ScorecardVersion.number.desc()).limit(limit)))


def count_open_versions(db: Session) -> int:
    """Count the versions that people can still decide about.

    Parameters
    ----------
    db : Session
        The store.

    Returns
    -------
    int
        >= 0.
    """
    wanted = select(func.count()).select_from(ScorecardVersion)
    return db.scalar(wanted.where(ScorecardVersion.status.in_(OPEN))) or 0


def models_behind(db: Session, rows: Sequence[ScorecardVersion]) -> dict[str, Any]:
    """Find who trained the models behind versions, and what they advise.

    Parameters
    ----------
    db : Session
        The store.
    rows : sequence of ScorecardVersion
        The versions.

    Returns
    -------
    dict of str to Row
        ``created_by`` and ``advice`` by id of the model.
    """
    ids = {row.model_id for row in rows if row.model_id}
    wanted = select(ModelRegistry.id, ModelRegistry.created_by, ModelRegistry.advice)
    return {found.id: found for found in db.execute(wanted.where(ModelRegistry.id.in_(ids)))}


def verdicts_on(db: Session, rows: Sequence[ScorecardVersion]) -> dict[str, tuple[Document, ...]]:
    """Find the verdicts on versions, as ``version_verdicts`` does for one.

    Parameters
    ----------
    db : Session
        The store.
    rows : sequence of ScorecardVersion
        The versions.

    Returns
    -------
    dict of str to tuple of dict
        By name of the version.
    """
    models = {row.model_id for row in rows if row.model_id}
    found: dict[tuple[str, str], list[Document]] = defaultdict(list)
    wanted = select(Verdict).where(
        or_(
            and_(Verdict.subject_kind == "model", Verdict.subject_id.in_(models)),
            and_(
                Verdict.subject_kind == "version",
                Verdict.subject_id.in_([row.version for row in rows]),
            ),
        )
    )
    for verdict in db.scalars(wanted.order_by(Verdict.id)):
        found[verdict.subject_kind, verdict.subject_id].append(verdict_document(verdict))
    return {
        row.version: newest_per_gate(
            [*found["model", row.model_id or ""], *found["version", row.version]]
        )
        for row in rows
    }


def approvals_of(db: Session, rows: Sequence[ScorecardVersion]) -> dict[str, tuple[Review, ...]]:
    """Find the approvals of versions that were not withdrawn.

    Parameters
    ----------
    db : Session
        The store.
    rows : sequence of ScorecardVersion
        The versions.

    Returns
    -------
    dict of str to tuple of Review
        By name of the version, oldest first.
    """
    wanted = (
        select(Review)
        .where(Review.version.in_([row.version for row in rows]), Review.kind == "approve")
        .where(Review.id.not_in(select(ApprovalWithdrawal.review_id)))
        .order_by(Review.id)
    )
    found: dict[str, list[Review]] = defaultdict(list)
    for review in db.scalars(wanted):
        found[review.version].append(review)
    return {name: tuple(reviews) for name, reviews in found.items()}


def last_scored(db: Session) -> tuple[ScoreSet, ...]:
    """Find the scores of the newest batch, and those of the batch before under the same version.

    Parameters
    ----------
    db : Session
        The store.

    Returns
    -------
    tuple of ScoreSet
        Newest first: none, one or two. The newest batch is the one that was scored last by its
        own dates; withdrawn ones do not count. Of several versions that scored it, challengers
        among them, the active one counts.
    """
    withdrawn = select(Withdrawal.subject_id).where(Withdrawal.subject_kind == "batch")
    is_other = case((ScorecardVersion.status == "active", 0), else_=1)
    order = (Batch.scored_to.desc(), Batch.created_at.desc(), is_other, ScoreSet.id.desc())
    wanted = (
        select(ScoreSet)
        .join(Batch, Batch.batch_id == ScoreSet.batch_id)
        .join(ScorecardVersion, ScorecardVersion.version == ScoreSet.version)
        .where(ScoreSet.batch_id.not_in(withdrawn))
        .order_by(*order)
    )
    newest = db.scalars(wanted.limit(1)).first()
    if newest is None:
        return ()
    earlier = wanted.where(ScoreSet.version == newest.version, ScoreSet.id != newest.id)
    before = db.scalars(earlier.limit(1)).first()
    return (newest,) if before is None else (newest, before)


def find_last_checkpoint(db: Session, action: str) -> Any:
    """Find the newest event by which a checkpoint was signed.

    Parameters
    ----------
    db : Session
        The store.
    action : str
        What such events are called.

    Returns
    -------
    Row or None
        seq, at and actor.
    """
    wanted = (
        select(AuditEvent.seq, AuditEvent.at, AuditEvent.actor)
        .where(AuditEvent.subject.between(*_CHECKPOINTS), AuditEvent.action == action)
        .order_by(AuditEvent.seq.desc())
    )
    return db.execute(wanted.limit(1)).first()
