"""What a comparison of groups looks like."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.console import RenderableType

from app.cli.render.tables import bullets, sentence, table
from app.edge import numbers

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from app.domain.types import Document

_SIDES = ("old", "new")


def compared(result: Document) -> Iterator[RenderableType]:
    """Show how groups fare under two versions.

    Parameters
    ----------
    result : dict
        What ``FairnessService.compare_groups`` returned.

    Yields
    ------
    RenderableType
        Parts to print in order.
    """
    kept = "as kept with the draft" if result["is_stored"] else "computed now"
    yield sentence(f"{result['new']} against {result['old']}, {kept}.", "bold")
    if result["why_not"]:
        yield sentence(result["why_not"])
        return
    yield from groups_compared(result)
    yield from bullets("Keep in mind", result["limits"])


def groups_compared(result: Document) -> Iterator[RenderableType]:
    """Show the tables of each group column.

    Parameters
    ----------
    result : dict
        What ``FairnessService.compare_groups`` returned.

    Yields
    ------
    RenderableType
        Parts to print in order.
    """
    for column in result["columns"]:
        yield sentence(f"{column['sentence']}.", "bold")
        yield _approval(result, column)
        if result["source"]["outcomes"]:
            yield _outcomes(result, column)


def _approval(result: Document, column: Document) -> RenderableType:
    rows = [
        (
            f"{cut_off['new']['score']} {cut_off['at']}",
            _name(new),
            numbers.count(new["n"]),
            *(part for one in (old, new) for part in _rates(one)),
            numbers.p_value(fall["p_value"]),
        )
        for cut_off in column["cut_offs"]
        for old, new, fall in zip(
            cut_off["old"]["groups"], cut_off["new"]["groups"], cut_off["falls"], strict=True
        )
    ]
    sides = [result[side] for side in _SIDES]
    columns = (
        "from", column["column"], "parties>",
        *(head for side in sides for head in (f"{side}: approved>", "ratio>", "p>")),
        "p of a fall>",
    )  # fmt: skip
    return table(f"Approval by {column['column']}", columns, rows, source=result["source"]["rows"])


def _rates(one: Mapping[str, Any]) -> tuple[str, str, str]:
    return (
        numbers.rate(one["approval_rate"]),
        numbers.weight(one["impact_ratio"]),
        numbers.p_value(one["p_value"]),
    )


def _outcomes(result: Document, column: Document) -> RenderableType:
    rows = [
        (
            _name(group),
            numbers.count(group["n_labelled"]),
            numbers.rate(group["bad_rate"]),
            *(part for side in _SIDES for part in _figures(group[side])),
        )
        for group in column["groups"]
    ]
    heads = [head for side in _SIDES
             for head in (f"{result[side]}: AUC>", "expected>", "E/O>", "intercept>")]  # fmt: skip
    columns = (column["column"], "labelled>", "bad>", *heads)
    title = f"Ranking and calibration by {column['column']}"
    return table(title, columns, rows, source=result["source"]["outcomes"])


def _figures(one: Mapping[str, Any] | None) -> tuple[str, str, str, str]:
    if one is None:
        return (numbers.NONE, numbers.NONE, numbers.NONE, numbers.NONE)
    return (
        numbers.auc(one["auc_roc"]),
        numbers.rate(one["expected"]),
        numbers.weight(one["expected_to_observed"]),
        numbers.weight(one["calibration_intercept"]),
    )


def _name(group: Mapping[str, Any]) -> str:
    return "missing" if group["group"] is None else str(group["group"])
