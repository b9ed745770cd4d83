"""``chancellor backup``, ``restore`` and ``copy``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from app.cli.errors import TAMPERING, UNEXPECTED
from app.cli.options import Actor, AsJson
from app.cli.output import Output
from app.cli.render import keeping as render

_TIDY = {"orphan", "lost_run"}

NewFolder = Annotated[
    Path,
    typer.Argument(metavar="DIR", help="A new or empty folder.", show_default=False),
]
BackupFolder = Annotated[
    Path, typer.Argument(metavar="DIR", help="What backup wrote.", show_default=False)
]
To = Annotated[
    str,
    typer.Option("--to", metavar="URL", help="An empty database.", show_default=False),
]


def backup(folder: NewFolder, as_json: AsJson = False, actor: Actor = None) -> None:
    """Back up the store into a folder, while others go on working with it.

    In it: the database as it was at one moment, every data file that the database
    names, and manifest.json with the hash of each, the schema and the head of the
    audit chain. Not in it: the private key that signs audit checkpoints, the
    environment and its passwords, and Dagster's own history. Keep the hash of the
    manifest, which is printed, somewhere else.

    Example:
      chancellor backup /backups/2026-03-31

    Next: chancellor restore
    """
    from app.services.backup import back_up_store  # noqa: PLC0415 - SQLAlchemy, 0.3 s

    out = Output(as_json)
    with out.progress() as progress:
        result = back_up_store(folder, actor=actor, progress=progress)
    out.show(result, render.backed_up)


def restore(folder: BackupFolder, as_json: AsJson = False, actor: Actor = None) -> None:
    """Restore a backup into the empty place that the environment names.

    Every file of the backup is hashed before anything is written; one that is gone
    or was changed is named. A place that holds a store is refused. A backup of
    PostgreSQL is restored on PostgreSQL, one of SQLite on SQLite. Afterwards the
    audit chain and all files are verified; the restoring itself goes on the record.

    Exit code 7 if the backup, history or a file is not what was written.

    Example:
      CHANCELLOR_HOME=/srv/chancellor chancellor restore /backups/2026-03-31

    Next: chancellor doctor
    """
    from app.services.restore import restore_store  # noqa: PLC0415 - SQLAlchemy, 0.3 s

    out = Output(as_json)
    with out.progress() as progress:
        result = restore_store(folder, actor=actor, progress=progress)
    out.show(result, render.restored)
    _exit_as_doctor(result)


def copy(to: To, as_json: AsJson = False, actor: Actor = None) -> None:
    """Copy the database to an empty one, from SQLite to PostgreSQL or back.

    The data files stay where they are. Rows, times and documents arrive as they
    were, the audit chain byte for byte, in one transaction; then the copy is
    examined as "chancellor doctor" does. Stop writing to the old database before.

    Exit code 7 if history or a file is not what was written.

    Example:
      chancellor copy --to postgresql://chancellor@db.example.org/risk

    Next: set CHANCELLOR_DATABASE_URL
    """
    from app.services.store_copy import copy_store  # noqa: PLC0415 - SQLAlchemy, 0.3 s

    out = Output(as_json)
    with out.progress() as progress:
        result = copy_store(to, actor=actor, progress=progress)
    out.show(result, render.copied)
    _exit_as_doctor(result)


def _exit_as_doctor(result: dict[str, Any]) -> None:
    kinds = {finding["kind"] for finding in result["findings"]} - _TIDY
    if kinds:
        raise typer.Exit(UNEXPECTED if kinds == {"unreadable_file"} else TAMPERING)
