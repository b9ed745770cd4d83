"""Open a session on an initialised store, and bring a store's schema up to date."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from threading import Lock

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


_MAX_ENGINES = 4
_engines: dict[str, Engine] = {}
_engines_lock = Lock()


def _engine(url: str) -> Engine:
    """Keep one engine per store; the oldest gives its connections back when there are many."""
    with _engines_lock:
        if url not in _engines:
            while len(_engines) >= _MAX_ENGINES:
                _engines.pop(next(iter(_engines))).dispose()
            _engines[url] = create_store_engine(url)
        return _engines[url]


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


class SessionSource:
    """Open sessions on one store, quickly: its schema is checked once, not at each opening.

    Parameters
    ----------
    url : str
        Database URL.
    """

    def __init__(self, url: str) -> None:
        self.url = complete_database_url(url)
        self._is_checked = False

    def open(self) -> Session:
        """Open a session.

        Returns
        -------
        Session
            As `open_session` gives it.

        Raises
        ------
        StoreNotInitialisedError, ConflictError, UnavailableError
            As `open_session`, until it succeeded once.
        """
        if not self._is_checked:
            session = open_session(self.url)
            self._is_checked = True
            return session
        return Session(_engine(self.url), expire_on_commit=False)


def close_engine(url: str) -> None:
    """Give back the connections that sessions on ``url`` left in the pool."""
    with _engines_lock:
        engine = _engines.pop(complete_database_url(url), None)
    if engine is not None:
        engine.dispose()


def _require_current(engine: Engine) -> None:
    from app.db.migrate import (  # noqa: PLC0415 - loads Alembic
        current_revision,
        head_revision,
        schema_problem,
    )

    with engine.connect() as connection:
        if not inspect(connection).has_table("scorecard_versions"):
            shown = engine.url.render_as_string(hide_password=True)
            raise StoreNotInitialisedError(f"there is no store in {shown}: run chancellor init")
        found = current_revision(connection)
    problem = schema_problem(found)
    if problem is not None:
        raise ConflictError(": ".join(problem), found=found, needed=head_revision())
