"""Vintage curves: how many of those scored together have turned bad, month by month."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np
from scipy.stats import chi2_contingency

from app.domain.judged_periods import MONTHS_OF, MOST_PERIODS, named_period
from app.domain.proportions import observed_rate, wilson_interval
from app.domain.types import Document

LEAST_PARTIES = 30
"""Vintages of fewer parties are joined with the next until so many are together."""

MOST_MONTHS = 120
"""A curve goes no further."""

_LEAST_EXPECTED = 5.0


@dataclass(frozen=True, slots=True)
class Vintage:
    """Name the scoring months that one curve is of.

    Attributes
    ----------
    name : str
        Such as ``2006-03``, ``2006 Q1``, ``2006``, or ``2001 to 2003`` where small ones are joined.
    months : tuple of int
        Scoring months that hold parties, counted from 1970-01, in order.
    """

    name: str
    months: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class VintageCounts:
    """Hold what was counted of one vintage.

    Attributes
    ----------
    vintage : Vintage
        Which one.
    first_scored, last_scored : date
        First and last day of scoring.
    n, n_excluded : int
        Parties followed; parties left out, as already bad or never granted credit.
    bad_by_month : mapping of int to int
        Months since scoring to the parties that turned bad in that month.
    """

    vintage: Vintage
    first_scored: date
    last_scored: date
    n: int
    n_excluded: int
    bad_by_month: Mapping[int, int]


def whole_months(start: date, end: date) -> int:
    """Count the whole months from one day to another.

    Parameters
    ----------
    start, end : date
        Days of the calendar.

    Returns
    -------
    int
        The largest m for which `start` and m months, at most the last day of that month, lie on
        or before `end`; negative where `end` comes first.

    Examples
    --------
    >>> whole_months(date(2006, 1, 31), date(2006, 2, 28)), whole_months(
    ...     date(2006, 1, 31), date(2006, 3, 30))
    (1, 1)
    """
    months = 12 * (end.year - start.year) + end.month - start.month
    last_day = monthrange(end.year, end.month)[1]
    return months if min(start.day, last_day) <= end.day else months - 1


def choose_period(months: Sequence[int]) -> str:
    """Choose the shortest period of which there are at most 24.

    Parameters
    ----------
    months : sequence of int
        Scoring months, counted from 1970-01.

    Returns
    -------
    str
        ``month``, ``quarter`` or ``year``.

    Examples
    --------
    >>> choose_period(range(24)), choose_period(range(25)), choose_period(range(300))
    ('month', 'quarter', 'year')
    """
    for period in ("month", "quarter"):
        if len({month // MONTHS_OF[period] for month in months}) <= MOST_PERIODS:
            return period
    return "year"


def join_small_vintages(
    parties: Mapping[int, int], period: str, least: int = LEAST_PARTIES
) -> tuple[Vintage, ...]:
    """Group scoring months into vintages that are large enough to say something.

    Parameters
    ----------
    parties : mapping of int to int
        Scoring month, counted from 1970-01, to its parties.
    period : str
        ``month``, ``quarter`` or ``year``.
    least : int
        Parties that a vintage needs, >= 1; smaller neighbours are joined, in order of time, and
        what is left at the end joins the last.

    Returns
    -------
    tuple of Vintage
        In order of time; together they hold every month.

    Examples
    --------
    >>> found = join_small_vintages({372: 40, 384: 3, 396: 90, 408: 2}, "year")
    >>> [one.name for one in found]
    ['2001', '2002 to 2004']
    """
    by_period: dict[int, list[int]] = {}
    for month in sorted(parties):
        by_period.setdefault(month // MONTHS_OF[period], []).append(month)
    groups: list[list[int]] = []
    is_open = False
    for code in by_period:
        if is_open:
            groups[-1].append(code)
        else:
            groups.append([code])
        held = sum(parties[m] for c in groups[-1] for m in by_period[c])
        is_open = held < least
    if is_open and len(groups) > 1:
        groups[-2:] = [groups[-2] + groups[-1]]
    return tuple(
        Vintage(_name(group, period), tuple(m for code in group for m in by_period[code]))
        for group in groups
    )


def _name(codes: Sequence[int], period: str) -> str:
    first, last = (str(named_period(code, period)["name"]) for code in (codes[0], codes[-1]))
    return first if first == last else f"{first} to {last}"


def draw_curve(counts: VintageCounts, data_through: date, most_months: int) -> Document:
    """Give the cumulative bad rate of a vintage by months since scoring.

    Parameters
    ----------
    counts : VintageCounts
        What was counted.
    data_through : date
        Last day up to which outcomes are complete.
    most_months : int
        The curve goes no further.

    Returns
    -------
    dict
        ``vintage``, ``scored_from``, ``scored_to``, ``n``, ``n_excluded``, ``months_observed``,
        the months to which the party scored last is observed, and ``points``: ``month``, ``n``,
        ``n_bad``, ``bad_rate`` with Wilson's 95 % interval. A month that not every party of the
        vintage has been observed to has no point: the curve ends before it.

    Examples
    --------
    >>> counts = VintageCounts(Vintage("2006", (432,)), date(2006, 1, 9), date(2006, 1, 20), 40, 1,
    ...                        {2: 3, 5: 1})
    >>> curve = draw_curve(counts, date(2006, 4, 20), 60)
    >>> [(point["month"], point["n_bad"], point["bad_rate"]) for point in curve["points"]]
    [(1, 0, 0.0), (2, 3, 0.075), (3, 3, 0.075)]
    """
    observed = max(0, whole_months(counts.last_scored, data_through))
    n_bad, points = 0, []
    for month in range(1, min(observed, most_months) + 1):
        n_bad += counts.bad_by_month.get(month, 0)
        points.append({"month": month, **observed_rate(n_bad, counts.n)})
    return {
        "vintage": counts.vintage.name,
        "scored_from": counts.first_scored.isoformat(),
        "scored_to": counts.last_scored.isoformat(),
        "n": counts.n,
        "n_excluded": counts.n_excluded,
        "months_observed": observed,
        "points": points if counts.n else [],
    }


def compare_vintages(curves: Sequence[Document]) -> Document | None:
    """Compare the vintages at one month that at least half of them are observed to.

    Parameters
    ----------
    curves : sequence of dict
        From `draw_curve`.

    Returns
    -------
    dict or None
        ``month``, ``n_vintages`` compared, the ``highest`` and ``lowest`` (vintage, n, n_bad,
        bad_rate and interval), and ``p_value`` of a chi-square test that all have one bad rate,
        None where fewer than five bad or good parties are expected of some vintage. None where
        fewer than two vintages have a point.

    References
    ----------
    .. [1] W. G. Cochran, "Some methods for strengthening the common chi-squared tests",
       Biometrics 10 (1954): the expected counts of at least five.

    Examples
    --------
    >>> def curve(name, n_bad):
    ...     return {"vintage": name, "points": [{"month": 1, **observed_rate(n_bad, 100)}]}
    >>> found = compare_vintages([curve("2005", 10), curve("2006", 30)])
    >>> found["highest"]["vintage"], round(found["p_value"], 4)
    ('2006', 0.0004)
    """
    lengths = sorted((len(curve["points"]) for curve in curves if curve["points"]), reverse=True)
    if len(lengths) < 2:  # noqa: PLR2004 - a comparison needs two
        return None
    month = lengths[max(1, (len(lengths) - 1) // 2)]
    at = [
        {"vintage": curve["vintage"], **curve["points"][month - 1]}
        for curve in curves
        if len(curve["points"]) >= month
    ]
    table = np.array([[one["n_bad"], one["n"] - one["n_bad"]] for one in at], dtype=np.float64)
    ordered = sorted(at, key=lambda one: float(one["bad_rate"]))
    return {
        "month": month,
        "n_vintages": len(at),
        "highest": ordered[-1],
        "lowest": ordered[0],
        "p_value": _same_rate_p(table),
    }


def _same_rate_p(table: np.ndarray) -> float | None:
    if not table.sum(axis=0).all():
        return None
    found = chi2_contingency(table, correction=False)
    return float(found.pvalue) if found.expected_freq.min() >= _LEAST_EXPECTED else None


def vintage_sentence(compared: Document | None) -> str:
    """Say what the curves show.

    Parameters
    ----------
    compared : dict or None
        From `compare_vintages`.

    Returns
    -------
    str
        One sentence, or two.

    Examples
    --------
    >>> vintage_sentence(None)
    'Fewer than two vintages are observed for a month: nothing to compare yet.'
    """
    if compared is None:
        return "Fewer than two vintages are observed for a month: nothing to compare yet."
    high, low, p = compared["highest"], compared["lowest"], compared["p_value"]
    months = f"{compared['month']} month{'' if compared['month'] == 1 else 's'} after scoring"
    ends = (
        f"{months}, {_rate(high)} of those scored in {high['vintage']} had turned bad, against "
        f"{_rate(low)} of {low['vintage']}"
    )
    ends = ends[0].upper() + ends[1:]
    among = f"over {compared['n_vintages']} vintages"
    if p is None:
        return f"{ends}. Too few parties of a vintage to test whether more than chance is at work."
    if p >= 0.05:  # noqa: PLR2004 - the usual level
        return f"{ends}; {among} this is within what chance gives (chi-square p = {p:.2f})."
    shown = "p < 0.001" if p < 0.001 else f"p = {p:.3f}"  # noqa: PLR2004 - as p is shown
    return f"{ends}; {among} chance alone does not explain the differences (chi-square {shown})."


def _rate(line: Mapping[str, float]) -> str:
    low, high = wilson_interval(int(line["n_bad"]), int(line["n"])) or (0.0, 0.0)
    return f"{100 * line['bad_rate']:.1f} % ({100 * low:.1f} % to {100 * high:.1f} %)"
