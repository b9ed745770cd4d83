"""Import, list and withdraw the lists of those who were granted credit."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy.orm import Session

from app.db import utc_now
from app.domain.types import Document, Progress
from app.lake.store import Lake, open_lake
from app.queries.batches import list_withdrawals
from app.queries.exposures import (
    EXPOSURE_IMPORT,
    exposure_document,
    list_exposure_imports,
    list_valid_exposure_imports,
    require_exposure_import,
)
from app.services.outcome_rows import add_exposure_import
from app.services.withdrawals import withdraw
from app.settings import default_actor

_STEPS = 3


class ExposureService:
    """Bring in who was granted credit.

    Parameters
    ----------
    db : Session
        Any SQLAlchemy session on the initialised database.
    actor : str or None
        The person on the record; by default the OS user.
    lake : Lake or None
        Where the files go; by default the one of the settings.
    """

    def __init__(self, db: Session, actor: str | None = None, lake: Lake | None = None) -> None:
        self.db = db
        self.actor = actor or default_actor()
        self.lake = lake or open_lake()

    def import_file(
        self,
        path: str | Path,
        *,
        party_id: str,
        granted_on: str | None = None,
        date_format: str | None = None,
        skip_bad_rows: bool = False,
        rejects_path: str | Path | None = None,
        progress: Progress | None = None,
    ) -> Document:
        """Import a list of those who were granted credit; the same list twice changes nothing.

        Writes: a Parquet file, one exposure import, one audit event. A list that was withdrawn
        may be imported anew, and gets an id of its own.

        Parameters
        ----------
        path : str or Path
            CSV, CSV.gz or Parquet.
        party_id : str
            Column of the ids, or ``@row``.
        granted_on : str or None
            Column of the dates on which credit was granted; a blank means "at some time".
        date_format : str or None
            As for ``strptime``; None for ISO dates.
        skip_bad_rows : bool, default False
            Store the sound rows, and write the others to `rejects_path`.
        rejects_path : str, Path or None
            By default ``<file>.rejects.csv`` in the working directory.
        progress : callable or None
            Called as ``progress(stage, done, total)``.

        Returns
        -------
        dict
            exposure_import_id, n_rows, n_rejected, rejects_path, already_imported, hashes,
            created_at and created_by.

        Raises
        ------
        IntakeError
            If the file is at fault: the first 20 faults and their count.
        NotFoundError
            If there is no such file.
        """
        from app.domain.intake_dates import DateRule  # noqa: PLC0415 - loads pyarrow
        from app.lake.intake import read_source  # noqa: PLC0415 - the same
        from app.lake.intake_outcomes import read_exposures  # noqa: PLC0415 - the same
        from app.lake.intake_rejects import keep_rejects  # noqa: PLC0415 - the same

        rule = DateRule(utc_now(), date_format, required=False)
        report = progress or _silent
        report("Reading the file", 0, _STEPS)
        source = read_source(path)
        report("Checking every value", 1, _STEPS)
        table, n_rejected = read_exposures(
            source, party_id=party_id, granted_on=granted_on, rule=rule, skip_bad_rows=skip_bad_rows
        )
        report("Storing the list", 2, _STEPS)
        rejects = keep_rejects(source, n_rejected, rejects_path)
        row, already = add_exposure_import(
            self.db, self.lake, source, table, actor=self.actor, n_rejected=n_rejected
        )
        report("Stored", _STEPS, _STEPS)
        return {
            **exposure_document(row, None),
            "n_rejected": n_rejected,
            "rejects_path": rejects,
            "already_imported": already,
        }

    def list_imports(self) -> tuple[Document, ...]:
        """List all exposure lists, withdrawn ones included.

        Returns
        -------
        tuple of dict
            Oldest first.
        """
        withdrawn = list_withdrawals(self.db, EXPOSURE_IMPORT)
        return tuple(
            exposure_document(row, withdrawn.get(str(row.id)))
            for row in list_exposure_imports(self.db)
        )

    def withdraw(self, exposure_import_id: int | str, *, reason: str) -> Document:
        """Withdraw a wrong list: it stays on the record and no label uses it from now on.

        Writes: one withdrawal, one audit event.

        Parameters
        ----------
        exposure_import_id : int or str
            Its running number.
        reason : str
            Why; required.

        Returns
        -------
        dict
            exposure_import_id, n_left (lists still in use) and the withdrawal.

        Raises
        ------
        InvalidInputError
            If the reason is blank.
        NotFoundError
            If there is no such list.
        ConflictError
            If it was withdrawn before.
        """
        number = require_exposure_import(self.db, exposure_import_id).id
        withdrawn = withdraw(
            self.db,
            subject_kind=EXPOSURE_IMPORT,
            subject_id=str(number),
            action="exposures.withdrawn",
            reason=reason,
            actor=self.actor,
        )
        n_left = len(list_valid_exposure_imports(self.db))
        return {"exposure_import_id": number, "n_left": n_left, "withdrawn": withdrawn}


def _silent(_stage: str, _done: int, _total: int) -> None:
    """Take progress and show none."""
