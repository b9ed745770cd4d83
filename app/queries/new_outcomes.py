"""Read what the newest model was labelled from, to find what matured since."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import Alert, AlertStep, Batch, GroundTruthLabel, LabelSet, ModelRegistry
from app.queries.batches import list_withdrawals

DEGRADATION = ("auc_drop", "calibration")
"""Alerts that say that the version ranks, or predicts, worse than it did."""


def newest_model(db: Session) -> ModelRegistry | None:
    """Find the model that was trained last, whatever became of it.

    Parameters
    ----------
    db : Session
        The store.

    Returns
    -------
    ModelRegistry or None
        The row.
    """
    order = (ModelRegistry.created_at.desc(), ModelRegistry.id.desc())
    return db.scalars(select(ModelRegistry).order_by(*order).limit(1)).first()


def label_sets_of(db: Session, model: ModelRegistry | None) -> dict[str, LabelSet]:
    """Find the label sets that a model was trained on.

    Parameters
    ----------
    db : Session
        The store.
    model : ModelRegistry or None
        The model.

    Returns
    -------
    dict of str to LabelSet
        By batch.
    """
    if model is None:
        return {}
    rows = db.scalars(select(LabelSet).where(LabelSet.id.in_(model.label_set_ids)))
    return {row.batch_id: row for row in rows}


def labelled_parties(db: Session, label_set_id: int) -> frozenset[str]:
    """Name the parties that a label set calls good or bad.

    Parameters
    ----------
    db : Session
        The store.
    label_set_id : int
        The label set.

    Returns
    -------
    frozenset of str
        Party ids.
    """
    wanted = select(GroundTruthLabel.party_id).where(
        GroundTruthLabel.label_set_id == label_set_id, GroundTruthLabel.label_value.is_not(None)
    )
    return frozenset(db.scalars(wanted))


def usable_batches(db: Session) -> tuple[Batch, ...]:
    """List the batches that were not withdrawn.

    Parameters
    ----------
    db : Session
        The store.

    Returns
    -------
    tuple of Batch
        Oldest scores first.
    """
    rows = db.scalars(
        select(Batch).where(Batch.batch_id.not_in(list(list_withdrawals(db, "batch"))))
    )
    return tuple(sorted(rows, key=lambda row: (row.scored_from, row.scored_to, row.batch_id)))


def degradation_alerts(db: Session, version: str) -> tuple[Alert, ...]:
    """List the alerts that say that a version has become worse, and that nobody has closed.

    Parameters
    ----------
    db : Session
        The store.
    version : str
        The version.

    Returns
    -------
    tuple of Alert
        Oldest first.
    """
    closed = select(AlertStep.alert_id).where(AlertStep.kind == "closed")
    wanted = select(Alert).where(
        Alert.version == version, Alert.kind.in_(DEGRADATION), Alert.id.not_in(closed)
    )
    return tuple(db.scalars(wanted.order_by(Alert.id)))
