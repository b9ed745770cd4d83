"""What monitoring found, as sentences: the titles of its figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from app.domain.counted import counted
from app.domain.types import Document
from app.edge import numbers
from app.findings.words import name_of


def psi_finding(points: Sequence[Mapping[str, Any]], limit: float) -> str:
    """Say which batches scored unlike the reference.

    Parameters
    ----------
    points : sequence of mapping
        In the order of scoring: ``at``, ``psi``, ``quantile`` (None for the reference) and
        ``is_moved``.
    limit : float
        The policy's.

    Returns
    -------
    str
        One sentence without a full stop.

    Examples
    --------
    >>> psi_finding([{"at": "A", "psi": 0.0, "quantile": None, "is_moved": False},
    ...              {"at": "B", "psi": 0.31, "quantile": 0.05, "is_moved": True}], 0.1)
    'Scores of 1 of 1 compared batch moved past 0.10 and more than chance explains: B (PSI 0.310)'
    """
    compared = [point for point in points if point["quantile"] is not None]
    if not compared:
        return "The first batch is what later ones are compared with"
    moved = [point for point in compared if point["is_moved"]]
    n_compared = counted(len(compared), "compared batch")
    if not moved:
        return f"Scores of none of {n_compared} moved past {limit:.2f} and more than chance"
    furthest = max(moved, key=lambda point: point["psi"])
    most = "" if len(moved) == 1 else "furthest "
    return (
        f"Scores of {len(moved)} of {n_compared} moved past {limit:.2f} and more than chance "
        f"explains: {most}{furthest['at']} (PSI {numbers.auc(furthest['psi'])})"
    )


def default_rate_finding(points: Sequence[Mapping[str, Any]], what: str) -> str:
    """Say where more turned bad than the score promised.

    Parameters
    ----------
    points : sequence of mapping
        ``at``, ``expected`` (None where nothing is expected), ``observed`` and ``interval``.
    what : str
        What a point is, such as ``batch``.

    Returns
    -------
    str
        One sentence without a full stop.

    Examples
    --------
    >>> default_rate_finding([{"at": "2007", "expected": 0.143, "observed": 0.612,
    ...                        "interval": [0.561, 0.660]}], "batch")
    'In 1 of 1 batch more turned bad than expected: 2007, 61.2 % against 14.3 %'
    """
    held = [point for point in points if point["expected"] is not None]
    if not held:
        return "Nothing is expected yet: this version has no calibration"
    n_held = counted(len(held), what)
    worse = [point for point in held if point["interval"] and
             point["interval"][0] > point["expected"]]  # fmt: skip
    if not worse:
        return f"In none of {n_held} does the interval lie above what was expected"
    worst = max(worse, key=lambda point: point["observed"] - point["expected"])
    most = "" if len(worse) == 1 else "most in "
    return (
        f"In {len(worse)} of {n_held} more turned bad than expected: {most}{worst['at']}, "
        f"{numbers.rate(worst['observed'])} against {numbers.rate(worst['expected'])}"
    )


def auc_finding(points: Sequence[Mapping[str, Any]]) -> str:
    """Say how well a version ranks over time.

    Parameters
    ----------
    points : sequence of mapping
        In the order of scoring: ``at``, ``auc`` and ``interval``.

    Returns
    -------
    str
        One sentence without a full stop.

    Examples
    --------
    >>> auc_finding([{"at": "A", "auc": 0.7, "interval": [0.6, 0.8]}])
    'On A, labelled last, the AUC is 0.700 (0.600 to 0.800)'
    """
    last = points[-1]
    said = f"{numbers.auc(last['auc'])} ({numbers.interval(last['interval'])})"
    if len(points) == 1:
        return f"On {last['at']}, labelled last, the AUC is {said}"
    low, high = (end(point["auc"] for point in points) for end in (min, max))
    return (
        f"The AUC lies between {numbers.auc(low)} and {numbers.auc(high)} over "
        f"{len(points)} labelled batches; on the last, {last['at']}, it is {said}"
    )


def scores_finding(report: Document) -> str:
    """Say how the scores of a batch lie against the reference.

    Parameters
    ----------
    report : dict
        A monitoring report.

    Returns
    -------
    str
        One sentence without a full stop.
    """
    score = report["score"]
    if score["quantile"] is None:
        return "This batch is part of the reference: its scores are what others are compared with"
    by_chance = f"PSI {numbers.auc(score['psi'])}, by chance up to {numbers.auc(score['quantile'])}"
    if score["psi"] > score["quantile"]:
        return f"The scores lie unlike the reference, more than chance explains: {by_chance}"
    return f"The scores lie no more unlike the reference than by chance: {by_chance}"


def bands_finding(report: Document) -> str:
    """Say which band gained most.

    Parameters
    ----------
    report : dict
        A monitoring report.

    Returns
    -------
    str
        One sentence without a full stop.
    """
    moved = max(report["bands"], key=lambda line: abs(line["share"] - line["share_expected"]))
    return (
        f"Band {name_of(moved['band'])} moved most: {numbers.rate(moved['share'])} of the batch, "
        f"{numbers.rate(moved['share_expected'])} of the reference"
    )


def bands_judged_finding(lines: Sequence[Mapping[str, Any]]) -> str:
    """Say in which bands more turned bad than the score promised.

    Parameters
    ----------
    lines : sequence of mapping
        ``band``, ``expected``, ``observed`` and ``low``, the lower end of its interval.

    Returns
    -------
    str
        One sentence without a full stop.

    Examples
    --------
    >>> bands_judged_finding([{"band": "very_poor", "expected": 0.2, "observed": 0.5, "low": 0.4}])
    'More turned bad than expected in band very poor: 50.0 % against 20.0 %'
    """
    worse = [
        line for line in lines
        if line["low"] is not None and line["expected"] is not None
        and line["low"] > line["expected"]
    ]  # fmt: skip
    if not worse:
        return "In no band does the interval lie above what was expected"
    said = "; ".join(
        f"band {name_of(line['band'])}: {numbers.rate(line['observed'])} against "
        f"{numbers.rate(line['expected'])}"
        for line in worse
    )
    return f"More turned bad than expected in {said}"
