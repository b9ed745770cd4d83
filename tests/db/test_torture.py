"""The small forms of the torture in ``benchmarks/torture``: kills, and many hands at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.torture.crash import WHEN, torture
from benchmarks.torture.crowd import DECIDERS, MIXED, crowd
from benchmarks.torture.places import Engine
from tests.support.small_portfolio import write_portfolio

pytestmark = pytest.mark.slow
ENGINES = pytest.mark.parametrize(
    "engine", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]
)


@ENGINES
def test_a_killed_process_leaves_no_half_change_and_the_step_can_be_repeated(
    engine: Engine, tmp_path: Path
) -> None:
    write_portfolio(tmp_path / "files", n=600)
    tallies = torture(
        engine, tmp_path / "files", tmp_path / "stores", n_uniform=6, n_aimed=12, seed=2
    )
    assert [fault for tally in tallies for fault in tally.faults] == []
    assert [tally.n_trials for tally in tallies] == [3] * 6
    died = {when: sum(tally.killed[when] for tally in tallies) for when in WHEN}
    assert died["before"] > 0
    assert sum(died.values()) == 18


@ENGINES
@pytest.mark.parametrize("roles", [DECIDERS, MIXED], ids=["deciders", "mixed"])
def test_many_processes_lose_nothing_and_one_version_is_active_throughout(
    engine: Engine, roles: tuple[str, ...], tmp_path: Path
) -> None:
    write_portfolio(tmp_path / "files", n=600)
    found = crowd(engine, tmp_path / "files", tmp_path / "store", roles=roles, seconds=10.0)
    assert found["faults"] == []
    assert found["readings"] > 0
    assert found["successes"].get("draft.created", 0) > 0
