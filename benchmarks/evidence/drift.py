"""Study 7: it is said where dates matter, and not said where they do not."""

from __future__ import annotations

from typing import Any

import numpy as np

from app.domain.design_matrix import Sample
from app.domain.drift import compare_over_time
from app.domain.validation import Card, validate
from benchmarks.evidence.procedure import POLICY
from benchmarks.evidence.real_data import is_available, load
from benchmarks.evidence.runner import Cell
from benchmarks.evidence.world import (
    N_MONTHS,
    World,
    days,
    expert,
    make_world,
    misjudged,
    sample_of,
)

STEADY = "nothing changes"
FADES = "features rank less in the last third"
TURNS = "what the expert misjudges turns round in the last third"
REAL = "sba_case"
AUC, AUC_LATE = 0.78, 0.58
ERROR = 0.8


def cells(*, quick: bool) -> list[Cell]:
    """List portfolios without and with a change over time."""
    if quick:
        return [Cell("drift", name, {"n": 1_500}, 2) for name in (STEADY, FADES)]
    grid = [
        Cell("drift", STEADY, {"n": 2_000}, 100),
        Cell("drift", FADES, {"n": 2_000}, 50),
        Cell("drift", TURNS, {"n": 5_000}, 50),
    ]
    return [*grid, Cell("drift", REAL, {}, 1)] if is_available() else grid


def run(cell: Cell, rng: np.random.Generator) -> Any:
    """Validate out of time and shuffled, and record what is said."""
    if cell.scenario == REAL:
        data = load(REAL)
        return _periods(data.sample, data.card)
    early, late = _worlds(cell.scenario, rng)
    sample = _draw(early, late, cell.options["n"], rng)
    judged = validate(sample, expert(), POLICY)
    found = compare_over_time(sample, expert(), POLICY, judged)
    record: dict[str, Any] = {"mode_used": judged.mode, "is_said": bool(found.differs)}
    for name in ("gain", "baseline", "refined"):
        record[f"{name}_differs"] = name in found.differs
        if found.shuffled:
            record[f"{name}_out_of_time"] = found.out_of_time[name].value
            record[f"{name}_shuffled"] = found.shuffled[name].value
    return record


def _worlds(scenario: str, rng: np.random.Generator) -> tuple[World, World]:
    if scenario == TURNS:
        truth = misjudged(ERROR, rng)
        turned = np.maximum(2 * expert().weights - truth, 0.05 * expert().weights)
        return make_world(truth, AUC), make_world(turned, AUC)
    early = make_world(expert().weights, AUC)
    return early, make_world(expert().weights, AUC_LATE) if scenario == FADES else early


def _draw(early: World, late: World, n: int, rng: np.random.Generator) -> Sample:
    rows = rng.integers(0, len(early.p_bad), n)
    scored = days(rng, n, 0, N_MONTHS)
    is_late = np.arange(n) >= 2 * n // 3
    p_bad = np.where(is_late, late.p_bad[rows], early.p_bad[rows])
    return sample_of(early.goodness[rows], (rng.random(n) < p_bad).astype(np.int64), scored)


def _periods(sample: Sample, card: Card) -> list[dict[str, Any]]:
    found = compare_over_time(sample, card, POLICY, validate(sample, card, POLICY))
    return [
        {"is_said": bool(found.differs), "says": found.sentence, **period.as_dict()}
        for period in found.periods
    ]
