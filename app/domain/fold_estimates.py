"""An AUC, or the difference of two, over test folds that may share their training rows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from app.domain.discrimination import clustered_standard_error
from app.domain.types import Floats, Ints


def mean_of_folds(
    folds: Sequence[tuple[Ints, Floats]], bad: Ints, party: Ints
) -> tuple[float, float]:
    """Average a fold-wise AUC (or difference) and give its standard error.

    A row's component within its test fold is averaged over the repeats, so that each row
    enters the standard error once.

    Parameters
    ----------
    folds : sequence of (ndarray, ndarray)
        For each test fold its row numbers and the components of these rows.
    bad, party : ndarray of shape (n_rows,)
        Labels and party codes of all rows.

    Returns
    -------
    tuple of float
        Mean over folds, and standard error.
    """
    total = np.zeros(len(bad))
    seen = np.zeros(len(bad))
    estimates = []
    for rows, components in folds:
        total[rows] += components
        seen[rows] += 1
        estimates.append(float(components[bad[rows] == 1].mean()))
    used = seen > 0
    error = clustered_standard_error(total[used] / seen[used], bad[used], party[used])
    return float(np.mean(estimates)), error


def difference_of_folds(
    folds: Sequence[tuple[Ints, Floats]], bad: Ints, party: Ints
) -> tuple[float, float]:
    r"""Average a fold-wise difference of AUCs, and give a standard error that knows of training.

    The rows that test one fold train the cards of the others, so the errors of the folds go
    together: rows that happen to favour a weight both move the cards towards it and reward
    that. With k folds, each repeated r times, and a variance of one fold of k V,

    .. math:: \mathrm{Var} = \left(\frac{1}{kr} + \frac{n_2}{n_1}\right) k V
        = \left(\frac{1}{r} + \frac{k}{k - 1}\right) V

    where V is the variance of :func:`mean_of_folds` and n_2 / n_1 = 1 / (k - 1) the size of a
    test fold against its training rows. A single test part shares no row with its training: V.

    Parameters
    ----------
    folds : sequence of (ndarray, ndarray)
        For each test fold its row numbers and the differences of the components of these rows.
    bad, party : ndarray of shape (n_rows,)
        Labels and party codes of all rows.

    Returns
    -------
    tuple of float
        Mean over folds, and standard error.

    References
    ----------
    .. [1] C. Nadeau, Y. Bengio, "Inference for the generalization error", Machine Learning 52,
       2003, section 3.
    .. [2] R. Bouckaert, E. Frank, "Evaluating the replicability of significance tests for
       comparing learning algorithms", PAKDD 2004, the corrected repeated k-fold test.

    Examples
    --------
    Five folds, repeated twice, widen the interval by a third:

    >>> rows, bad = np.arange(20), np.tile([0, 1], 10)
    >>> noise = np.sin(rows)
    >>> folds = [(rows[k::5], noise[k::5]) for k in range(5)] * 2
    >>> shared, alone = (f(folds, bad, rows)[1] for f in (difference_of_folds, mean_of_folds))
    >>> round((shared / alone) ** 2, 6)
    1.75
    """
    mean, error = mean_of_folds(folds, bad, party)
    tested = np.concatenate([rows for rows, _ in folds])
    n_repeats = len(tested) / len(np.unique(tested))
    n_folds = len(folds) / n_repeats
    if n_folds <= 1:  # no tested row trained a card that is judged here
        return mean, error
    return mean, float(error * np.sqrt(1 / n_repeats + n_folds / (n_folds - 1)))
