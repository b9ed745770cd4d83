"""Whether probabilities are right: Brier score, log-loss, calibration intercept and slope."""

from __future__ import annotations

import numpy as np
from scipy.special import expit

from app.domain.discrimination import Estimate
from app.domain.types import Floats, Ints

_MAX_STEPS = 100
_TOLERANCE = 1e-10
_TINY = 1e-15


def brier(probability: Floats, bad: Ints) -> float:
    """Measure the mean squared distance between probability and outcome.

    Parameters
    ----------
    probability : ndarray of shape (n,)
        P(bad) in [0, 1].
    bad : ndarray of shape (n,)
        1 bad, 0 good.

    Returns
    -------
    float
        In [0, 1]; 0 is perfect.

    References
    ----------
    .. [1] G. W. Brier, "Verification of forecasts expressed in terms of probability", Monthly
       Weather Review 78 (1950).

    Examples
    --------
    >>> brier(np.array([0.0, 1.0, 0.5]), np.array([0, 1, 1]))
    0.08333333333333333
    """
    return float(np.mean((probability - bad) ** 2))


def log_loss(probability: Floats, bad: Ints) -> float:
    """Measure the mean negative log-likelihood of the outcomes, in nats.

    Parameters
    ----------
    probability : ndarray of shape (n,)
        P(bad) in [0, 1]; clipped to [1e-15, 1 - 1e-15].
    bad : ndarray of shape (n,)
        1 bad, 0 good.

    Returns
    -------
    float
        In [0, inf).

    Examples
    --------
    >>> round(log_loss(np.array([0.5, 0.5]), np.array([0, 1])), 6), round(float(np.log(2)), 6)
    (0.693147, 0.693147)
    """
    p = np.clip(probability, _TINY, 1 - _TINY)
    return float(-np.where(bad == 1, np.log(p), np.log1p(-p)).mean())


def calibration_intercept(log_odds: Floats, bad: Ints) -> float:
    """Find the shift of the log-odds that would make the predicted bad rate right.

    Parameters
    ----------
    log_odds : ndarray of shape (n,)
        Predicted log-odds of bad, finite.
    bad : ndarray of shape (n,)
        1 bad, 0 good; both present.

    Returns
    -------
    float
        Log-odds with the slope fixed at 1; 0 is right on average, positive means that the
        prediction was too low.

    References
    ----------
    .. [1] B. Van Calster et al., "A calibration hierarchy for risk models was defined", Journal
       of Clinical Epidemiology 74 (2016).

    Examples
    --------
    >>> shift = calibration_intercept(np.zeros(4), np.array([1, 1, 1, 0]))
    >>> round(shift, 6), round(float(np.log(3)), 6)
    (1.098612, 1.098612)
    """
    shift = 0.0
    for _ in range(_MAX_STEPS):
        p = expit(log_odds + shift)
        step = float((bad - p).sum() / max(float((p * (1 - p)).sum()), _TINY))
        shift += float(np.clip(step, -2.0, 2.0))
        if abs(step) < _TOLERANCE:
            break
    return shift


def calibration_slope(log_odds: Floats, bad: Ints) -> float | None:
    """Find the factor on the log-odds that would make their spread right.

    Parameters
    ----------
    log_odds : ndarray of shape (n,)
        Predicted log-odds of bad, finite.
    bad : ndarray of shape (n,)
        1 bad, 0 good; both present.

    Returns
    -------
    float or None
        Slope of a logistic regression of the outcome on the log-odds, with an intercept; 1 is
        right, below 1 the prediction is too extreme. None where the log-odds have no spread.

    References
    ----------
    .. [1] D. R. Cox, "Two further applications of a model for binary regression", Biometrika 45
       (1958).

    Examples
    --------
    >>> log_odds = np.repeat([-1.0, 1.0], 100)
    >>> bad = np.concatenate([np.repeat([1, 0], [20, 80]), np.repeat([1, 0], [80, 20])])
    >>> round(calibration_slope(log_odds, bad), 4), round(float(np.log(4)), 4)
    (1.3863, 1.3863)
    """
    from app.domain.fitting import calibrate  # noqa: PLC0415 - loads glum only where it is used

    if not log_odds.std() > _TOLERANCE:
        return None
    return -calibrate(log_odds, bad).slope


def intercept_estimate(log_odds: Floats, bad: Ints) -> Estimate:
    """Estimate the calibration intercept with its standard error.

    Parameters
    ----------
    log_odds : ndarray of shape (n,)
        Predicted log-odds of bad, finite.
    bad : ndarray of shape (n,)
        1 bad, 0 good; both present.

    Returns
    -------
    Estimate
        As `calibration_intercept`; the standard error is the inverse root of the information.

    Examples
    --------
    >>> found = intercept_estimate(np.zeros(4), np.array([1, 1, 1, 0]))
    >>> round(found.value, 4), round(found.standard_error, 4), round((1 / 3 + 1) ** 0.5, 4)
    (1.0986, 1.1547, 1.1547)
    """
    shift = calibration_intercept(log_odds, bad)
    p = expit(log_odds + shift)
    return Estimate(shift, float((p * (1 - p)).sum() ** -0.5))


def slope_estimate(log_odds: Floats, bad: Ints) -> Estimate | None:
    """Estimate the calibration slope with its standard error.

    Parameters
    ----------
    log_odds : ndarray of shape (n,)
        Predicted log-odds of bad, finite.
    bad : ndarray of shape (n,)
        1 bad, 0 good; both present.

    Returns
    -------
    Estimate or None
        As `calibration_slope`, by the inverse of the information of intercept and slope.

    Examples
    --------
    >>> log_odds = np.repeat([-1.0, 1.0], 100)
    >>> bad = np.concatenate([np.repeat([1, 0], [20, 80]), np.repeat([1, 0], [80, 20])])
    >>> found = slope_estimate(log_odds, bad)
    >>> round(found.value, 4), round(found.standard_error, 4)
    (1.3863, 0.1768)
    """
    from app.domain.fitting import calibrate  # noqa: PLC0415 - loads glum only where it is used

    if not log_odds.std() > _TOLERANCE:
        return None
    fitted = calibrate(log_odds, bad)
    p = expit(fitted.intercept - fitted.slope * log_odds)
    weight = p * (1 - p)
    spread = float(weight @ log_odds**2 - (weight @ log_odds) ** 2 / weight.sum())
    return Estimate(-fitted.slope, spread**-0.5)
