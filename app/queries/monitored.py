"""Read what monitoring looks at: scored batches, their labels and open alerts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from app.models import (
    Alert,
    Batch,
    GroundTruthLabel,
    LabelSet,
    ScoreSet,
    Withdrawal,
)


def scored_batches(db: Session, version: str) -> tuple[Batch, ...]:
    """List the batches that a version scored, without withdrawn ones.

    Parameters
    ----------
    db : Session
        The store.
    version : str
        Such as ``v1``.

    Returns
    -------
    tuple of Batch
        In the order in which their parties were scored.
    """
    scored = select(ScoreSet.batch_id).where(ScoreSet.version == version)
    query = select(Batch).where(
        Batch.batch_id.in_(scored), Batch.batch_id.not_in(withdrawn_batches())
    )
    return tuple(sorted(db.scalars(query), key=scored_order))


def list_scored(db: Session) -> tuple[tuple[Batch, str, datetime], ...]:
    """List which batch was scored with which version, without withdrawn batches.

    Parameters
    ----------
    db : Session
        The store.

    Returns
    -------
    tuple of (Batch, version, created_at)
        In the order in which the parties were scored; one entry per batch and version.
    """
    rows = db.execute(
        select(Batch, ScoreSet.version, ScoreSet.created_at, ScoreSet.id)
        .join(ScoreSet, ScoreSet.batch_id == Batch.batch_id)
        .where(Batch.batch_id.not_in(withdrawn_batches()))
    ).all()
    ordered = sorted(rows, key=lambda row: (*scored_order(row[0]), row[3]))
    return tuple((row[0], row[1], row[2]) for row in ordered)


def withdrawn_batches() -> Select[str]:
    """Select the ids of the withdrawn batches, for a subquery."""
    return select(Withdrawal.subject_id).where(Withdrawal.subject_kind == "batch")


def scored_order(batch: Batch) -> tuple[object, ...]:
    """Give what batches are ordered by: when their parties were scored."""
    return batch.scored_from, batch.scored_to, batch.batch_id


def first_immature(db: Session, label_set_id: int) -> datetime | None:
    """Find when the first immature party of a label set was scored.

    Parameters
    ----------
    db : Session
        The store.
    label_set_id : int
        The label set.

    Returns
    -------
    datetime or None
        None where none is immature.
    """
    return db.scalars(
        select(GroundTruthLabel.scored_at)
        .where(GroundTruthLabel.label_set_id == label_set_id, GroundTruthLabel.status == "immature")
        .order_by(GroundTruthLabel.scored_at)
        .limit(1)
    ).first()


def newest_label_sets(db: Session, batch_ids: Sequence[str]) -> dict[str, LabelSet]:
    """Find the newest label set of each batch, in one question.

    Parameters
    ----------
    db : Session
        The store.
    batch_ids : sequence of str
        The batches.

    Returns
    -------
    dict of str to LabelSet
        For those that have labels.
    """
    newest = (
        select(LabelSet.batch_id, func.max(LabelSet.number).label("number"))
        .where(LabelSet.batch_id.in_(batch_ids))
        .group_by(LabelSet.batch_id)
        .subquery()
    )
    rows = db.scalars(
        select(LabelSet).join(
            newest,
            (LabelSet.batch_id == newest.c.batch_id) & (LabelSet.number == newest.c.number),
        )
    )
    return {row.batch_id: row for row in rows}


def opened_alerts(db: Session, batch_id: str, version: str) -> frozenset[tuple[str, str]]:
    """Say which alerts a batch opened already under a version.

    Parameters
    ----------
    db : Session
        The store.
    batch_id, version : str
        Batch and version.

    Returns
    -------
    frozenset of (kind, subject)
        Closed ones too.
    """
    rows = db.execute(
        select(Alert.kind, Alert.subject).where(
            Alert.batch_id == batch_id, Alert.version == version
        )
    )
    return frozenset((row.kind, row.subject) for row in rows)
