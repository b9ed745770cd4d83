"""How two cards rank the rows of each scoring month."""

from __future__ import annotations

import numpy as np

from app.domain.discrimination import Estimate, auc_estimate, paired_auc_difference
from app.domain.judged_cards import JudgedRows
from app.domain.types import Document, Ints

LEAST_OF_A_CLASS = 10
"""A period with fewer bad or fewer good parties gets counts, but no AUC."""

MOST_PERIODS = 24
"""More months than this are put together as quarters, more quarters as years."""

MONTHS_OF = {"month": 1, "quarter": 3, "year": 12}
"""Length of each period in months."""


def auc_by_period(rows: JudgedRows) -> Document:
    """Measure the AUC of both cards on the rows of each period of scoring.

    Parameters
    ----------
    rows : JudgedRows
        Rows with outcome; each party enters once, by its latest row.

    Returns
    -------
    dict
        ``period`` (month, quarter or year: the shortest of which there are at most 24), and
        ``periods`` in time order: ``from`` (ISO date of the first day), ``name``, ``n``,
        ``n_bad``, and where each class has ten parties ``old`` and ``new`` with ``auc_roc`` and
        its interval, and ``difference`` (new less old) with its paired interval; else None.

    Notes
    -----
    Intervals are DeLong's at 95 %. Under cross-validation the rows of one period were judged by
    the k cards of the first repeat, whose scores share their scale; the variance of the
    difference is then 1 + s k / (k - 1) times DeLong's, where s is the share of all rows that
    the period holds: :func:`app.domain.fold_estimates.difference_of_folds` with the period's
    rows as test rows.

    Examples
    --------
    >>> n = np.arange(4)
    >>> days = np.array(["2025-01-31", "2025-02-01", "2025-02-28", "2025-03-01"], "datetime64[us]")
    >>> rows = JudgedRows(n, n, days.astype(int), np.array([0, 1, 0, 0]), n * 0, n * 0,
    ...     np.zeros((2, 4)), np.zeros((2, 4)))
    >>> found = auc_by_period(rows)
    >>> found["period"], [(one["name"], one["n"], one["n_bad"]) for one in found["periods"]]
    ('month', [('2025-01', 1, 0), ('2025-02', 2, 1), ('2025-03', 1, 0)])
    """
    at = rows.each_party_once()
    months = rows.scored_at[at].astype("datetime64[us]").astype("datetime64[M]").astype(np.int64)
    period, codes = _periods(months)
    return {
        "period": period,
        "periods": [
            {**named_period(code, period), **_judged(rows, at[codes == code], len(at))}
            for code in np.unique(codes).tolist()
        ],
    }


def _periods(months: Ints) -> tuple[str, Ints]:
    for period in ("month", "quarter"):
        codes = months // MONTHS_OF[period]
        if len(np.unique(codes)) <= MOST_PERIODS:
            return period, codes
    return "year", months // MONTHS_OF["year"]


def named_period(code: int, period: str) -> Document:
    """Name a period.

    Parameters
    ----------
    code : int
        Months since 1970-01, divided by the length of the period.
    period : str
        A key of `MONTHS_OF`.

    Returns
    -------
    dict
        ``from``, the ISO date of the first day, and ``name``.

    Examples
    --------
    >>> named_period(161, "quarter")
    {'from': '2010-04-01', 'name': '2010 Q2'}
    """
    first = np.datetime64(code * MONTHS_OF[period], "M")
    year, month = str(first).split("-")
    names = {
        "month": f"{year}-{month}",
        "quarter": f"{year} Q{(int(month) + 2) // 3}",
        "year": year,
    }
    return {"from": f"{first}-01", "name": names[period]}


def _judged(rows: JudgedRows, at: Ints, n_rows: int) -> Document:
    bad, party = rows.bad[at], rows.party[at]
    document: Document = {"n": len(at), "n_bad": int(bad.sum()), "old": None, "new": None}
    document["difference"] = None
    if min(document["n_bad"], len(at) - document["n_bad"]) < LEAST_OF_A_CLASS:
        return document
    risks = -rows.scores[:, at]
    for name, risk in zip(("old", "new"), risks, strict=True):
        estimate = auc_estimate(risk, bad, party)
        document[name] = {"auc_roc": estimate.value, "auc_roc_interval": list(estimate.interval())}
    paired = paired_auc_difference(risks[1], risks[0], bad, party)
    widening = _widening(len(np.unique(rows.fold)), len(at) / n_rows)
    gained = Estimate(paired.value, paired.standard_error * widening)
    document["difference"] = {"value": gained.value, "interval": list(gained.interval())}
    return document


def _widening(n_folds: int, share: float) -> float:
    """Give the factor on a standard error that folds which share their training rows ask for."""
    return 1.0 if n_folds == 1 else float(np.sqrt(1 + share * n_folds / (n_folds - 1)))
