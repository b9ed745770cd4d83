"""A small Newton solver in place of glum, for many thousands of small fits.

The product's fits are strictly convex, so both solvers find the same point; glum spends 3 ms on
each of them, most of it on checking its input. ``tests/evidence`` holds this solver against glum,
and the study ``solver`` repeats whole trainings with glum and compares the records.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.linalg.lapack import dposv as posv
from scipy.special import expit

from app.domain import fitting
from app.domain.types import Bools, Floats, Ints

_MAX_STEPS = 60
_MAX_HALVINGS = 40
_TOLERANCE = 1e-9
_SMALL = 30_000
_glum_fit: Callable[..., tuple[float, Floats]] = fitting._fit  # noqa: SLF001 - what is replaced


def install() -> None:
    """Fit by this solver from now on, in this process."""
    fitting._fit = fit  # noqa: SLF001 - the benchmark's only reach behind the public names


def uninstall() -> None:
    """Fit by glum again."""
    fitting._fit = _glum_fit  # noqa: SLF001 - the same


def fit(
    design: Floats, bad: Ints, *, ridge: float, offset: Floats | None = None,
    lower: float | None = None, intercept: float = 0.0,
) -> tuple[float, Floats]:  # fmt: skip
    """Fit a logistic regression with a ridge, as ``app.domain.fitting`` asks glum to.

    Where Newton's steps do not converge (separated classes without a prior), or the sample is so
    large that glum is as fast, glum does it.
    """
    n, d = design.shape
    found = None
    if d > 0 and n <= _SMALL:
        full = np.column_stack([np.ones(n), design])
        penalty = np.append(0.0, np.full(d, ridge))
        least = np.append(-np.inf, np.full(d, -np.inf if lower is None else lower))
        found = _newton(full, bad, penalty, least, np.zeros(n) if offset is None else offset)
    if found is None:
        return _glum_fit(
            design, bad, ridge=ridge, offset=offset, lower=lower, intercept=intercept
        )  # fmt: skip
    return float(found[0]), found[1:]


def _newton(
    design: Floats, bad: Ints, penalty: Floats, least: Floats, offset: Floats
) -> Floats | None:
    x = np.zeros(design.shape[1])
    eta = design @ x + offset
    value = _objective(x, eta, bad, penalty)
    for _ in range(_MAX_STEPS):
        p = expit(eta)
        gradient = (p - bad) @ design + penalty * x
        free = (x > least) | (gradient < 0)
        if np.abs(gradient[free]).max() < _TOLERANCE * len(bad):
            return x
        step = _step(design, p * (1 - p), penalty, gradient, free)
        moved = None if step is None else _line_search(
            x, step, value, gradient, (design, bad, penalty, offset), least
        )  # fmt: skip
        if moved is None:
            return None
        x, value, eta = moved
    return None


def _step(
    design: Floats, variance: Floats, penalty: Floats, gradient: Floats, free: Bools
) -> Floats | None:
    all_free = bool(free.all())
    used = design if all_free else design[:, free]
    hessian = used.T @ (used * variance[:, None])
    hessian.flat[:: len(hessian) + 1] += penalty if all_free else penalty[free]
    _, found, failed = posv(hessian, -gradient if all_free else -gradient[free])
    if failed:
        return None
    step = np.zeros_like(gradient)
    step[free] = found
    return step


def _line_search(
    x: Floats, step: Floats, value: float, gradient: Floats, problem: tuple[Floats, ...],
    least: Floats,
) -> tuple[Floats, float, Floats] | None:  # fmt: skip
    design, bad, penalty, offset = problem
    size = 1.0
    for _ in range(_MAX_HALVINGS):
        tried = np.maximum(x + size * step, least)
        eta = design @ tried + offset
        tried_value = _objective(tried, eta, bad, penalty)
        if tried_value <= value + 1e-4 * float(gradient @ (tried - x)) + 1e-12 * abs(value):
            return tried, tried_value, eta
        size /= 2
    return None


def _objective(x: Floats, eta: Floats, bad: Ints, penalty: Floats) -> float:
    return float(np.logaddexp(0, eta).sum() - eta @ bad + (penalty * x) @ x / 2)
