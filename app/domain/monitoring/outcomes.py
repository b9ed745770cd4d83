"""Whether outcomes are still those that the score promised: calibration and ranking."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from app.domain.calibration import intercept_estimate, slope_estimate
from app.domain.card_movement import band_numbers
from app.domain.discrimination import Estimate
from app.domain.drift import period_names
from app.domain.monitoring.jeffreys import jeffreys_p_value, mean_jeffreys_p_value
from app.domain.monitoring.odds import FrozenCalibration, calibration_from_document
from app.domain.monitoring.ranking import (
    RankedAuc,
    describe_auc,
    describe_ranking,
    fall_p_value,
    ranked_auc,
)
from app.domain.monitoring.watched import EVERYBODY, Family, Watched, band_subject
from app.domain.proportions import wilson_interval
from app.domain.types import Bools, Dates, Document, Floats, Ints

FEWEST_TO_JUDGE = 5
"""A band with fewer labelled parties is shown and not tested."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """Hold the labelled parties of a batch.

    Attributes
    ----------
    scores : ndarray of shape (n,)
        Unrounded, in points.
    bad : ndarray of shape (n,)
        1 bad, 0 good.
    scored_on : ndarray of shape (n,)
        Days, ``datetime64[D]``.
    bands : mapping of str to int
        Lower bounds of the version's bands, lowest first.
    """

    scores: Floats
    bad: Ints
    scored_on: Dates
    bands: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Promise:
    """Hold what a version promised of outcomes, frozen.

    Attributes
    ----------
    calibration : FrozenCalibration
        From score to probability.
    auc : RankedAuc or None
        How well the version ranked before; None where that was not estimable.
    """

    calibration: FrozenCalibration
    auc: RankedAuc | None


def watch_outcomes(labelled: Labelled, promise: Promise, max_auc_drop: float) -> list[Watched]:
    """Compare outcomes with what was promised.

    Parameters
    ----------
    labelled : Labelled
        Parties that made neither calibration nor reference AUC.
    promise : Promise
        Of the version.
    max_auc_drop : float
        AUC lost, at most.

    Returns
    -------
    list of Watched
        One over all parties, one for each band with at least five, and one for the AUC where it
        is estimable. Their p values know how sure the calibration and the reference AUC are.

    Examples
    --------
    >>> calibration = FrozenCalibration(600.0, 80.0, -2.0, 0.9, (1e-4, 1e-4, 0.0), 4000, 600)
    >>> labelled = Labelled(np.full(100, 600.0), np.repeat([1, 0], [30, 70]),
    ...     np.full(100, "2026-03-31", "datetime64[D]"), {"low": 300, "high": 500})
    >>> for one in watch_outcomes(labelled, Promise(calibration, None), 0.05):
    ...     print(one.subject, one.p_value < 0.001, one.sentence)
    all True More turned bad than expected: 30.0 % of 100 against 11.9 %.
    band high True More turned bad than expected in band high: 30.0 % of 100 against 11.9 %.
    """
    numbers = band_numbers(labelled.scores, labelled.bands)
    calibration = promise.calibration
    everybody = np.zeros(len(numbers), dtype=np.int64)
    watched = _watch_groups(labelled, calibration, everybody, (EVERYBODY,))
    watched += _watch_groups(
        labelled, calibration, numbers, tuple(band_subject(band) for band in labelled.bands)
    )
    now = ranked_auc(-labelled.scores, labelled.bad)
    if now is not None and promise.auc is not None:
        watched.append(_watch_auc(now, promise.auc, max_auc_drop))
    return watched


def _watch_groups(
    labelled: Labelled, calibration: FrozenCalibration, groups: Ints, subjects: tuple[str, ...]
) -> list[Watched]:
    rates, probabilities = calibration.expected_rates(labelled.scores, groups, len(subjects))
    found = []
    for number, subject in enumerate(subjects):
        rows = groups == number
        n, n_bad = int(rows.sum()), int(labelled.bad[rows].sum())
        if n < FEWEST_TO_JUDGE:
            continue
        expected = float(calibration.probability(labelled.scores[rows]).mean())
        where = "" if subject == EVERYBODY else f" in {subject}"
        found.append(
            Watched(
                kind="calibration",
                subject=subject,
                value=n_bad / n,
                threshold=expected,
                p_value=mean_jeffreys_p_value(n, n_bad, rates[number], probabilities),
                is_past=n_bad / n > expected,
                sentence=f"More turned bad than expected{where}: {100 * n_bad / n:.1f} % of {n:,} "
                f"against {100 * expected:.1f} %.",
            )
        )
    return found


def _watch_auc(now: RankedAuc, reference: RankedAuc, max_drop: float) -> Watched:
    drop = reference.value - now.value
    return Watched(
        kind="auc_drop",
        subject=EVERYBODY,
        value=now.value,
        threshold=reference.value - max_drop,
        p_value=fall_p_value(now, reference),
        is_past=drop > max_drop,
        sentence=f"The score ranks worse than before: AUC {now.value:.3f} against "
        f"{reference.value:.3f}, {drop:.3f} less.",
    )


def describe_outcomes(
    labelled: Labelled, calibration: FrozenCalibration | None, family: Family
) -> Document:
    """Describe the outcomes of a batch beside what was expected.

    Parameters
    ----------
    labelled : Labelled
        The labelled parties, at least one.
    calibration : FrozenCalibration or None
        None where the version has none yet: nothing is expected then.
    family : Family
        Of the report; without comparisons where this batch made the calibration.

    Returns
    -------
    dict
        ``n_labelled``, ``n_bad``; ``auc_roc``, ``gini`` and ``ks`` with limits; ``auc_p_value``
        and ``auc_p_adjusted``; ``calibration``: intercept and slope with limits, or None;
        ``overall``, ``by_band`` and ``by_vintage``, lines with n, n_bad, expected and observed
        (fractions), low and high (Wilson, 95 %), jeffreys_p (the calibration taken as known),
        p_value (knowing how sure it is) and p_adjusted; a vintage is not tested for alerts.
    """
    numbers = band_numbers(labelled.scores, labelled.bands)
    vintages = period_names(labelled.scored_on)
    everybody = np.ones(len(numbers), dtype=np.bool_)
    return {
        "n_labelled": len(labelled.bad),
        "n_bad": int(labelled.bad.sum()),
        **describe_ranking(-labelled.scores, labelled.bad),
        "auc_p_value": _p_value(family, "auc_drop", EVERYBODY),
        "auc_p_adjusted": family.p_adjusted("auc_drop", EVERYBODY),
        "calibration": _intercept_and_slope(labelled, calibration),
        "overall": _tested_line(labelled, calibration, everybody, family, EVERYBODY),
        "by_band": [
            {
                "band": band,
                **_tested_line(
                    labelled, calibration, numbers == number, family, band_subject(band)
                ),
            }
            for number, band in enumerate(labelled.bands)
        ],
        "by_vintage": [
            _vintage(labelled, calibration, vintages == vintage, str(vintage))
            for vintage in np.unique(vintages)
        ],
    }


def _line(labelled: Labelled, calibration: FrozenCalibration | None, rows: Bools) -> Document:
    n, n_bad = int(rows.sum()), int(labelled.bad[rows].sum())
    expected = None
    if calibration is not None and n:
        expected = float(calibration.probability(labelled.scores[rows]).mean())
    low, high = wilson_interval(n_bad, n) or (None, None)
    return {
        "n": n,
        "n_bad": n_bad,
        "expected": expected,
        "observed": n_bad / n if n else None,
        "low": low,
        "high": high,
        "jeffreys_p": None if expected is None else jeffreys_p_value(n, n_bad, expected),
    }


def _tested_line(
    labelled: Labelled, calibration: FrozenCalibration | None, rows: Bools, family: Family,
    subject: str,
) -> Document:  # fmt: skip
    return {
        **_line(labelled, calibration, rows),
        "p_value": _p_value(family, "calibration", subject),
        "p_adjusted": family.p_adjusted("calibration", subject),
    }


def _vintage(
    labelled: Labelled, calibration: FrozenCalibration | None, rows: Bools, name: str
) -> Document:
    auc = describe_auc(-labelled.scores[rows], labelled.bad[rows])
    return {"vintage": name, **_line(labelled, calibration, rows), "auc_roc": auc}


def _p_value(family: Family, kind: str, subject: str) -> float | None:
    return next(
        (one.p_value for one in family.watched if (one.kind, one.subject) == (kind, subject)), None
    )


def _intercept_and_slope(
    labelled: Labelled, calibration: FrozenCalibration | None
) -> Document | None:
    n_bad = int(labelled.bad.sum())
    if calibration is None or not 0 < n_bad < len(labelled.bad):
        return None
    log_odds = calibration.log_odds(labelled.scores)
    return {
        "intercept": _with_limits(intercept_estimate(log_odds, labelled.bad)),
        "slope": _with_limits(slope_estimate(log_odds, labelled.bad)),
    }


def _with_limits(estimate: Estimate | None) -> Document | None:
    if estimate is None or not np.isfinite([estimate.value, estimate.standard_error]).all():
        return None
    low, high = estimate.interval()
    return {"value": estimate.value, "low": low, "high": high}


def promise_document(promise: Promise) -> Document:
    """Give a promise as a JSON-ready mapping.

    Parameters
    ----------
    promise : Promise
        Of a version.

    Returns
    -------
    dict
        The calibration, and ``auc_roc``: value and standard_error, or None.
    """
    auc = promise.auc
    found = None if auc is None else {"value": auc.value, "standard_error": auc.standard_error}
    return {**promise.calibration.as_dict(), "auc_roc": found}


def promise_from_document(document: Mapping[str, Any]) -> Promise:
    """Rebuild a promise from its document.

    Parameters
    ----------
    document : mapping
        As `promise_document` gives it; other keys are left alone.

    Returns
    -------
    Promise
        The same value.

    Examples
    --------
    >>> made = FrozenCalibration(600.0, 80.0, -2.0, 0.9, (0.01, 0.02, 0.0), 400, 60)
    >>> promise = Promise(made, RankedAuc(0.7, 0.02))
    >>> promise_from_document(promise_document(promise)) == promise
    True
    """
    auc = document["auc_roc"]
    ranked = None if auc is None else RankedAuc(auc["value"], auc["standard_error"])
    return Promise(calibration_from_document(document), ranked)
