"""Who is affected: whose score moves, by how much, and what became of them."""

from __future__ import annotations

from app.charts.tables import Column, table
from app.domain.types import Document
from app.edge import numbers
from app.findings import movement
from app.findings.tables import evidence_tables
from app.findings.texts import source_line
from app.findings.words import name_of, with_minus
from app.paper.parts import Block, Heading, Part, Section, said, section
from app.paper.sections.card import figure
from app.paper.sections.validation import lacking
from app.paper.writers import as_written, rate_interval, whole_change

_SWAPPED = ("newly_approved", "newly_declined")


def affected(found: Document) -> Section:
    """Show who would score differently, and what became of those who have an outcome.

    Parameters
    ----------
    found : dict
        The record.

    Returns
    -------
    Section
        Without the names of parties.
    """
    evidence = found["review"]
    if evidence is None:
        text = "The first version changes nobody's score: there was none before."
        return section("Who is affected", said(text))
    return section(
        "Who is affected",
        lacking(evidence, "score correlation") or lacking(evidence, "moves of scores"),
        figure(found, "shift", "Shift figure"),
        figure(found, "band_shares", "Band shares figure"),
        figure(found, "migration", "Migration figure"),
        _swaps(evidence),
        _movers(evidence),
    )


def bands_block(evidence: Document) -> Block | None:
    """Set the shares of the bands before and after side by side.

    Parameters
    ----------
    evidence : dict
        The review's evidence.

    Returns
    -------
    Block or None
        None where no batch was scored under both cards.
    """
    if not evidence["movement"]:
        return None
    shares = evidence["movement"]["band_shares"]
    old, new = (evidence[side]["version"] for side in ("old", "new"))
    rows = []
    for band in reversed(list({**shares["old"], **shares["new"]})):
        before, after = (shares[side].get(band) for side in ("old", "new"))
        change = None if before is None or after is None else after - before
        rows.append((name_of(band), before, after, change))
    columns = (
        Column("Band"), Column(old, numbers.rate), Column(new, numbers.rate),
        Column("Change, percentage points", numbers.percentage_points),
    )  # fmt: skip
    title = movement.of_bands(shares)
    return Block(
        title, table(columns, rows), "Band shares", source_line(evidence["movement"]["source"])
    )


def _swaps(evidence: Document) -> list[Part]:
    swaps = evidence["swap_sets"]
    if not swaps:
        return lacking(evidence, "swap sets")
    rows = []
    for one in swaps["tables"]:
        cells = [
            (one[group]["n"], one[group]["bad_rate"], one[group]["bad_rate_interval"])
            for group in _SWAPPED
        ]
        score = str(one["new_bound"])
        if one["old_bound"] != one["new_bound"]:
            score += f" (was {one['old_bound']})"
        both = one["approved_by_both"]
        rows.append(
            (name_of(one["at"]), score, *(part for cell in cells for part in cell),
             both["n"], both["bad_rate"])
        )  # fmt: skip
    titles = ("Newly approved", "Newly declined")
    columns = [Column("Approve from"), Column("Score", as_written)]
    for title in titles:
        columns += [
            Column(title, numbers.count), Column("bad", numbers.rate),
            Column("interval", rate_interval),
        ]  # fmt: skip
    columns += [Column("Approved by both", numbers.count), Column("bad", numbers.rate)]
    source = (
        f"{source_line(swaps['source'])} Only parties with a known outcome. Intervals 95 %, Wilson."
    )
    title = with_minus(movement.of_swaps(swaps["tables"]))
    return [
        Heading("Whom the two cards would treat differently"),
        Block(title, table(columns, rows), "Swap sets", source),
    ]


def _movers(evidence: Document) -> Block | None:
    movers = evidence_tables(evidence)["movers"]
    if not movers:
        return None
    rows = [
        (
            place, one["scored_on"], one["outcome"] or "not labelled", one["old"]["score"],
            one["new"]["score"], one["change"],
            "; ".join(
                f"{line['name']} {numbers.points(line['old'])} → {numbers.points(line['new'])}"
                for line in one["causes"]
            ),
        )
        for place, one in enumerate(movers, 1)
    ]  # fmt: skip
    columns = (
        Column("No.", numbers.count), Column("Scored"), Column("Outcome"),
        Column("Before", numbers.points), Column("After", numbers.points),
        Column("Change, points", whole_change), Column("Most of it from (points)"),
    )  # fmt: skip
    least = min(abs(one["change"]) for one in movers)
    title = f"The largest moves: {len(movers)} scores move by {numbers.count(least)} points or more"
    if len(movers) == 1:
        title = f"The largest move: one score moves by {numbers.count(least)} points"
    source = "Final cards. Parties are not named on paper; the review page of the desk names them."
    return Block(title, table(columns, rows), "Largest moves", source)
