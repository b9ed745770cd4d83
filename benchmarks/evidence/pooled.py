"""Study 2, pooled batches: the same parties stand in six monthly batches that train together."""

from __future__ import annotations

from typing import Any

import numpy as np

from app.domain.design_matrix import Sample
from benchmarks.evidence.harm import OFF_80, RIGHT_STRONG, RIGHT_WEAK, scenario_world
from benchmarks.evidence.procedure import ANY_NUMBER_OF_BAD, follow
from benchmarks.evidence.runner import Cell
from benchmarks.evidence.world import World, days, expert, sample_of

N_BATCHES = 6
N_PARTIES = 200
REPEATS = {
    (RIGHT_WEAK, N_PARTIES): 400, (RIGHT_STRONG, N_PARTIES): 400,
    (RIGHT_WEAK, 1_000): 100, (RIGHT_STRONG, 1_000): 100,
    (OFF_80, 1_000): 20, (OFF_80, 5_000): 20,
}  # fmt: skip
"""Fewer where a repeat takes seconds: 100 without an adopt still put the upper limit at 3.6 %."""


def cells(*, quick: bool) -> list[Cell]:
    """List the settings: both right experts, and one off by 80 %."""
    options = {"n_batches": N_BATCHES}
    if quick:
        return [Cell("pooled", RIGHT_STRONG, {**options, "n_parties": 150}, 2)]
    return [
        Cell("pooled", scenario, {**options, "n_parties": n}, repeats, cost=n // N_PARTIES)
        for (scenario, n), repeats in REPEATS.items()
    ]


def run(cell: Cell, rng: np.random.Generator) -> dict[str, Any]:
    """Train on the pooled batches, as the product does with a list of batch ids.

    The least number of bad parties is left out: what is judged here is the interval.
    """
    world = scenario_world(cell.scenario, rng)
    sample = draw(world, cell.options["n_parties"], cell.options["n_batches"], rng)
    found = follow(sample, expert(), policy=ANY_NUMBER_OF_BAD)
    record = {"n_bad": sample.n_bad, "advice": found.advice, "is_adopted": found.is_adopted}
    if found.judged is not None:
        gain = found.judged.gain
        record |= {
            "mode_used": found.judged.mode,
            "gain": gain.value,
            "gain_se": gain.standard_error,
        }
    return record


def draw(world: World, n_parties: int, n_batches: int, rng: np.random.Generator) -> Sample:
    """Draw parties with one outcome each, and the same row in every batch.

    That is the strongest dependence there can be, and the expert stays exactly right. The window
    is longer than the batches last, so a party's outcome is the same in each.
    """
    rows = rng.integers(0, len(world.p_bad), n_parties)
    bad = rng.random(n_parties) < world.p_bad[rows]
    return sample_of(
        goodness=np.tile(world.goodness[rows], (n_batches, 1)),
        bad=np.tile(bad.astype(np.int64), n_batches),
        scored_on=np.concatenate(
            [days(rng, n_parties, month, month + 1) for month in range(n_batches)]
        ),
        party=np.tile(np.arange(n_parties), n_batches),
    )
