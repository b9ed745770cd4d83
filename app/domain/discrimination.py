"""How well a score ranks: AUC, Gini, KS, and DeLong's variance for repeated parties."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import norm

from app.domain.codes import dense_codes
from app.domain.types import Bools, Floats, Ints
from app.errors import InvalidInputError

SHARE = (0.0, 1.0)
"""Limits of an area, of KS and of a Brier score."""
SIGNED_SHARE = (-1.0, 1.0)
"""Limits of Gini, and of a difference of areas."""
_LEVEL = 0.95
_NOISE = 1e-12


@dataclass(frozen=True, slots=True)
class Estimate:
    """Hold an estimate with its standard error and normal interval.

    A normal interval does not know that an area has limits: of 2 bad parties among 30 it went to
    1.026. It is cut at what the quantity can be, which costs no coverage.

    Attributes
    ----------
    value : float
        The estimate.
    standard_error : float
        Its standard error, >= 0; NaN where fewer than two parties of a class were seen.
    limits : tuple of float
        The least and the greatest value that the quantity can take.

    Examples
    --------
    >>> [round(end, 3) for end in Estimate(0.928, 0.05, limits=(0.0, 1.0)).interval()]
    [0.83, 1.0]
    """

    value: float
    standard_error: float
    limits: tuple[float, float] = (-np.inf, np.inf)

    def interval(self, level: float = _LEVEL) -> tuple[float, float]:
        """Give the two-sided normal interval at ``level`` as (lower, upper), within the limits."""
        half = float(norm.ppf(0.5 + level / 2)) * self.standard_error
        if np.isnan(half):
            return half, half
        return max(self.value - half, self.limits[0]), min(self.value + half, self.limits[1])


@dataclass(frozen=True, slots=True)
class Components:
    """Hold DeLong's structural components of one or more scores on one set of rows.

    Attributes
    ----------
    auc : ndarray of shape (n_scores,)
        Area under the ROC curve of each score.
    values : ndarray of shape (n_scores, n_rows)
        For a bad row the share of good rows that it ranks riskier than, for a good row the
        share of bad rows that rank riskier than it; ties count a half.
    """

    auc: Floats
    values: Floats


def tie_levels(risk: Floats) -> Ints:
    """Give each different value of a score a number; values equal but for noise share it.

    A weighted sum that is the same on paper differs in its last digits with the order of the
    additions. Ranked as they come, such rows would be ordered by rounding, and an AUC would change
    with the card's range.

    Parameters
    ----------
    risk : ndarray of shape (n_rows,)
        Any unit; no NaN.

    Returns
    -------
    ndarray of shape (n_rows,)
        0 for the lowest value, 1 for the next, and so on. Neighbours no further apart than 1e-12
        of the largest absolute value share a number.

    Examples
    --------
    >>> 0.1 + 0.2 == 0.3
    False
    >>> tie_levels(np.array([0.1 + 0.2, 0.3, 0.1])).tolist()
    [1, 1, 0]
    """
    order = np.argsort(risk)  # rows of equal risk share a level in whatever order they come
    ascending = risk[order]
    slack = _NOISE * float(np.abs(ascending[[0, -1]]).max()) if len(risk) else 0.0
    levels = np.zeros(len(risk), dtype=np.int64)
    levels[order[1:]] = np.cumsum(np.diff(ascending) > slack)
    return levels


def _mid_ranks(levels: Ints) -> Floats:
    """Rank rows from 1 by their level, ties in the middle: by counting, not by another sort."""
    counts = np.bincount(levels)
    middle = np.cumsum(counts) - (counts - 1) / 2
    return np.asarray(middle[levels], dtype=np.float64)


def auc_roc(risk: Floats, bad: Ints) -> float:
    """Measure how often a bad row is ranked riskier than a good one.

    Parameters
    ----------
    risk : ndarray of shape (n_rows,)
        Higher is riskier, any unit; no NaN.
    bad : ndarray of shape (n_rows,)
        1 bad, 0 good.

    Returns
    -------
    float
        In [0, 1]; 0.5 is no ranking; ties count a half.

    Raises
    ------
    InvalidInputError
        If there is no bad or no good row.

    Examples
    --------
    >>> auc_roc(np.array([0.1, 0.4, 0.35, 0.8]), np.array([0, 0, 1, 1]))
    0.75
    """
    n_bad = int(bad.sum())
    n_good = len(bad) - n_bad
    if n_bad == 0 or n_good == 0:
        raise InvalidInputError("AUC needs bad and good rows", n_bad=n_bad, n_good=n_good)
    ranks = _mid_ranks(tie_levels(risk))
    return float((ranks[bad == 1].sum() - n_bad * (n_bad + 1) / 2) / (n_bad * n_good))


def gini(auc: float) -> float:
    """Give the Gini coefficient of an AUC.

    Parameters
    ----------
    auc : float
        Area under the ROC curve in [0, 1].

    Returns
    -------
    float
        2 AUC - 1, in [-1, 1].

    Examples
    --------
    >>> gini(0.75)
    0.5
    """
    return 2 * auc - 1


def ks(risk: Floats, bad: Ints) -> float:
    """Measure the largest distance between the score distributions of bad and good.

    Parameters
    ----------
    risk : ndarray of shape (n_rows,)
        Higher is riskier, any unit; no NaN.
    bad : ndarray of shape (n_rows,)
        1 bad, 0 good; both present.

    Returns
    -------
    float
        The two-sample Kolmogorov-Smirnov statistic in [0, 1].

    Examples
    --------
    >>> ks(np.array([0.1, 0.4, 0.35, 0.8]), np.array([0, 0, 1, 1]))
    0.5
    """
    levels = tie_levels(risk)
    cumulative_bad = np.cumsum(np.bincount(levels, bad)) / bad.sum()
    cumulative_good = np.cumsum(np.bincount(levels, 1 - bad)) / (len(bad) - bad.sum())
    return float(np.abs(cumulative_bad - cumulative_good).max())


def delong_components(risks: Floats, bad: Ints) -> Components:
    """Compute each row's placement among the rows of the other class.

    Parameters
    ----------
    risks : ndarray of shape (n_scores, n_rows)
        One row of values per score; higher is riskier.
    bad : ndarray of shape (n_rows,)
        1 bad, 0 good; both present.

    Returns
    -------
    Components
        AUC and components of every score, in O(n log n).

    References
    ----------
    .. [1] E. R. DeLong, D. M. DeLong, D. L. Clarke-Pearson, "Comparing the areas under two or
       more correlated receiver operating characteristic curves", Biometrics 44 (1988),
       equations 5 and 6.
    .. [2] X. Sun, W. Xu, "Fast implementation of DeLong's algorithm", IEEE Signal Processing
       Letters 21 (2014).

    Examples
    --------
    >>> found = delong_components(np.array([[0.1, 0.4, 0.35, 0.8]]), np.array([0, 0, 1, 1]))
    >>> found.auc.tolist(), found.values.tolist()
    ([0.75], [[1.0, 0.5, 0.5, 1.0]])
    """
    is_bad = bad == 1
    n_bad, n_good = int(is_bad.sum()), int((~is_bad).sum())
    values = np.empty_like(risks, dtype=np.float64)
    for row, risk in enumerate(risks):
        levels = tie_levels(risk)
        everyone = _mid_ranks(levels)
        values[row, is_bad] = (everyone[is_bad] - _mid_ranks(levels[is_bad])) / n_good
        values[row, ~is_bad] = 1 - (everyone[~is_bad] - _mid_ranks(levels[~is_bad])) / n_bad
    return Components(auc=values[:, is_bad].mean(axis=1), values=values)


def clustered_standard_error(components: Floats, bad: Ints, party: Ints) -> float:
    r"""Estimate the standard error of an AUC, or of a difference of AUCs, by party.

    .. math:: \widehat{V} = \frac{S_{10}}{m} + \frac{S_{01}}{n} + \frac{2 S_{11}}{m n}

    Components are summed by party first, so a party that stands in several batches counts as
    one observation; with one row per party this is DeLong's variance.

    Parameters
    ----------
    components : ndarray of shape (n_rows,)
        DeLong components of one score, or the difference of two scores'.
    bad : ndarray of shape (n_rows,)
        1 bad, 0 good.
    party : ndarray of shape (n_rows,)
        Code of the row's party, any whole numbers.

    Returns
    -------
    float
        Standard error >= 0; NaN where a class has fewer than two parties.

    References
    ----------
    .. [1] N. A. Obuchowski, "Nonparametric analysis of clustered ROC curve data",
       Biometrics 53 (1997), section 2.

    Examples
    --------
    >>> found = delong_components(np.array([[0.1, 0.4, 0.35, 0.8]]), np.array([0, 0, 1, 1]))
    >>> se = clustered_standard_error(found.values[0], np.array([0, 0, 1, 1]), np.arange(4))
    >>> round(se, 6)
    0.353553
    """
    is_bad = bad == 1
    bads = _party_sums(components, party, is_bad)
    goods = _party_sums(components, party, ~is_bad)
    n_bad_parties, n_good_parties = int(bads.present.sum()), int(goods.present.sum())
    if min(n_bad_parties, n_good_parties) < 2:  # noqa: PLR2004 - a variance needs two
        return float("nan")
    m, n = int(is_bad.sum()), int((~is_bad).sum())
    n_parties = len(bads.deviations)
    # np.sum and not a product of the linear algebra, which splits a long one among its threads:
    # papers written on few processors and on many must have the same bytes.
    of_bads, of_goods = bads.deviations, goods.deviations
    s10 = n_bad_parties / (n_bad_parties - 1) / m * float(np.sum(of_bads**2))
    s01 = n_good_parties / (n_good_parties - 1) / n * float(np.sum(of_goods**2))
    s11 = n_parties / (n_parties - 1) * float(np.sum(of_bads * of_goods))
    return float(np.sqrt(max(s10 / m + s01 / n + 2 * s11 / (m * n), 0.0)))


@dataclass(frozen=True, slots=True)
class _PartySums:
    deviations: Floats
    present: Bools


def _party_sums(components: Floats, party: Ints, mask: Bools) -> _PartySums:
    codes = dense_codes(party)
    n_parties = int(codes.max()) + 1
    deviation = np.where(mask, components - components[mask].mean(), 0.0)
    return _PartySums(
        deviations=np.bincount(codes, deviation, n_parties).astype(np.float64),
        present=np.bincount(codes, mask, n_parties) > 0,
    )


def auc_estimate(risk: Floats, bad: Ints, party: Ints | None = None) -> Estimate:
    """Estimate the AUC of one score with its clustered DeLong standard error.

    Parameters
    ----------
    risk : ndarray of shape (n_rows,)
        Higher is riskier.
    bad : ndarray of shape (n_rows,)
        1 bad, 0 good; both present.
    party : ndarray of shape (n_rows,), optional
        Party codes; by default every row is a party of its own.

    Returns
    -------
    Estimate
        AUC and standard error.

    Examples
    --------
    >>> auc_estimate(np.array([0.1, 0.4, 0.35, 0.8]), np.array([0, 0, 1, 1])).value
    0.75
    """
    found = delong_components(risk[None, :], bad)
    codes = np.arange(len(bad)) if party is None else party
    error = clustered_standard_error(found.values[0], bad, codes)
    return Estimate(float(found.auc[0]), error, SHARE)


def paired_auc_difference(
    risk: Floats, other: Floats, bad: Ints, party: Ints | None = None
) -> Estimate:
    """Estimate how much better ``risk`` ranks than ``other`` on the same rows.

    Parameters
    ----------
    risk, other : ndarray of shape (n_rows,)
        Two scores; higher is riskier.
    bad : ndarray of shape (n_rows,)
        1 bad, 0 good; both present.
    party : ndarray of shape (n_rows,), optional
        Party codes; by default every row is a party of its own.

    Returns
    -------
    Estimate
        AUC of ``risk`` less AUC of ``other``, and the paired DeLong standard error.

    Examples
    --------
    >>> bad = np.array([0, 0, 1, 1])
    >>> paired_auc_difference(np.array([0.1, 0.2, 0.3, 0.4]), np.array([0.1, 0.4, 0.35, 0.8]),
    ...                       bad).value
    0.25
    """
    found = delong_components(np.stack([risk, other]), bad)
    codes = np.arange(len(bad)) if party is None else party
    difference = found.values[0] - found.values[1]
    return Estimate(
        float(found.auc[0] - found.auc[1]), clustered_standard_error(difference, bad, codes)
    )
