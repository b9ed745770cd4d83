"""What chance alone does: PSI without a change, and many tests at once."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from app.domain.stability import population_stability_index
from app.domain.types import Floats, Ints
from app.errors import InvalidInputError

N_DRAWS = 4_999
"""Deals without a change: a p value can be as low as 0.0002."""

_SEED = 20_261_124


@dataclass(frozen=True, slots=True)
class PsiByChance:
    """Hold the PSI of a batch beside those of deals without a change.

    Attributes
    ----------
    psi : float
        Of the batch, in [0, inf).
    draws : ndarray of shape (n_draws,)
        PSI of the deals, rising.
    """

    psi: float
    draws: Floats

    @property
    def p_value(self) -> float:
        """Give the share of deals, the batch counted in, whose PSI is at least as large."""
        below = int(np.searchsorted(self.draws, self.psi * (1 - 1e-12), side="left"))
        return (1 + len(self.draws) - below) / (1 + len(self.draws))

    def quantile(self, level: float) -> float:
        """Give what a PSI must exceed for its p value to be at most 1 - ``level``."""
        n_above = math.floor((1 - level) * (1 + len(self.draws)) - 1 + 1e-9)
        return float(self.draws[-1 - max(n_above, 0)])


def psi_without_change(expected: Ints, actual: Ints, n_draws: int = N_DRAWS) -> PsiByChance:
    r"""Measure a PSI, and draw how large it would be had nothing changed.

    Without a change it is chance which parties came into the reference and which into the batch.
    So the N + M parties are dealt anew, bin by bin as they are counted together:

    .. math:: a^* \sim \mathrm{Hypergeometric}(n + a;\; M), \qquad n^* = n + a - a^*

    Parameters
    ----------
    expected, actual : ndarray of shape (n_bins,)
        Counts n of the reference of N rows, and a of the batch of M rows.
    n_draws : int
        So many deals. They have a fixed seed: the same counts give the same p value.

    Returns
    -------
    PsiByChance
        PSI of the batch and of the deals. The p value is exact for bins that were not chosen by
        the counts of the reference, whatever their sizes; for those that `FrozenBins` chose, with
        ten rows each, it is close: ``docs/monitoring.md`` has what was measured.

    Raises
    ------
    InvalidInputError
        If the shapes differ or either side is empty.

    References
    ----------
    .. [1] B. Phipson, G. K. Smyth, "Permutation p-values should never be zero", Statistical
       Applications in Genetics and Molecular Biology 9 (2010): (1 + b) / (1 + m).
    .. [2] B. Yurdakul, J. Naranjo, "Statistical properties of the population stability
       index", Journal of Risk Model Validation 14(4), 2020.

    Examples
    --------
    At large counts the quantile is that of (1/N + 1/M) chi-square of n_bins - 1 degrees:

    >>> from app.domain.stability import psi_by_chance
    >>> even = np.full(10, 500)
    >>> found = psi_without_change(even, even)
    >>> round(found.quantile(0.95), 3), round(psi_by_chance(5000, 5000, 10), 3), found.p_value
    (0.007, 0.007, 1.0)
    """
    psi = population_stability_index(expected, actual)
    rng = np.random.default_rng(_SEED)
    together = expected + actual
    dealt = rng.multivariate_hypergeometric(
        together, int(actual.sum()), size=n_draws, method="marginals"
    )
    e = (together - dealt + 0.5) / (expected + 0.5).sum()
    a = (dealt + 0.5) / (actual + 0.5).sum()
    return PsiByChance(psi, np.sort(((a - e) * np.log(a / e)).sum(axis=1)))


def holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """Adjust p values of one family so that its false alarms, any of them, stay below the level.

    Parameters
    ----------
    p_values : sequence of float
        In [0, 1], of tests that may depend on one another in any way.

    Returns
    -------
    tuple of float
        Adjusted, in the same order: a test is significant at a level where its adjusted p value
        is at most that level.

    Raises
    ------
    InvalidInputError
        If one is outside [0, 1].

    References
    ----------
    .. [1] S. Holm, "A simple sequentially rejective multiple test procedure", Scandinavian
       Journal of Statistics 6 (1979).

    Examples
    --------
    As R's ``p.adjust(c(0.01, 0.04, 0.03), "holm")``:

    >>> holm([0.01, 0.04, 0.03])
    (0.03, 0.06, 0.06)
    """
    p = np.asarray(p_values, dtype=np.float64)
    if not ((p >= 0) & (p <= 1)).all():
        raise InvalidInputError("a p value lies outside 0 to 1")
    order = np.argsort(p, kind="stable")
    steps = (len(p) - np.arange(len(p))) * p[order]
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return tuple(adjusted.tolist())
