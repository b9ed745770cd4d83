"""Withdraw a batch or an import: a record that supersedes it, nothing is deleted."""

from __future__ import annotations

from sqlalchemy.orm import Session

from app.db import transaction, utc_now
from app.domain.types import Document
from app.errors import ConflictError, InvalidInputError
from app.models import Withdrawal
from app.queries.batches import find_withdrawal, withdrawal_document
from app.services.audit_service import record


def withdraw(
    db: Session, *, subject_kind: str, subject_id: str, action: str, reason: str, actor: str
) -> Document | None:
    """Record that something was wrong, so that nothing uses it from now on.

    Writes: one row, one audit event.

    Parameters
    ----------
    db : Session
        The store.
    subject_kind : {'batch', 'outcome_import', 'exposure_import'}
        What is withdrawn.
    subject_id : str
        Its id; it exists.
    action : str
        Of the audit event.
    reason : str
        Why; required.
    actor : str
        Who says so.

    Returns
    -------
    dict
        reason, at and actor.

    Raises
    ------
    InvalidInputError
        If the reason is blank.
    ConflictError
        If it was withdrawn before.
    """
    if not reason.strip():
        raise InvalidInputError("a withdrawal needs a reason")
    with transaction(db):
        before = find_withdrawal(db, subject_kind, subject_id)
        if before is not None:
            raise ConflictError(
                f"{subject_kind.replace('_', ' ')} {subject_id} was withdrawn already, by "
                f"{before.actor} on {before.at:%Y-%m-%d}: {before.reason}"
            )
        row = Withdrawal(
            subject_kind=subject_kind,
            subject_id=subject_id,
            reason=reason.strip(),
            at=utc_now(),
            actor=actor,
        )
        record(
            db,
            actor=actor,
            action=action,
            subject=f"{subject_kind}:{subject_id}",
            payload={"reason": row.reason},
        )
        db.add(row)
        db.flush()
        return withdrawal_document(row)
