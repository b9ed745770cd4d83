"""Read the lists of those who were granted credit."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.domain.types import Document
from app.errors import NotFoundError
from app.models import ExposureImport, Withdrawal
from app.queries.batches import list_withdrawals, withdrawal_document

EXPOSURE_IMPORT = "exposure_import"


def list_exposure_imports(db: Session) -> tuple[ExposureImport, ...]:
    """List all exposure lists, withdrawn ones included.

    Parameters
    ----------
    db : Session
        The store.

    Returns
    -------
    tuple of ExposureImport
        Oldest first.
    """
    return tuple(db.scalars(select(ExposureImport).order_by(ExposureImport.id)))


def list_valid_exposure_imports(db: Session) -> tuple[ExposureImport, ...]:
    """List the exposure lists that were not withdrawn.

    Parameters
    ----------
    db : Session
        The store.

    Returns
    -------
    tuple of ExposureImport
        Oldest first.
    """
    withdrawn = list_withdrawals(db, EXPOSURE_IMPORT)
    return tuple(row for row in list_exposure_imports(db) if str(row.id) not in withdrawn)


def require_exposure_import(db: Session, exposure_import_id: int | str) -> ExposureImport:
    """Find an exposure list by its id.

    Parameters
    ----------
    db : Session
        The store.
    exposure_import_id : int or str
        The running number that the list was given.

    Returns
    -------
    ExposureImport
        The row, withdrawn or not.

    Raises
    ------
    NotFoundError
        If there is none; says which numbers there are.
    """
    text = str(exposure_import_id).strip()
    row = db.get(ExposureImport, int(text)) if text.isascii() and text.isdigit() else None
    if row is None:
        newest = db.scalar(select(func.max(ExposureImport.id)))
        there = f"the newest is {newest}" if newest else "there is none yet"
        raise NotFoundError(
            f"no exposure list {text!r}; {there}: chancellor exposures list",
            exposure_import_id=text,
        )
    return row


def exposure_document(row: ExposureImport, withdrawal: Withdrawal | None) -> Document:
    """Describe a list of those who were granted credit.

    Parameters
    ----------
    row : ExposureImport
        The import.
    withdrawal : Withdrawal or None
        The record of its withdrawal.

    Returns
    -------
    dict
        JSON-ready.
    """
    return {
        "exposure_import_id": row.id,
        "n_rows": row.n_rows,
        "file_hash": row.file_hash,
        "file_path": row.file_path,
        "content_hash": row.content_hash,
        "source_name": row.source_name,
        "source_hash": row.source_hash,
        "created_at": row.created_at.isoformat(),
        "created_by": row.created_by,
        "withdrawn": withdrawal_document(withdrawal),
    }
