"""How cells of papers are written, beside `app.edge.numbers`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from app.edge import numbers


def as_written(value: Any) -> str:
    """Give a number that was written before, since its column holds several units.

    Parameters
    ----------
    value : Any
        Text, or None.

    Returns
    -------
    str
        A dash where there is none.
    """
    return numbers.NONE if value is None else str(value)


def weight_interval(limits: Sequence[float | None] | None) -> str:
    """Write an interval of weights.

    Parameters
    ----------
    limits : sequence of two floats, or None
        Lower and upper limit.

    Returns
    -------
    str
        Such as ``12.00 to 31.50``.

    Examples
    --------
    >>> weight_interval([12.0, 31.5])
    '12.00 to 31.50'
    """
    return numbers.interval(limits, 2)


def ratio_interval(limits: Sequence[float | None] | None) -> str:
    """Write an interval of ratios.

    Parameters
    ----------
    limits : sequence of two floats, or None
        Lower and upper limit.

    Returns
    -------
    str
        Such as ``0.71 to 0.94``.

    Examples
    --------
    >>> ratio_interval([0.71, 0.94])
    '0.71 to 0.94'
    """
    return numbers.interval(limits, 2)


def rate_interval(limits: Sequence[float] | None) -> str:
    """Write an interval of fractions as percentages.

    Parameters
    ----------
    limits : sequence of two floats, or None
        Lower and upper limit.

    Returns
    -------
    str
        Such as ``1.0 % to 2.5 %``.

    Examples
    --------
    >>> rate_interval([0.01, 0.025]), rate_interval(None)
    ('1.0 % to 2.5 %', '–')
    """
    if limits is None:
        return numbers.NONE
    return " to ".join(numbers.rate(limit) for limit in limits)


def whole_change(value: float | None) -> str:
    """Write a difference of two scores, which are whole.

    Parameters
    ----------
    value : float or None
        Points.

    Returns
    -------
    str
        Such as ``+16``.

    Examples
    --------
    >>> whole_change(16)
    '+16'
    """
    return numbers.difference(value, 0)


def step(value: float | None) -> str:
    """Write a step of the path: two decimals.

    Parameters
    ----------
    value : float or None
        In [0, 1].

    Returns
    -------
    str
        Such as ``0.85``.

    Examples
    --------
    >>> step(0.85)
    '0.85'
    """
    return numbers.weight(value)
