"""Back a store up: one moment of its database, and every file of the lake that it names."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy.orm import Session

from app.db import create_store_engine, open_session, utc_now
from app.db.loading import stored_tables, write_copy
from app.db.migrate import head_revision
from app.domain.types import Document, Progress
from app.errors import ConflictError, TamperingError
from app.lake.parquet_file import hash_file
from app.lake.store import Lake, open_lake
from app.queries.audit import require_head
from app.queries.lake_files import list_recorded_files
from app.services.backup_manifest import LAKE, LEFT_OUT, Manifest, write_manifest
from app.services.decision_seals import seal_decisions
from app.services.store import find_revision_at
from app.settings import DATABASE_FILE, Settings, default_actor, get_settings

TABLES = "tables"


def back_up_store(
    folder: Path,
    *,
    actor: str | None = None,
    settings: Settings | None = None,
    progress: Progress | None = None,
) -> Document:
    """Write a backup of the store while others may go on working with it.

    The database is taken at one moment: by SQLite's own backup call, or in one repeatable-read
    snapshot of PostgreSQL. Then every file of the lake that this moment names is copied and its
    hash compared; files of the lake never change, so the two belong together.

    Writes: in the store the seal of decisions that were not sealed yet, so that the backup's
    chain speaks of all of them; the folder with database, lake and ``manifest.json``, which is
    written last.

    Parameters
    ----------
    folder : Path
        Where the backup goes; empty, or made.
    actor : str, optional
        Who is named in the manifest; by default the OS user.
    settings : Settings, optional
        Where the store is; by default from the environment.
    progress : callable, optional
        Called as ``progress(stage, done, total)``.

    Returns
    -------
    dict
        folder, database, revision, audit_seq and audit_hash, n_files, n_bytes, manifest_hash and
        left_out.

    Raises
    ------
    ConflictError
        If the folder holds anything.
    StoreNotInitialisedError
        If there is no store.
    NotFoundError, FileHashError, TamperingError
        If a file of the lake is gone or changed, or the database is damaged: no backup is left
        that looks whole.
    """
    place = settings or get_settings()
    shown, revision = find_revision_at(place)
    if folder.exists() and any(folder.iterdir()):
        raise ConflictError(f"{folder} is not empty: name a new folder for the backup.")
    folder.mkdir(parents=True, exist_ok=True)
    if revision == head_revision():  # a store that is to be upgraded next is backed up as it is
        with open_session(place.database_url) as db:
            seal_decisions(db, actor=actor or default_actor())
    with _database_copied(place.database_url, folder) as (db, tables):
        head = require_head(db)
        recorded = dict.fromkeys((file.path, file.sha256) for file in list_recorded_files(db))
    lake = open_lake(place.lake_url)
    files = dict.fromkeys(part for file in recorded for part in lake.files_of(*file))
    for number, (path, sha256) in enumerate(files, start=1):
        _copy_out(lake, path, sha256, folder)
        if progress is not None:
            progress("Copying files", number, len(files))
    written = sorted(file for file in folder.rglob("*") if file.is_file())
    manifest = Manifest(
        database="sqlite" if place.database_url.startswith("sqlite") else "postgresql",
        revision=str(revision),
        audit_seq=head.seq,
        audit_hash=head.hash,
        made_at=utc_now().isoformat(),
        made_by=actor or default_actor(),
        tables=tables,
        files={file.relative_to(folder).as_posix(): hash_file(file) for file in written},
    )
    for file in written:
        _flush(file)
    return {
        "folder": str(folder),
        "database_url": shown,
        "database": manifest.database,
        "revision": manifest.revision,
        "audit_seq": head.seq,
        "audit_hash": head.hash,
        "n_files": len(written),
        "n_bytes": sum(file.stat().st_size for file in written),
        "manifest_hash": write_manifest(folder, manifest),
        "left_out": list(LEFT_OUT),
    }


@contextmanager
def _database_copied(url: str, folder: Path) -> Iterator[tuple[Session, dict[str, Document]]]:
    """Copy the database, and give a session on the very moment that was copied."""
    engine = create_store_engine(url)
    try:
        if engine.dialect.name == "sqlite":
            with _sqlite_copied(engine, folder / DATABASE_FILE) as db:
                yield db, {}
        else:
            with engine.connect() as snapshot:
                snapshot.execution_options(
                    isolation_level="REPEATABLE READ", postgresql_readonly=True
                )
                with Session(snapshot) as db:
                    yield db, _write_tables(db, snapshot, folder / TABLES)
    finally:
        engine.dispose()


@contextmanager
def _sqlite_copied(engine: Engine, file: Path) -> Iterator[Session]:
    """Take SQLite's own backup, as one file without a log beside it, and read from the copy."""
    with engine.connect() as connection, closing(sqlite3.connect(file)) as copy:
        driver = connection.connection.driver_connection
        driver.backup(copy)  # type: ignore[union-attr]  # an open connection has a driver's
        copy.execute("PRAGMA journal_mode = DELETE")
        problems = [str(row[0]) for row in copy.execute("PRAGMA quick_check")]
    if problems != ["ok"]:
        file.unlink()
        raise TamperingError(f"the database is damaged, no backup was made: {problems[0]}")
    reader = create_engine(f"sqlite:///{file}")
    try:
        with Session(reader) as db:
            yield db
    finally:
        reader.dispose()


def _write_tables(db: Session, snapshot: Connection, folder: Path) -> dict[str, Document]:
    folder.mkdir()
    return {
        table.name: {
            "columns": list(table.c.keys()),
            "n_rows": write_copy(db, table, folder / f"{table.name}.copy"),
        }
        for table in stored_tables(snapshot)
    }


def _copy_out(lake: Lake, path: str, sha256: str, folder: Path) -> None:
    target = folder / LAKE / path
    target.parent.mkdir(parents=True, exist_ok=True)
    lake.copy_out(path, sha256, target)


def _flush(path: Path) -> None:
    with path.open("rb") as file:
        os.fsync(file.fileno())
