"""The penalised logistic likelihood: its derivatives, its minimum and a Newton solver for it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from app.domain.types import Bools, Floats, Ints
from app.errors import InvalidInputError

_TOLERANCE = 1e-7
_MAX_STEPS = 500
_MAX_HALVINGS = 60
_ARMIJO = 1e-4


@dataclass(frozen=True, slots=True)
class PenalisedLogistic:
    r"""Hold the objective of one fit.

    .. math:: f(\theta) = \sum_i \left( \ln(1 + e^{\eta_i}) - y_i \eta_i \right)
       + \frac{\lambda}{2} |\beta|^2, \qquad \eta = o + \theta_0 + X \beta,
       \qquad \theta = (\theta_0, \beta)

    Attributes
    ----------
    design : ndarray of shape (n, d)
        X.
    bad : ndarray of shape (n,)
        y, 1 bad and 0 good.
    ridge : float
        lambda > 0.
    offset : ndarray of shape (n,)
        o, log-odds.
    lower : float
        Bound of every coefficient, or minus infinity.
    """

    design: Floats
    bad: Ints
    ridge: float
    offset: Floats
    lower: float

    def value(self, theta: Floats) -> float:
        """Give f at theta, shape (d + 1,)."""
        log_odds = self.offset + theta[0] + self.design @ theta[1:]
        loss = np.logaddexp(0.0, log_odds) - self.bad * log_odds
        return float(loss.sum() + 0.5 * self.ridge * (theta[1:] @ theta[1:]))

    def gradient(self, theta: Floats) -> Floats:
        """Give the gradient of f at theta, shape (d + 1,)."""
        residual = expit(self.offset + theta[0] + self.design @ theta[1:]) - self.bad
        slopes = self.design.T @ residual + self.ridge * theta[1:]
        return np.append(residual.sum(), slopes)

    def hessian(self, theta: Floats) -> Floats:
        """Give the Hessian of f at theta, shape (d + 1, d + 1)."""
        p = expit(self.offset + theta[0] + self.design @ theta[1:])
        full = np.column_stack([np.ones(len(p)), self.design])
        penalty = np.append(0.0, np.full(self.design.shape[1], self.ridge))
        return np.asarray((full * (p * (1 - p))[:, None]).T @ full + np.diag(penalty))

    def free(self, theta: Floats, gradient: Floats) -> Bools:
        """Say which parameters may still move: not those that a bound holds back."""
        held = (theta <= self.lower) & (gradient > 0)
        held[0] = False
        return np.asarray(~held)

    def is_minimum(self, theta: Floats) -> bool:
        """Say whether the gradient vanishes off the bounds, relative to its own terms."""
        if not np.isfinite(theta).all():
            return False
        gradient = self.gradient(theta)
        size = np.append(len(self.bad), np.abs(self.design).sum(axis=0))
        size = size + self.ridge * np.append(1.0, 1.0 + np.abs(theta[1:]))
        free = self.free(theta, gradient)
        return bool((np.abs(gradient)[free] <= _TOLERANCE * size[free]).all())


def minimise(problem: PenalisedLogistic, start: Floats) -> Floats:
    """Find the minimum by projected Newton steps with backtracking.

    Parameters
    ----------
    problem : PenalisedLogistic
        A convex objective.
    start : ndarray of shape (d + 1,)
        Intercept and coefficients, inside the bounds.

    Returns
    -------
    ndarray of shape (d + 1,)
        Where ``problem.is_minimum`` holds.

    Raises
    ------
    InvalidInputError
        If the minimum is not reached in 500 steps.

    References
    ----------
    .. [1] D. P. Bertsekas, "Projected Newton methods for optimization problems with simple
       constraints", SIAM Journal on Control and Optimization 20 (1982).

    Examples
    --------
    Two parties of ten are bad: the intercept is their log-odds.

    >>> bad = np.repeat([1, 0], [2, 8])
    >>> problem = PenalisedLogistic(np.zeros((10, 1)), bad, 1.0, np.zeros(10), -np.inf)
    >>> theta = minimise(problem, np.zeros(2))
    >>> round(float(theta[0]), 6), round(float(np.log(2 / 8)), 6)
    (-1.386294, -1.386294)
    """
    theta = start.astype(np.float64)
    for _ in range(_MAX_STEPS):
        if problem.is_minimum(theta):
            return theta
        gradient = problem.gradient(theta)
        free = problem.free(theta, gradient)
        hessian = problem.hessian(theta)[np.ix_(free, free)]
        damping = 1e-10 * max(float(np.trace(hessian)), 1e-6) * np.eye(len(hessian))
        direction = np.zeros_like(theta)
        direction[free] = -np.linalg.solve(hessian + damping, gradient[free])
        theta = _step(problem, theta, direction, gradient)
    raise InvalidInputError(
        "the logistic fit did not reach its minimum: look for features with extreme weights",
        n_rows=len(problem.bad),
    )


def _step(problem: PenalisedLogistic, theta: Floats, direction: Floats, gradient: Floats) -> Floats:
    value, length = problem.value(theta), 1.0
    for _ in range(_MAX_HALVINGS):
        moved = theta + length * direction
        moved[1:] = np.maximum(moved[1:], problem.lower)
        if problem.value(moved) <= value + _ARMIJO * float(gradient @ (moved - theta)):
            return moved
        length /= 2
    return moved
