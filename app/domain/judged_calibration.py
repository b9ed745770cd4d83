"""Whether the probabilities of two cards are right, by band and by tenths of the rows."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from app.domain.card_movement import band_numbers
from app.domain.judged_cards import JudgedRows
from app.domain.proportions import observed_rate
from app.domain.types import Document, Floats, Ints

_N_BINS = 10


def calibration_tables(
    rows: JudgedRows, old_bands: Mapping[str, int], new_bands: Mapping[str, int]
) -> Document:
    """Set what each card predicted beside what came true.

    Parameters
    ----------
    rows : JudgedRows
        Rows with outcome; each party enters once.
    old_bands, new_bands : mapping of str to int
        Lower bounds of each card's bands in points, lowest first.

    Returns
    -------
    dict
        ``n``, ``n_bad``, ``bad_rate`` and its interval over all rows; for ``old`` and ``new`` the
        ``predicted`` mean P(bad), and two tables, ``bands`` (by ``band``, lowest score first) and
        ``bins`` (tenths of the rows by predicted P(bad), lowest first; ties stay together). Each
        line has ``n``, ``n_bad``, ``bad_rate`` with Wilson's 95 % interval, ``predicted`` and
        ``is_within``, whether the prediction lies in the interval; None where no row is.

    Examples
    --------
    >>> n = np.arange(4)
    >>> rows = JudgedRows(n, n, n, np.array([0, 1, 0, 0]), n * 0, n * 0,
    ...     np.array([[400.0, 410, 700, 710]] * 2), np.array([[0.5, 0.5, 0.1, 0.1]] * 2))
    >>> bands = {"low": 300, "high": 600}
    >>> low, high = calibration_tables(rows, bands, bands)["old"]["bands"]
    >>> low["band"], low["n"], low["bad_rate"], low["predicted"], low["is_within"]
    ('low', 2, 0.5, 0.5, True)
    """
    at = rows.each_party_once()
    bad = rows.bad[at]
    document: Document = observed_rate(int(bad.sum()), len(bad))
    for card, (name, bands) in enumerate((("old", old_bands), ("new", new_bands))):
        probability = rows.probabilities[card, at]
        numbers = band_numbers(rows.scores[card, at], bands)
        in_bands = _lines(numbers, len(bands), bad, probability)
        document[name] = {
            "predicted": float(probability.mean()),
            "bands": [{"band": band, **line} for band, line in zip(bands, in_bands, strict=True)],
            "bins": _bins(bad, probability),
        }
    return document


def _bins(bad: Ints, probability: Floats) -> list[Document]:
    inner = np.unique(np.quantile(probability, np.arange(1, _N_BINS) / _N_BINS))
    numbers = np.searchsorted(inner, probability, side="left")
    lines = _lines(numbers, len(inner) + 1, bad, probability)
    return [line for line in lines if line["n"]]


def _lines(numbers: Ints, n_groups: int, bad: Ints, probability: Floats) -> list[Document]:
    n = np.bincount(numbers, minlength=n_groups)
    n_bad = np.bincount(numbers, bad, minlength=n_groups)
    total = np.bincount(numbers, probability, minlength=n_groups)
    return [
        _line(int(n_bad[group]), int(n[group]), float(total[group])) for group in range(n_groups)
    ]


def _line(n_bad: int, n: int, total: float) -> Document:
    observed = observed_rate(n_bad, n)
    limits = observed["bad_rate_interval"]
    predicted = total / n if n else None
    return {
        **observed,
        "predicted": predicted,
        "is_within": None if limits is None else bool(limits[0] <= total / n <= limits[1]),
    }
