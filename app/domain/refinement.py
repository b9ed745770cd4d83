"""Refine the weights: the cone program's target, the path to it, the step taken, rounding."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from app.domain.cone_program import solve_guarded_weights
from app.domain.fitting import AnchoredFit
from app.domain.gates import Verdict
from app.domain.guard_rails import GuardRails
from app.domain.threads import single_threaded
from app.domain.types import Bools, Document, Floats

PATH_STEPS = 100
_BINDS = 1e-3


@dataclass(frozen=True, slots=True)
class PathStep:
    """Hold one step w + t (w_new - w) of the path, t in [0, 1], and its verdicts."""

    t: float
    weights: Floats
    verdicts: tuple[Verdict, ...]

    @property
    def passes(self) -> bool:
        """Say whether every weight gate passes here."""
        return not any(verdict.is_failed for verdict in self.verdicts)

    def as_dict(self, names: Sequence[str]) -> Document:
        """Give the step as a JSON-ready mapping; ``names`` are the d features."""
        return {
            "t": self.t,
            "weights": dict(zip(names, self.weights.tolist(), strict=True)),
            "gates": {verdict.gate: verdict.value for verdict in self.verdicts},
            "failed": [verdict.gate for verdict in self.verdicts if verdict.is_failed],
        }


@dataclass(frozen=True, slots=True)
class Refinement:
    """Hold the refined weights and how they came about.

    Attributes
    ----------
    weights : ndarray of shape (d,)
        After step back and rounding; they sum to the baseline's sum.
    target : ndarray of shape (d,)
        The cone program's weights, t = 1.
    t : float
        How far along the path the chosen step lies, in [0, 1].
    path : tuple of PathStep
        All steps from t = 1 to 0.
    verdicts : tuple of Verdict
        The weight gates for the chosen, rounded weights.
    binding : tuple of str
        Per feature what stopped it: ``""`` where nothing did.
    baseline_failures : tuple of str
        Gates that the baseline itself does not pass; then nothing moves.
    """

    weights: Floats
    target: Floats
    t: float
    path: tuple[PathStep, ...]
    verdicts: tuple[Verdict, ...]
    binding: tuple[str, ...]
    baseline_failures: tuple[str, ...]

    @property
    def has_moved(self) -> bool:
        """Say whether any weight differs from the baseline's."""
        return not np.array_equal(self.weights, self.path[-1].weights)


def round_weights(weights: Floats) -> Floats:
    """Round weights by largest remainder, so that their sum stays as it is.

    Parameters
    ----------
    weights : ndarray of shape (d,)
        Positive weights.

    Returns
    -------
    ndarray of shape (d,)
        Multiples of a step (but for what the sum itself has beyond it, which the largest
        weight carries). The step is the largest power of ten <= min weight / 1000, at most
        0.01.

    Examples
    --------
    >>> round_weights(np.array([33.3333333, 33.3333333, 33.3333334])).tolist()
    [33.33, 33.33, 33.34]
    """
    digits = max(2, int(np.ceil(-np.log10(weights.min() / 1000) - 1e-9)))
    step = 10.0**-digits
    units = np.floor(weights / step + 1e-9)
    left = round(float(weights.sum()) / step) - int(units.sum())
    order = np.argsort(units - weights / step, kind="stable")
    units[order[:left]] += 1
    rounded = np.array([round(float(unit) * step, digits) for unit in units])
    largest = int(np.argmax(rounded))
    residue = float(weights.sum()) - float(rounded.sum())
    rounded[largest] = round(float(rounded[largest]) + residue, digits + 6)
    return rounded


