"""Copy a store's database to another, such as from SQLite to PostgreSQL, row for row."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import JSON, Column, MetaData, Select, Table, Text, cast, select
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session

from app.db import bulk_insert, create_store_engine, open_session, transaction, upgrade
from app.db.loading import filled_tables, guards_put_aside, stored_tables
from app.domain.types import Document, Progress
from app.errors import ConflictError, TamperingError
from app.models import Base
from app.queries.audit import require_head
from app.services.audit_service import record
from app.services.doctor import DoctorService
from app.services.restore import cancel_live_runs
from app.settings import complete_database_url, default_actor, get_settings

_PAGE = 10_000
_MODULUS = 1 << 256


def copy_store(to: str, *, actor: str | None = None, progress: Progress | None = None) -> Document:
    """Copy the database of the store to another; the lake stays where it is.

    All tables are read at one moment and written in one transaction. Documents are carried as the
    text that they are stored as, so every content hash holds; events of the audit chain are the
    same byte for byte. Before the transaction commits each table is read back and compared.

    Writes: in the target its schema, all rows, and the event ``store.copied``; runs that were live
    are cancelled there, with ``run.cancelled``. In the source nothing.

    Parameters
    ----------
    to : str
        URL of an empty database.
    actor : str, optional
        The person on the record; by default the OS user.
    progress : callable, optional
        Called as ``progress(stage, done, total)``.

    Returns
    -------
    dict
        source and target (passwords hidden), audit_seq and audit_hash that were copied, n_rows
        and tables (rows of each), left_out (tables that are not the store's), healthy and findings
        of ``chancellor doctor`` on the target.

    Raises
    ------
    ConflictError
        If the target holds rows already; nothing is changed.
    StoreNotInitialisedError
        If there is no store to copy.
    TamperingError
        If a row did not arrive as it was; nothing is kept.
    UnavailableError
        If either database does not answer.
    """
    who, url = actor or default_actor(), complete_database_url(to)
    source_url = get_settings().database_url
    shown = [make_url(one).render_as_string(hide_password=True) for one in (source_url, url)]
    open_session(source_url).close()  # there is a store, of this release
    _require_empty(url, shown[1])
    upgrade(url)
    with _snapshot(source_url) as source, open_session(url) as target:
        head = require_head(source)
        with transaction(target):
            counts = _carry_all(source, target, shown[1], progress)
            record(
                target,
                actor=who,
                action="store.copied",
                subject="store",
                payload={
                    "source": shown[0], "target": shown[1], "audit_seq": head.seq,
                    "audit_hash": head.hash, "n_rows": sum(counts.values()),
                },
            )  # fmt: skip
            cancel_live_runs(target, who, "copied")
        known = set(Base.metadata.tables)
        others = [t.name for t in stored_tables(source.connection()) if t.name not in known]
        examined = DoctorService(target, actor=who).examine(progress=progress)
    return {
        "source": shown[0],
        "target": shown[1],
        "audit_seq": head.seq,
        "audit_hash": head.hash,
        "n_rows": sum(counts.values()),
        "tables": counts,
        "left_out": others,
        "healthy": examined["healthy"],
        "findings": examined["findings"],
    }


def _require_empty(url: str, shown: str) -> None:
    engine = create_store_engine(url)
    try:
        with Session(engine) as db:
            _refuse(filled_tables(db), shown)
    finally:
        engine.dispose()


def _refuse(filled: tuple[str, ...], shown: str) -> None:
    if filled:
        raise ConflictError(
            f"{shown} is not empty ({', '.join(filled)} {'has' if len(filled) == 1 else 'have'} "
            "rows): copy into a new database.",
            filled=list(filled),
        )


@contextmanager
def _snapshot(url: str) -> Iterator[Session]:
    """Give a session that sees one moment of a database and writes nothing."""
    engine = create_store_engine(url)
    options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    try:
        with engine.connect() as connection:
            if engine.dialect.name == "postgresql":
                connection.execution_options(**options)
            with Session(connection) as db:
                yield db
    finally:
        engine.dispose()


def _carry_all(
    source: Session, target: Session, shown: str, progress: Progress | None
) -> dict[str, int]:
    """Carry every table in the order of their keys, and hold what arrived against what left."""
    tables = Base.metadata.sorted_tables
    counts = {}
    with guards_put_aside(target):
        _refuse(filled_tables(target), shown)  # again, now that nobody else can write
        for number, table in enumerate(tables, start=1):
            left = _carry(source, target, table)
            arrived = _Sum()
            arrived.take(_rows(target, table))
            if left != arrived:
                raise TamperingError(f"the rows of {table.name} did not arrive as they were")
            counts[table.name] = left.n_rows
            if progress is not None:
                progress("Copying tables", number, len(tables))
    return counts


def _carry(source: Session, target: Session, table: Table) -> _Sum:
    left = _Sum()
    bulk_insert(target, _carrier(table), left.of(_rows(source, table)), table.c.keys())
    return left


@dataclass(slots=True)
class _Sum:
    """Sum the hashes of rows, so that their order does not matter."""

    n_rows: int = 0
    total: int = field(default=0)

    def take(self, rows: Iterator[tuple[Any, ...]]) -> None:
        """Sum all rows."""
        for _ in self.of(rows):
            pass

    def of(self, rows: Iterator[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
        """Pass rows on and sum them."""
        for row in rows:
            digest = hashlib.sha256(repr(row).encode()).digest()
            self.total = (self.total + int.from_bytes(digest)) % _MODULUS
            self.n_rows += 1
            yield row


def _rows(db: Session, table: Table) -> Iterator[tuple[Any, ...]]:
    for row in db.execute(_select(table), execution_options={"yield_per": _PAGE}):
        yield tuple(row)


def _select(table: Table) -> Select[Any]:
    """Read documents as their text: nothing may put them into another form on the way."""
    columns = [
        cast(column, Text).label(column.name) if isinstance(column.type, JSON) else column
        for column in table.columns
    ]
    return select(*columns).order_by(*table.primary_key)


def _carrier(table: Table) -> Table:
    """Describe a table whose documents are text."""
    columns = [
        Column(column.name, Text() if isinstance(column.type, JSON) else column.type)
        for column in table.columns
    ]
    return Table(table.name, MetaData(), *columns)
