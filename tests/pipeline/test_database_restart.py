"""A database that is stopped in the middle of a run: a clear error, no half state, and a way on."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.torture.restart import restart_trials
from tests.support.small_portfolio import write_portfolio


@pytest.mark.slow
@pytest.mark.postgres
def test_a_run_survives_that_postgresql_is_stopped_under_it(tmp_path: Path) -> None:
    """Once the server stays away until the run has ended, once it is back at once."""
    write_portfolio(tmp_path / "files", n=900)
    found = restart_trials(tmp_path / "stores", tmp_path / "files", n_trials=2)
    assert found["faults"] == []
    assert sum(found["on_record"].values()) == found["trials"] == 2
    assert found["ended"]["away: exit 1"] == 1
