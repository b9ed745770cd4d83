"""Work that one process of a store does at a time, such as delivering alerts."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

from sqlalchemy import Engine, func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

DELIVERING, MONITORING = "delivering", "monitoring"

_LOCKS = {DELIVERING: 7235481904, MONITORING: 7235481905}
"""PostgreSQL: advisory locks, beside the one of the seals."""


@contextmanager
def turn(db: Session, work: str) -> Iterator[bool]:
    """Take the turn of a kind of work, if no other process of the store has it now.

    The turn holds no transaction. It ends with the block, and with the process in whatever way that
    ends: PostgreSQL gives back the lock of a lost connection, the kernel that of a file.

    Parameters
    ----------
    db : Session
        The store's session.
    work : str
        ``DELIVERING`` or ``MONITORING``.

    Yields
    ------
    bool
        False where somebody else is at it; then nothing is to be done.
    """
    bind = cast("Engine", db.get_bind()).engine
    if bind.dialect.name != "sqlite":
        with _advisory(bind, _LOCKS[work]) as is_ours:
            yield is_ours
    elif bind.url.database in (None, "", ":memory:"):
        yield True  # nobody else can reach it
    else:
        with _locked(Path(f"{bind.url.database}.{work}")) as is_ours:
            yield is_ours


@contextmanager
def _advisory(engine: Engine, number: int) -> Iterator[bool]:
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        is_ours = bool(connection.scalar(select(func.pg_try_advisory_lock(number))))
        try:
            yield is_ours
        finally:
            if is_ours:
                try:
                    connection.scalar(select(func.pg_advisory_unlock(number)))
                except SQLAlchemyError:  # the connection is lost, and the lock with it
                    connection.invalidate()


@contextmanager
def _locked(file: Path) -> Iterator[bool]:
    with file.open("w", encoding="ascii") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
