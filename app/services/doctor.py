"""Examine a store: schema, triggers, audit chain, rows against it, files, runs left behind."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy.orm import Session

from app.db import require_no_transaction, transaction, utc_now
from app.db.migrate import schema_problem
from app.db.triggers import trigger_definitions
from app.domain.counted import counted
from app.domain.types import Document, Progress
from app.errors import FileHashError, InvalidInputError, NotFoundError, TamperingError
from app.lake.parts import LakeFile
from app.lake.store import TEMPORARY, Lake, open_lake
from app.models import Activation
from app.queries.lake_files import RecordedFile, list_recorded_files
from app.queries.runs import list_live_runs
from app.queries.store_schema import find_revision, read_triggers
from app.queries.versions import list_open_emergencies
from app.services.audit_service import AuditService, record
from app.services.decision_checks import find_altered_decisions
from app.services.row_checks import find_altered_rows
from app.services.run_processes import is_lost
from app.services.version_emergencies import emergency_document
from app.settings import default_actor

Kind = Literal[
    "schema", "trigger", "audit", "altered_row", "missing_file", "changed_file", "unreadable_file",
    "orphan", "lost_run", "emergency",
]  # fmt: skip
TRUSTED_HISTORY: tuple[Kind, ...] = ("schema", "trigger", "audit", "altered_row")
"""While one of these is found, rows may be missing that named a file: nothing is removed."""

_DAMAGED: tuple[Kind, ...] = ("missing_file", "changed_file", "unreadable_file")
"""While a manifest is one of these, its parts look like orphans: nothing is removed."""

MINIMUM_AGE = timedelta(minutes=15)
"""An import writes its file before the row: what is younger may belong to one under way."""

_BACKUP = "bring the file back from a backup; what was computed from it stays on the record"
_REWRITTEN = "history was rewritten: compare with a backup, and find out who did it"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong: what, where, and what to do."""

    kind: Kind
    subject: str
    problem: str
    remedy: str


class DoctorService:
    """Examine a store, and remove what a crash left in the lake.

    Parameters
    ----------
    db : Session
        The store; any session on it, also one whose schema is not current.
    actor : str or None
        The person on the record; by default the OS user.
    lake : Lake or None
        Where the files are; by default the one of the settings.
    """

    def __init__(self, db: Session, actor: str | None = None, lake: Lake | None = None) -> None:
        self.db = db
        self.actor = actor or default_actor()
        self.lake = lake or open_lake()

    def examine(
        self,
        *,
        remove_orphans: bool = False,
        minimum_age: timedelta = MINIMUM_AGE,
        progress: Progress | None = None,
    ) -> Document:
        """Examine everything; every file that a row names is read and hashed.

        Writes: nothing; with `remove_orphans` one event ``lake.orphans_removed`` where something
        was removed.

        Parameters
        ----------
        remove_orphans : bool, default False
            Remove the files that no row names.
        minimum_age : timedelta, default 15 minutes
            Leave files that were written since: an import may be under way.
        progress : callable or None
            Called as ``progress(stage, done, total)``.

        Returns
        -------
        dict
            healthy; sentence; findings (kind, subject, problem, remedy); orphans (path, n_bytes,
            modified_at, unfinished, removable, not_removed: why); removed (paths); checked
            (counts).

        Raises
        ------
        InvalidInputError
            If the minimum age is negative.
        OpenTransactionError
            If a transaction is open: a removed file does not come back with a rollback.
        """
        require_no_transaction(self.db)
        if minimum_age < timedelta(0):
            raise InvalidInputError("the minimum age of an orphan is not negative")
        report = progress or _silent
        behind = schema_problem(find_revision(self.db))
        if behind is not None:
            return _result([Finding("schema", "database", *behind)], [], [], {})
        findings = [*self._find_altered_triggers()]
        n_events = self._verify_audit(findings, report)
        if all(finding.kind != "audit" for finding in findings):
            findings += [
                Finding("altered_row", *row, _REWRITTEN)
                for row in (*find_altered_rows(self.db), *find_altered_decisions(self.db))
            ]
        files = self.lake.list_files()
        recorded = list_recorded_files(self.db)
        findings += self._find_damaged_files(recorded, report)
        runs = list_live_runs(self.db)
        findings += [_lost_run(run.id, run.pid) for run in runs if is_lost(run)]
        findings += [_emergency(activation) for activation in list_open_emergencies(self.db)]
        named, is_complete = self._named(recorded)
        orphans = _orphans(files, named, utc_now() - minimum_age)
        doubts = [finding for finding in findings if finding.kind in TRUSTED_HISTORY]
        if not is_complete:
            doubts += [finding for finding in findings if finding.kind in _DAMAGED]
        removed = self._remove(orphans) if remove_orphans and not doubts else []
        orphans = [orphan for orphan in orphans if orphan["path"] not in removed]
        findings += [_orphan(orphan, doubts) for orphan in orphans if orphan["removable"]]
        counts = {
            "triggers": len(trigger_definitions(self.db.get_bind().dialect.name)),
            "events": n_events,
            "rows_with_files": len(recorded),
            "files": len(files),
            "live_runs": len(runs),
        }
        return _result(findings, orphans, removed, counts)

    def _find_altered_triggers(self) -> Iterator[Finding]:
        found = read_triggers(self.db)
        for name, definition in trigger_definitions(self.db.get_bind().dialect.name).items():
            if found.get(name) != definition:
                problem = "is not what the release made" if name in found else "is gone"
                yield Finding(
                    "trigger",
                    f"trigger:{name}",
                    f"trigger {name} {problem}: history could be rewritten",
                    "find out who changed it; compare with a backup before anything is trusted",
                )

    def _verify_audit(self, findings: list[Finding], report: Progress) -> int:
        try:
            return int(AuditService(self.db).verify_chain(report)["n_events"])
        except TamperingError as error:
            seq = error.facts.get("seq")
            subject = "audit_head" if seq is None else f"event:{seq}"
            findings.append(Finding("audit", subject, error.message, _REWRITTEN))
            return 0 if seq is None else int(seq) - 1

    def _find_damaged_files(
        self, recorded: Sequence[RecordedFile], report: Progress
    ) -> Iterator[Finding]:
        known: dict[tuple[str, str], tuple[Kind, str] | None] = {}
        for number, file in enumerate(recorded, start=1):
            key = (file.path, file.sha256)
            if key not in known:
                known[key] = self._damage(file)
            damage = known[key]
            if damage is not None:
                yield Finding(damage[0], file.row, damage[1], _BACKUP)
            report("Hashing files", number, len(recorded))

    def _named(self, recorded: Sequence[RecordedFile]) -> tuple[set[str], bool]:
        """Name the files that rows need, and say whether every manifest could tell its parts."""
        named = {file.path for file in recorded}
        is_complete = True
        for path, sha256 in {(file.path, file.sha256) for file in recorded}:
            try:
                named.update(part for part, _ in self.lake.files_of(path, sha256))
            except (NotFoundError, TamperingError, OSError):
                is_complete = False  # the damage is a finding of its own
        return named, is_complete

    def _damage(self, file: RecordedFile) -> tuple[Kind, str] | None:
        try:
            self.lake.verify(file.path, file.sha256)
        except NotFoundError as error:
            return "missing_file", f"its file {self.lake.place_of(error.facts['path'])} is gone"
        except FileHashError as error:
            found, recorded = error.facts["found"], error.facts["recorded"]
            place = self.lake.place_of(error.facts["path"])
            return (
                "changed_file",
                f"its file {place} was changed: its hash is {found}, recorded is {recorded}",
            )
        except OSError as error:
            place = self.lake.place_of(file.path)
            return "unreadable_file", f"its file {place} cannot be read: {error}"
        return None

    def _remove(self, orphans: Sequence[Document]) -> list[str]:
        """Remove the old orphans; which rows there are is read again under the write lock.

        One that the file system does not give up stays an orphan, with the reason beside it.
        """
        removable = [orphan for orphan in orphans if orphan["removable"]]
        if not removable:
            return []
        removed = []
        with transaction(self.db):
            named, is_complete = self._named(list_recorded_files(self.db))
            for orphan in removable:
                if is_complete and orphan["path"] not in named:
                    try:
                        self.lake.remove_orphan(orphan["path"])
                    except OSError as error:
                        orphan["not_removed"] = str(error)
                    else:
                        removed.append(orphan["path"])
            if removed:
                record(
                    self.db,
                    actor=self.actor,
                    action="lake.orphans_removed",
                    subject="lake",
                    payload={"paths": removed},
                )
        return removed


