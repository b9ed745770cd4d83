"""DuckDB keeps to the limits of the settings, and spills where they say."""

from __future__ import annotations

from pathlib import Path

import duckdb
import ibis
import pytest

from app.errors import UnavailableError
from app.lake import engine

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
    opened = engine.connect()
    opened.raw_sql(SORTED)
    assert sum(file.stat().st_size for file in small.iterdir()) > 10_000_000
    found = opened.raw_sql("SELECT count(*), sum(range) FROM sorted").fetchone()
    assert found == (N_ROWS, N_ROWS * (N_ROWS - 1) // 2)
    ordered = "SELECT bool_and(h >= last_h) FROM (SELECT h, lag(h) OVER () last_h FROM sorted)"
    assert opened.raw_sql(ordered).fetchone() == (True,)
    opened.disconnect()
    assert not small.exists()


@pytest.mark.slow
def test_the_same_rows_do_not_fit_without_spilling(small: Path) -> None:
    with (
        duckdb.connect(config={**engine.duckdb_options(), "temp_directory": ""}) as opened,
        pytest.raises(duckdb.OutOfMemoryException),
    ):
        opened.execute(SORTED)


@pytest.mark.slow
def test_too_little_memory_says_which_setting_to_raise(
    small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = {**engine.duckdb_options(), "temp_directory": ""}
    monkeypatch.setattr(engine, "duckdb_options", lambda: options)
    rows = ibis.range(N_ROWS).unnest().name("row").as_table()
    hashed = rows.mutate(hashed=rows.row.hash())
    with pytest.raises(UnavailableError, match=r"CHANCELLOR_DUCKDB_MEMORY.*now .*spill"):
        engine.collect(hashed.order_by("hashed"))


def test_only_the_engine_opens_a_duckdb() -> None:
    """A DuckDB that is opened elsewhere would not know the limits."""
    app_folder = Path(engine.__file__).parents[1]
    opening = [
        file.name
        for file in sorted(app_folder.rglob("*.py"))
        if "duckdb.connect" in file.read_text(encoding="utf-8")
    ]
    assert opening == ["engine.py"]
    assert set(engine.duckdb_options()) >= {"temp_directory"}
