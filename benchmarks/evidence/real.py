"""Study 5: learning curves on real data, and sba_case by vintage."""

from __future__ import annotations

from typing import Any

import numpy as np

from app.domain.design_matrix import Sample
from app.domain.discrimination import auc_roc, paired_auc_difference
from app.domain.types import Floats, Ints
from app.domain.validation import Card
from benchmarks.evidence.procedure import STOPPED, Followed, follow, refine_all, unanchored
from benchmarks.evidence.real_data import is_available, load
from benchmarks.evidence.runner import Cell

SIZES = {
    "german": (100, 300, 700),
    "hmeq": (100, 500, 2_000, 4_000),
    "taiwan": (100, 500, 2_000, 10_000),
    "sba_case": (100, 500, 1_500),
}
REPEATS = 40
VINTAGE = "sba_case by vintage"
VINTAGES = tuple(range(2002, 2008))


def cells(*, quick: bool) -> list[Cell]:
    """List the learning curves and the vintages; none where the data are not there."""
    if not is_available():
        return []
    if quick:
        return [Cell("real", "german", {"n": 100}, 2), Cell("real", VINTAGE, {"year": 2005}, 1)]
    curves = [Cell("real", name, {"n": n}, REPEATS) for name, sizes in SIZES.items() for n in sizes]
    return [Cell("real", VINTAGE, {"year": year}, 1) for year in VINTAGES] + curves


def run(cell: Cell, rng: np.random.Generator) -> dict[str, Any]:
    """Train on some rows and judge on the rows left out, or on the next year's."""
    if cell.scenario == VINTAGE:
        return _vintage(cell.options["year"])
    data = load(cell.scenario)
    shuffled = rng.permutation(data.sample.n_rows)
    rows, left_out = np.sort(shuffled[: cell.options["n"]]), np.sort(shuffled[cell.options["n"] :])
    return _judge(data.sample, data.card, rows, left_out)


def _vintage(year: int) -> dict[str, Any]:
    data = load("sba_case")
    years = data.sample.scored_on.astype("datetime64[Y]").astype(int) + 1970
    rows, later = np.flatnonzero(years <= year), np.flatnonzero(years == year + 1)
    record = {"n": len(rows), "n_tested": len(later)}
    record["bad_rate_trained"] = float(data.sample.bad[rows].mean())
    record["bad_rate_tested"] = float(data.sample.bad[later].mean())
    return record | _judge(data.sample, data.card, rows, later)


def _judge(sample: Sample, card: Card, rows: Ints, left_out: Ints) -> dict[str, Any]:
    train, test = sample.take(rows), sample.take(left_out)
    found = follow(train, card)
    refined = card.weights if found.advice == STOPPED else refine_all(train, card)[1].weights
    followed = refined if found.is_adopted else card.weights
    difference = paired_auc_difference(_risk(refined, test), _risk(card.weights, test), test.bad)
    return _said(found) | {
        "n_bad": train.n_bad,
        "auc_expert": auc_roc(_risk(card.weights, test), test.bad),
        "auc_followed": auc_roc(_risk(followed, test), test.bad),
        "auc_refined": auc_roc(_risk(refined, test), test.bad),
        "auc_regression": auc_roc(_risk(unanchored(train), test), test.bad),
        "gain_refined_se": difference.standard_error,
    }


def _said(found: Followed) -> dict[str, Any]:
    record: dict[str, Any] = {"advice": found.advice, "is_adopted": found.is_adopted}
    if found.judged is not None:
        gain = found.judged.gain
        record |= {
            "mode_used": found.judged.mode,
            "gain_promised": gain.value,
            "gain_promised_se": gain.standard_error,
        }
    return record


def _risk(weights: Floats, sample: Sample) -> Floats:
    return np.asarray(-(sample.goodness @ weights))