def _orphans(
    files: Sequence[LakeFile], named: set[str], written_before: datetime
) -> list[Document]:
    return [
        asdict(file)
        | {
            "modified_at": None if file.modified_at is None else file.modified_at.isoformat(),
            "unfinished": f"/{TEMPORARY}" in file.path,
            "removable": file.modified_at is not None and file.modified_at <= written_before,
            "not_removed": None,
        }
        for file in files
        if file.path not in named
    ]


def _orphan(orphan: Document, doubts: Sequence[Finding]) -> Finding:
    problem = "is an unfinished write" if orphan["unfinished"] else "is named by no row"
    if orphan["not_removed"] is not None:
        problem += f" and could not be removed: {orphan['not_removed']}"
    remedy = (
        "nothing is removed while the history itself is in doubt: settle the other findings first"
        if doubts
        else "a crash left it: chancellor doctor --remove-orphans removes it without loss"
    )
    return Finding("orphan", orphan["path"], f"{orphan['path']} {problem}", remedy)


def _lost_run(run_id: str, pid: int | None) -> Finding:
    return Finding(
        "lost_run",
        f"run:{run_id}",
        f"pipeline run {run_id} is on the record as live, its process {pid} is gone",
        "a running service, or the next chancellor pipeline run, marks it as failed",
    )


def _emergency(activation: Activation) -> Finding:
    return Finding(
        "emergency",
        f"version:{activation.version}",
        str(emergency_document(activation)["sentence"]),
        "an approver looks into it: chancellor versions acknowledge-emergency --reason TEXT",
    )


def _result(
    findings: Sequence[Finding],
    orphans: Sequence[Document],
    removed: Sequence[str],
    counts: Document,
) -> Document:
    n = len(findings)
    sentence = (
        "The store is healthy."
        if not n
        else f"{counted(n, 'thing needs', 'things need')} attention."
    )
    return {
        "healthy": not findings,
        "sentence": sentence,
        "findings": [asdict(finding) for finding in findings],
        "orphans": list(orphans),
        "removed": list(removed),
        "checked": counts,
    }


def _silent(_stage: str, _done: int, _total: int) -> None:
    """Take progress and show none."""
