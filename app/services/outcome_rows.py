"""Write the rows of outcome and exposure imports, each content once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy.orm import Session

from app.db import transaction, utc_now
from app.domain.canonical import content_hash
from app.domain.types import Document
from app.lake.parts import StoredFile
from app.lake.store import Lake
from app.models import ExposureImport, OutcomeImport
from app.queries.batches import list_withdrawals
from app.queries.exposures import EXPOSURE_IMPORT, list_exposure_imports
from app.queries.outcomes import OUTCOME_IMPORT, list_imports
from app.services.audit_service import record
from app.services.conflicts import conflicts_named

if TYPE_CHECKING:
    import pyarrow as pa

    from app.lake.intake import SourceFile

_TAKEN = "somebody else imported the same file at the same moment: look at chancellor outcomes list"
_LIST_TAKEN = _TAKEN.replace("outcomes", "exposures")


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
    n_rejected: int = 0,
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
        Sound rows of the file; events, or bad flags.
    through : dict of str to str
        Last complete day by event type.
    n_rejected : int, default 0
        Rows at fault that were left out; the audit event says so.

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
            payload={**_payload(row, n_rejected), **facts},
        )
        return row, False


def add_exposure_import(
    db: Session, lake: Lake, source: SourceFile, table: pa.Table, *, actor: str, n_rejected: int = 0
) -> tuple[ExposureImport, bool]:
    """Store a list of those who were granted credit, unless a valid equal one is there.

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
    n_rejected : int, default 0
        Rows at fault that were left out; the audit event says so.

    Returns
    -------
    row : ExposureImport
        The new row, or that of the same list.
    already : bool
        Whether it was there.
    """
    stored = lake.write_table("exposures", table)
    with conflicts_named(_LIST_TAKEN), transaction(db):
        same = [row for row in list_exposure_imports(db) if row.file_hash == stored.sha256]
        withdrawn = list_withdrawals(db, EXPOSURE_IMPORT)
        valid = [row for row in same if str(row.id) not in withdrawn]
        if valid:
            return valid[0], True
        row = ExposureImport(
            file_path=stored.path,
            file_hash=stored.sha256,
            content_hash=_hash({"file_hash": stored.sha256}, len(same)),
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
            subject=f"{EXPOSURE_IMPORT}:{row.id}",
            payload=_payload(row, n_rejected),
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
    content = {
        "file_hash": stored.sha256,
        "kind": kind,
        "batch_id": batch_id,
        "through": through,
    }
    return _hash(content, n_withdrawn)


def _hash(content: dict[str, Any], n_withdrawn: int) -> str:
    """Hash a content; the same file may come back after a withdrawal, as a new import."""
    return content_hash({**content, "after_withdrawals": n_withdrawn} if n_withdrawn else content)


def _payload(row: OutcomeImport | ExposureImport, n_rejected: int) -> Document:
    return {
        "file_hash": row.file_hash,
        "content_hash": row.content_hash,
        "source_name": row.source_name,
        "source_hash": row.source_hash,
        "n_rows": row.n_rows,
        "n_rejected": n_rejected,
    }
