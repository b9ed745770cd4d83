"""Study 2, twelve monthly looks: how often noise is adopted within a year of growing data."""

from __future__ import annotations

from typing import Any

import numpy as np

from app.domain.training import judge_data
from benchmarks.evidence.harm import RIGHT_STRONG, RIGHT_WEAK, scenario_world
from benchmarks.evidence.procedure import ANY_NUMBER_OF_BAD, POLICY, Followed, follow
from benchmarks.evidence.runner import Cell
from benchmarks.evidence.world import days, expert, sample_of

N_LOOKS = 12
PER_MONTH = 150


def cells(*, quick: bool) -> list[Cell]:
    """List both right experts: each month brings new parties."""
    options = {"per_month": PER_MONTH, "n_looks": 4 if quick else N_LOOKS}
    if quick:
        return [Cell("looks", RIGHT_WEAK, options, 2)]
    return [Cell("looks", scenario, options, 400) for scenario in (RIGHT_WEAK, RIGHT_STRONG)]


def run(cell: Cell, rng: np.random.Generator) -> dict[str, Any]:
    """Simulate a year: after each month train on all data so far, until an advice is adopt.

    Looks on fewer labelled bad parties than the policy asks for cannot be adopt; from then on
    the least number is left out, for what is judged here is the interval.

    Every earlier model was judged on rows that this training uses, so all of them count as looks,
    as ``app.queries.models.count_looks`` counts them.
    """
    world = scenario_world(cell.scenario, rng)
    n_looks, per_month = cell.options["n_looks"], cell.options["per_month"]
    rows = rng.integers(0, len(world.p_bad), n_looks * per_month)
    bad = (rng.random(len(rows)) < world.p_bad[rows]).astype(np.int64)
    scored = np.concatenate([days(rng, per_month, month, month + 1) for month in range(n_looks)])
    adopted_at, at_95, n_trained = 0, 0, 0
    for look in range(1, n_looks + 1):
        seen = slice(0, look * per_month)
        sample = sample_of(world.goodness[rows[seen]], bad[seen], scored[seen])
        if any(verdict.is_failed for verdict in judge_data(sample, expert(), POLICY)):
            continue
        n_trained += 1
        if sample.n_bad < POLICY.min_bad_to_adopt:
            continue  # it cannot be adopt, whatever the validation says, but counts as a look
        found = follow(sample, expert(), n_looks=n_trained - 1, policy=ANY_NUMBER_OF_BAD)
        adopted_at = adopted_at or look * found.is_adopted
        at_95 = at_95 or look * _would_adopt_at_95(found)
        if adopted_at:
            break
    return {"adopted_at": adopted_at, "adopted_at_fixed_95": at_95, "n_trained": n_trained}


def _would_adopt_at_95(found: Followed) -> bool:
    """Say what the advice would be if every look used the same 95 % interval."""
    if found.judged is None:
        return False
    return found.is_drafted and found.judged.gain.interval(0.95)[0] > 0
