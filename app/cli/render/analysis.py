"""What outcome analyses look like."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.console import RenderableType

from app.cli.render.tables import sentence, table
from app.domain.counted import counted
from app.edge import numbers

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from app.domain.types import Document

_SHOWN_MONTHS = (3, 6, 12, 18, 24, 36, 48, 60, 84, 120)
_MOST_COLUMNS = 6


def vintages(result: Document) -> Iterator[RenderableType]:
    """Show vintage curves at some months.

    Parameters
    ----------
    result : dict
        What ``OutcomeAnalysisService.vintages`` returned.

    Yields
    ------
    RenderableType
        The finding, a table and the limits.
    """
    yield sentence(result["sentence"], "bold")
    longest = max((len(curve["points"]) for curve in result["curves"]), default=0)
    months = [month for month in _SHOWN_MONTHS if month <= longest][-_MOST_COLUMNS:] or [1]
    rows = []
    for curve in result["curves"]:
        at = {point["month"]: point for point in curve["points"]}
        rows.append(
            (
                curve["vintage"],
                numbers.count(curve["n"]),
                numbers.count(curve["months_observed"]),
                *(_rate(at.get(month)) for month in months),
            )
        )
    yield table(
        f"Bad by months since scoring, data through {numbers.day(result['data_through'])}",
        ("scored in", "parties>", "observed, months>", *(f"{month} months>" for month in months)),
        rows,
        source="cumulative bad rate (number bad); intervals with --json or --csv",
    )
    if result["n_excluded"]:
        left_out = counted(result["n_excluded"], "party is", "parties are")
        yield sentence(f"{left_out} left out: already bad when scored, or never granted credit.")
    yield from _limits(result)


def _rate(point: Mapping[str, Any] | None) -> str:
    if point is None:
        return numbers.NONE
    return f"{numbers.rate(point['bad_rate'])} ({numbers.count(point['n_bad'])})"


def roll_rates(result: Document) -> Iterator[RenderableType]:
    """Show where parties went from each state.

    Parameters
    ----------
    result : dict
        What ``OutcomeAnalysisService.roll_rates`` returned.

    Yields
    ------
    RenderableType
        The finding, a table and the limits.
    """
    yield sentence(result["sentence"], "bold")
    months = result["months"]
    rows = [
        (
            line["state"],
            numbers.count(line["n"]),
            *(f"{numbers.count(part['n'])} ({numbers.rate(part['share'])})"
              for part in line["to"].values()),
            numbers.rate(line["worse"]["share"]),
        )
        for line in result["states"]
    ]  # fmt: skip
    states = tuple(result["states"][0]["to"])
    yield table(
        f"Worst state, months 1 to {months} (rows) and {months + 1} to {2 * months} (columns)",
        ("days past due", "parties>", *(f"{state}>" for state in states), "worse>"),
        rows,
        source=f"{counted(result['n_followed'], 'party')} observed for {2 * months} months, data "
        f"through {numbers.day(result['data_through'])}; "
        f"{numbers.count(result['n_lost_before'])} lost in the first span, "
        f"{numbers.count(result['n_immature'])} not observed so long, "
        f"{numbers.count(result['n_excluded'])} left out",
    )
    yield from _limits(result)


def windows(result: Document) -> Iterator[RenderableType]:
    """Show default rate and AUC over windows, per definition.

    Parameters
    ----------
    result : dict
        What ``OutcomeAnalysisService.windows`` returned.

    Yields
    ------
    RenderableType
        The finding, a table per definition and the limits.
    """
    columns = (
        "window, days>", "labelled>", "bad>", "default rate>", "95 % interval>",
        f"AUC of {result['version']}>", "95 % interval>", "immature>", "same parties: rate>",
        "AUC>",
    )  # fmt: skip
    for one in result["definitions"]:
        yield sentence(f"{one['outcome_type']}: {one['sentence']}", "bold")
        rows = [
            (
                numbers.count(line["window_days"]),
                numbers.count(line["n_labelled"]),
                numbers.count(line["n_bad"]),
                numbers.rate(line["default_rate"]),
                _rates(line["default_rate_interval"]),
                numbers.auc(line["auc_roc"]),
                numbers.interval(line["auc_roc_interval"]),
                numbers.count(line["n_immature"]),
                numbers.rate(line["same_parties"]["default_rate"]),
                numbers.auc(line["same_parties"]["auc_roc"]),
            )
            for line in one["lines"]
        ]
        yield table(
            f"{one['outcome_type']}, data through {numbers.day(one['data_through'])}",
            columns,
            rows,
            source="mature parties only; the same parties are those mature for "
            f"{counted(one['same_window_days'], 'day')}",
        )
    yield from _limits(result)


def _rates(limits: list[float] | None) -> str:
    return numbers.NONE if limits is None else " to ".join(numbers.rate(end) for end in limits)


def _limits(result: Document) -> Iterator[RenderableType]:
    for limit in result["limits"]:
        yield sentence(limit, "yellow")
