"""The one place that commits."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from app.db.engine import PRAGMAS, WRITES
from app.errors import OpenTransactionError, UnavailableError

_OWNER = "chancellor_transaction"


@contextmanager
def transaction(db: Session) -> Iterator[None]:
    """Make everything inside one transaction, committed at the end of the outermost scope.

    Works on any session, also one from a plain ``create_engine``: on SQLite it sets the pragmas
    and begins IMMEDIATE, so that a writer waits for another instead of failing later.

    Parameters
    ----------
    db : Session
        The store's session; what it held unflushed is committed with the rest.

    Yields
    ------
    None
        The work is done inside the scope.

    Raises
    ------
    UnavailableError
        If the database does not answer, or another writer held it for over 30 seconds.
    """
    if db.info.get(_OWNER):
        yield
        return
    db.info[_OWNER] = True
    try:
        _begin_write(db)
        yield
        db.commit()
    except OperationalError as error:
        db.rollback()
        raise UnavailableError(f"the database did not take the change: {error.orig}") from error
    except BaseException:
        db.rollback()
        raise
    finally:
        db.info.pop(_OWNER, None)


def is_in_transaction(db: Session) -> bool:
    """Say whether a ``transaction(db)`` scope is open on this session."""
    return bool(db.info.get(_OWNER))


def require_no_transaction(db: Session) -> None:
    """Refuse long work inside an open transaction.

    Parameters
    ----------
    db : Session
        The store's session.

    Raises
    ------
    OpenTransactionError
        If a ``transaction(db)`` scope is open.
    """
    if is_in_transaction(db):
        raise OpenTransactionError(
            "training and refinement store verdicts in transactions of their own: call them "
            "outside of transaction(db)"
        )


def _begin_write(db: Session) -> None:
    if not (db.new or db.dirty or db.deleted):
        db.rollback()  # ends a read, whose snapshot could not be written on
    if db.get_bind().dialect.name != "sqlite":
        return
    connection = db.connection(execution_options={WRITES: True})
    driver = connection.connection.driver_connection
    if driver is not None and not driver.in_transaction:  # a plain engine begins with its first DML
        for pragma in PRAGMAS:
            connection.exec_driver_sql(pragma)
        connection.exec_driver_sql("BEGIN IMMEDIATE")
