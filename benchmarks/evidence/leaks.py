"""Study 6: planted leaks are found, and honest features are left in peace."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from app.domain.leakage import LeakageTable, LeakColumn, find_leaks
from app.domain.scorecard import default_card
from app.domain.simulated_features import simulate_features
from app.domain.types import Floats, Ints
from benchmarks.evidence.real_data import NAMES, is_available, load
from benchmarks.evidence.runner import Cell
from benchmarks.evidence.world import expert, goodness_columns, probabilities

HONEST = "honest features"
REAL = "real data"
SLOPE = 12.0
SIZES = (200, 500, 2_000)


def _whole_years(bad: Ints, rng: np.random.Generator) -> Floats:
    """Draw a term in months that is later cut short for bad parties."""
    term = 12.0 * rng.integers(1, 21, len(bad))
    return np.where(bad == 1, np.maximum(term - rng.integers(1, 12, len(bad)), 1), term)


def _late_reading(bad: Ints, rng: np.random.Generator) -> Floats:
    """Draw a number that was read after the outcome."""
    return rng.normal(size=len(bad)) + 2.2 * bad


def _blanked(bad: Ints, rng: np.random.Generator) -> Floats:
    """Draw a number that is blanked for most bad parties and few good ones."""
    gone = rng.random(len(bad)) < np.where(bad == 1, 0.55, 0.05)
    return np.where(gone, np.nan, rng.normal(size=len(bad)))


PLANTED: dict[str, Callable[[Ints, np.random.Generator], Floats]] = {
    "whole-year term, changed after the outcome": _whole_years,
    "a number read after the outcome": _late_reading,
    "missing after the outcome": _blanked,
}


def cells(*, quick: bool) -> list[Cell]:
    """List honest and planted features by sample size, and the real data sets."""
    sizes, repeats = ((500,), 5) if quick else (SIZES, 200)
    names = [*PLANTED, HONEST]
    grid = [Cell("leaks", name, {"n": n}, repeats) for name in names for n in sizes]
    if is_available() and not quick:
        grid += [Cell("leaks", REAL, {"data": name}, 1) for name in NAMES]
    return grid


def run(cell: Cell, rng: np.random.Generator) -> Any:
    """Look for leaks among sixteen honest features and perhaps a planted one."""
    if cell.scenario == REAL:
        return _real(cell.options["data"])
    raw = simulate_features(rng, cell.options["n"])
    card = default_card()
    z = goodness_columns(card, {name: raw[name] for name in card.feature_names}) @ expert().weights
    bad = (rng.random(len(z)) < probabilities(z / expert().weights.sum(), SLOPE)).astype(np.int64)
    columns = {name: LeakColumn(values) for name, values in raw.items()}
    if cell.scenario in PLANTED:
        columns["planted"] = LeakColumn(PLANTED[cell.scenario](bad, rng))
    signs = find_leaks(LeakageTable(columns, bad), list(columns))
    return {
        "n_bad": int(bad.sum()),
        "is_found": any(sign.feature == "planted" for sign in signs),
        "n_false": sum(sign.feature != "planted" for sign in signs),
    }


def _real(name: str) -> list[dict[str, Any]]:
    data = load(name)
    columns = {column: _column(values) for column, values in data.columns.items()}
    return [
        {"feature": sign.feature, "kind": sign.kind, "value": sign.value, "says": sign.sentence}
        for sign in find_leaks(LeakageTable(columns, data.sample.bad), [])
    ]


def _column(values: np.ndarray) -> LeakColumn:
    is_text = any(isinstance(value, str) for value in values)
    if not is_text:
        numbers = [np.nan if value is None else float(value) for value in values]
        return LeakColumn(np.array(numbers))
    codes: dict[str, int] = {}
    numbers = [
        np.nan if value is None else codes.setdefault(str(value), len(codes)) for value in values
    ]
    return LeakColumn(np.array(numbers, dtype=np.float64), is_text=True)
