"""Rows that the database must take or refuse, each with the audit event that it asks for."""

from __future__ import annotations

import pytest
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from app import models
from tests.support.rows import add_recorded


def add(db: Session, *rows: models.Base) -> None:
    """Add rows with their events, in one transaction that is taken back later."""
    db.info["chancellor_transaction"] = "open"
    for row in rows:
        add_recorded(db, row)


def refused(db: Session, why: str, *rows: models.Base) -> None:
    """Add the last row with its event, and see it refused for this reason."""
    add(db, *rows[:-1])
    savepoint = db.begin_nested()
    with pytest.raises(DBAPIError, match=why):
        add(db, rows[-1])
    savepoint.rollback()
