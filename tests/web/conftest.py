"""The desk over a furnished store, and people with a real browser each."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.conftest import Store
from tests.support.browser import Visitors, find_chromium, running_browser
from tests.support.furnished import OWNERS, furnish
from tests.support.service import Running, running_service

HERE = Path(__file__).parent


@pytest.fixture
def empty_desk(store: Store) -> Iterator[Running]:
    """Serve a store that was just made, on each database."""
    with running_service(store) as service:
        yield service


@pytest.fixture(scope="session")
def furnished_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Furnish one store that the others are copied from; it takes half a minute."""
    return furnish(tmp_path_factory.mktemp("furnished") / "store")


@pytest.fixture
def furnished(furnished_template: Path, home: Path) -> Store:
    """Copy the furnished store to where the environment points."""
    shutil.copytree(furnished_template, home)
    return Store(home, f"sqlite:///{home / 'chancellor.db'}", str(home / "lake"))


@pytest.fixture
def desk(furnished: Store) -> Iterator[Running]:
    """Serve the furnished store; runs stay as they are."""
    with running_service(furnished, OWNERS) as service:
        yield service


@pytest.fixture
def browser() -> Iterator[Browser]:
    """Start Chromium; while it runs this thread has an event loop, and Dagster cannot run in it."""
    chromium = find_chromium()
    if chromium is None:
        problem = "no Chromium here: run scripts/setup-browser"
        if os.environ.get("CI") == "true":
            pytest.fail(f"{problem}, and CI=true")
        pytest.skip(problem)
    with running_browser(chromium) as started:
        yield started


@pytest.fixture
def visitors(desk: Running, browser: Browser) -> Iterator[Visitors]:
    """Let people visit the desk; whatever went wrong on a page that they saw fails the test."""
    here = Visitors(browser, desk.url)
    yield here
    here.leave()
    assert here.problems == []


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave PostgreSQL to `make test` here, as for the API."""
    for item in items:
        if item.path.parent == HERE and item.get_closest_marker("postgres"):
            item.add_marker(pytest.mark.slow)
