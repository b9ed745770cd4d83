"""The aims of the evidence, each held against what was found."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

from benchmarks.evidence.records import Record, share_interval

RIGHT = "right"
MEAN_LOSS, WORST_LOSS = 0.0, 0.003
ADOPT_SHARE, ADOPT_LIMIT, ADOPT_TRUE = 0.025, 0.05, 0.80
AUC_COVERAGE, GAIN_COVERAGE = (0.93, 0.97), 0.93
INTERVALS_FROM = 500
ENOUGH_RUNS = 200
ENOUGH_COVERED = 100
_TINY = 5e-5


@dataclass(frozen=True, slots=True)
class Aim:
    """Hold an aim, what was found, and whether that meets it; None where too little was run."""

    aim: str
    found: str
    is_met: bool | None

    def as_row(self) -> Record:
        """Give the aim as a row of the table."""
        verdict = {True: "met", False: "**missed**", None: "too few runs"}[self.is_met]
        return {"aim": self.aim, "found": self.found, "verdict": verdict}


def judge(tables: dict[str, list[Record]]) -> Iterator[Aim]:
    """Hold every aim against the tables."""
    yield from _harm(tables["harm"])
    yield from _adopts(tables)
    yield from _intervals(tables["intervals"])
    yield _recovery(tables["recovery"])
    yield from _leaks_and_drift(tables)


def _harm(rows: list[Record]) -> Iterator[Aim]:
    aim = "following adopt only, the mean loss of AUC is 0 in every setting"
    if not rows:
        yield Aim(aim, "", None)
        return
    least = min(rows, key=lambda row: row["followed: mean"])
    yield Aim(aim, f"{_change(least['followed: mean'])} ({_where(least)})",
              least["followed: mean"] >= MEAN_LOSS - _TINY)  # fmt: skip
    worst = min(rows, key=lambda row: row["followed: worst"])
    yield Aim(
        f"and the worst loss is under {WORST_LOSS}",
        f"{_change(worst['followed: worst'])} ({_where(worst)})",
        worst["followed: worst"] > -WORST_LOSS,
    )


def _adopts(tables: dict[str, list[Record]]) -> Iterator[Aim]:
    rows = [row for row in tables["advice"] if row["expert"].startswith(RIGHT)]
    counted = [row for row in rows if 200 <= row["n"] <= 5_000 and row["repeats"] >= ENOUGH_RUNS]  # noqa: PLR2004 - the issue's own limits
    aim = "expert right: adopt at most 2.5 %, upper 95 % limit at most 5 %, n = 200 to 5,000"
    yield _rare(aim, counted, ADOPT_SHARE)
    right = [row for row in tables["pooled"] if row["expert"].startswith(RIGHT)]
    yield _rare("the same, parties repeated over six pooled batches", right, ADOPT_SHARE)
    year = [row for row in tables["looks"] if "product" in row["interval of each look"]]
    yield _rare("twelve monthly looks: adopt within the year at most 5 %", year, ADOPT_LIMIT)
    off = [row for row in tables["advice"] if "80" in row["expert"] and row["n"] == 5_000]  # noqa: PLR2004 - the same
    yield _frequent("expert off by 80 %, n = 5,000: adopt at least 80 %", off)
    pooled = [row for row in tables["pooled"] if "80" in row["expert"] and row["parties"] == 5_000]  # noqa: PLR2004 - the same
    yield _frequent("the same, parties repeated over six pooled batches", pooled)


def _rare(aim: str, rows: list[Record], limit: float) -> Aim:
    if not rows:
        return Aim(aim, "", None)
    shares = [(_adopted(row) / _repeats(row), row) for row in rows]
    most, row = max(shares, key=lambda pair: pair[0])
    found = (
        f"at most {percent(most)} ({_where(row)}, {_adopted(row)} of {_repeats(row)}, upper limit "
        f"{percent(row['upper limit'])}); settings: {len(rows)}, each of at least "
        f"{min(map(_repeats, rows))} runs"
    )
    is_clear = all(one["upper limit"] <= ADOPT_LIMIT for one in rows)
    if not is_clear and min(_repeats(one) for one in rows) < ENOUGH_RUNS:
        return Aim(aim, found, None)
    return Aim(aim, found, most <= limit and (is_clear or limit == ADOPT_LIMIT))


def _frequent(aim: str, rows: list[Record]) -> Aim:
    if not rows:
        return Aim(aim, "", None)
    adopted = sum(_adopted(row) for row in rows)
    n = sum(_repeats(row) for row in rows)
    return Aim(aim, f"{percent(adopted / n)} ({adopted} of {n})", adopted / n >= ADOPT_TRUE)


def _intervals(rows: list[Record]) -> Iterator[Aim]:
    many = [row for row in rows if row["n"] >= INTERVALS_FROM and row["repeats"] >= ENOUGH_COVERED]
    for validation in ("out of time", "cross validation"):
        of_mode = [row for row in many if row["validation"] == validation]
        for card in ("model", "refined card", "baseline"):
            aim = f"95 % interval of the {card}'s AUC covers 93 to 97 %, {validation}"
            yield _coverage(aim, of_mode, f"AUC of {card.split()[0]}", AUC_COVERAGE)
        off = [row for row in of_mode if "80" in row["expert"]]
        aim = f"interval of the paired gain covers at least 93 %, expert off by 80 %, {validation}"
        yield _coverage(aim, off, "paired gain", (GAIN_COVERAGE, 1.0))


def _coverage(aim: str, rows: list[Record], column: str, wanted: tuple[float, float]) -> Aim:
    """Judge the coverage over all settings, and whether a setting is clearly outside."""
    if not rows:
        return Aim(aim, "", None)
    hits = {id(row): round(row[column] * _repeats(row)) for row in rows}
    n = sum(_repeats(row) for row in rows)
    overall = sum(hits.values()) / n
    low, high = wanted
    outside = []
    for row in rows:
        lower, upper = share_interval(hits[id(row)], _repeats(row))
        if upper < low or lower > high:
            outside.append(f"{_where(row)} {percent(row[column])}")
    shares = [row[column] for row in rows]
    found = (
        f"{percent(overall)} of {n:,} runs; {percent(min(shares))} to {percent(max(shares))} in "
        f"{len(rows)} settings"
    )
    if outside:
        found += f", clearly outside: {'; '.join(outside)}"
    return Aim(aim, found, low <= overall <= high and not outside)


def _recovery(rows: list[Record]) -> Aim:
    aim = "truth inside the guard-rails: the weights converge to it as n grows"
    if not rows:
        return Aim(aim, "", None)
    ordered = sorted(rows, key=lambda row: row["n"])
    errors = [row["of the refined card"] for row in ordered]
    first, last = ordered[0], ordered[-1]
    falls = all(late < early for early, late in itertools.pairwise(errors))
    return Aim(
        aim,
        f"median error {percent(errors[0])} at n = {first['n']:,}, "
        f"{percent(errors[-1])} at {last['n']:,}",
        falls,
    )


def _leaks_and_drift(tables: dict[str, list[Record]]) -> Iterator[Aim]:
    planted = [row for row in tables["leaks"] if row["found"] is not None]
    if planted:
        least = min(planted, key=lambda row: row["found"])
        most = max(row["runs with an honest feature named"] for row in tables["leaks"])
        yield Aim(
            "planted leaks are found, honest features are not named",
            f"found in at least {percent(least['found'])} ({least['planted']}, "
            f"n = {least['n']:,}); an honest feature named in at most {percent(most)} of runs",
            least["found"] >= 0.95 and most <= 0.05,  # noqa: PLR2004 - our own reading of "is found"
        )
    terms = [row["column"] for row in tables["real_leaks"] if row["data"] == "sba_case"]
    yield Aim("sba_case's Term is found", ", ".join(terms), "Term" in terms if terms else None)
    said = {row["portfolio"]: row["said"] for row in tables["drift"]}
    if said:
        steady = said.get("nothing changes", 0.0)
        least_said = min(share for name, share in said.items() if name != "nothing changes")
        yield Aim(
            "drift is said where it is, and not where it is not",
            f"said in at least {percent(least_said)} of changing and in {percent(steady)} of "
            "steady portfolios",
            least_said >= ADOPT_TRUE and steady <= 0.05,  # noqa: PLR2004 - the same
        )


def _adopted(row: Record) -> int:
    return int(row.get("adopted", row.get("adopted within the year", 0)))


def _repeats(row: Record) -> int:
    return int(row.get("repeats", row.get("years", 0)))


def _where(row: Record) -> str:
    size = row.get("n", row.get("parties"))
    return row["expert"] + (f", n = {size:,}" if size else "")


def percent(share: float) -> str:
    """Write a share in per cent."""
    return f"{100 * share:.1f} %"


def _change(value: float) -> str:
    return f"{value:+.4f}"
