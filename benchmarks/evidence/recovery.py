"""Study 4: do the weights find the truth, and what do the guard-rails cost on the way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from app.domain.types import Floats
from app.domain.validation import Card
from benchmarks.evidence.procedure import POLICY, follow, refine_all
from benchmarks.evidence.runner import Cell
from benchmarks.evidence.world import World, expert, make_world, misjudged

INSIDE, OUTSIDE = "truth inside the guard-rails", "truth outside the guard-rails"
AUC = 0.75
ERROR_INSIDE, ERROR_OUTSIDE = 0.3, 0.8
SIZES = (500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000)
N_ROUNDS = 6
PER_ROUND = (5_000, 20_000)


def cells(*, quick: bool) -> list[Cell]:
    """List the settings: growing n with the truth in reach, rounds of refining where it is not."""
    if quick:
        sizes = [Cell("recovery", INSIDE, {"n": n}, 3) for n in (500, 8_000)]
        return [*sizes, Cell("recovery", OUTSIDE, {"n": 2_000, "n_rounds": 3}, 2)]
    sizes = [Cell("recovery", INSIDE, {"n": n}, 50 if n <= 20_000 else 20) for n in SIZES]  # noqa: PLR2004 - larger ones take seconds each
    rounds = [Cell("recovery", OUTSIDE, {"n": n, "n_rounds": N_ROUNDS}, 10) for n in PER_ROUND]
    return [*sizes, *rounds]


def run(cell: Cell, rng: np.random.Generator) -> list[dict[str, Any]]:
    """Fit once at this n, or go through the rounds of one lender."""
    if cell.scenario == INSIDE:
        return [_fit_once(cell, rng)]
    return list(_rounds(cell, rng))


def relative_error(weights: Floats, truth: Floats) -> float:
    """Give the median over features of |w / truth - 1|."""
    return float(np.median(np.abs(weights / truth - 1)))


def misplaced(weights: Floats, truth: Floats) -> float:
    """Give the share of the card's weight points that lie on the wrong feature, in [0, 1]."""
    return float(np.abs(weights - truth).sum() / (2 * truth.sum()))


def _fit_once(cell: Cell, rng: np.random.Generator) -> dict[str, Any]:
    world = _world_within_reach(rng)
    fit, refinement = refine_all(world.draw(cell.options["n"], rng), expert())
    model = fit.coefficients * world.truth.sum() / fit.coefficients.sum()
    return {
        "tau": fit.tau,
        "t": refinement.t,
        "error_expert": relative_error(expert().weights, world.truth),
        "error_refined": relative_error(refinement.weights, world.truth),
        "error_model": relative_error(model, world.truth),
        "auc_truth": world.auc(world.truth),
        "auc_expert": world.auc(expert().weights),
        "auc_refined": world.auc(refinement.weights),
        "auc_model": world.auc(model),
    }


def _world_within_reach(rng: np.random.Generator) -> World:
    """Draw truths until one passes every weight gate itself."""
    while True:
        world = make_world(misjudged(ERROR_INSIDE, rng), AUC)
        rails = expert().rails(world.goodness, POLICY)
        if not any(verdict.is_failed for verdict in rails.judge(world.truth)):
            return world


def _rounds(cell: Cell, rng: np.random.Generator) -> Iterator[dict[str, Any]]:
    """Refine, activate where the advice is adopt, and collect n new parties, again and again."""
    world = make_world(misjudged(ERROR_OUTSIDE, rng), AUC)
    card = expert()
    for number in range(1, cell.options["n_rounds"] + 1):
        sample = world.draw(cell.options["n"], rng)
        found = follow(sample, card)
        fit, refinement = refine_all(sample, card)
        if found.is_adopted:
            card = _successor(card, refinement.weights)
        yield {
            "round": number,
            "advice": found.advice,
            "is_adopted": found.is_adopted,
            "t": refinement.t,
            "misplaced_expert": misplaced(expert().weights, world.truth),
            "misplaced": misplaced(card.weights, world.truth),
            "auc_truth": world.auc(world.truth),
            "auc_expert": world.auc(expert().weights),
            "auc_card": world.auc(card.weights),
            "auc_model": world.auc(fit.coefficients),
            "auc_refined": world.auc(refinement.weights),
            "binding": _what_binds(refinement.binding),
        }


def _successor(card: Card, weights: Floats) -> Card:
    """Give the next baseline; the expert ancestor stays the person's card."""
    return replace(card, weights=weights)


def _what_binds(binding: tuple[str, ...]) -> str:
    """Name the guard-rail that binds most features."""
    names = [name for entry in binding for name in entry.split(", ") if name]
    return max(sorted(set(names)), key=names.count) if names else ""
