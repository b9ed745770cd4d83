"""Read batches, and what was withdrawn."""

from __future__ import annotations

from difflib import get_close_matches

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.types import Document
from app.errors import ConflictError, NotFoundError
from app.models import Batch, Withdrawal

_SHOWN = 10


def find_batch(db: Session, batch_id: str) -> Batch | None:
    """Find a batch by its id, withdrawn or not.

    Parameters
    ----------
    db : Session
        The store.
    batch_id : str
        Id that was given at import.

    Returns
    -------
    Batch or None
        The row.
    """
    return db.get(Batch, batch_id)


def known_batch(db: Session, batch_id: str) -> Batch:
    """Find a batch by its id, withdrawn or not, or say which there are.

    Parameters
    ----------
    db : Session
        The store.
    batch_id : str
        Id that was given at import.

    Returns
    -------
    Batch
        The row.

    Raises
    ------
    NotFoundError
        Listing ids that are close, or the first ones.
    """
    row = find_batch(db, batch_id)
    if row is None:
        ids = list(db.scalars(select(Batch.batch_id)))
        ids.sort()
        shown = get_close_matches(batch_id, ids) or ids[:_SHOWN]
        there = (
            f"there is {', '.join(shown)}" if shown else "there is none: chancellor batch import"
        )
        raise NotFoundError(f"no batch {batch_id!r}; {there}", batch_id=batch_id, known=shown)
    return row


def require_batch(db: Session, batch_id: str) -> Batch:
    """Find a batch that can be used.

    Parameters
    ----------
    db : Session
        The store.
    batch_id : str
        Id that was given at import.

    Returns
    -------
    Batch
        The row.

    Raises
    ------
    NotFoundError
        If there is no such batch; lists close ids.
    ConflictError
        If it was withdrawn; says by whom, when and why.
    """
    row = known_batch(db, batch_id)
    withdrawal = find_withdrawal(db, "batch", batch_id)
    if withdrawal is not None:
        raise ConflictError(
            f"batch {batch_id} was withdrawn by {withdrawal.actor} on {withdrawal.at:%Y-%m-%d}: "
            f"{withdrawal.reason}",
            batch_id=batch_id,
            withdrawn=withdrawal_document(withdrawal),
        )
    return row


def list_batches(db: Session) -> tuple[Batch, ...]:
    """List all batches, withdrawn ones included.

    Parameters
    ----------
    db : Session
        The store.

    Returns
    -------
    tuple of Batch
        Oldest import first.
    """
    rows = db.scalars(select(Batch)).all()
    return tuple(sorted(rows, key=lambda row: (row.created_at, row.batch_id)))


def find_withdrawal(db: Session, subject_kind: str, subject_id: str) -> Withdrawal | None:
    """Find the record that a batch or an import was withdrawn.

    Parameters
    ----------
    db : Session
        The store.
    subject_kind : {'batch', 'outcome_import', 'exposure_import'}
        What it would be.
    subject_id : str
        Its id as text.

    Returns
    -------
    Withdrawal or None
        The row.
    """
    return db.scalars(
        select(Withdrawal).where(
            Withdrawal.subject_kind == subject_kind, Withdrawal.subject_id == subject_id
        )
    ).first()


def list_withdrawals(db: Session, subject_kind: str) -> dict[str, Withdrawal]:
    """List what was withdrawn of one kind.

    Parameters
    ----------
    db : Session
        The store.
    subject_kind : {'batch', 'outcome_import', 'exposure_import'}
        Which kind.

    Returns
    -------
    dict of str to Withdrawal
        By the id of the subject.
    """
    rows = db.scalars(
        select(Withdrawal).where(Withdrawal.subject_kind == subject_kind).order_by(Withdrawal.id)
    )
    return {row.subject_id: row for row in rows}


def withdrawal_document(row: Withdrawal | None) -> Document | None:
    """Describe a withdrawal.

    Parameters
    ----------
    row : Withdrawal or None
        The record.

    Returns
    -------
    dict or None
        reason, at (ISO, UTC) and actor.
    """
    if row is None:
        return None
    return {"reason": row.reason, "at": row.at.isoformat(), "actor": row.actor}


def batch_document(row: Batch, withdrawal: Withdrawal | None) -> Document:
    """Describe a batch.

    Parameters
    ----------
    row : Batch
        The batch.
    withdrawal : Withdrawal or None
        The record of its withdrawal.

    Returns
    -------
    dict
        JSON-ready: what was imported, from which file, when and by whom.
    """
    return {
        "batch_id": row.batch_id,
        "n_rows": row.n_rows,
        "scored_from": row.scored_from.isoformat(),
        "scored_to": row.scored_to.isoformat(),
        "file_hash": row.file_hash,
        "file_path": row.file_path,
        "source_name": row.source_name,
        "source_hash": row.source_hash,
        "party_id_column": row.party_id_column,
        "scored_at_column": row.scored_at_column,
        "card_version": row.card_version,
        "columns": list(row.columns),
        "missing_features": list(row.missing_features),
        "groups": list(row.group_columns or ()),
        "created_at": row.created_at.isoformat(),
        "created_by": row.created_by,
        "withdrawn": withdrawal_document(withdrawal),
    }
