"""Whole numbers that stand for parties, counted without sorting them."""

from __future__ import annotations

import numpy as np

from app.domain.types import Bools, Ints

_SPARSE = 8
"""Codes that leave more room than this many times their number are sorted instead."""


def count_distinct(codes: Ints) -> int:
    """Count the different codes.

    Parameters
    ----------
    codes : ndarray of shape (n,)
        Whole numbers.

    Returns
    -------
    int
        In [0, n].

    Examples
    --------
    >>> count_distinct(np.array([7, 7, 0])), count_distinct(np.array([-3, 10**12]))
    (2, 2)
    """
    if not _is_compact(codes):
        return len(np.unique(codes))
    return int(np.count_nonzero(_present(codes)))


def dense_codes(codes: Ints) -> Ints:
    """Give the different codes numbers from 0 without a gap, in their order.

    Parameters
    ----------
    codes : ndarray of shape (n,)
        Whole numbers.

    Returns
    -------
    ndarray of shape (n,)
        As ``np.unique`` gives the inverse.

    Examples
    --------
    >>> dense_codes(np.array([7, 0, 7])).tolist(), dense_codes(np.array([-5, 10**12])).tolist()
    ([1, 0, 1], [0, 1])
    """
    if not _is_compact(codes):
        return np.unique(codes, return_inverse=True)[1].astype(np.int64)
    return np.asarray((np.cumsum(_present(codes)) - 1)[codes], dtype=np.int64)


def is_among(codes: Ints, others: Ints) -> Bools:
    """Say of each code whether it is among the others.

    Parameters
    ----------
    codes, others : ndarray of shape (n,) and (m,)
        Whole numbers.

    Returns
    -------
    ndarray of bool, shape (n,)
        As ``np.isin`` gives it.

    Examples
    --------
    >>> is_among(np.array([1, 2, 9]), np.array([2, 3])).tolist()
    [False, True, False]
    """
    if not (_is_compact(codes) and _is_compact(others)):
        return np.asarray(np.isin(codes, others), dtype=np.bool_)
    present = np.zeros(max(int(codes.max()), int(others.max())) + 1, dtype=np.bool_)
    present[others] = True
    return np.asarray(present[codes], dtype=np.bool_)


def _is_compact(codes: Ints) -> bool:
    return bool(len(codes) and codes.min() >= 0 and codes.max() < _SPARSE * len(codes))


def _present(codes: Ints) -> Bools:
    present = np.zeros(int(codes.max()) + 1, dtype=np.bool_)
    present[codes] = True
    return present
