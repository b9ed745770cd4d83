"""Say what two people at once mean: a violated constraint is a conflict, not a crash."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import IntegrityError

from app.errors import ConflictError


@contextmanager
def conflicts_named(message: str) -> Iterator[None]:
    """Turn what the database refuses because of somebody else's change into a conflict.

    Parameters
    ----------
    message : str
        What happened, for the person who came second.

    Yields
    ------
    None
        The block writes inside a transaction of its own.

    Raises
    ------
    ConflictError
        If a constraint was violated.
    """
    try:
        yield
    except IntegrityError as error:
        raise ConflictError(message) from error
