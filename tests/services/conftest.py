"""What `make check` leaves to `make test` here."""

from __future__ import annotations

import pytest

ON_SQLITE_FIRST = ("test_training.py", "test_doctor.py", "test_comparison.py", "test_label_sets.py")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave fits and edited stores on PostgreSQL to `make test`: SQLite shows the same at once."""
    for item in items:
        if item.path.name in ON_SQLITE_FIRST and item.get_closest_marker("postgres"):
            item.add_marker(pytest.mark.slow)
