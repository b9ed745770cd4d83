"""How groups of parties fare under the card and the one before it."""

from __future__ import annotations

from app.charts.tables import Column, table
from app.domain.types import Document
from app.edge import numbers
from app.findings.words import name_of, with_minus
from app.paper.parts import Block, Heading, Listing, Part, Section, said, section
from app.paper.sections.card import figure
from app.paper.sections.validation import lacking
from app.paper.writers import rate_interval, ratio_interval

_MISSING = "missing"
_ABOUT = (
    "The columns below were declared as groups when a batch was imported; they are never scored or "
    "trained on. Ratio: the approval rate of a group over that of the reference group; p: Fisher's "
    "exact test, two-sided, one group at a time."
)


def fairness(found: Document, *, with_figures: bool = True) -> Section:
    """Show how groups fare, where groups were declared.

    Parameters
    ----------
    found : dict
        The record.
    with_figures : bool
        Whether to draw them too.

    Returns
    -------
    Section
        Says so where there is no evidence on groups.
    """
    evidence = found["review"]
    compared = None if evidence is None else evidence["fairness"]
    if compared is None:
        return section(
            "Fairness",
            [] if evidence is None else lacking(evidence, "approval by group"),
            said(
                "There is no evidence on groups of parties. Nothing in this paper shows whether "
                "the card treats any group of people worse than another."
            ),
        )
    kept = (
        "It was kept with the draft and is part of what an approval is bound to."
        if compared["is_stored"]
        else "It was not kept with the draft: it is read from stored rows, and no part of what an "
        "approval is bound to."
    )
    parts: list[Part] = [said(_ABOUT), said(kept)]
    for place, column in enumerate(compared["columns"]):
        parts.append(Heading(f"By {column['column']}"))
        shown = None
        if with_figures:
            shown = figure(found, f"groups_{place}", f"Groups {place + 1} figure")
        title = column["sentence"] if shown is None else f"Approval by {column['column']}"
        parts += [] if shown is None else [shown]
        parts += _column(compared, column, place, title)
    return section("Fairness", parts, _limits(compared))


def _column(compared: Document, column: Document, place: int, title: str) -> list[Part]:
    parts: list[Part] = []
    if column["cut_offs"]:
        parts.append(_approval(compared, column, place, title))
    if compared["source"]["outcomes"]:
        parts.append(_outcomes(compared, column, place))
    return parts


def _approval(compared: Document, column: Document, place: int, title: str) -> Block:
    rows = [
        (
            cut["new"]["score"], name_of(cut["at"]), _name(after, cut["new"]["reference"]),
            after["n"], before["approval_rate"], before["impact_ratio"], after["approval_rate"],
            after["approval_interval"], after["impact_ratio"], after["impact_interval"],
            after["p_value"],
        )
        for cut in column["cut_offs"]
        for before, after in zip(cut["old"]["groups"], cut["new"]["groups"], strict=True)
    ]  # fmt: skip
    old, new = compared["old"], compared["new"]
    columns = (
        Column("From score", numbers.points), Column("Band"), Column("Group"),
        Column("Parties", numbers.count), Column(f"{old} approved", numbers.rate),
        Column(f"{old} ratio", numbers.weight), Column(f"{new} approved", numbers.rate),
        Column("95 % interval", rate_interval), Column(f"{new} ratio", numbers.weight),
        Column("95 % interval ", ratio_interval), Column("p", numbers.p_value),
    )  # fmt: skip
    headline = [
        row
        for row in rows
        if column["headline"] is None or row[1] == name_of(column["headline"])
    ]  # fmt: skip
    rows_of = compared["source"]["rows"]
    source = f"Rows: {rows_of}. The workbook has the other cut-offs."
    return Block(
        with_minus(title), table(columns, headline), f"Groups {place + 1} approval",
        source, raw=table(columns, rows),
    )  # fmt: skip


def _outcomes(compared: Document, column: Document, place: int) -> Block:
    rows = [
        (
            _name(one), one["n_labelled"], one["n_bad"], one["bad_rate"], one["bad_rate_interval"],
            *(
                (one[side] or {}).get(key)
                for side in ("old", "new")
                for key in ("auc_roc", "expected", "expected_to_observed")
            ),
        )
        for one in column["groups"]
    ]  # fmt: skip
    columns = [
        Column("Group"), Column("Labelled", numbers.count), Column("Bad", numbers.count),
        Column("Bad rate", numbers.rate), Column("95 % interval", rate_interval),
    ]  # fmt: skip
    for name in (compared["old"], compared["new"]):
        columns += [
            Column(f"AUC {name}", numbers.auc), Column("expected", numbers.rate),
            Column("over observed", numbers.weight),
        ]  # fmt: skip
    title = f"Ranking and calibration by {column['column']}"
    source = f"On {compared['source']['outcomes']}. No AUC where fewer than ten are bad or good."
    return Block(title, table(columns, rows), f"Groups {place + 1} outcomes", source)


def _limits(compared: Document) -> list[Part]:
    return [Listing(tuple(compared["limits"]))] if compared["limits"] else []


def _name(group: Document, reference: str | None = None) -> str:
    name = _MISSING if group["group"] is None else str(group["group"])
    if reference is not None and group["group"] == reference:
        return f"{name} (reference)"
    return name if group.get("is_judged", True) else f"{name} (not judged)"
