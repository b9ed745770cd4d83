"""Default rate and AUC over windows and definitions, on rows that each window has matured for."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from app.domain.discrimination import auc_estimate
from app.domain.proportions import observed_rate
from app.domain.types import Bools, Document, Floats, Ints

LEAST_OF_A_CLASS = 10
"""With fewer bad or fewer good parties there are counts, but no AUC."""

LEAST_LABELLED = 30
"""The longest window that is compared on the same parties has so many labelled."""


def judge_window(labels: Ints, risk: Floats, party: Ints, chosen: Bools) -> Document:
    """Measure default rate and AUC of the labelled among the chosen rows.

    Parameters
    ----------
    labels : ndarray of shape (n,)
        1 bad, 0 good, -1 without a label.
    risk : ndarray of shape (n,)
        Higher is riskier.
    party : ndarray of shape (n,)
        Codes; rows of one party are one observation.
    chosen : ndarray of bool, shape (n,)
        Which rows count.

    Returns
    -------
    dict
        ``n_labelled``, ``n_parties`` (distinct), ``n_bad``, ``default_rate`` with Wilson's 95 %
        ``default_rate_interval``, ``auc_roc`` and ``auc_roc_interval`` (DeLong by party, cut to
        [0, 1]); None where there is nothing to measure.

    Examples
    --------
    >>> labels = np.array([0] * 12 + [1] * 12 + [-1])
    >>> found = judge_window(labels, np.arange(25.0), np.arange(25), np.full(25, True))
    >>> found["n_labelled"], found["default_rate"], found["auc_roc"]
    (24, 0.5, 1.0)
    """
    at = chosen & (labels >= 0)
    bad = labels[at]
    n, n_bad = len(bad), int(bad.sum())
    rate = observed_rate(n_bad, n)
    found: Document = {
        "n_labelled": n,
        "n_parties": len(np.unique(party[at])),
        "n_bad": n_bad,
        "default_rate": rate["bad_rate"],
        "default_rate_interval": rate["bad_rate_interval"],
        "auc_roc": None,
        "auc_roc_interval": None,
    }
    if min(n_bad, n - n_bad) >= LEAST_OF_A_CLASS:
        estimate = auc_estimate(risk[at], bad, party[at])
        low, high = estimate.interval()
        found["auc_roc"] = estimate.value
        found["auc_roc_interval"] = [max(0.0, low), min(1.0, high)]
    return found


def window_sentence(rows: Sequence[Document]) -> str:
    """Say how the default rate grows with the window, and whether the AUC moves.

    Parameters
    ----------
    rows : sequence of dict
        Of one definition, shortest window first: ``window_days`` and ``same_parties`` from
        `judge_window` on the rows that are mature for the longest window.

    Returns
    -------
    str
        One sentence about the same parties, so that the window alone differs.

    Examples
    --------
    >>> part = {"n_labelled": 100, "n_bad": 4, "default_rate": 0.04, "auc_roc": None}
    >>> window_sentence([{"window_days": 180, "same_parties": part},
    ...     {"window_days": 365, "same_parties": part | {"default_rate": 0.1, "n_bad": 10}}])
    'Of the same parties, 4.0 % are bad within 180 days and 10.0 % within 365.'
    """
    known = [row for row in rows if row["same_parties"]["default_rate"] is not None]
    if not known:
        return "Too few parties are mature for any of the windows: choose shorter ones."
    first, last = known[0]["same_parties"], known[-1]["same_parties"]
    if len(known) == 1:
        return (
            f"{100 * last['default_rate']:.1f} % of {last['n_labelled']:,} labelled parties are "
            f"bad within {known[0]['window_days']:,} days."
        )
    said = (
        f"Of the same parties, {100 * first['default_rate']:.1f} % are bad within "
        f"{known[0]['window_days']:,} days and {100 * last['default_rate']:.1f} % within "
        f"{known[-1]['window_days']:,}"
    )
    if first["auc_roc"] is None or last["auc_roc"] is None:
        return f"{said}."
    return f"{said}; the AUC is {first['auc_roc']:.3f} and {last['auc_roc']:.3f}."
