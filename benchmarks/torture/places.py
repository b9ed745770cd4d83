"""Stores to be tortured: made once on either engine, then copied for every trial."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Literal

import psycopg

from tests.support.postgres import Server, running_server

Engine = Literal["sqlite", "postgresql"]
ENGINES: tuple[Engine, ...] = ("sqlite", "postgresql")


@dataclass(frozen=True, slots=True)
class Place:
    """One store: a home folder, and where its database is.

    Attributes
    ----------
    home : Path
        With the lake, and on SQLite the database.
    database_url : str
        Full URL.
    """

    home: Path
    database_url: str

    def enter(self) -> None:
        """Point this process at the store."""
        os.environ["CHANCELLOR_HOME"] = str(self.home)
        os.environ["CHANCELLOR_DATABASE_URL"] = self.database_url
        os.environ.pop("CHANCELLOR_LAKE", None)
        os.environ.pop("DAGSTER_HOME", None)


class Ground:
    """Where the stores of one engine are made, copied and dropped.

    Parameters
    ----------
    engine : {"sqlite", "postgresql"}
        The database.
    folder : Path
        For the homes.
    server : Server or None
        A running PostgreSQL; None on SQLite.
    """

    def __init__(self, engine: Engine, folder: Path, server: Server | None) -> None:
        self.engine = engine
        self.folder = folder
        self.server = server
        self._numbers = count(1)

    def create(self) -> Place:
        """Give a place that holds nothing yet."""
        home = self.folder / f"store-{next(self._numbers)}"
        home.mkdir(parents=True)
        if self.server is None:
            return Place(home, f"sqlite:///{home / 'chancellor.db'}")
        return Place(home, self.server.url(self.server.create_database()))

    def copy(self, place: Place) -> Place:
        """Copy a store that nobody has open."""
        home = self.folder / f"store-{next(self._numbers)}"
        shutil.copytree(place.home, home)
        if self.server is None:
            return Place(home, f"sqlite:///{home / 'chancellor.db'}")
        name = self.server.create_database(template=_name(place))
        return Place(home, self.server.url(name))

    def drop(self, place: Place) -> None:
        """Remove a store."""
        shutil.rmtree(place.home)
        if self.server is not None:
            self.server.drop_database(_name(place))

    def wait_until_idle(self, place: Place) -> None:
        """Wait until the server has noticed that a killed client is gone."""
        if self.server is None:
            return
        with psycopg.connect(
            self.server.url("postgres").replace("+psycopg", ""), autocommit=True
        ) as connection:
            others = "SELECT count(*) FROM pg_stat_activity WHERE datname = %s"
            while connection.execute(others, [_name(place)]).fetchone() != (0,):
                connection.execute("SELECT pg_sleep(0.002)")


@contextmanager
def open_ground(engine: Engine, folder: Path) -> Iterator[Ground]:
    """Make ready to keep stores of one engine; PostgreSQL is a server of its own.

    Parameters
    ----------
    engine : {"sqlite", "postgresql"}
        The database.
    folder : Path
        For the homes.

    Yields
    ------
    Ground
        The server ends with the block.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if engine == "sqlite":
        yield Ground(engine, folder, None)
        return
    with running_server() as server:
        yield Ground(engine, folder, server)


def _name(place: Place) -> str:
    return place.database_url.split("@/")[1].split("?")[0]
