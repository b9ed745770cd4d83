"""The triggers of each revision, frozen in files: what a release made does not change later.

``app/db/triggers.py`` says what holds now. A migration does not read it: it applies
``frozen/<revision>.json``, the difference that its revision made, which
``python -m app.migrations.frozen_triggers <revision>`` writes once from the live module.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from alembic import op
from sqlalchemy import text

from app.db.triggers import Trigger, list_triggers

FOLDER = Path(__file__).parent / "frozen"
DIALECTS = ("sqlite", "postgresql")


def apply_triggers(revision: str) -> None:
    """Bring the triggers from the revision before to this one; the last step of an upgrade.

    Parameters
    ----------
    revision : str
        Its number, such as ``0002``.
    """
    dialect = op.get_bind().dialect.name
    before = frozen_triggers(dialect, before=revision)
    dropped, created = _read(revision, dialect)
    _run(statement for name in reversed(dropped) for statement in before[name].drop)
    _run(statement for trigger in created for statement in trigger.create)


def revert_triggers(revision: str) -> None:
    """Take the triggers back to the revision before; the first step of a downgrade.

    Parameters
    ----------
    revision : str
        Its number.
    """
    dialect = op.get_bind().dialect.name
    before = frozen_triggers(dialect, before=revision)
    dropped, created = _read(revision, dialect)
    _run(statement for trigger in reversed(created) for statement in trigger.drop)
    _run(statement for name in dropped for statement in before[name].create)


@contextmanager
def triggers_put_aside() -> Iterator[None]:
    """Take every trigger off a SQLite database and put all back afterwards.

    A batch alter copies a table, drops it with its triggers and renames the copy, which SQLite
    refuses while the trigger of another table names the one that is gone. On PostgreSQL a table
    is altered in place and nothing is done here.

    Yields
    ------
    None
        Alter in batch inside the scope.
    """
    if op.get_bind().dialect.name != "sqlite":
        yield
        return
    stored = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' ORDER BY rowid"
    found = op.get_bind().execute(text(stored)).all()
    _run(f"DROP TRIGGER {name}" for name, _ in found)
    yield
    _run(statement for _, statement in found)


def frozen_triggers(dialect: str, before: str | None = None) -> dict[str, Trigger]:
    """Add up the files of all revisions, or of those before one.

    Parameters
    ----------
    dialect : {"sqlite", "postgresql"}
        The database.
    before : str, optional
        A revision that does not count any more.

    Returns
    -------
    dict of str to Trigger
        By name, in the order of creation.
    """
    found: dict[str, Trigger] = {}
    for revision in _revisions():
        if before is not None and revision >= before:
            break
        dropped, created = _read(revision, dialect)
        for name in dropped:
            del found[name]
        found |= {trigger.name: trigger for trigger in created}
    return found


def freeze_triggers(revision: str) -> Path:
    """Write the file of a revision: the live module less what the revisions before made.

    What later files speak of is theirs, so that a revision that is not released yet can be
    written again after its successor.

    Parameters
    ----------
    revision : str
        Its number.

    Returns
    -------
    Path
        The file.
    """
    document = {dialect: _difference(revision, dialect) for dialect in DIALECTS}
    file = FOLDER / f"{revision}.json"
    file.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    return file


def _difference(revision: str, dialect: str) -> dict[str, Any]:
    later: set[str] = set()
    for other in _revisions():
        if other > revision:
            dropped, created = _read(other, dialect)
            later |= {*dropped, *(trigger.name for trigger in created)}
    before = frozen_triggers(dialect, before=revision)
    live = {trigger.name: trigger for trigger in list_triggers(dialect)}
    changed = [trigger for name, trigger in live.items() if before.get(name) != trigger]
    return {
        "drop": [n for n, t in before.items() if n not in later and live.get(n) != t],
        "create": [
            {"name": trigger.name, "create": trigger.create, "drop": trigger.drop}
            for trigger in changed
            if trigger.name not in later
        ],
    }


def _revisions() -> list[str]:
    return sorted(file.stem for file in FOLDER.glob("*.json"))


def _read(revision: str, dialect: str) -> tuple[list[str], list[Trigger]]:
    document = json.loads((FOLDER / f"{revision}.json").read_text(encoding="utf-8"))[dialect]
    created = [
        Trigger(one["name"], tuple(one["create"]), tuple(one["drop"])) for one in document["create"]
    ]
    return document["drop"], created


def _run(statements: Iterable[str]) -> None:
    for statement in statements:
        op.execute(text(statement.replace(":", "\\:")))


if __name__ == "__main__":
    for _revision in sys.argv[1:]:
        sys.stdout.write(f"{freeze_triggers(_revision)}\n")
