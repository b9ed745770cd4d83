"""Calibrate the baseline, and fit the logistic regression anchored at the expert's weights."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from app.domain.logistic import PenalisedLogistic, minimise
from app.domain.threads import fits_unwarned, one_thread
from app.domain.types import Bools, Floats, Ints

DATA_ONLY_RIDGE = 1e-6
CALIBRATION_RIDGE = 1e-4
_GRADIENT_TOLERANCE = 1e-9
_COLLINEAR = 1e-8
_NO_VARIANCE = 1e-300
_LOADING = 1e-6
_SURELY_APART = 1e-6
_PIECE = 4096


@dataclass(frozen=True, slots=True)
class Calibration:
    """Hold logit P(bad) = intercept - slope * z, with z the weighted goodness sum.

    Attributes
    ----------
    intercept : float
        a, log-odds of bad at z = 0.
    slope : float
        s, log-odds per unit of z; positive where the expert ranks risk.
    """

    intercept: float
    slope: float

    def probability(self, z: Floats) -> Floats:
        """Give P(bad) in (0, 1) of shape (n,) for weighted goodness z of shape (n,)."""
        return np.asarray(expit(self.intercept - self.slope * z), dtype=np.float64)


@dataclass(frozen=True, slots=True)
class AnchoredFit:
    """Hold the fit logit P(bad) = a - sum_j b_j g_j, anchored at b_j = s w_j.

    Attributes
    ----------
    intercept : float
        a, log-odds.
    coefficients : ndarray of shape (d,)
        b >= 0, log-odds per unit of goodness.
    tau : float
        Relative width of the anchor's prior.
    calibration : Calibration
        The baseline's own calibration, which gives s.
    gradient : ndarray of shape (d,)
        Of the penalised negative log-likelihood at b, intercept profiled out; zero off the
        bounds.
    hessian : ndarray of shape (d, d)
        The same function's Hessian.
    held : ndarray of bool, shape (d,)
        Features that the data cannot identify; they hold the expert's value.
    """

    intercept: float
    coefficients: Floats
    tau: float
    calibration: Calibration
    gradient: Floats
    hessian: Floats
    held: Bools

    def log_odds(self, goodness: Floats) -> Floats:
        """Give the log-odds of bad of shape (n,) for goodness of shape (n, d)."""
        return np.asarray(self.intercept - goodness @ self.coefficients, dtype=np.float64)

    @property
    def standard_errors(self) -> Floats:
        """Give the standard errors of b from the penalised Hessian, shape (d,); 0 where held."""
        errors = np.zeros(len(self.coefficients))
        free = ~self.held
        if free.any():
            errors[free] = np.sqrt(np.diag(np.linalg.inv(self.hessian[np.ix_(free, free)])))
        return errors


@dataclass(frozen=True, slots=True)
class DataOnlyFit:
    """Hold what the data alone say: no anchor, no sign bound.

    Attributes
    ----------
    coefficients, standard_errors : ndarray of shape (d,)
        b and its standard error, log-odds per unit of goodness; NaN where not identified.
    intercept : float
        a, log-odds.
    """

    coefficients: Floats
    standard_errors: Floats
    intercept: float


def calibrate(z: Floats, bad: Ints) -> Calibration:
    """Fit logit P(bad) = a - s z by maximum likelihood.

    Parameters
    ----------
    z : ndarray of shape (n,)
        Weighted goodness sum of the baseline, or any score where higher is safer.
    bad : ndarray of shape (n,)
        1 bad, 0 good; both present.

    Returns
    -------
    Calibration
        Intercept and slope. A z without spread has slope 0. A ridge of 1e-4 on the slope per
        standard deviation of z keeps it finite where z separates bad from good; elsewhere it
        moves the slope by less than one part in 10,000.

    Examples
    --------
    >>> z = np.repeat([0.0, 1.0], 100)
    >>> bad = np.concatenate([np.repeat([1, 0], [50, 50]), np.repeat([1, 0], [20, 80])])
    >>> found = calibrate(z, bad)
    >>> round(found.slope, 4), round(float(np.log(4)), 4)
    (1.3863, 1.3863)
    """
    spread = float(z.std())
    mean = float(z.mean())
    if not spread > 1e-12 * max(1.0, abs(mean)):
        share = float(bad.mean())
        return Calibration(float(np.log(share / (1 - share))), 0.0)
    intercept, slope = _fit(-((z - mean) / spread)[:, None], bad, ridge=CALIBRATION_RIDGE)
    return Calibration(intercept + float(slope[0]) * mean / spread, float(slope[0]) / spread)


def fit_anchored(
    goodness: Floats,
    bad: Ints,
    weights: Floats,
    tau: float,
    calibration: Calibration,
    held: Bools | None = None,
) -> AnchoredFit:
    r"""Fit the logistic regression whose prior sits at the expert's weights.

    .. math:: \min_{a,\, b \ge 0} \; -\ell(a, b)
       + \frac{1}{2\tau^2} \sum_j \left( \frac{b_j - s w_j}{s w_j} \right)^2

    with :math:`\ell` the log-likelihood, a sum over rows.

    Parameters
    ----------
    goodness : ndarray of shape (n, d)
        In [0, 1].
    bad : ndarray of shape (n,)
        1 bad, 0 good; both present.
    weights : ndarray of shape (d,)
        The baseline's weights, > 0.
    tau : float
        Relative width of the prior, > 0: small holds the expert.
    calibration : Calibration
        Of the baseline on these rows; its slope must be positive.
    held : ndarray of bool, shape (d,), optional
        Features to hold; by default those that these rows cannot identify.

    Returns
    -------
    AnchoredFit
        Coefficients, gradient and Hessian. A held feature has b_j = s w_j exactly, and zero
        rows in gradient and Hessian.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> goodness = rng.random((400, 2))
    >>> bad = (rng.random(400) < expit(1 - 4 * goodness @ [0.6, 0.4])).astype(np.int64)
    >>> weights = np.array([60.0, 40.0])
    >>> base = calibrate(goodness @ weights, bad)
    >>> fit = fit_anchored(goodness, bad, weights, 0.001, base)
    >>> np.allclose(fit.coefficients, base.slope * weights, rtol=1e-3)
    True
    """
    if held is None:
        held = unidentified_features(goodness)
    free = ~held
    anchor = calibration.slope * weights
    intercept, coefficients = anchored_coefficients(goodness, bad, weights, tau, calibration, held)
    probability = expit(intercept - goodness @ coefficients)
    gradient, hessian = _penalised_derivatives(
        goodness, bad, probability, penalty=np.where(free, 1 / (tau * anchor) ** 2, 0.0),
        deviation=coefficients - anchor,
    )  # fmt: skip
    gradient[held] = 0.0
    hessian[held, :] = 0.0
    hessian[:, held] = 0.0
    gradient[free & (coefficients > 0)] = 0.0
    return AnchoredFit(intercept, coefficients, tau, calibration, gradient, hessian, held)


def anchored_coefficients(
    goodness: Floats, bad: Ints, weights: Floats, tau: float, calibration: Calibration, held: Bools
) -> tuple[float, Floats]:
    """Give the intercept and the coefficients of ``fit_anchored`` without their derivatives.

    Parameters
    ----------
    goodness, bad, weights, tau, calibration : ndarrays, float and Calibration
        As ``fit_anchored`` takes them.
    held : ndarray of bool, shape (d,)
        Features to hold.

    Returns
    -------
    tuple of (float, ndarray of shape (d,))
        a and b, log-odds and log-odds per unit of goodness.
    """
    free = ~held
    anchor = calibration.slope * weights
    scaled = goodness * anchor
    offset = -scaled.sum(axis=1)
    relative = np.zeros(len(weights))
    design = _columns(scaled, free)
    intercept, free_relative = _fit(
        np.negative(design, out=design),
        bad,
        ridge=1 / tau**2,
        offset=offset,
        lower=-1.0,
        intercept=calibration.intercept,
    )
    relative[free] = free_relative
    return intercept, anchor * (1 + relative)


def _penalised_derivatives(
    goodness: Floats, bad: Ints, probability: Floats, *, penalty: Floats, deviation: Floats
) -> tuple[Floats, Floats]:
    """Give gradient and Hessian in b with the intercept profiled out."""
    variance = probability * (1 - probability)
    cross = goodness.T @ variance
    total = max(float(variance.sum()), _NO_VARIANCE)
    hessian = (goodness * variance[:, None]).T @ goodness - np.outer(cross, cross) / total
    gradient = -goodness.T @ (probability - bad) + penalty * deviation
    return gradient, hessian + np.diag(penalty)


def fit_data_only(goodness: Floats, bad: Ints, held: Bools | None = None) -> DataOnlyFit:
    """Fit the regression without anchor or sign bound, under a ridge of 1e-6.

    Parameters
    ----------
    goodness : ndarray of shape (n, d)
        In [0, 1].
    bad : ndarray of shape (n,)
        1 bad, 0 good; both present.
    held : ndarray of bool, shape (d,), optional
        Features to leave out; by default those that these rows cannot identify.

    Returns
    -------
    DataOnlyFit
        NaN for constant and collinear features: not identified.
    """
    d = goodness.shape[1]
    identified = ~(unidentified_features(goodness) if held is None else held)
    coefficients, errors = np.full(d, np.nan), np.full(d, np.nan)
    known = _columns(goodness, identified)
    intercept, found = _fit(-known, bad, ridge=DATA_ONLY_RIDGE)
    probability = expit(intercept - known @ found)
    _, hessian = _penalised_derivatives(
        known, bad, probability,
        penalty=np.full(len(found), DATA_ONLY_RIDGE), deviation=found,
    )  # fmt: skip
    coefficients[identified] = found
    errors[identified] = np.sqrt(np.diag(np.linalg.pinv(hessian)))
    return DataOnlyFit(coefficients, errors, intercept)


def _columns(matrix: Floats, chosen: Bools) -> Floats:
    """Copy columns to stand one after the other, as glum reads them, in pieces that fit a cache."""
    found = np.empty((len(matrix), int(chosen.sum())), order="F")
    for first in range(0, len(matrix), _PIECE):
        piece = slice(first, first + _PIECE)
        found[piece] = matrix[piece][:, chosen]
    return found


def unidentified_features(goodness: Floats) -> Bools:
    """Find the features that are constant or an exact combination of others.

    Parameters
    ----------
    goodness : ndarray of shape (n, d)
        In [0, 1].

    Returns
    -------
    ndarray of bool, shape (d,)
        True where these rows cannot tell the feature's weight.

    Examples
    --------
    >>> goodness = np.array([[0.1, 0.5, 0.2], [0.9, 0.5, 0.8], [0.4, 0.5, 0.6], [0.0, 0.5, 1.0]])
    >>> unidentified_features(goodness).tolist()
    [False, True, False]
    >>> unidentified_features(np.column_stack([goodness, 1 - goodness[:, 0]])).tolist()
    [True, True, False, True]
    """
    mean = goodness.mean(axis=0)
    products = _centred_products(goodness, mean)
    spread = np.sqrt(np.diag(products) / len(goodness))
    constant = spread < 1e-9  # noqa: PLR2004 - goodness lies in [0, 1]
    varying = np.flatnonzero(~constant)
    unidentified = constant.copy()
    if len(varying):
        if _are_far_from_collinear(products[np.ix_(varying, varying)]):
            return np.asarray(constant, dtype=np.bool_)
        standard = (goodness[:, varying] - mean[varying]) / spread[varying]
        _, singular, directions = np.linalg.svd(np.linalg.qr(standard, mode="r"))
        null = np.zeros(len(varying), dtype=bool)
        null[len(singular) :] = True
        null[: len(singular)] = singular < _COLLINEAR * singular[0]
        unidentified[varying] = (np.abs(directions[null]) > _LOADING).any(axis=0)
    return np.asarray(unidentified, dtype=np.bool_)


def _centred_products(goodness: Floats, mean: Floats) -> Floats:
    """Sum the products of the columns less their means, shape (d, d)."""
    total = np.zeros((len(mean), len(mean)))
    for first in range(0, len(goodness), _PIECE):
        centred = goodness[first : first + _PIECE] - mean
        total += centred.T @ centred
    return total


def _are_far_from_collinear(products: Floats) -> bool:
    """Say whether the correlations alone show it; in doubt the rows themselves are decomposed.

    Eigenvalues are squares of singular values and exact to some 1e-14: below 1e-6 of the largest
    they cannot tell what 1e-8 of a singular value needs.
    """
    size = np.sqrt(np.diag(products))
    eigenvalues = np.linalg.eigvalsh(products / np.outer(size, size))
    return bool(eigenvalues[0] > _SURELY_APART * eigenvalues[-1])


def _fit(
    design: Floats, bad: Ints, *, ridge: float, offset: Floats | None = None,
    lower: float | None = None, intercept: float = 0.0,
) -> tuple[float, Floats]:  # fmt: skip
    """Fit a logistic regression with a ridge (on the summed likelihood) by glum.

    One thread: it is faster at these sizes and leaves no run-to-run drift. Where few bad rows
    stand apart from the good ones glum may stop short of the minimum, so its gradient is
    checked and the fit finished by projected Newton steps.
    """
    if design.shape[1] == 0:
        nothing, _ = _fit(np.zeros((len(bad), 1)), bad, ridge=1.0, offset=offset)
        return nothing, np.empty(0)
    problem = PenalisedLogistic(
        design, bad, ridge, np.zeros(len(bad)) if offset is None else offset,
        -np.inf if lower is None else lower,
    )  # fmt: skip
    theta = _fit_by_glum(problem, intercept)
    if not problem.is_minimum(theta):
        start = np.append(intercept, np.zeros(design.shape[1]))
        theta = minimise(problem, start)
    return float(theta[0]), theta[1:]


def _fit_by_glum(problem: PenalisedLogistic, intercept: float) -> Floats:
    from glum import GeneralizedLinearRegressor  # noqa: PLC0415 - heavy import

    n, d = problem.design.shape
    bounded = np.isfinite(problem.lower)
    model = GeneralizedLinearRegressor(
        family="binomial",
        link="logit",
        alpha=problem.ridge / n,
        l1_ratio=0.0,
        solver="irls-cd" if bounded else "auto",
        gradient_tol=_GRADIENT_TOLERANCE,
        max_iter=200,
        lower_bounds=np.full(d, problem.lower) if bounded else None,
        # glum cannot take a start for a single column: its own guess serves there
        start_params=np.append(intercept, np.zeros(d)) if d > 1 else None,
    )
    with one_thread(), fits_unwarned():
        model.fit(
            np.asfortranarray(problem.design), problem.bad.astype(np.float64),
            offset=problem.offset,
        )  # fmt: skip
    return np.append(float(model.intercept_), np.asarray(model.coef_, dtype=np.float64))
