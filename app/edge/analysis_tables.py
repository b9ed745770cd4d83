"""Outcome analyses as flat tables, the same for the command line's CSV and the desk's."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, TypeAlias

from app.domain.intake_safety import harmless_text
from app.domain.roll_rates import STATES
from app.domain.types import Document

Rows: TypeAlias = tuple[tuple[str, ...], list[tuple[Any, ...]]]
"""Headers, and rows in full precision; None where there is no value."""

_NO_LIMITS = (None, None)


def vintage_rows(document: Document) -> Rows:
    """Give one row per vintage and month.

    Parameters
    ----------
    document : dict
        From ``OutcomeAnalysisService.vintages``.

    Returns
    -------
    tuple of headers and rows
        In the order of the curves.
    """
    header = ("vintage", "month", "n", "n_bad", "bad_rate", "low", "high")
    rows: list[tuple[Any, ...]] = [
        (curve["vintage"], point["month"], point["n"], point["n_bad"], point["bad_rate"],
         *(point["bad_rate_interval"] or _NO_LIMITS))
        for curve in document["curves"]
        for point in curve["points"]
    ]  # fmt: skip
    return header, rows


def roll_rate_rows(document: Document) -> Rows:
    """Give one row per pair of states.

    Parameters
    ----------
    document : dict
        From ``OutcomeAnalysisService.roll_rates``.

    Returns
    -------
    tuple of headers and rows
        From each state, mildest first.
    """
    header = ("from", "to", "n", "n_from", "share")
    rows: list[tuple[Any, ...]] = [
        (line["state"], state, line["to"][state]["n"], line["n"], line["to"][state]["share"])
        for line in document["states"]
        for state in STATES
    ]
    return header, rows


def window_rows(document: Document) -> Rows:
    """Give one row per definition and window, and whether the rows are the same for each window.

    Parameters
    ----------
    document : dict
        From ``OutcomeAnalysisService.windows``.

    Returns
    -------
    tuple of headers and rows
        Each window first on all that are mature for it, then on those mature for the longest.
    """
    header = (
        "definition", "window_days", "same_parties", "n_labelled", "n_bad", "default_rate",
        "rate_low", "rate_high", "auc_roc", "auc_low", "auc_high", "n_immature",
        "n_indeterminate", "n_excluded",
    )  # fmt: skip
    rows = [
        _window(one["outcome_type"], line, judged, is_same=is_same)
        for one in document["definitions"]
        for line in one["lines"]
        for is_same, judged in ((False, line), (True, line["same_parties"]))
    ]
    return header, rows


def _window(
    name: str, line: Mapping[str, Any], judged: Mapping[str, Any], *, is_same: bool
) -> tuple[Any, ...]:
    statuses = ("n_immature", "n_indeterminate", "n_excluded")
    return (
        name, line["window_days"], is_same, judged["n_labelled"], judged["n_bad"],
        judged["default_rate"], *(judged["default_rate_interval"] or _NO_LIMITS),
        judged["auc_roc"], *(judged["auc_roc_interval"] or _NO_LIMITS),
        *(None if is_same else line[status] for status in statuses),
    )  # fmt: skip


TABLES: Mapping[str, Callable[[Document], Rows]] = MappingProxyType(
    {"vintages": vintage_rows, "roll-rates": roll_rate_rows, "windows": window_rows}
)
"""Name of an analysis to its table."""


def as_csv(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    """Write CSV: full precision, decimal points, and no cell that a spreadsheet would run.

    Parameters
    ----------
    header : sequence of str
        Names of the columns.
    rows : sequence of sequence
        The values.

    Returns
    -------
    str
        The file.
    """
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerow(header)
    writer.writerows(
        [harmless_text(value) if isinstance(value, str) else value for value in row] for row in rows
    )
    return file.getvalue()
