"""Whether bands and scores stay where they were, and whether dates matter."""

from __future__ import annotations

from app.charts.tables import Column, table
from app.domain.counted import counted
from app.domain.types import Document
from app.edge import numbers
from app.findings.words import with_minus
from app.paper.parts import Block, Formula, Heading, Part, Section, said, section
from app.paper.sections.monitoring import monitoring_parts
from app.paper.sections.validation import lacking
from app.paper.writers import as_written

_SHIFT = "pₖ is the share of parties in band k: the net share that changes band."
_PSI = (
    "Over bins frozen on the old scores, half a count added to each. Here the same parties stand "
    "under two cards: the index says how far scores move, not whether the population drifts."
)


def stability(found: Document) -> Section:
    """Show how far scores and bands move, and what is known over time.

    Parameters
    ----------
    found : dict
        The record.

    Returns
    -------
    Section
        Says what there is not.
    """
    evidence = found["review"]
    if evidence is None or evidence["movement"] is None:
        why = [] if evidence is None else lacking(evidence, "score correlation")
        text = "There is no earlier card on the same batch to set the scores against."
        return section("Stability", why or said(text), _over_time(found), monitoring_parts(found))
    return section(
        "Stability",
        _movement(evidence),
        Formula("band_shift", _SHIFT),
        Formula("psi", _PSI),
        _over_time(found),
        monitoring_parts(found),
    )


def _movement(evidence: Document) -> Block:
    moved = evidence["movement"]
    raw = [
        ("Correlation of old and new scores", moved["score_correlation"]),
        ("Band shift", moved["band_shift"]),
        ("Population stability index of the score", moved["psi"]),
        ("Mean score before", moved["mean_score"]["old"]),
        ("Mean score after", moved["mean_score"]["new"]),
        ("Scores that change band", moved["n_changed_band"]),
    ]
    writers = (
        numbers.auc, numbers.rate, numbers.auc, numbers.tenths, numbers.tenths, numbers.count,
    )  # fmt: skip
    rows = [
        (name, with_minus(write(value))) for (name, value), write in zip(raw, writers, strict=True)
    ]
    columns = (Column("Figure"), Column("Value", as_written))
    return Block(
        f"How scores move on {counted(moved['n_rows'], 'row')}",
        table(columns, rows), "Movement",
        f"Cards: {moved['source']['cards']}. Rows: {moved['source']['rows']}.",
        raw=table((Column("Figure"), Column("Value", numbers.auc)), raw),
    )  # fmt: skip


def _over_time(found: Document) -> list[Part]:
    if found["model"] is None:
        return []
    drift = found["model"]["validation"]["drift"]
    parts: list[Part] = [Heading("Over time"), said(drift["sentence"])]
    if len(drift["periods"]) > 1:
        parts.append(_drift_periods(drift))
    elif drift["periods"]:
        parts.append(
            said(
                "All labelled rows were scored in one period: whether card and gain last is not "
                "shown by anything here."
            )
        )
    return parts


def _drift_periods(drift: Document) -> Block:
    rows = [
        (
            one["period"], one["n"], one["n_bad"], one["bad_rate"], one["auc_baseline"],
            one["auc_baseline_interval"], one["auc_refined"], one["auc_refined_interval"],
        )
        for one in drift["periods"]
    ]  # fmt: skip
    columns = (
        Column("Scored"), Column("Parties", numbers.count), Column("Bad", numbers.count),
        Column("Default rate", numbers.rate), Column("AUC baseline", numbers.auc),
        Column("95 % interval", numbers.interval), Column("AUC refined", numbers.auc),
        Column("95 % interval ", numbers.interval),
    )  # fmt: skip
    source = "The baseline on all labelled rows; the refined card on rows that it never saw."
    title = f"Default rate and ranking over {counted(len(rows), 'period')}"
    return Block(title, table(columns, rows), "Over time", source)
