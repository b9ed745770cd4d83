"""One filled store for all attempts on a database: none of them changes it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from app.db import close_engine, create_store_engine, open_session
from app.services.store import initialise_store
from app.settings import Settings
from tests.support.filled import POSTGRES, Filled
from tests.support.rows import fill_every_table


@pytest.fixture(scope="module", params=["sqlite", POSTGRES])
def filled(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Filled]:
    """Fill one store for all attempts: none of them changes it."""
    home = tmp_path_factory.mktemp("invariants")
    url = f"sqlite:///{home / 'chancellor.db'}"
    if request.param == "postgres":
        server = request.getfixturevalue("postgres_server")
        name = server.create_database(request.getfixturevalue("postgres_template"))
        url = server.url(name)
    initialise_store(actor="tester", settings=Settings(home=home, database_url=url))
    with open_session(url) as db:
        fill_every_table(db)
    engine = create_engine(url)  # plain, as anybody's own script would have it
    yield Filled(url, engine)
    engine.dispose()
    close_engine(url)
    if request.param == "postgres":
        server.drop_database(name)


@pytest.fixture
def changes(filled: Filled) -> Iterator[Session]:
    """Open a session whose changes are all taken back."""
    engine = create_store_engine(filled.url)
    with Session(engine) as db:
        yield db
        db.rollback()
    engine.dispose()
