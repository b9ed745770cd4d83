"""What `make check` leaves to `make test` here."""

from __future__ import annotations

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave fits on PostgreSQL to `make test`: a fit takes seconds, and is the same on SQLite."""
    for item in items:
        if item.path.name == "test_training.py" and item.get_closest_marker("postgres"):
            item.add_marker(pytest.mark.slow)
