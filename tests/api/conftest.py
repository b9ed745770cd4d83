"""A running service over a store, with one key per role."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.conftest import Store
from tests.support.service import Running, running_service

HERE = Path(__file__).parent


@pytest.fixture
def running(store: Store) -> Iterator[Running]:
    """Serve the store, on each database; the owner of each role's key has the role's name."""
    with running_service(store) as service:
        yield service


@pytest.fixture
def sqlite_running(sqlite_store: Store) -> Iterator[Running]:
    """Serve a store on SQLite, for what does not depend on the database."""
    with running_service(sqlite_store) as service:
        yield service


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
