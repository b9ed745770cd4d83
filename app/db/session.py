"""Open a session on an initialised store, and bring a store's schema up to date."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

from sqlalchemy import Engine, inspect
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from app.db.engine import create_store_engine
from app.errors import ConflictError, StoreNotInitialisedError, UnavailableError
from app.settings import complete_database_url, get_settings


def utc_now() -> datetime:
    """Give the time in UTC; the one clock of the store."""
    return datetime.now(UTC)


@lru_cache(maxsize=16)
def _engine(url: str) -> Engine:
    return create_store_engine(url)


def open_session(url: str | None = None) -> Session:
    """Open a session on the store.

    Parameters
    ----------
    url : str, optional
        Database URL; by default the one of the settings.

    Returns
    -------
    Session
        Objects stay readable after a commit.

    Raises
    ------
    StoreNotInitialisedError
        If there is no store at this place.
    ConflictError
        If the store's schema is not the one of this release.
    UnavailableError
        If the database does not answer.
    """
    place = complete_database_url(url) if url else get_settings().database_url
    database = make_url(place).database
    if place.startswith("sqlite") and database and not Path(database).exists():
        raise StoreNotInitialisedError(
            f"there is no store at {database}: run chancellor init", place=database
        )
    engine = _engine(place)
    try:
        _require_current(engine)
    except OperationalError as error:
        raise UnavailableError(f"the database does not answer: {error.orig}") from error
    return Session(engine, expire_on_commit=False)


def close_engine(url: str) -> None:
    """Give back the connections that sessions on ``url`` left in the pool."""
    _engine(complete_database_url(url)).dispose()


def _require_current(engine: Engine) -> None:
    from app.db.migrate import current_revision, head_revision  # noqa: PLC0415 - loads Alembic

    if "scorecard_versions" not in inspect(engine).get_table_names():
        shown = engine.url.render_as_string(hide_password=True)
        raise StoreNotInitialisedError(f"there is no store in {shown}: run chancellor init")
    found, head = current_revision(engine), head_revision()
    if found != head:
        raise ConflictError(
            f"the store's schema is {found}, this release needs {head}: run chancellor init "
            "--upgrade after a backup",
            found=found,
            needed=head,
        )
