"""What all tests share: a home of their own, both databases, and the real data beside the project.

Fixtures for everyone:

``empty_url``      a database without a table, once on SQLite and once on PostgreSQL
``store_url``      a database at the newest migration, once on each
``store``          initialised home, lake and database, once on each; the environment names it
``sqlite_store``   the same on SQLite only, for what does not depend on the database
``db``, ``sqlite_db``  an open session on ``store`` or ``sqlite_store``
``bucket``         an empty bucket of an S3 server on loopback; the environment names its endpoint
``shared_data``, ``shared_cards``  the folders of real data and expert cards
"""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from tests.support.postgres import Server, running_server

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from tests.support.object_store import ObjectStore

ROOT = Path(__file__).resolve().parent.parent
SHARED = ROOT.parent / "shared"
BOTH = ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]

settings.register_profile("check", max_examples=40, deadline=None, derandomize=True)
settings.register_profile(
    "thorough", max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "check"))


@dataclass(frozen=True, slots=True)
class Store:
    """An initialised store that the environment of the test points at."""

    home: Path
    database_url: str
    lake_url: str


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Point Chancellor at an empty folder, so that no test can touch a person's store."""
    folder = tmp_path / "home"
    monkeypatch.setenv("CHANCELLOR_HOME", str(folder))
    for name in ("CHANCELLOR_DATABASE_URL", "CHANCELLOR_LAKE", "DAGSTER_HOME"):
        monkeypatch.delenv(name, raising=False)
    return folder


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Server]:
    """Start a PostgreSQL server once; the tests fail loudly where none is to be had."""
    with running_server() as server:
        yield server


@pytest.fixture(scope="session")
def object_store() -> Iterator[ObjectStore]:
    """Start an S3 server once; unit tests of the core start without pyarrow."""
    from tests.support.object_store import running_object_store  # noqa: PLC0415 - loads pyarrow

    with running_object_store() as server:
        yield server


@pytest.fixture
def bucket(object_store: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> str:
    """Make a bucket, and name the server in the environment."""
    from tests.support.object_store import ENVIRONMENT  # noqa: PLC0415 - loads pyarrow

    for name, text in {**ENVIRONMENT, "AWS_ENDPOINT_URL": object_store.endpoint}.items():
        monkeypatch.setenv(name, text)
    name = f"test-{uuid.uuid4().hex}"
    object_store.client().create_dir(name)
    return f"s3://{name}"


@pytest.fixture(scope="session")
def postgres_template(postgres_server: Server) -> str:
    """Migrate one database that the others are copied from."""
    from app import db  # noqa: PLC0415 - unit tests of the core start without SQLAlchemy

    name = postgres_server.create_database()
    db.upgrade(postgres_server.url(name))
    return name


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Migrate one file that the others are copied from; nobody has it open."""
    from app import db  # noqa: PLC0415 - unit tests of the core start without SQLAlchemy

    file = tmp_path_factory.mktemp("template") / "chancellor.db"
    db.upgrade(f"sqlite:///{file}")
    if (left_open := file.with_name(file.name + "-wal")).exists():
        pytest.fail(f"{left_open} is there: app.db.upgrade left the database open")
    return file


@pytest.fixture(params=BOTH)
def empty_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Give the URL of a database without any table."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.db'}"
        return
    server: Server = request.getfixturevalue("postgres_server")
    name = server.create_database()
    yield server.url(name)
    server.drop_database(name)


@pytest.fixture(params=BOTH)
def store_url(
    request: pytest.FixtureRequest, home: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[str]:
    """Give the URL of an empty database at the newest migration; the environment names it."""
    if request.param == "sqlite":
        yield _copied_sqlite(request, home)
        return
    template: str = request.getfixturevalue("postgres_template")
    server: Server = request.getfixturevalue("postgres_server")
    name = server.create_database(template)
    monkeypatch.setenv("CHANCELLOR_DATABASE_URL", server.url(name))
    yield server.url(name)
    server.drop_database(name)


@pytest.fixture
def store(store_url: str, home: Path) -> Store:
    """Initialise home, lake and database with the default card, on each database."""
    return _initialised(store_url, home)


@pytest.fixture
def sqlite_store(request: pytest.FixtureRequest, home: Path) -> Store:
    """Initialise home, lake and database with the default card, on SQLite."""
    return _initialised(_copied_sqlite(request, home), home)


@pytest.fixture
def db(store: Store) -> Iterator[Session]:
    """Open a session on the store, on each database."""
    yield from _session(store)


@pytest.fixture
def sqlite_db(sqlite_store: Store) -> Iterator[Session]:
    """Open a session on the store, on SQLite."""
    yield from _session(sqlite_store)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Give the folder of real data, which stands beside the project and is no part of it."""
    return _shared("data")


@pytest.fixture(scope="session")
def shared_cards() -> Path:
    """Give the folder of expert cards for the real data."""
    return _shared("scorecards")


def _shared(name: str) -> Path:
    folder = SHARED / name
    if not folder.is_dir():
        problem = f"real data is not here: {folder} does not exist"
        if os.environ.get("CI") == "true":
            pytest.fail(f"{problem}, and CI=true")
        pytest.skip(problem)
    return folder


def _copied_sqlite(request: pytest.FixtureRequest, home: Path) -> str:
    template: Path = request.getfixturevalue("sqlite_template")
    home.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(template, home / "chancellor.db")
    return f"sqlite:///{home / 'chancellor.db'}"


def _initialised(url: str, home: Path) -> Store:
    from app.services.store import initialise_store  # noqa: PLC0415 - see the templates

    initialise_store(actor="tester")
    return Store(home=home, database_url=url, lake_url=str(home / "lake"))


def _session(store: Store) -> Iterator[Session]:
    from app.db import open_session  # noqa: PLC0415 - see the templates

    session = open_session(store.database_url)
    try:
        yield session
    finally:
        session.close()
