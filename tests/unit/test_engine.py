"""DuckDB keeps to the limits of the settings, and spills where they say."""

from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pytest

from app.domain.scorecard import default_card
from app.domain.scorecard_table import goodness_matrix
from app.lake.engine import connect, duckdb_options

N_ROWS = 6_000_000
SORTED = f"CREATE TABLE sorted AS SELECT range, hash(range) h FROM range({N_ROWS}) ORDER BY h"


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Allow 48 MB on one thread: half of what the rows of the tests take."""
    monkeypatch.setenv("CHANCELLOR_DUCKDB_MEMORY", "48MB")
    monkeypatch.setenv("CHANCELLOR_DUCKDB_THREADS", "1")
    monkeypatch.setenv("CHANCELLOR_DUCKDB_SPILL", str(tmp_path / "spill"))
    return tmp_path / "spill"


@pytest.mark.slow
def test_what_does_not_fit_is_spilled_and_the_folder_emptied(small: Path) -> None:
    engine = connect()
    engine.raw_sql(SORTED)
    assert sum(file.stat().st_size for file in small.iterdir()) > 10_000_000
    found = engine.raw_sql("SELECT count(*), sum(range) FROM sorted").fetchone()
    assert found == (N_ROWS, N_ROWS * (N_ROWS - 1) // 2)
    ordered = "SELECT bool_and(h >= last_h) FROM (SELECT h, lag(h) OVER () last_h FROM sorted)"
    assert engine.raw_sql(ordered).fetchone() == (True,)
    engine.disconnect()
    assert not small.exists()


@pytest.mark.slow
def test_the_same_rows_do_not_fit_without_spilling(small: Path) -> None:
    with (
        duckdb.connect(config={**duckdb_options(), "temp_directory": ""}) as engine,
        pytest.raises(duckdb.OutOfMemoryException),
    ):
        engine.execute(SORTED)


def test_every_duckdb_gets_the_limits(small: Path) -> None:
    del small
    card = default_card()
    table = pa.table({"network_size": np.arange(50.0)})
    limits = duckdb_options()
    assert set(limits) == {"memory_limit", "threads", "temp_directory"}
    free = goodness_matrix(card, table)
    assert (goodness_matrix(card, table, limits=limits) == free).all()
    with pytest.raises(duckdb.Error, match="memory"):
        goodness_matrix(card, table, limits={**limits, "memory_limit": "1B"})
