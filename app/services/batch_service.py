"""Import, list and withdraw batches."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy.orm import Session

from app.db import transaction, utc_now
from app.domain.scorecard import Scorecard
from app.domain.types import Document, Progress
from app.errors import ConflictError, InvalidInputError
from app.lake.store import Lake, open_lake
from app.models import Batch
from app.queries.batches import (
    batch_document,
    find_batch,
    find_withdrawal,
    known_batch,
    list_batches,
    list_withdrawals,
    require_batch,
)
from app.queries.labels import label_set_documents, list_label_sets
from app.queries.versions import require_active
from app.services.audit_service import record
from app.services.withdrawals import withdraw
from app.settings import default_actor

if TYPE_CHECKING:
    import pyarrow as pa

    from app.lake.intake import SourceFile
    from app.lake.intake_batch import BatchSnapshot

BATCH_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_STEPS = 4


@dataclass(frozen=True, slots=True)
class _Import:
    """What was read for one import, before it is stored."""

    source: SourceFile
    snapshot: BatchSnapshot
    party_id: str
    scored_at: str
    card_version: str
    groups: tuple[str, ...]


class BatchService:
    """Bring parties in as immutable, hashed snapshots.

    Parameters
    ----------
    db : Session
        The store.
    actor : str or None
        The person on the record; by default the OS user.
    lake : Lake or None
        Where the snapshots go; by default the one of the settings.
    """

    def __init__(self, db: Session, actor: str | None = None, lake: Lake | None = None) -> None:
        self.db = db
        self.actor = actor or default_actor()
        self.lake = lake or open_lake()

    def import_file(
        self,
        path: str | Path,
        *,
        batch_id: str,
        party_id: str,
        scored_at: str,
        date_format: str | None = None,
        allow_missing_features: bool = False,
        groups: Sequence[str] = (),
        skip_bad_rows: bool = False,
        rejects_path: str | Path | None = None,
        progress: Progress | None = None,
    ) -> Document:
        """Store a file of parties as a batch; nothing is stored unless the file is sound.

        Writes: a Parquet snapshot, one batch, one audit event; the file of rejected rows.

        Parameters
        ----------
        path : str or Path
            CSV, CSV.gz or Parquet.
        batch_id : str
            ``[A-Za-z0-9][A-Za-z0-9._-]{0,63}``, never used before.
        party_id : str
            Column of the ids, or ``@row`` for the number of the data row from 1.
        scored_at : str
            Column of the score dates if the file has it, otherwise one date for all rows.
        date_format : str or None
            As for ``strptime``; None for ISO dates and times, where no zone means UTC.
        allow_missing_features : bool, default False
            Store features that the file lacks as nulls, where the card gives a ``missing``.
        groups : sequence of str
            Columns to keep as groups, for fairness alone: at most 50 different values each, never
            features of the card, never scored or trained on.
        skip_bad_rows : bool, default False
            Store the sound rows, and write the others to `rejects_path`.
        rejects_path : str, Path or None
            By default ``<file>.rejects.csv`` in the working directory.
        progress : callable or None
            Called as ``progress(stage, done, total)``.

        Returns
        -------
        dict
            batch_id, n_rows, file_hash, scored_from, scored_to, missing_features, groups,
            n_rejected, rejects_path, card_version, already_imported.

        Raises
        ------
        InvalidInputError
            If the batch id or the date format is not usable.
        IntakeError
            If the file is at fault: the first 20 faults and their count.
        NotFoundError
            If there is no such file.
        ConflictError
            If the id is taken by other content or other groups, or was withdrawn.
        """
        from app.domain.intake_dates import DateRule  # noqa: PLC0415 - loads pyarrow
        from app.lake.intake import read_source  # noqa: PLC0415 - the same
        from app.lake.intake_batch import BatchRequest, read_batch  # noqa: PLC0415 - the same
        from app.lake.intake_rejects import keep_rejects  # noqa: PLC0415 - the same

        _check_batch_id(batch_id)
        if find_batch(self.db, batch_id) is not None:
            require_batch(self.db, batch_id)
        version = require_active(self.db)
        card_version, card = version.version, Scorecard.from_document(version.content)
        rule = DateRule(utc_now(), date_format)
        report = progress or _silent
        report("Reading the file", 0, _STEPS)
        source = read_source(path)
        report("Checking every value", 1, _STEPS)
        kept = tuple(sorted(set(groups)))
        request = BatchRequest(party_id, scored_at, rule, allow_missing_features, kept)
        snapshot = read_batch(source, request, card, skip_bad_rows=skip_bad_rows)
        report("Storing the snapshot", 3, _STEPS)
        found = _Import(source, snapshot, party_id, scored_at, card_version, kept)
        rejects = keep_rejects(source, snapshot.n_rejected, rejects_path)
        result = self._store(batch_id, found)
        report("Stored", _STEPS, _STEPS)
        return {**result, "n_rejected": snapshot.n_rejected, "rejects_path": rejects}

    def _store(self, batch_id: str, found: _Import) -> Document:
        existing = find_batch(self.db, batch_id)
        if existing is not None:
            return self._same(existing, found)
        stored = self.lake.write_table("batches", found.snapshot.table)
        with transaction(self.db):
            if find_batch(self.db, batch_id) is not None:
                raise ConflictError(f"batch {batch_id} was imported by someone else just now")
            row = self._new_row(batch_id, found, stored.path, stored.sha256)
            self.db.add(row)
            self.db.flush()
            record(
                self.db,
                actor=self.actor,
                action="batch.imported",
                subject=f"batch:{batch_id}",
                payload={
                    "file_hash": row.file_hash,
                    "source_name": row.source_name,
                    "source_hash": row.source_hash,
                    "n_rows": row.n_rows,
                    "n_rejected": found.snapshot.n_rejected,
                    "missing_features": list(row.missing_features),
                    "card_version": row.card_version,
                    **({"group_columns": row.group_columns} if row.group_columns else {}),
                },
            )
            return _imported(row, already=False)

    def _new_row(self, batch_id: str, found: _Import, path: str, sha256: str) -> Batch:
        table = found.snapshot.table
        days = table["scored_at"].cast("date32", safe=False)
        return Batch(
            batch_id=batch_id,
            file_path=path,
            file_hash=sha256,
            n_rows=table.num_rows,
            columns=[{"name": field.name, "type": str(field.type)} for field in table.schema],
            card_version=found.card_version,
            party_id_column=found.party_id,
            scored_at_column=found.scored_at,
            scored_from=days[0].as_py(),
            scored_to=days[-1].as_py(),
            source_name=found.source.name,
            source_hash=found.source.sha256,
            missing_features=list(found.snapshot.missing_features),
            group_columns=list(found.groups) or None,
            created_at=utc_now(),
            created_by=self.actor,
        )

    def _same(self, existing: Batch, found: _Import) -> Document:
        table = self.lake.read_table(existing.file_path, existing.file_hash)
        if not _is_same(table, found.snapshot.table):
            raise ConflictError(
                f"batch {existing.batch_id} exists with other content, imported from "
                f"{existing.source_name} on {existing.created_at:%Y-%m-%d}: choose another id",
                batch_id=existing.batch_id,
            )
        if tuple(existing.group_columns or ()) != found.groups:
            declared = ", ".join(existing.group_columns or ()) or "none"
            raise ConflictError(
                f"batch {existing.batch_id} exists with the same rows, but its groups are "
                f"{declared}: import it under another id, and withdraw this one",
                batch_id=existing.batch_id,
            )
        return _imported(existing, already=True)

    def list_batches(self) -> tuple[Document, ...]:
        """List all batches, withdrawn ones included.

        Returns
        -------
        tuple of dict
            Oldest import first.
        """
        withdrawn = list_withdrawals(self.db, "batch")
        return tuple(
            batch_document(row, withdrawn.get(row.batch_id)) for row in list_batches(self.db)
        )

    def get_batch(self, batch_id: str) -> Document:
        """Describe one batch and its label sets.

        Parameters
        ----------
        batch_id : str
            The batch, withdrawn or not.

        Returns
        -------
        dict
            As listed, with ``label_sets`` by number.

        Raises
        ------
        NotFoundError
            If there is no such batch.
        """
        row = known_batch(self.db, batch_id)
        label_sets = label_set_documents(self.db, list_label_sets(self.db, batch_id))
        withdrawal = find_withdrawal(self.db, "batch", batch_id)
        return {**batch_document(row, withdrawal), "label_sets": label_sets}

    def withdraw(self, batch_id: str, *, reason: str) -> Document:
        """Withdraw a wrong batch: it stays on the record and is used no more.

        Writes: one withdrawal, one audit event.

        Parameters
        ----------
        batch_id : str
            The batch; its id is not used again.
        reason : str
            Why; required.

        Returns
        -------
        dict
            batch_id and the withdrawal.

        Raises
        ------
        NotFoundError
            If there is no such batch.
        ConflictError
            If it was withdrawn before.
        """
        known_batch(self.db, batch_id)
        withdrawn = withdraw(
            self.db,
            subject_kind="batch",
            subject_id=batch_id,
            action="batch.withdrawn",
            reason=reason,
            actor=self.actor,
        )
        return {"batch_id": batch_id, "withdrawn": withdrawn}


def _check_batch_id(batch_id: str) -> None:
    if not BATCH_ID.fullmatch(batch_id):
        raise InvalidInputError(
            f"batch id {batch_id!r} is not usable: start with a letter or digit, then letters, "
            "digits, '.', '_' or '-', 64 at most",
            batch_id=batch_id,
        )


def _is_same(stored: pa.Table, found: pa.Table) -> bool:
    import pyarrow as pa  # noqa: PLC0415 - heavy import

    if stored.column_names != found.column_names:
        return False
    try:  # a type that Parquet has no name for comes back as its nearest
        return bool(stored.equals(found.cast(stored.schema)))
    except pa.ArrowInvalid:
        return False


def _imported(row: Batch, *, already: bool) -> Document:
    return {
        "batch_id": row.batch_id,
        "n_rows": row.n_rows,
        "file_hash": row.file_hash,
        "scored_from": row.scored_from.isoformat(),
        "scored_to": row.scored_to.isoformat(),
        "missing_features": list(row.missing_features),
        "groups": list(row.group_columns or ()),
        "card_version": row.card_version,
        "already_imported": already,
    }


def _silent(_stage: str, _done: int, _total: int) -> None:
    """Take progress and show none."""
