"""A running service over a store, with one key per role."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from app.db import close_engine, open_session
from app.domain.access import ROLES
from app.main import create_app
from app.services.key_service import KeyService
from app.settings import Settings
from tests.conftest import Store
from tests.support.service import served

HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Running:
    """A service and how to talk to it."""

    url: str
    store: Store
    keys: dict[str, str]

    def headers(self, role: str) -> dict[str, str]:
        """Give the headers of the owner of a role's key."""
        return {"Authorization": f"Bearer {self.keys[role]}"}

    def client(self, role: str) -> httpx.Client:
        """Give a client that sends a role's key."""
        return httpx.Client(
            base_url=self.url, headers=self.headers(role), timeout=60, trust_env=False
        )


@pytest.fixture
def running(store: Store) -> Iterator[Running]:
    """Serve the store, on each database; the owner of each role's key has the role's name."""
    yield from _running(store)


@pytest.fixture
def sqlite_running(sqlite_store: Store) -> Iterator[Running]:
    """Serve a store on SQLite, for what does not depend on the database."""
    yield from _running(sqlite_store)


def _running(store: Store) -> Iterator[Running]:
    with open_session(store.database_url) as db:
        service = KeyService(db, actor="tester")
        keys = {role: service.create(owner=role, role=role)["key"] for role in ROLES}
    with served(create_app(Settings(execute_runs=False))) as url:
        yield Running(url, store, keys)
    close_engine(store.database_url)


@pytest.fixture
def asked(running: Running) -> Iterator[Callable[[str], httpx.Client]]:
    """Give clients by role, closed at the end."""
    clients: dict[str, httpx.Client] = {}

    def client(role: str) -> httpx.Client:
        if role not in clients:
            clients[role] = running.client(role)
        return clients[role]

    yield client
    for one in clients.values():
        one.close()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave PostgreSQL to `make test` here: a service for each test is slow to start and to end."""
    for item in items:
        if item.path.parent == HERE and item.get_closest_marker("postgres"):
            item.add_marker(pytest.mark.slow)
