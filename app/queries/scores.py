"""Read score sets."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.types import Document
from app.models import ScoreSet


def find_score_set(db: Session, batch_id: str, version: str) -> ScoreSet | None:
    """Find the scores of a batch under a version.

    Parameters
    ----------
    db : Session
        The store.
    batch_id : str
        The batch.
    version : str
        Such as ``v1``.

    Returns
    -------
    ScoreSet or None
        The row.
    """
    return db.scalars(
        select(ScoreSet).where(ScoreSet.batch_id == batch_id, ScoreSet.version == version)
    ).first()


def list_score_sets(db: Session, batch_id: str) -> tuple[ScoreSet, ...]:
    """List the scores of a batch.

    Parameters
    ----------
    db : Session
        The store.
    batch_id : str
        The batch.

    Returns
    -------
    tuple of ScoreSet
        Oldest first.
    """
    rows = select(ScoreSet).where(ScoreSet.batch_id == batch_id).order_by(ScoreSet.id)
    return tuple(db.scalars(rows))


def score_set_document(row: ScoreSet) -> Document:
    """Describe a score set.

    Parameters
    ----------
    row : ScoreSet
        The scores of one batch under one version.

    Returns
    -------
    dict
        batch_id, version, n_rows, mean_score (points), band_shares (fractions, lowest band
        first), path and file_hash of the Parquet file, created_at and created_by.
    """
    return {
        "batch_id": row.batch_id,
        "version": row.version,
        "n_rows": row.n_rows,
        "mean_score": row.mean_score,
        "band_shares": dict(row.band_shares),
        "path": row.file_path,
        "file_hash": row.file_hash,
        "created_at": row.created_at.isoformat(),
        "created_by": row.created_by,
    }
