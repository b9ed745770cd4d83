"""Read outcome imports."""

from __future__ import annotations

from datetime import date

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.domain.types import Document
from app.errors import NotFoundError
from app.models import OutcomeImport, Withdrawal
from app.queries.batches import list_withdrawals, withdrawal_document

OUTCOME_IMPORT = "outcome_import"


def list_imports(db: Session) -> tuple[OutcomeImport, ...]:
    """List all outcome imports, withdrawn ones included.

    Parameters
    ----------
    db : Session
        The store.

    Returns
    -------
    tuple of OutcomeImport
        Oldest first.
    """
    return tuple(db.scalars(select(OutcomeImport).order_by(OutcomeImport.id)))


def list_valid_imports(
    db: Session, kind: str, batch_id: str | None = None
) -> tuple[OutcomeImport, ...]:
    """List the outcome imports that were not withdrawn.

    Parameters
    ----------
    db : Session
        The store.
    kind : {'events', 'final_flag'}
        Which kind.
    batch_id : str or None
        Only those of one batch.

    Returns
    -------
    tuple of OutcomeImport
        Oldest first.
    """
    withdrawn = list_withdrawals(db, OUTCOME_IMPORT)
    return tuple(
        row
        for row in list_imports(db)
        if row.kind == kind and row.batch_id == batch_id and str(row.id) not in withdrawn
    )


def require_import(db: Session, import_id: int | str) -> OutcomeImport:
    """Find an outcome import by its id.

    Parameters
    ----------
    db : Session
        The store.
    import_id : int or str
        The running number that the import was given.

    Returns
    -------
    OutcomeImport
        The row, withdrawn or not.

    Raises
    ------
    NotFoundError
        If there is none; says which numbers there are.
    """
    text = str(import_id).strip()
    row = db.get(OutcomeImport, int(text)) if text.isascii() and text.isdigit() else None
    if row is None:
        newest = db.scalar(select(func.max(OutcomeImport.id)))
        there = f"the newest is {newest}" if newest else "there is none yet"
        raise NotFoundError(
            f"no outcome import {text!r}; {there}: chancellor outcomes list", import_id=text
        )
    return row


def through_by_type(imports: tuple[OutcomeImport, ...]) -> dict[str, date]:
    """Find, per event type, the last day up to which outcomes are complete.

    Parameters
    ----------
    imports : tuple of OutcomeImport
        Not withdrawn.

    Returns
    -------
    dict of str to date
        The newest day that was declared, by type in alphabetical order.
    """
    newest: dict[str, date] = {}
    for row in imports:
        for event_type, declared in row.through.items():
            day = date.fromisoformat(declared)
            newest[event_type] = max(day, newest.get(event_type, day))
    return dict(sorted(newest.items()))


def import_document(row: OutcomeImport, withdrawal: Withdrawal | None) -> Document:
    """Describe an outcome import.

    Parameters
    ----------
    row : OutcomeImport
        The import.
    withdrawal : Withdrawal or None
        The record of its withdrawal.

    Returns
    -------
    dict
        JSON-ready: what was imported, from which file, when and by whom.
    """
    return {
        "import_id": row.id,
        "kind": row.kind,
        "batch_id": row.batch_id,
        "n_rows": row.n_rows,
        "n_events": row.n_events,
        "through": dict(row.through),
        "file_hash": row.file_hash,
        "file_path": row.file_path,
        "content_hash": row.content_hash,
        "source_name": row.source_name,
        "source_hash": row.source_hash,
        "created_at": row.created_at.isoformat(),
        "created_by": row.created_by,
        "withdrawn": withdrawal_document(withdrawal),
    }
