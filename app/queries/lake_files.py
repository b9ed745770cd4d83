"""Read which files of the lake the database names, and in which row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import Batch, ExposureImport, ModelRegistry, OutcomeImport, ScoreSet


@dataclass(frozen=True, slots=True)
class RecordedFile:
    """Name one file as one row records it.

    Attributes
    ----------
    row : str
        The row, for example ``batch:BATCH_001``.
    path : str
        Relative to the lake.
    sha256 : str
        Of the file's bytes when it was written.
    """

    row: str
    path: str
    sha256: str


def list_recorded_files(db: Session) -> tuple[RecordedFile, ...]:
    """List every row that names a file, withdrawn ones included.

    Parameters
    ----------
    db : Session
        The store.

    Returns
    -------
    tuple of RecordedFile
        By kind of row, then by its id; several rows may name one file.
    """
    return tuple(
        RecordedFile(f"{kind}:{key}", path, sha256)
        for kind, *columns in _NAMING
        for key, path, sha256 in db.execute(select(*columns).order_by(columns[0]))
    )


_NAMING: tuple[tuple[Any, ...], ...] = (
    ("batch", Batch.batch_id, Batch.file_path, Batch.file_hash),
    ("score_set", ScoreSet.id, ScoreSet.file_path, ScoreSet.file_hash),
    ("outcome_import", OutcomeImport.id, OutcomeImport.file_path, OutcomeImport.file_hash),
    ("exposure_import", ExposureImport.id, ExposureImport.file_path, ExposureImport.file_hash),
    ("model", ModelRegistry.id, ModelRegistry.validation_path, ModelRegistry.validation_hash),
)
"""Kind of row, and the columns of its id, its file and the file's hash."""
