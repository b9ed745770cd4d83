"""What issue G asks of speed and memory on two cores, and whether the figures meet it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from benchmarks.performance import fits, labels, scoring
from benchmarks.performance.measure import Row, ratio, spread
from benchmarks.performance.peers import PEERS

MILLION = 1_000_000
AT_LEAST, AT_MOST = "at least", "at most"


@dataclass(frozen=True, slots=True)
class Aim:
    """Hold one aim beside what was measured.

    Attributes
    ----------
    work : str
        What is measured.
    bound : {"at least", "at most"}
        On which side of the limit the median is wanted.
    limit : float
        In `unit`.
    unit : str
        Of limit and figures.
    found : dict of str to float
        ``median``, ``low`` and ``high`` over the rounds.
    """

    work: str
    bound: str
    limit: float
    unit: str
    found: Mapping[str, float]

    @property
    def is_met(self) -> bool:
        """Say whether the median is on the right side."""
        median = self.found["median"]
        return median >= self.limit if self.bound == AT_LEAST else median <= self.limit

    def as_row(self) -> dict[str, str]:
        """Give the line of the table."""
        low, high = self.found["low"], self.found["high"]
        return {
            "work": self.work,
            "aim": f"{self.bound} {shown(self.limit)} {self.unit}",
            "median": f"{shown(self.found['median'])} {self.unit}",
            "spread": "one run" if low == high else f"{shown(low)} to {shown(high)}",
            "met": "yes" if self.is_met else "**no**",
        }


def judge(results: Mapping[str, Any]) -> list[Aim]:
    """Hold the parts that were measured against their aims.

    Parameters
    ----------
    results : mapping
        By part, as ``benchmarks/results/performance.json`` has them.

    Returns
    -------
    list of Aim
        In the order of the issue.
    """
    judges = {
        "score": _scoring, "decision": _decision, "labels": _labels, "fits": _fits,
        "pipeline": _pipeline, "budgets": _budgets,
    }  # fmt: skip
    return [
        aim for part, found in judges.items() if part in results for aim in found(results[part])
    ]


def growth(rows: list[Row], column: str) -> float:
    """Give the slope of log value on log n, by least squares: 1 is growth in proportion.

    Parameters
    ----------
    rows : list of dict
        At least two, each with ``n`` and `column`.
    column : str
        Of a positive value.

    Returns
    -------
    float
        Unitless.
    """
    x = [math.log(row["n"]) for row in rows]
    y = [math.log(row[column]) for row in rows]
    mean_x, mean_y = sum(x) / len(x), sum(y) / len(y)
    above = sum((a - mean_x) * (b - mean_y) for a, b in zip(x, y, strict=True))
    return above / sum((a - mean_x) ** 2 for a in x)


def shown(value: float) -> str:
    """Write a figure with three digits, without an exponent."""
    digits = max(0, 2 - math.floor(math.log10(abs(value)))) if value else 0
    text = f"{value:,.{digits}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def millions(n: int) -> str:
    """Write a number of rows: 30 k, 1 M."""
    return f"{n / MILLION:g} M" if n >= MILLION else f"{n / 1000:g} k" if n >= 1000 else str(n)  # noqa: PLR2004 - a thousand


def pipeline_rows(part: Mapping[str, Any], what: str = "pipeline") -> list[Row]:
    """Give the rows of the pipeline, or of the imports, by size."""
    return sorted((row for row in part["rows"] if row["what"] == what), key=lambda row: row["n"])


def fastest_peer(row: Row) -> str:
    """Name the peer with the least median, of those that give a score and a band."""
    return min(PEERS, key=lambda peer: spread(row["seconds"][peer])["median"])


def _scoring(part: Mapping[str, Any]) -> Iterator[Aim]:
    forms = dict(zip(list(scoring.FORMS)[:2], (60.0, 40.0), strict=True))
    for row in part["rows"]:
        size = millions(row["n"])
        for form, limit in forms.items():
            found = _scaled(ratio(row, scoring.BARE, form), 100.0)
            work = f"score {size}, {form}: speed of the bare copy"
            yield Aim(work, AT_LEAST, limit, "%", found)
        for form, peer in zip(forms, (fastest_peer(row), f"toad, {list(forms)[1]}"), strict=True):
            if peer in row["seconds"]:
                work = f"score {size}, {form}: against {peer}"
                yield Aim(work, AT_LEAST, 10.0, "times", ratio(row, peer, form))


def _decision(part: Mapping[str, Any]) -> Iterator[Aim]:
    for row in part["rows"]:
        for name, seconds in row["seconds"].items():
            if name not in PEERS:
                found = _scaled(spread(seconds), 1000.0)
                yield Aim(f"{name}, with reasons", AT_MOST, 0.1, "ms", found)


def _labels(part: Mapping[str, Any]) -> Iterator[Aim]:
    for row in part["rows"]:
        work = f"label 1 M parties, {millions(row['n'])} events: against the bare join"
        yield Aim(work, AT_MOST, 1.5, "times", ratio(row, labels.OURS, labels.BARE))


def _fits(part: Mapping[str, Any]) -> Iterator[Aim]:
    for row in part["rows"]:
        work = f"fit with validation, {millions(row['n'])} rows"
        if row["n"] < MILLION:
            yield Aim(work, AT_MOST, 10.0, "s", spread(row["seconds"][fits.WHOLE]))
        else:
            found = ratio(row, fits.WHOLE, fits.GLUM)
            yield Aim(f"{work}: single fits of glum", AT_MOST, 12.0, "fits", found)


def _pipeline(part: Mapping[str, Any]) -> Iterator[Aim]:
    rows = pipeline_rows(part)
    limits = {MILLION: (30.0, 2.0), 10 * MILLION: (None, 8.0)}
    for row in rows:
        seconds, gib = limits.get(row["n"], (None, None))
        work = f"pipeline, {millions(row['n'])} parties"
        if seconds is not None:
            yield Aim(f"{work}: time", AT_MOST, seconds, "s", spread([row["wall"]]))
        if gib is not None:
            yield Aim(f"{work}: peak memory", AT_MOST, gib, "GiB", spread([row["peak_gib"]]))
    for name, of in (("10 k to 10 M", rows), ("1 M to 10 M", rows[-2:])):
        found = spread([growth(of, "wall")])
        yield Aim(f"pipeline, {name}: log time on log parties", AT_MOST, 1.0, "slope", found)


def _budgets(part: Mapping[str, Any]) -> Iterator[Aim]:
    for row in part["rows"]:
        work = row["what"] if row["n"] == 1 else f"{row['what']}, {millions(row['n'])}"
        yield Aim(work, AT_MOST, row["budget"], "s", spread(row["seconds"][row["ours"]]))


def _scaled(found: Mapping[str, float], by: float) -> dict[str, float]:
    return {name: value * by for name, value in found.items()}
