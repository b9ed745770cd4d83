"""Restore a backup into an empty place, and prove that it is what was backed up."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session

from app.db import create_store_engine, open_session, transaction, upgrade
from app.db.loading import filled_tables, guards_put_aside, read_copy, stored_tables
from app.db.migrate import head_revision, is_known_revision, schema_problem
from app.domain.counted import counted
from app.domain.types import Document, Progress
from app.errors import AuditChainError, ConflictError, FileHashError
from app.lake.store import Lake, open_lake
from app.queries.runs import list_live_runs
from app.services.audit_service import AuditService, record
from app.services.backup import TABLES
from app.services.backup_manifest import LAKE, Manifest, read_manifest
from app.services.doctor import DoctorService
from app.services.runs import RunService
from app.settings import DATABASE_FILE, Settings, default_actor, get_settings

_BESIDE = ("", "-wal", "-shm", "-journal")
_STOPPED = "the store was {} while this ran"


def restore_store(
    folder: Path,
    *,
    actor: str | None = None,
    settings: Settings | None = None,
    progress: Progress | None = None,
) -> Document:
    """Bring a backup into the place that the settings name, which holds no store yet.

    Every file of the backup is hashed first. Files of the lake come before the database: what is
    interrupted leaves no store, and can be repeated.

    Writes: the database, the lake, and the event ``store.restored``; runs that were live when the
    backup was made are cancelled, with ``run.cancelled``.

    Parameters
    ----------
    folder : Path
        What ``back_up_store`` wrote.
    actor : str, optional
        The person on the record; by default the OS user.
    settings : Settings, optional
        Where the store goes; by default from the environment.
    progress : callable, optional
        Called as ``progress(stage, done, total)``.

    Returns
    -------
    dict
        database_url, lake_url, database, revision, audit_seq and audit_hash of the backup,
        n_files, healthy and findings of ``chancellor doctor``, and ``upgrade``: what to do where
        the schema is an older one, else None.

    Raises
    ------
    InvalidInputError
        If the folder is no finished backup.
    NotFoundError, FileHashError
        If a file of it is gone or changed; it is named.
    ConflictError
        If the place holds a store or other files already, is of another kind of database, or
        another release made the backup.
    AuditChainError
        If the restored chain does not verify, or does not end where the backup says.
    """
    place, who = settings or get_settings(), actor or default_actor()
    manifest = read_manifest(folder)
    _require_kind(place, manifest)
    lake = open_lake(place.lake_url)
    _require_empty(place, lake, manifest)
    for number, (path, sha256) in enumerate(manifest.lake_files.items(), start=1):
        lake.put_back(path, sha256, folder / LAKE / path)
        if progress is not None:
            progress("Restoring files", number, len(manifest.lake_files))
    if manifest.database == "sqlite":
        _place_file(folder / DATABASE_FILE, Path(make_url(place.database_url).database or ""))
    else:
        upgrade(place.database_url, manifest.revision)
        _load_tables(place.database_url, folder / TABLES, manifest.tables)
    examined = _prove(place, manifest, who, lake, progress)
    behind = schema_problem(manifest.revision)
    return {
        "database_url": make_url(place.database_url).render_as_string(hide_password=True),
        "lake_url": place.lake_url,
        "database": manifest.database,
        "revision": manifest.revision,
        "audit_seq": manifest.audit_seq,
        "audit_hash": manifest.audit_hash,
        "n_files": len(manifest.lake_files),
        "healthy": not examined,
        "findings": list(examined),
        "upgrade": None if behind is None else ": ".join(behind),
    }


def cancel_live_runs(db: Session, actor: str, moved: str) -> None:
    """Cancel the runs that were live when a store was taken away from their processes.

    Parameters
    ----------
    db : Session
        The new store.
    actor : str
        The person on the record.
    moved : str
        ``restored`` or ``copied``.

    Notes
    -----
    Writes: the end of each run, and ``run.cancelled`` for each.
    """
    runs = RunService(db, actor=actor)
    for run in list_live_runs(db):
        runs.stopped(run.id, reason=_STOPPED.format(moved))


def _require_kind(place: Settings, manifest: Manifest) -> None:
    kind = "sqlite" if place.database_url.startswith("sqlite") else "postgresql"
    if kind != manifest.database:
        raise ConflictError(
            f"The backup is of {manifest.database}, CHANCELLOR_DATABASE_URL names {kind}: restore "
            "it on the same kind of database, then use chancellor copy.",
            backup=manifest.database,
            place=kind,
        )
    if not is_known_revision(manifest.revision):
        raise ConflictError(
            f"The backup's schema is {manifest.revision}, which another release made: use that "
            f"one; this release knows schemas up to {head_revision()}."
        )


def _require_empty(place: Settings, lake: Lake, manifest: Manifest) -> None:
    url = make_url(place.database_url)
    if manifest.database == "sqlite":
        there = [f"{url.database}{end}" for end in _BESIDE if Path(f"{url.database}{end}").exists()]
    else:
        engine = create_store_engine(place.database_url)
        try:
            with Session(engine) as db:
                there = [f"table {name}" for name in filled_tables(db)]
        finally:
            engine.dispose()
    named = manifest.lake_files
    there += [lake.place_of(file.path) for file in lake.list_files() if file.path not in named]
    if there:
        raise ConflictError(
            f"There is a store in this place already ({there[0]}): restore into an empty one, with "
            "CHANCELLOR_HOME, CHANCELLOR_DATABASE_URL and CHANCELLOR_LAKE.",
            found=there,
        )


def _place_file(source: Path, target: Path) -> None:
    """Put the database in its place whole, or not at all."""
    target.parent.mkdir(parents=True, exist_ok=True)
    scratch = target.with_name(f".{target.name}.restoring")
    try:
        shutil.copyfile(source, scratch)
        with scratch.open("rb") as file:
            os.fsync(file.fileno())
        os.link(scratch, target)  # unlike a rename it never takes the place of another file
    except FileExistsError as error:
        raise ConflictError(f"{target} came into being meanwhile; nothing was changed.") from error
    finally:
        scratch.unlink(missing_ok=True)


def _load_tables(url: str, folder: Path, tables: Mapping[str, Document]) -> None:
    engine = create_store_engine(url)
    try:
        with Session(engine) as db, transaction(db), guards_put_aside(db):
            known = {table.name for table in stored_tables(db.connection())}
            if known != set(tables) or filled_tables(db):
                raise ConflictError(
                    "The database has other tables than the backup, or rows of its own: restore "
                    "into an empty database.",
                    other=sorted(known ^ set(tables)),
                )
            for name, table in tables.items():
                n_rows = read_copy(db, name, table["columns"], folder / f"{name}.copy")
                if n_rows != table["n_rows"]:
                    raise FileHashError(
                        f"{folder / name}.copy has {counted(n_rows, 'row')}, "
                        f"the backup {table['n_rows']}."
                    )
    finally:
        engine.dispose()


def _prove(
    place: Settings, manifest: Manifest, actor: str, lake: Lake, progress: Progress | None
) -> list[Document]:
    """Verify the chain up to the backup's head, put the restoring on record, ask the doctor."""
    engine = create_store_engine(place.database_url)
    try:
        with Session(engine) as db:
            found = AuditService(db).verify()
            if (found["n_events"], found["head"]) != (manifest.audit_seq, manifest.audit_hash):
                raise AuditChainError(
                    f"the restored chain ends with event {found['n_events']}, the backup says "
                    f"{manifest.audit_seq}, hash {manifest.audit_hash}",
                    seq=found["n_events"],
                )
            with transaction(db):
                record(
                    db,
                    actor=actor,
                    action="store.restored",
                    subject="store",
                    payload={
                        "made_at": manifest.made_at,
                        "made_by": manifest.made_by,
                        "audit_seq": manifest.audit_seq,
                        "audit_hash": manifest.audit_hash,
                    },
                )
    finally:
        engine.dispose()
    if schema_problem(manifest.revision) is not None:
        return []
    with open_session(place.database_url) as db:
        cancel_live_runs(db, actor, "restored")
        examined = DoctorService(db, actor=actor, lake=lake).examine(progress=progress)
    return list(examined["findings"])
