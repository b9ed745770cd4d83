"""Import, list and withdraw outcomes."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from sqlalchemy.orm import Session

from app.db import utc_now
from app.domain.outcomes import CIRCULAR_TYPES, FINAL_FLAG
from app.domain.types import Document, Progress
from app.errors import CircularLabelError, InvalidInputError
from app.lake.store import Lake, open_lake
from app.queries.batches import list_withdrawals, require_batch
from app.queries.outcomes import (
    OUTCOME_IMPORT,
    import_document,
    list_imports,
    require_import,
)
from app.services.outcome_checks import (
    EVENTS_LEFT_OUT,
    flag_warnings,
    late_event_warnings,
    read_through,
)
from app.services.outcome_rows import add_outcome_import
from app.services.withdrawals import withdraw
from app.settings import default_actor

_STEPS = 3


class OutcomeService:
    """Bring in what happened later.

    Parameters
    ----------
    db : Session
        The store.
    actor : str or None
        The person on the record; by default the OS user.
    lake : Lake or None
        Where the files go; by default the one of the settings.
    """

    def __init__(self, db: Session, actor: str | None = None, lake: Lake | None = None) -> None:
        self.db = db
        self.actor = actor or default_actor()
        self.lake = lake or open_lake()

    def import_events(
        self,
        path: str | Path,
        *,
        party_id: str,
        event_date: str,
        event_type: str,
        through: str | date,
        days_past_due: str | None = None,
        date_format: str | None = None,
        skip_bad_rows: bool = False,
        rejects_path: str | Path | None = None,
        progress: Progress | None = None,
    ) -> Document:
        """Import dated events; the same file twice changes nothing.

        Writes: a Parquet file, one outcome import, one audit event.

        Parameters
        ----------
        path : str or Path
            CSV, CSV.gz or Parquet.
        party_id : str
            Column of the ids, or ``@row``.
        event_date : str
            Column of the dates; a row with a blank date is no event.
        event_type : str
            Column of the types if the file has it, otherwise the type of all rows.
        through : str or date
            Last day up to which the file is complete, for every event type that it speaks of.
        days_past_due : str or None
            Column of the days past due of ``days_past_due`` events.
        date_format : str or None
            As for ``strptime``; None for ISO dates. `through` may be written in it too.
        skip_bad_rows : bool, default False
            Store the sound rows, and write the others to `rejects_path`.
        rejects_path : str, Path or None
            By default ``<file>.rejects.csv`` in the working directory.
        progress : callable or None
            Called as ``progress(stage, done, total)``.

        Returns
        -------
        dict
            import_id, n_rows, n_events, through (by type), n_rejected, rejects_path, warnings,
            already_imported, and what `list_imports` says.

        Raises
        ------
        InvalidInputError
            If `through` is no date, or lies in the future.
        IntakeError
            If the file is at fault: the first 20 faults and their count.
        NotFoundError
            If there is no such file.
        """
        from app.domain.intake_dates import DateRule  # noqa: PLC0415 - loads pyarrow
        from app.lake.intake import read_source  # noqa: PLC0415 - the same
        from app.lake.intake_outcomes import EventRequest, read_events  # noqa: PLC0415 - the same
        from app.lake.intake_rejects import keep_rejects  # noqa: PLC0415 - the same

        report = progress or _silent
        declared = read_through(through, date_format)
        rule = DateRule(utc_now(), date_format, required=False)
        report("Reading the file", 0, _STEPS)
        source = read_source(path)
        report("Checking every value", 1, _STEPS)
        request = EventRequest(party_id, event_date, event_type, days_past_due, rule)
        events = read_events(source, request, skip_bad_rows=skip_bad_rows)
        report("Storing the outcomes", 2, _STEPS)
        if not events.types:
            raise InvalidInputError(f"{source.name} names no event type: nothing can be declared")
        rejects = keep_rejects(source, events.n_rejected, rejects_path)
        row, already = add_outcome_import(
            self.db,
            self.lake,
            source,
            events.table,
            actor=self.actor,
            kind="events",
            batch_id=None,
            n_rows=events.n_rows,
            n_events=events.table.num_rows,
            through=dict.fromkeys(events.types, declared.isoformat()),
            n_rejected=events.n_rejected,
        )
        report("Stored", _STEPS, _STEPS)
        warnings = late_event_warnings(events.table, declared)
        if events.n_rejected:
            warnings.append(EVENTS_LEFT_OUT)
        return {
            **import_document(row, None),
            "n_rejected": events.n_rejected,
            "rejects_path": rejects,
            "warnings": warnings,
            "already_imported": already,
        }

    def import_flags(
        self,
        path: str | Path,
        *,
        batch_id: str,
        party_id: str,
        flag: str,
        bad: str,
        skip_bad_rows: bool = False,
        rejects_path: str | Path | None = None,
        progress: Progress | None = None,
    ) -> Document:
        """Import the final flags of a batch; the same file twice changes nothing.

        Writes: a Parquet file, one outcome import, one audit event.

        Parameters
        ----------
        path : str or Path
            CSV, CSV.gz or Parquet.
        batch_id : str
            The batch that is flagged.
        party_id : str
            Column of the ids, or ``@row``.
        flag : str
            Column of the flags; a blank one is not known yet.
        bad : str
            The value that means bad; every other one means good.
        skip_bad_rows : bool, default False
            Store the sound rows, and write the others to `rejects_path`.
        rejects_path : str, Path or None
            By default ``<file>.rejects.csv`` in the working directory.
        progress : callable or None
            Called as ``progress(stage, done, total)``.

        Returns
        -------
        dict
            import_id, n_rows, n_flagged, n_bad, n_good, n_not_in_batch, n_rejected, rejects_path,
            warnings, already_imported, and what `list_imports` says.

        Raises
        ------
        CircularLabelError
            If the column is the scorecard's own score or band.
        InvalidInputError
            If no party of the file is in the batch.
        IntakeError
            If the file is at fault, or no party has the bad value.
        NotFoundError, ConflictError
            If there is no such file or batch, or the batch was withdrawn.
        """
        import pyarrow.compute as pc  # noqa: PLC0415 - heavy import

        from app.lake.intake import read_source  # noqa: PLC0415 - the same
        from app.lake.intake_outcomes import read_flags  # noqa: PLC0415 - the same
        from app.lake.intake_rejects import keep_rejects  # noqa: PLC0415 - the same

        if flag.lower() in CIRCULAR_TYPES:
            raise CircularLabelError(
                f"column {flag!r} is the scorecard's own judgement: labels made from it would only "
                "teach the scorecard itself",
                flag=flag,
            )
        batch = require_batch(self.db, batch_id)
        parties = self.lake.read_table(batch.file_path, batch.file_hash, columns=["party_id"])
        report = progress or _silent
        report("Reading the file", 0, _STEPS)
        source = read_source(path)
        report("Checking every value", 1, _STEPS)
        flags = read_flags(
            source, party_id=party_id, flag=flag, bad=bad, skip_bad_rows=skip_bad_rows
        )
        in_batch = pc.is_in(flags.table["party_id"], value_set=parties["party_id"].combine_chunks())
        n_known = int(pc.sum(in_batch).as_py() or 0)
        n_flagged = flags.table.num_rows
        if not n_known:
            raise InvalidInputError(
                f"no party of {source.name} is in batch {batch_id}: its ids look like "
                f"{flags.table['party_id'][0].as_py()!r}, those of the batch like "
                f"{parties['party_id'][0].as_py()!r}"
            )
        n_bad = int(pc.sum(flags.table["bad"]).as_py())
        report("Storing the flags", 2, _STEPS)
        rejects = keep_rejects(source, flags.n_rejected, rejects_path)
        row, already = add_outcome_import(
            self.db,
            self.lake,
            source,
            flags.table,
            actor=self.actor,
            kind=FINAL_FLAG,
            batch_id=batch_id,
            n_rows=flags.n_rows,
            n_events=n_bad,
            through={},
            n_rejected=flags.n_rejected,
        )
        report("Stored", _STEPS, _STEPS)
        return {
            **import_document(row, None),
            "n_flagged": n_flagged,
            "n_bad": n_bad,
            "n_good": n_flagged - n_bad,
            "n_not_in_batch": n_flagged - n_known,
            "n_rejected": flags.n_rejected,
            "rejects_path": rejects,
            "warnings": flag_warnings(flags.counts, bad, n_flagged - n_known),
            "already_imported": already,
        }

    def list_imports(self) -> tuple[Document, ...]:
        """List all outcome imports, withdrawn ones included.

        Returns
        -------
        tuple of dict
            Oldest first.
        """
        withdrawn = list_withdrawals(self.db, OUTCOME_IMPORT)
        return tuple(
            import_document(row, withdrawn.get(str(row.id))) for row in list_imports(self.db)
        )

    def withdraw(self, import_id: int | str, *, reason: str) -> Document:
        """Withdraw a wrong outcome import: it stays on the record and is used no more.

        Writes: one withdrawal, one audit event.

        Parameters
        ----------
        import_id : int or str
            Its running number.
        reason : str
            Why; required.

        Returns
        -------
        dict
            import_id and the withdrawal.

        Raises
        ------
        NotFoundError
            If there is no such import.
        ConflictError
            If it was withdrawn before.
        """
        row = require_import(self.db, import_id)
        number = row.id
        withdrawn = withdraw(
            self.db,
            subject_kind=OUTCOME_IMPORT,
            subject_id=str(number),
            action="outcomes.withdrawn",
            reason=reason,
            actor=self.actor,
        )
        return {"import_id": number, "withdrawn": withdrawn}


def _silent(_stage: str, _done: int, _total: int) -> None:
    """Take progress and show none."""
