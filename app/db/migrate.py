"""Alembic, configured in code: the migrations are shipped in the package."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine

from app.db.engine import create_store_engine
from app.settings import complete_database_url, get_settings

_PLACE = Path(__file__).parent.parent / "migrations"


def alembic_config(engine: Engine | None = None) -> Config:
    """Give Alembic's configuration; the engine travels in its attributes."""
    config = Config()
    config.set_main_option("script_location", str(_PLACE))
    config.attributes["engine"] = engine
    return config


@lru_cache(maxsize=1)
def head_revision() -> str:
    """Give the newest revision that this release knows."""
    return str(ScriptDirectory.from_config(alembic_config()).get_current_head())


def current_revision(connection: Connection) -> str | None:
    """Give the revision that a database is at; None before the first migration."""
    return MigrationContext.configure(connection).get_current_revision()


def is_known_revision(found: str | None) -> bool:
    """Say whether this release knows a revision, so can migrate from it.

    Parameters
    ----------
    found : str or None
        From ``current_revision``.

    Returns
    -------
    bool
        True if so.
    """
    scripts = ScriptDirectory.from_config(alembic_config()).walk_revisions()
    return found in {script.revision for script in scripts}


def schema_problem(found: str | None) -> tuple[str, str] | None:
    """Say what is wrong with a store at a revision, and what to do; None if nothing is.

    Parameters
    ----------
    found : str or None
        From ``current_revision``.

    Returns
    -------
    tuple of str or None
        Problem and remedy.
    """
    head = head_revision()
    if found == head:
        return None
    problem = f"the store's schema is {found}, this release needs {head}"
    if found is None or is_known_revision(found):
        return problem, "make a backup, then run chancellor init --upgrade"
    return problem, "another release made it, use that one"


def upgrade(url: str, revision: str = "head") -> None:
    """Bring a database's schema up to a revision.

    Parameters
    ----------
    url : str
        Database URL.
    revision : str
        By default the newest.
    """
    engine = create_store_engine(complete_database_url(url))
    try:
        command.upgrade(alembic_config(engine), revision)
    finally:
        engine.dispose()


def downgrade(url: str, revision: str = "base") -> None:
    """Take a database's schema back to a revision; ``base`` drops every table.

    Parameters
    ----------
    url : str
        Database URL.
    revision : str
        Where to stop.
    """
    engine = create_store_engine(complete_database_url(url))
    try:
        command.downgrade(alembic_config(engine), revision)
    finally:
        engine.dispose()


if __name__ == "__main__":
    upgrade(get_settings().database_url)