@single_threaded
def refine(fit: AnchoredFit, rails: GuardRails) -> Refinement:
    """Refine the baseline's weights: cone program, step back, rounding.

    Parameters
    ----------
    fit : AnchoredFit
        The model.
    rails : GuardRails
        What the draft is measured against.

    Returns
    -------
    Refinement
        By construction it passes every weight gate, or nothing has moved.
    """
    failures = tuple(v.gate for v in rails.judge(rails.weights) if v.is_failed)
    if failures or fit.calibration.slope <= 0 or fit.held.all():
        return _unmoved(rails, failures)
    target = solve_guarded_weights(fit, rails)
    path = trace_path(rails, target)
    for step in path:
        if not step.passes:
            continue
        weights = rails.weights if step.t == 0 else _round_moved(step.weights, rails, fit.held)
        verdicts = rails.judge(weights)
        if not any(verdict.is_failed for verdict in verdicts):
            binding = find_binding(fit, rails, target, step, path)
            return Refinement(weights, target, step.t, path, verdicts, binding, ())
    return _unmoved(rails, ())


def _unmoved(rails: GuardRails, failures: tuple[str, ...]) -> Refinement:
    verdicts = rails.judge(rails.weights)
    only = (PathStep(0.0, rails.weights, verdicts),)
    why = f"baseline past {', '.join(failures)}" if failures else ""
    stopped = (why,) * len(rails.weights)
    return Refinement(rails.weights, rails.weights, 0.0, only, verdicts, stopped, failures)


def _round_moved(weights: Floats, rails: GuardRails, held: Bools) -> Floats:
    rounded = weights.copy()
    rounded[held] = rails.weights[held]
    rounded[~held] = round_weights(weights[~held])
    return rounded


def trace_path(rails: GuardRails, target: Floats) -> tuple[PathStep, ...]:
    """Judge every step t = 1, 0.99, ..., 0 between the baseline and the target.

    Parameters
    ----------
    rails : GuardRails
        What a step is measured against.
    target : ndarray of shape (d,)
        Weights at t = 1, summing to the baseline's sum.

    Returns
    -------
    tuple of PathStep
        101 steps, t falling. AUC is not looked at: it never chooses t.
    """
    old, new = rails.unrounded_scores(rails.weights), rails.unrounded_scores(target)
    standing = rails.standing()
    steps = []
    for hundredth in range(PATH_STEPS, -1, -1):
        t = hundredth / PATH_STEPS
        weights = rails.weights + t * (target - rails.weights)
        verdicts = rails.judge_scores(weights, old + t * (new - old), standing)
        steps.append(PathStep(t, weights, verdicts))
    return tuple(steps)


def find_binding(
    fit: AnchoredFit, rails: GuardRails, target: Floats, chosen: PathStep, path: Sequence[PathStep]
) -> tuple[str, ...]:
    """Name, per feature, what kept it from going where the model points.

    Parameters
    ----------
    fit : AnchoredFit
        The model.
    rails : GuardRails
        The guard-rails of the program.
    target : ndarray of shape (d,)
        The program's weights.
    chosen : PathStep
        The step that was taken.
    path : sequence of PathStep
        The whole path; the step before the chosen one tells why it stepped back.

    Returns
    -------
    tuple of str
        ``held``, ``weight_change (upper)``, ``weight_change (lower)``, ``cumulative_change``,
        ``score_correlation``, the gate that made it step back, or ``""``; several are joined
        by ``, ``.
    """
    policy = rails.policy
    relative = target / rails.weights
    common = []
    correlation = next(v.value for v in path[0].verdicts if v.gate == "score_correlation")
    if correlation is not None and correlation < policy.correlation_bound + _BINDS:
        common.append("score_correlation")
    if chosen.t < 1:
        before = path[max(0, round((1 - chosen.t) * PATH_STEPS) - 1)]
        common += [v.gate for v in before.verdicts if v.is_failed] or ["rounding"]
    names = []
    for j in range(len(target)):
        own = []
        if fit.held[j]:
            names.append("held")
            continue
        if relative[j] > 1 + policy.weight_change_bound - _BINDS:
            own.append("weight_change (upper)")
        if relative[j] < 1 - policy.weight_change_bound + _BINDS:
            own.append("weight_change (lower)")
        limit = (1 + policy.cumulative_change_bound) * rails.expert_weights[j]
        if target[j] > limit - _BINDS * rails.weights[j]:
            own.append("cumulative_change")
        names.append(", ".join(own + common))
    return tuple(names)
