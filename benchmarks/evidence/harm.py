"""Studies 1 to 3: what following the advice does to the card, how often, and are intervals right.

One grid of simulated portfolios serves all three: each run records the advice, the exact AUC of
every card that might have come out of it, and whether the intervals covered the exact values.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from app.domain.design_matrix import Sample
from app.domain.fitting import calibrate
from app.domain.types import Floats
from app.domain.validation import CARDS, Validation
from benchmarks.evidence.procedure import STOPPED, Followed, follow, refine_all, unanchored
from benchmarks.evidence.runner import Cell
from benchmarks.evidence.world import World, expert, make_world, misjudged

RIGHT_WEAK, RIGHT_STRONG = "right, AUC 0.66", "right, AUC 0.81"
OFF_30, OFF_80 = "off by 30 %", "off by 80 %"
SCENARIOS: dict[str, tuple[float, float]] = {
    RIGHT_WEAK: (0.0, 0.66),
    RIGHT_STRONG: (0.0, 0.81),
    OFF_30: (0.3, 0.75),
    OFF_80: (0.8, 0.75),
}
"""Relative error of the expert's weights, and AUC of the true weights."""

MANY, FEW = 400, 50
SIZES = (100, 200, 500, 1_000, 5_000, 20_000)
FULL = {(RIGHT_WEAK, 200): MANY}
MORE_ADVICE = {
    (RIGHT_WEAK, 500): 350,
    (RIGHT_WEAK, 1_000): 350,
    (RIGHT_WEAK, 5_000): 350,
    (RIGHT_STRONG, 200): 350,
    (RIGHT_STRONG, 500): 350,
    (RIGHT_STRONG, 1_000): 350,
    (RIGHT_STRONG, 5_000): 350,
    (OFF_80, 500): 150,
    (OFF_80, 1_000): 250,
    (OFF_80, 5_000): 250,
}
"""Repeats beyond the 50, in which only what the advice leads to is recorded: where a rate near
zero, or a coverage, is to be known."""
SHUFFLED = 150
INTERVALS_FROM = 500


def cells(*, quick: bool) -> list[Cell]:
    """List the grid: 400 repeats where a rate near zero is claimed, 50 elsewhere."""
    if quick:
        return [Cell("harm", name, {"n": 600, "mode": "auto"}, 3) for name in (RIGHT_WEAK, OFF_80)]
    grid = [
        Cell("harm", name, {"n": n, "mode": "auto"}, FULL.get((name, n), FEW))
        for n in SIZES[:-1]
        for name in SCENARIOS
    ]
    grid += [
        Cell("harm", name, {"n": n, "mode": "auto", "advice_only": 1}, repeats)
        for (name, n), repeats in MORE_ADVICE.items()
    ]
    largest = {"n": SIZES[-1], "mode": "auto"}
    grid += [Cell("harm", name, largest, FEW, cost=9) for name in SCENARIOS]
    grid += [
        Cell(
            "harm", OFF_80, {"n": n, "mode": "cross_validation", "advice_only": 1}, SHUFFLED, cost=2
        )
        for n in (500, 1_000)
    ]
    return grid


def run(cell: Cell, rng: np.random.Generator) -> dict[str, Any]:
    """Simulate one portfolio, train on it, and record what came of it."""
    world = scenario_world(cell.scenario, rng)
    sample = world.draw(cell.options["n"], rng)
    found = follow(sample, expert(), mode=cell.options["mode"])
    record = {"n_bad": sample.n_bad, "advice": found.advice, "mode_used": _mode(found)}
    if cell.options.get("advice_only"):
        record |= _followed(world, sample, found)
    else:
        record |= _cards(world, sample, found)
    if found.judged is not None and sample.n_rows >= INTERVALS_FROM:
        record |= _coverage(world, found.judged)
    return record


def scenario_world(name: str, rng: np.random.Generator) -> World:
    """Give the world of a scenario; where the expert is right it is always the same."""
    error, auc = SCENARIOS[name]
    return make_world(misjudged(error, rng), auc) if error else _world_of_the_expert(auc)


@cache
def _world_of_the_expert(auc: float) -> World:
    return make_world(expert().weights, auc)


def _mode(found: Followed) -> str:
    return "" if found.judged is None else found.judged.mode


def _followed(world: World, sample: Sample, found: Followed) -> dict[str, Any]:
    """Give the exact AUC of the expert's card and of the card after following the advice."""
    start = expert().weights
    refined = refine_all(sample, expert())[1].weights if found.is_clear else start
    weights = refined if found.is_adopted else start
    return {
        "auc_clear": world.auc(refined) if found.is_clear else None,
        "is_drafted": found.is_drafted,
        "is_adopted": found.is_adopted,
        "is_clear": found.is_clear,
        "auc_expert": world.auc(expert().weights),
        "auc_followed": world.auc(weights),
    }


def _cards(world: World, sample: Sample, found: Followed) -> dict[str, Any]:
    """Give the exact AUC of the expert's card and of what may replace it."""
    start = expert().weights
    refined = start
    if found.advice != STOPPED:
        refined = refine_all(sample, expert())[1].weights
    has_both = 0 < sample.n_bad < sample.n_rows
    alone = unanchored(sample) if has_both else np.zeros(len(start))
    slope = calibrate(sample.goodness @ start, sample.bad).slope if has_both else 0.0
    auc_expert, auc_refined = world.auc(start), world.auc(refined)
    return {
        "is_drafted": found.is_drafted,
        "is_adopted": found.is_adopted,
        "is_clear": found.is_clear,
        "auc_truth": world.auc(world.truth),
        "auc_expert": auc_expert,
        "auc_followed": auc_refined if found.is_adopted else auc_expert,
        "auc_drafts": auc_refined if found.is_drafted else auc_expert,
        "auc_refined": auc_refined,
        "auc_clear": auc_refined if found.is_clear else None,
        "auc_regression": world.auc(alone),
        "auc_blend": world.auc((slope * start + alone) / 2),
    }


def _coverage(world: World, judged: Validation) -> dict[str, Any]:
    """Give estimates, standard errors and exact values of the very cards that were judged."""
    record: dict[str, Any] = {"gain": judged.gain.value, "gain_se": judged.gain.standard_error}
    exact: dict[str, Floats] = {
        "model": np.array([world.auc(fold.coefficients) for fold in judged.folds]),
        "refined": np.array([world.auc(fold.weights) for fold in judged.folds]),
        "baseline": np.array([world.auc(expert().weights)]),
    }
    for name in CARDS:
        record[f"judged_{name}"] = judged.auc[name].value
        record[f"se_{name}"] = judged.auc[name].standard_error
        record[f"exact_{name}"] = float(exact[name].mean())
    record["exact_gain"] = record["exact_refined"] - record["exact_baseline"]
    return record
