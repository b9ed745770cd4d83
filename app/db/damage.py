"""Tell a database that is damaged from one that does not answer."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import DBAPIError

from app.errors import StoreDamagedError

_SQLITE_CODES = (11, 26)
"""SQLITE_CORRUPT and SQLITE_NOTADB; what more SQLite knows is in the higher bits."""

_SQLITE_NO_TEXT = "Could not decode to UTF-8"
_POSTGRESQL_CODES = ("XX001", "XX002")
"""data_corrupted and index_corrupted."""


def find_damage(error: BaseException | None) -> str | None:
    """Find out whether a driver's error means that what is stored is damaged.

    Parameters
    ----------
    error : BaseException or None
        What the driver raised.

    Returns
    -------
    str or None
        What the database says; None for every other error.
    """
    code = getattr(error, "sqlite_errorcode", None)
    is_damage = (
        (code is not None and code & 0xFF in _SQLITE_CODES)
        or str(error).startswith(_SQLITE_NO_TEXT)
        or getattr(error, "sqlstate", None) in _POSTGRESQL_CODES
    )
    return (str(error).splitlines() or [""])[0] if is_damage else None


@contextmanager
def damage_named() -> Iterator[None]:
    """Turn what a driver says about damage into an error of ours.

    Yields
    ------
    None
        The database is read inside.

    Raises
    ------
    StoreDamagedError
        If what is stored cannot be read.
    """
    try:
        yield
    except Exception as error:  # also a driver's own, where rows come straight from its cursor
        damage = find_damage(error.orig if isinstance(error, DBAPIError) else error)
        if damage is None:
            raise
        raise damaged(damage) from error


def name_damage(context: ExceptionContext) -> None:
    """Listen to an engine's errors; damage comes out as an error of ours, wherever it shows."""
    damage = find_damage(context.original_exception)
    if damage is not None:
        raise damaged(damage) from context.original_exception


def damaged(what: str) -> StoreDamagedError:
    """Build the error, with what to do.

    Parameters
    ----------
    what : str
        What the database says.

    Returns
    -------
    StoreDamagedError
        To be raised.
    """
    return StoreDamagedError(
        f"the database is damaged: {what}. Bring it back from a backup; nothing that it says "
        "counts until then",
        damage=what,
    )
