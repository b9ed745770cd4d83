"""How far a distribution has moved: PSI, band shares and migration."""

from __future__ import annotations

import numpy as np
from scipy.stats import chi2

from app.domain.types import Floats, Ints
from app.errors import InvalidInputError


def population_stability_index(expected: Floats | Ints, actual: Floats | Ints) -> float:
    r"""Measure how far a distribution over bins has moved.

    .. math:: \mathrm{PSI} = \sum_k (a_k - e_k) \ln (a_k / e_k)

    Parameters
    ----------
    expected, actual : ndarray of shape (n_bins,)
        Counts per bin, over the same bins. Half a count is added to every bin, so an empty
        bin is finite.

    Returns
    -------
    float
        PSI in [0, inf), unitless. Under no change it is close to (1/N + 1/M) times a
        chi-square with n_bins - 1 degrees of freedom.

    Raises
    ------
    InvalidInputError
        If the shapes differ or either sample is empty.

    References
    ----------
    .. [1] B. Yurdakul, J. Naranjo, "Statistical properties of the population stability
       index", Journal of Risk Model Validation 14(4), 2020.

    Examples
    --------
    Half a count added to counts of 100 and 50 per bin gives shares of one half each:

    >>> population_stability_index(np.array([100, 100]), np.array([50, 50]))
    0.0
    >>> round(population_stability_index(np.array([99.5, 99.5]), np.array([149.5, 49.5])), 6)
    0.274653
    """
    if expected.shape != actual.shape:
        raise InvalidInputError(
            "PSI needs the same bins twice", expected=expected.shape, actual=actual.shape
        )
    if expected.sum() <= 0 or actual.sum() <= 0:
        raise InvalidInputError("PSI needs at least one observation on either side")
    e = (expected + 0.5) / (expected + 0.5).sum()
    a = (actual + 0.5) / (actual + 0.5).sum()
    return float(((a - e) * np.log(a / e)).sum())


def psi_by_chance(n_expected: int, n_actual: int, n_bins: int, level: float = 0.95) -> float:
    """Give how large a PSI two samples of one population have by chance alone.

    Parameters
    ----------
    n_expected, n_actual : int
        Observations on either side, > 0.
    n_bins : int
        Bins, > 1.
    level : float
        Share of such pairs whose PSI stays below, in (0, 1).

    Returns
    -------
    float
        (1/N + 1/M) times a quantile of chi-square with n_bins - 1 degrees of freedom, >= 0.

    References
    ----------
    .. [1] B. Yurdakul, J. Naranjo, "Statistical properties of the population stability
       index", Journal of Risk Model Validation 14(4), 2020.

    Examples
    --------
    >>> round(psi_by_chance(1000, 1000, 10), 4)
    0.0338
    """
    return float((1 / n_expected + 1 / n_actual) * chi2.ppf(level, n_bins - 1))


def band_shift(old_counts: Floats | Ints, new_counts: Floats | Ints) -> float:
    """Measure the share of parties that would move between bands, net.

    Parameters
    ----------
    old_counts, new_counts : ndarray of shape (n_bands,)
        Parties per band under the old and the new card.

    Returns
    -------
    float
        Half the sum of |share_new - share_old|, in [0, 1].

    Examples
    --------
    >>> round(band_shift(np.array([10, 80, 10]), np.array([10, 70, 20])), 12)
    0.1
    """
    old, new = old_counts / old_counts.sum(), new_counts / new_counts.sum()
    return float(np.abs(new - old).sum() / 2)


def migration_matrix(old_bands: Ints, new_bands: Ints, n_bands: int) -> Ints:
    """Count parties by old band (rows) and new band (columns).

    Parameters
    ----------
    old_bands, new_bands : ndarray of shape (n,)
        Band numbers from 0, of the same parties in the same order.
    n_bands : int
        Number of bands.

    Returns
    -------
    ndarray of shape (n_bands, n_bands)
        Counts that sum to n.

    Examples
    --------
    >>> migration_matrix(np.array([0, 0, 1]), np.array([0, 1, 1]), 2).tolist()
    [[1, 1], [0, 1]]
    """
    cells = np.bincount(old_bands * n_bands + new_bands, minlength=n_bands**2)
    return cells.reshape(n_bands, n_bands).astype(np.int64)
