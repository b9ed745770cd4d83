"""What the scoring date changes: one sentence, and bad rate and AUC by scoring month."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.console import RenderableType

from app.cli.render.tables import sentence, table
from app.edge import numbers

if TYPE_CHECKING:
    from app.domain.types import Document

_NOTHING: Document = {"was_compared": False, "differs": [], "periods": []}


def over_time(validation: Document) -> Iterator[RenderableType]:
    """Show how the figures move with the scoring date.

    Parameters
    ----------
    validation : dict
        Of a model; ``drift`` is missing in models of earlier versions.

    Yields
    ------
    RenderableType
        A table where parties were scored in more than one month, and that validations agree
        where they do; that they do not is among the warnings.
    """
    drift = validation.get("drift", _NOTHING)
    if drift["was_compared"] and not drift["differs"]:
        yield sentence(drift["sentence"])
    if len(drift["periods"]) > 1:
        yield period_table(drift["periods"])


def period_table(periods: list[Document]) -> RenderableType:
    """Build the table by scoring month, or by year where there are more than 36 months.

    Parameters
    ----------
    periods : list of dict
        In order of time.

    Returns
    -------
    RenderableType
        One row per period.
    """
    rows = [
        (
            period["period"],
            numbers.count(period["n"]),
            numbers.rate(period["bad_rate"]),
            numbers.auc(period["auc_baseline"]),
            numbers.interval(period["auc_baseline_interval"]),
            numbers.count(period["n_unseen"]),
            numbers.auc(period["auc_refined"]),
        )
        for period in periods
    ]
    columns = (
        "scored in", "labelled>", "bad>", "AUC baseline>", "95 % interval>", "unseen>",
        "AUC refined>",
    )  # fmt: skip
    return table("By scoring month: the baseline on all, the refined card on unseen", columns, rows)
