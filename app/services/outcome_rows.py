"""Write the rows of outcome and exposure imports, each content once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db import transaction, utc_now
from app.domain.canonical import content_hash
from app.domain.types import Document
from app.lake.store import Lake, StoredFile
from app.models import ExposureImport, OutcomeImport
from app.queries.batches import list_withdrawals
from app.queries.outcomes import OUTCOME_IMPORT, list_imports
from app.services.audit_service import record
from app.services.conflicts import conflicts_named

if TYPE_CHECKING:
    import pyarrow as pa

    from app.lake.intake import SourceFile

_TAKEN = "somebody else imported the same file at the same moment: look at chancellor outcomes list"


def add_outcome_import(
    db: Session,
    lake: Lake,
    source: SourceFile,
    table: pa.Table,
    *,
    actor: str,
    kind: str,
    batch_id: str | None,
    n_rows: int,
    n_events: int,
    through: dict[str, str],
) -> tuple[OutcomeImport, bool]:
    """Store an outcome file, unless a valid import of the same content is there.

    Writes: a Parquet file; one outcome import and one audit event, or nothing.

    Parameters
    ----------
    db : Session
        The store.
    lake : Lake
        Where the file goes.
    source : SourceFile
        The file as the user gave it.
    table : pyarrow.Table
        What was read of it.
    actor : str
        Who imports it.
    kind : {'events', 'final_flag'}
        What it holds.
    batch_id : str or None
        The batch that final flags are of.
    n_rows, n_events : int
        Rows of the file; events, or bad flags.
    through : dict of str to str
        Last complete day by event type.

    Returns
    -------
    row : OutcomeImport
        The new row, or that of the same content.
    already : bool
        Whether it was there.
    """
    stored = lake.write_table("outcomes", table)
    with conflicts_named(_TAKEN), transaction(db):
        same = _same_content(db, stored, kind, batch_id, through)
        withdrawn = list_withdrawals(db, OUTCOME_IMPORT)
        valid = [row for row in same if str(row.id) not in withdrawn]
        if valid:
            return valid[0], True
        row = OutcomeImport(
            kind=kind,
            batch_id=batch_id,
            file_path=stored.path,
            file_hash=stored.sha256,
            content_hash=_hash_import(stored, kind, batch_id, through, len(same)),
            source_name=source.name,
            source_hash=source.sha256,
            n_rows=n_rows,
            n_events=n_events,
            through=through,
            created_at=utc_now(),
            created_by=actor,
        )
        db.add(row)
        db.flush()
        facts = {"kind": kind, "batch_id": batch_id, "n_events": n_events, "through": through}
        record(
            db,
            actor=actor,
            action="outcomes.imported",
            subject=f"{OUTCOME_IMPORT}:{row.id}",
            payload={**_payload(row), **facts},
        )
        return row, False


def add_exposure_import(
    db: Session, lake: Lake, source: SourceFile, table: pa.Table, *, actor: str
) -> tuple[ExposureImport, bool]:
    """Store a list of those who were granted credit, unless the same list is there.

    Writes: a Parquet file; one exposure import and one audit event, or nothing.

    Parameters
    ----------
    db : Session
        The store.
    lake : Lake
        Where the file goes.
    source : SourceFile
        The file as the user gave it.
    table : pyarrow.Table
        What was read of it.
    actor : str
        Who imports it.

    Returns
    -------
    row : ExposureImport
        The new row, or that of the same list.
    already : bool
        Whether it was there.
    """
    stored = lake.write_table("exposures", table)
    content = content_hash({"file_hash": stored.sha256})
    with conflicts_named(_TAKEN), transaction(db):
        known = select(ExposureImport).where(ExposureImport.content_hash == content)
        found = db.scalars(known).first()
        if found is not None:
            return found, True
        row = ExposureImport(
            file_path=stored.path,
            file_hash=stored.sha256,
            content_hash=content,
            source_name=source.name,
            source_hash=source.sha256,
            n_rows=table.num_rows,
            created_at=utc_now(),
            created_by=actor,
        )
        db.add(row)
        db.flush()
        record(
            db,
            actor=actor,
            action="exposures.imported",
            subject=f"exposure_import:{row.id}",
            payload=_payload(row),
        )
        return row, False


def _same_content(
    db: Session, stored: StoredFile, kind: str, batch_id: str | None, through: dict[str, str]
) -> list[OutcomeImport]:
    return [
        row
        for row in list_imports(db)
        if (row.file_hash, row.kind, row.batch_id, dict(row.through))
        == (stored.sha256, kind, batch_id, through)
    ]


def _hash_import(
    stored: StoredFile, kind: str, batch_id: str | None, through: dict[str, str], n_withdrawn: int
) -> str:
    content: dict[str, Any] = {
        "file_hash": stored.sha256,
        "kind": kind,
        "batch_id": batch_id,
        "through": through,
    }
    if n_withdrawn:  # the same file may come back after a withdrawal, as a new import
        content["after_withdrawals"] = n_withdrawn
    return content_hash(content)


def _payload(row: OutcomeImport | ExposureImport) -> Document:
    return {
        "file_hash": row.file_hash,
        "content_hash": row.content_hash,
        "source_name": row.source_name,
        "source_hash": row.source_hash,
        "n_rows": row.n_rows,
    }
