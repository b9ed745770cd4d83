"""What a store holds, read past the services: to be compared with what it may hold."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.models import AuditEvent, Base, ScorecardVersion

JUDGED = "verdicts.stored"
_NAMES_A_FILE = ("file_path", "validation_path")


@dataclass(frozen=True, slots=True)
class State:
    """Hold how many rows each table has, where each version stands, and what was recorded.

    Attributes
    ----------
    rows : tuple of (str, int)
        Table and number of rows.
    versions : tuple of (str, str)
        Version and status.
    actions : tuple of str
        The actions of the audit chain, in order.
    """

    rows: tuple[tuple[str, int], ...]
    versions: tuple[tuple[str, str], ...]
    actions: tuple[str, ...]

    def holds(self, other: State) -> bool:
        """Say whether all that another state holds is here, perhaps with more after it."""
        mine = dict(self.rows)
        return (
            all(mine[table] >= n for table, n in other.rows)
            and self.versions[: len(other.versions)] == other.versions
            and self.actions[: len(other.actions)] == other.actions
        )

    def once(self) -> State:
        """Count verdicts that were judged and stored twice in a row as stored once.

        Verdicts are committed before the training that they allow; a training that is killed and
        repeated judges again, and both judgements stay on record.
        """
        actions = tuple(
            action
            for place, action in enumerate(self.actions)
            if action != JUDGED or self.actions[place - 1] != JUDGED
        )
        repeated = len(self.actions) - len(actions)
        rows = tuple(
            (table, n - repeated if table == "audit_events" else n)
            for table, n in self.rows
            if table != "verdicts"
        )
        return State(rows, self.versions, actions)


def read_state(db: Session) -> State:
    """Read what a store holds, in one snapshot.

    Parameters
    ----------
    db : Session
        The store.

    Returns
    -------
    State
        Of every table.
    """
    tables = Base.metadata.sorted_tables
    counts = select(*[select(func.count()).select_from(t).scalar_subquery() for t in tables])
    versions = select(ScorecardVersion.version, ScorecardVersion.status)
    actions = select(AuditEvent.action).order_by(AuditEvent.seq)
    return State(
        rows=tuple(zip([t.name for t in tables], db.execute(counts).one(), strict=True)),
        versions=tuple(
            (version, status)
            for version, status in db.execute(versions.order_by(ScorecardVersion.number))
        ),
        actions=tuple(db.scalars(actions)),
    )


def unnamed_files(db: Session, lake: Path) -> set[str]:
    """List the files on disk that no row names, without the help of the doctor.

    Parameters
    ----------
    db : Session
        The store.
    lake : Path
        Its directory.

    Returns
    -------
    set of str
        Paths relative to the lake.
    """
    on_disk = {str(path.relative_to(lake)) for path in lake.rglob("*") if path.is_file()}
    for table in Base.metadata.sorted_tables:
        for column in table.columns:
            if column.name in _NAMES_A_FILE:
                on_disk -= set(db.scalars(select(column)))
    return on_disk
