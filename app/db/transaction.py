"""The one place that commits."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from app.db.engine import PRAGMAS
from app.errors import OpenTransactionError, UnavailableError

_OWNER = "chancellor_transaction"
_OPEN, _BROKEN = "open", "broken"
_TAKE_THE_WRITE_LOCK = "UPDATE audit_head SET seq = seq WHERE 0"


@contextmanager
def transaction(db: Session) -> Iterator[None]:
    """Make everything inside one transaction, committed at the end of the outermost scope.

    Works on any session, also one from a plain ``create_engine``: on SQLite it sets the pragmas
    and begins IMMEDIATE, so that a writer waits for another instead of failing later. What was
    read before is read again inside.

    Parameters
    ----------
    db : Session
        The store's session; what it held, flushed or not, is committed with the rest.

    Yields
    ------
    None
        The work is done inside the scope.

    Raises
    ------
    UnavailableError
        If the database does not answer, or another writer held it for over 30 seconds.
    OpenTransactionError
        If an inner scope failed and the outer one went on: half a change is not stored.
    """
    if is_in_transaction(db):
        with _marking_failure(db):
            yield
        return
    db.info[_OWNER] = _OPEN
    try:
        _begin_write(db)
        yield
        if db.info[_OWNER] == _BROKEN:
            raise OpenTransactionError(  # noqa: TRY301 - rolled back below, like any other
                "a change inside this transaction failed: nothing of the transaction is stored"
            )
        db.commit()
    except OperationalError as error:
        db.rollback()
        raise UnavailableError(f"the database did not take the change: {error.orig}") from error
    except BaseException:
        db.rollback()
        raise
    finally:
        db.info.pop(_OWNER, None)


@contextmanager
def _marking_failure(db: Session) -> Iterator[None]:
    try:
        yield
    except BaseException:
        db.info[_OWNER] = _BROKEN
        raise


@contextmanager
def single_statement(db: Session) -> Iterator[Connection]:
    """Make one statement a transaction of its own: one message to PostgreSQL instead of three.

    Where the session has a transaction open, and on SQLite, it is a statement of the session.

    Parameters
    ----------
    db : Session
        The store's session.

    Yields
    ------
    Connection
        For one statement; on PostgreSQL it is stored when it returns, or not at all.

    Raises
    ------
    UnavailableError
        If the database does not answer.
    """
    try:
        if not can_commit_alone(db):
            yield db.connection()
            return
        with cast("Engine", db.get_bind()).connect() as connection:
            yield connection.execution_options(isolation_level="AUTOCOMMIT")
    except OperationalError as error:
        raise UnavailableError(f"the database did not answer: {error.orig}") from error


def can_commit_alone(db: Session) -> bool:
    """Say whether a statement of ``single_statement`` is stored by itself."""
    bind = db.get_bind()
    is_free = not (is_in_transaction(db) or db.in_transaction())
    return is_free and isinstance(bind, Engine) and bind.dialect.name != "sqlite"


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
    _forget_what_was_read(db)
    if db.get_bind().dialect.name == "sqlite":
        _begin_immediate(db.connection())


def _forget_what_was_read(db: Session) -> None:
    """Expire what is not changed, so that decisions rest on what is stored now."""
    pending = {id(row) for row in (*db.dirty, *db.deleted)}
    for row in list(db.identity_map.values()):
        if id(row) not in pending:
            db.expire(row)


def _begin_immediate(connection: Connection) -> None:
    """Take SQLite's write lock, whichever way the engine begins its transactions.

    Inside a transaction that only read, the lock is refused at once if another writer came
    between: nothing is lost by beginning anew. What the caller flushed holds the lock already.
    """
    driver = connection.connection.driver_connection
    if driver is not None and driver.in_transaction:
        try:
            connection.exec_driver_sql(_TAKE_THE_WRITE_LOCK)
        except OperationalError:
            connection.exec_driver_sql("ROLLBACK")
        else:
            return
    for pragma in PRAGMAS:
        connection.exec_driver_sql(pragma)
    connection.exec_driver_sql("BEGIN IMMEDIATE")
