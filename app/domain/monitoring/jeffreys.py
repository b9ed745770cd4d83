"""Whether more parties turned bad than a probability said: the Jeffreys test."""

from __future__ import annotations

import numpy as np
from scipy.stats import beta

from app.domain.types import Floats
from app.errors import InvalidInputError


def jeffreys_p_value(n: int, n_bad: int, expected_rate: float) -> float:
    r"""Test whether the probability of turning bad was put too low.

    .. math:: p = P(\theta \le \mathrm{PD}), \qquad
       \theta \sim \mathrm{Beta}(D + 1/2,\; N - D + 1/2)

    Parameters
    ----------
    n : int
        N, parties with a known outcome.
    n_bad : int
        D, bad ones among them.
    expected_rate : float
        PD, the mean probability that they were given, in [0, 1]; taken as known.

    Returns
    -------
    float
        In [0, 1]; small where more turned bad than expected.

    Raises
    ------
    InvalidInputError
        If D is not between 0 and N, or PD outside [0, 1].

    References
    ----------
    .. [1] European Central Bank, "Instructions for reporting the validation results of internal
       models", February 2019, section 2.5.3.1, whose example this is.

    Examples
    --------
    >>> round(jeffreys_p_value(200, 7, 0.025), 12)
    0.177852704399
    """
    return mean_jeffreys_p_value(n, n_bad, np.array([expected_rate]), np.ones(1))


def mean_jeffreys_p_value(
    n: int, n_bad: int, expected_rates: Floats, probabilities: Floats
) -> float:
    r"""Test whether a probability that is itself uncertain was put too low.

    .. math:: p = \sum_m v_m \, P(\theta \le \mathrm{PD}_m)

    A calibration made on few parties can be as wrong by chance as the batch that it is compared
    with; the plain test, which takes it as known, then raises false alarms.

    Parameters
    ----------
    n, n_bad : int
        As for `jeffreys_p_value`.
    expected_rates : ndarray of shape (n_nodes,)
        PD_m, each in [0, 1].
    probabilities : ndarray of shape (n_nodes,)
        v_m, how likely each is; they sum to 1.

    Returns
    -------
    float
        In [0, 1].

    Raises
    ------
    InvalidInputError
        As `jeffreys_p_value`.

    Examples
    --------
    Not knowing whether 2 % or 3 % were expected is in between:

    >>> known = [round(jeffreys_p_value(200, 7, rate), 3) for rate in (0.02, 0.03)]
    >>> known, round(mean_jeffreys_p_value(200, 7, np.array([0.02, 0.03]), np.full(2, 0.5)), 3)
    ([0.074, 0.32], 0.197)
    """
    if not 0 <= n_bad <= n:
        raise InvalidInputError(f"{n_bad} bad of {n} parties is no rate", n_bad=n_bad, n=n)
    if not ((expected_rates >= 0) & (expected_rates <= 1)).all():
        raise InvalidInputError("an expected bad rate lies outside 0 to 1")
    tails = beta.cdf(expected_rates, n_bad + 0.5, n - n_bad + 0.5)
    return float(np.clip(tails @ probabilities, 0.0, 1.0))
