"""Read label sets."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.domain.types import Document
from app.errors import NotFoundError
from app.models import LabelSet, Verdict
from app.queries.evidence import list_verdicts, verdicts_by_subject


def find_newest_label_set(db: Session, batch_id: str) -> LabelSet | None:
    """Find the label set of a batch that was asked for last.

    Parameters
    ----------
    db : Session
        The store.
    batch_id : str
        The batch.

    Returns
    -------
    LabelSet or None
        The row with the highest number.
    """
    query = select(LabelSet).where(LabelSet.batch_id == batch_id)
    return db.scalars(query.order_by(LabelSet.number.desc()).limit(1)).first()


def require_label_set(db: Session, label_set_id: int) -> LabelSet:
    """Find a label set by its id.

    Parameters
    ----------
    db : Session
        The store.
    label_set_id : int
        Id over all batches.

    Returns
    -------
    LabelSet
        The row.

    Raises
    ------
    NotFoundError
        If there is none.
    """
    row = db.get(LabelSet, label_set_id)
    if row is None:
        message = f"no label set {label_set_id}: chancellor labels generate BATCH makes one"
        raise NotFoundError(message, label_set_id=label_set_id)
    return row


def list_label_sets(db: Session, batch_id: str) -> tuple[LabelSet, ...]:
    """List the label sets of a batch.

    Parameters
    ----------
    db : Session
        The store.
    batch_id : str
        The batch.

    Returns
    -------
    tuple of LabelSet
        By number.
    """
    query = select(LabelSet).where(LabelSet.batch_id == batch_id).order_by(LabelSet.number)
    return tuple(db.scalars(query))


def is_judged(db: Session, label_set_id: int, policy_hash: str) -> bool:
    """Say whether the newest verdicts on a label set are by a policy.

    Parameters
    ----------
    db : Session
        The store.
    label_set_id : int
        The label set.
    policy_hash : str
        Content hash of the policy.

    Returns
    -------
    bool
        False where there are none, or by another policy.
    """
    newest = db.scalars(
        select(Verdict.policy_hash)
        .where(Verdict.subject_kind == "label_set", Verdict.subject_id == str(label_set_id))
        .order_by(Verdict.id.desc())
        .limit(1)
    ).first()
    return newest == policy_hash


def newest_label_counts(db: Session, batch_ids: Sequence[str]) -> dict[str, Document]:
    """Count the newest labels of several batches, in one question.

    Parameters
    ----------
    db : Session
        The store.
    batch_ids : sequence of str
        The batches.

    Returns
    -------
    dict of str to dict
        By batch, for those that have labels: label_set_number, outcome_type,
        observation_window_days, the counts by status, and default_rate.
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
    return {row.batch_id: _counts(row) for row in rows}


def _counts(row: LabelSet) -> Document:
    return {
        "label_set_number": row.number,
        "outcome_type": row.outcome_type,
        "observation_window_days": row.observation_window_days,
        "n_parties": row.n_parties,
        "n_labelled": row.n_labelled,
        "n_bad": row.n_bad,
        "n_good": row.n_good,
        "n_indeterminate": row.n_indeterminate,
        "n_excluded": row.n_excluded,
        "n_immature": row.n_immature,
        "default_rate": row.default_rate,
    }


def label_set_documents(db: Session, rows: Sequence[LabelSet]) -> list[Document]:
    """Describe label sets with their newest verdicts, in one question for all.

    Parameters
    ----------
    db : Session
        The store.
    rows : sequence of LabelSet
        The label sets.

    Returns
    -------
    list of dict
        Of each what ``generate_labels`` returns, in the same order.
    """
    verdicts = verdicts_by_subject(db, "label_set", [str(row.id) for row in rows])
    return [_document(row, verdicts[str(row.id)]) for row in rows]


def label_set_document(db: Session, row: LabelSet) -> Document:
    """Describe a label set with its newest verdicts.

    Parameters
    ----------
    db : Session
        The store.
    row : LabelSet
        The label set.

    Returns
    -------
    dict
        What ``generate_labels`` returns.
    """
    return _document(row, list_verdicts(db, "label_set", str(row.id)))


def _document(row: LabelSet, verdicts: Sequence[Document]) -> Document:
    details = row.details
    return {
        **_counts(row),
        "label_set_id": row.id,
        "batch_id": row.batch_id,
        "definition_version": details["definition_version"],
        "data_through": None if row.data_through is None else row.data_through.isoformat(),
        "through_by_type": dict(details["through"]),
        "types_never_imported": list(details["types_never_imported"]),
        "has_exposures": row.has_exposures,
        "scored_by": row.scored_by,
        "warnings": list(details["warnings"]),
        "gates": list(verdicts),
        "input_hash": row.input_hash,
        "content_hash": row.content_hash,
        "created_at": row.created_at.isoformat(),
        "created_by": row.created_by,
    }
