"""A store with a row in every table, and an outsider's way in, for tests that try to break it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.exc import DBAPIError

from app.models import Base

TABLES = Base.metadata.tables
POSTGRES = pytest.param("postgres", marks=pytest.mark.postgres)
on_sqlite = pytest.mark.parametrize("filled", ["sqlite"], indirect=True)
on_postgres = pytest.mark.parametrize("filled", [POSTGRES], indirect=True)


@dataclass(frozen=True, slots=True)
class Filled:
    """A store with a row in every table, and an outsider's way in."""

    url: str
    engine: Engine

    def snapshot(self) -> dict[str, list[Any]]:
        """Read everything."""
        with self.engine.connect() as connection:
            return {
                name: [tuple(row) for row in connection.execute(select(table))]
                for name, table in TABLES.items()
            }

    def attempt(self, *statements: str) -> str:
        """Run statements in one transaction that must be refused; give the answer."""
        before = self.snapshot()
        with pytest.raises(DBAPIError) as caught:
            self._run(statements)
        assert self.snapshot() == before
        return str(caught.value.orig)

    def _run(self, statements: Sequence[str]) -> None:
        with self.engine.begin() as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)
