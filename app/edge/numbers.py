"""How numbers are written: the desk's rules, one function per kind of number.

A value that does not exist (None) is written as a dash, never as 0.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

NONE = "–"
SMALLEST_P = 0.001
_SHORTEST, _TENTHS_BELOW = 0.1, 3


def _is_shown(value: float | None) -> bool:
    return value is not None and math.isfinite(value)


def auc(value: float | None, decimals: int = 3) -> str:
    """Write an AUC, Gini, KS, Brier score or correlation: three decimals.

    Parameters
    ----------
    value : float or None
        In [-1, 1].
    decimals : int
        Other than three only where three would not tell two numbers apart.

    Returns
    -------
    str
        Such as ``0.742``.

    Examples
    --------
    >>> auc(0.74159), auc(-0.00004), auc(None)
    ('0.742', '0.000', '–')
    """
    return f"{value:z.{decimals}f}" if _is_shown(value) else NONE


def gain(value: float | None, decimals: int = 3) -> str:
    """Write a difference of two AUCs: three decimals and its sign.

    Parameters
    ----------
    value : float or None
        In [-1, 1].
    decimals : int
        Other than three only where three would not tell two numbers apart.

    Returns
    -------
    str
        Such as ``+0.024``.

    Examples
    --------
    >>> gain(0.0244), gain(-0.0004)
    ('+0.024', '+0.000')
    """
    if not _is_shown(value):
        return NONE
    return f"{round(value or 0.0, decimals) + 0.0:+.{decimals}f}"


def rate(value: float | None, decimals: int = 1) -> str:
    """Write a fraction as a percentage with one decimal.

    Parameters
    ----------
    value : float or None
        A fraction, 1 is 100 %.
    decimals : int
        Other than one only where one would not tell two numbers apart.

    Returns
    -------
    str
        Such as ``26.8 %``.

    Examples
    --------
    >>> rate(0.26805), rate(None)
    ('26.8 %', '–')
    """
    return f"{100 * (value or 0.0):.{decimals}f} %" if _is_shown(value) else NONE


def change(value: float | None) -> str:
    """Write a relative change as a percentage with one decimal and its sign.

    Parameters
    ----------
    value : float or None
        A fraction, 0.1 is ten percent more.

    Returns
    -------
    str
        Such as ``+48.9 %``.

    Examples
    --------
    >>> change(0.489), change(-0.00001)
    ('+48.9 %', '+0.0 %')
    """
    if not _is_shown(value):
        return NONE
    return f"{round(100 * (value or 0.0), 1) + 0.0:+.1f} %"


def percentage_points(value: float | None) -> str:
    """Write a difference of two shares in percentage points: one decimal and its sign, no unit.

    Parameters
    ----------
    value : float or None
        A difference of two fractions in [-1, 1].

    Returns
    -------
    str
        Such as ``-2.4``.

    Examples
    --------
    >>> percentage_points(-0.0241), percentage_points(-0.00001)
    ('-2.4', '+0.0')
    """
    if not _is_shown(value):
        return NONE
    return f"{round(100 * (value or 0.0), 1) + 0.0:+.1f}"


def weight(value: float | None) -> str:
    """Write a weight: two decimals.

    Parameters
    ----------
    value : float or None
        A weight, >= 0 (a data-only estimate may be below).

    Returns
    -------
    str
        Such as ``29.90``.

    Examples
    --------
    >>> weight(29.9)
    '29.90'
    """
    return f"{value:.2f}" if _is_shown(value) else NONE


def count(value: float | None) -> str:
    """Write a count with a thousands separator.

    Parameters
    ----------
    value : int or None
        A count, >= 0.

    Returns
    -------
    str
        Such as ``2,050``.

    Examples
    --------
    >>> count(2050), count(None)
    ('2,050', '–')
    """
    return f"{value:,.0f}" if _is_shown(value) else NONE


def points(value: float | None) -> str:
    """Write a score or points: whole.

    Parameters
    ----------
    value : float or None
        Points of the score's range.

    Returns
    -------
    str
        Such as ``612``.

    Examples
    --------
    >>> points(611.7)
    '612'
    """
    return f"{value:.0f}" if _is_shown(value) else NONE


def tenths(value: float | None) -> str:
    """Write what a feature adds or loses: one decimal, since whole points would not add up.

    Parameters
    ----------
    value : float or None
        Points.

    Returns
    -------
    str
        Such as ``37.5``.

    Examples
    --------
    >>> tenths(37.46), tenths(-0.01)
    ('37.5', '0.0')
    """
    return f"{round(value or 0.0, 1) + 0.0:.1f}" if _is_shown(value) else NONE


def difference(value: float | None, decimals: int = 1) -> str:
    """Write a difference in points with its sign, and no sign where there is none.

    Parameters
    ----------
    value : float or None
        Points.
    decimals : int
        0 for scores, which are whole.

    Returns
    -------
    str
        Such as ``+15.8``.

    Examples
    --------
    >>> difference(15.83), difference(-0.01), difference(-26, 0)
    ('+15.8', '0.0', '-26')
    """
    if not _is_shown(value):
        return NONE
    shown = round(value or 0.0, decimals) + 0.0
    return f"{shown:+.{decimals}f}" if shown else f"{shown:.{decimals}f}"


def p_value(value: float | None) -> str:
    """Write a p value; one below 0.001 says only that.

    Parameters
    ----------
    value : float or None
        In [0, 1].

    Returns
    -------
    str
        Such as ``0.031`` or ``< 0.001``.

    Examples
    --------
    >>> p_value(0.0312), p_value(1e-9)
    ('0.031', '< 0.001')
    """
    if _is_shown(value) and (value or 0.0) < SMALLEST_P:
        return "< 0.001"
    return auc(value)


def interval(limits: Sequence[float | None] | None, decimals: int = 3) -> str:
    """Write an interval as "lower to upper".

    Parameters
    ----------
    limits : sequence of two floats, or None
        Lower and upper limit.
    decimals : int
        Decimals of both.

    Returns
    -------
    str
        Such as ``0.718 to 0.742``.

    Examples
    --------
    >>> interval((0.7181, 0.7424)), interval((12.0, 31.5), 2), interval(None)
    ('0.718 to 0.742', '12.00 to 31.50', '–')
    """
    if limits is None or not all(_is_shown(limit) for limit in limits):
        return NONE
    low, high = (round(limit or 0.0, decimals) + 0.0 for limit in limits)
    return f"{low:z.{decimals}f} to {high:z.{decimals}f}"


def day(value: object) -> str:
    """Write a date or a time's date in ISO form.

    Parameters
    ----------
    value : date, datetime, str or None
        A day; of text the first ten characters.

    Returns
    -------
    str
        Such as ``2014-08-31``.

    Examples
    --------
    >>> day("2014-08-31T00:00:00+00:00"), day(None)
    ('2014-08-31', '–')
    """
    return NONE if value is None else str(value)[:10]


def moment(value: object) -> str:
    """Write a time in UTC to the second, with the zone.

    Parameters
    ----------
    value : datetime, str or None
        A time in UTC.

    Returns
    -------
    str
        Such as ``2026-03-31 10:42:07 UTC``.

    Examples
    --------
    >>> moment("2026-03-31T10:42:07.123456+00:00")
    '2026-03-31 10:42:07 UTC'
    """
    if value is None:
        return NONE
    return f"{str(value)[:19].replace('T', ' ')} UTC"


def duration(seconds: float | None) -> str:
    """Write how long something took, in the two largest units.

    Parameters
    ----------
    seconds : float or None
        >= 0.

    Returns
    -------
    str
        Such as ``8 s`` or ``2 min 5 s``.

    Examples
    --------
    >>> duration(0.02), duration(0.413), duration(8.07), duration(125), duration(3780)
    ('< 0.1 s', '0.4 s', '8 s', '2 min 5 s', '1 h 3 min')
    """
    if not _is_shown(seconds):
        return NONE
    length = seconds or 0.0
    if length < _SHORTEST:
        return f"< {_SHORTEST} s"
    if length < _TENTHS_BELOW:
        return f"{length:.1f} s"
    minutes, rest = divmod(round(length), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours:,} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def short_hash(value: str | None) -> str:
    """Write a hash by its first twelve digits, enough to compare by eye.

    Parameters
    ----------
    value : str or None
        Hexadecimal digits.

    Returns
    -------
    str
        The first twelve, or a dash.

    Examples
    --------
    >>> short_hash("0123456789abcdef0123")
    '0123456789ab'
    """
    return value[:12] if value else NONE
