"""Lists a page at a time: the key of the last row is where the next page begins."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from sqlalchemy import Select, literal, tuple_
from sqlalchemy.orm import InstrumentedAttribute, Session

from app.domain.cursors import read_cursor, write_cursor
from app.domain.types import Document

Row = TypeVar("Row")

MOST_ROWS = 500
DEFAULT_ROWS = 50


def read_page(
    db: Session,
    wanted: Select[Row],
    order: Sequence[InstrumentedAttribute[Any]],
    describe: Callable[[Row], Document],
    *,
    cursor: str | None,
    limit: int,
    newest_first: bool = True,
) -> Document:
    """Read one page of a list; rows that are added meanwhile shift nothing.

    Parameters
    ----------
    db : Session
        The store.
    wanted : Select
        The rows, without order.
    order : sequence of columns
        Not null, and together unique.
    describe : callable
        Row to document.
    cursor : str or None
        Where the page before ended; None for the first.
    limit : int
        Rows of a page.
    newest_first : bool
        Descending, or ascending.

    Returns
    -------
    dict
        ``items``, and ``next_cursor``: None on the last page.

    Raises
    ------
    InvalidInputError
        If the cursor is of another list.
    """
    if cursor is not None:
        key = read_cursor(cursor, [column.type.python_type for column in order])
        bound = tuple_(
            *(literal(value, column.type) for value, column in zip(key, order, strict=True))
        )
        here = tuple_(*order)
        wanted = wanted.where(here < bound if newest_first else here > bound)
    ordered = [column.desc() if newest_first else column.asc() for column in order]
    rows = list(db.scalars(wanted.order_by(*ordered).limit(limit + 1)))
    more, page = len(rows) > limit, rows[:limit]
    last = [getattr(page[-1], column.key) for column in order] if more else None
    return {
        "items": [describe(row) for row in page],
        "next_cursor": None if last is None else write_cursor(last),
    }
