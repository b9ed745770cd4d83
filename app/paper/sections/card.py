"""The card itself, and what changes in it."""

from __future__ import annotations

from app.charts.reviewed import review_drawings
from app.charts.tables import Column, table
from app.domain.types import Document
from app.edge import numbers
from app.findings.card_tables import band_lines, feature_lines
from app.findings.tables import evidence_tables
from app.findings.texts import figure_texts
from app.findings.words import name_of
from app.paper.parts import Block, Figure, Heading, Part, Section, said, section
from app.paper.writers import step

_PRINTED = 4
"""Every fourth of the path's twentieths is printed."""


def card(found: Document) -> Section:
    """Show the card, what changes against its baseline, and how far the draft goes.

    Parameters
    ----------
    found : dict
        The record.

    Returns
    -------
    Section
        The card alone where there is nothing to set it against.
    """
    title = "The card" if found["review"] is None else "The card and what changes"
    return section(
        title,
        _weights(found),
        _path(found),
        Heading(f"The whole card of {found['version']['version']}"),
        _features(found),
        _bands(found),
        _odds(found),
    )


def figure(found: Document, name: str, sheet: str, *, is_small: bool = False) -> Figure | None:
    """Take one figure of the review, where there is evidence for it.

    Parameters
    ----------
    found : dict
        The record.
    name : str
        Of :func:`app.charts.reviewed.review_drawings`.
    sheet : str
        Name of its sheet in the workbook.
    is_small : bool
        Whether half a page is enough.

    Returns
    -------
    Figure or None
        With its finding as title.
    """
    evidence = found["review"]
    if evidence is None:
        return None
    drawings = review_drawings(evidence)
    if name not in drawings:
        return None
    text = figure_texts(evidence)[name]
    return Figure(text.title, drawings[name], sheet, text.source, is_small=is_small)


def _weights(found: Document) -> list[Part]:
    if found["review"] is None:
        return [said("There is no earlier card to set it against.")]
    shown = figure(found, "weights", "Weights figure")
    return [*([] if shown is None else [shown]), weights_block(found)]


def weights_block(found: Document) -> Block:
    """Set old and new weights side by side; of the first version, the whole card.

    Parameters
    ----------
    found : dict
        The record.

    Returns
    -------
    Block
        The largest change first.
    """
    evidence = found["review"]
    if evidence is None:
        return _features(found)
    old, new = (evidence[side]["version"] for side in ("old", "new"))
    rows = [
        (
            one["name"], one["old_weight"], one["new_weight"], one["change"], one["old_points"],
            one["new_points"], name_of(one["binding"] or "nothing"),
        )
        for one in evidence_tables(evidence)["weights"]
    ]  # fmt: skip
    columns = [
        Column("Feature"), Column(f"Weight {old}", numbers.weight), Column(new, numbers.weight),
        Column("Change of share", numbers.change), Column(f"Points {old}", numbers.points),
        Column(f"Points {new}", numbers.points),
    ]  # fmt: skip
    source = "Points: what a feature adds to a score at best."
    if evidence["path"]:
        columns.append(Column("Stopped by"))
        source += " Stopped by: which limit held it."
    return Block(
        "Weights, the largest change first",
        table(columns, [row[: len(columns)] for row in rows]),
        "Weights",
        source,
    )


def _path(found: Document) -> list[Part]:
    shown = figure(found, "path", "Path figure")
    if shown is None:
        return []
    path = found["review"]["path"]
    steps = [
        (
            one["t"], one["auc_roc"], one["weight_change"], one["band_stability"],
            one["score_correlation"], name_of(", ".join(one["failed"])) or "none",
        )
        for one in path["steps"]
    ]  # fmt: skip
    columns = (
        Column("Step t", step), Column("AUC", numbers.auc),
        Column("Largest weight change", numbers.rate), Column("Band shift", numbers.rate),
        Column("Score correlation", numbers.auc), Column("Gates not passed"),
    )  # fmt: skip
    rows = [row for row in steps if row[0] == path["t"] or round(20 * row[0]) % _PRINTED == 0]
    title = f"Steps of the path; the draft is t = {path['t']:.2f}"
    source = "The workbook holds every twentieth step."
    block = Block(title, table(columns, rows), "Path", source, raw=table(columns, steps))
    return [Heading("How far the draft goes"), shown, block]


def _features(found: Document) -> Block:
    rows = [
        (
            one["name"], one["weight"], one["share"], one["points"], one["transform"],
            one["missing"], one["reason"] or numbers.NONE,
        )
        for one in feature_lines(found["version"]["content"])
    ]  # fmt: skip
    columns = (
        Column("Feature"), Column("Weight", numbers.weight), Column("Share", numbers.rate),
        Column("Points", numbers.points), Column("From raw value to goodness"),
        Column("If missing", numbers.weight), Column("Said where it costs points"),
    )  # fmt: skip
    return Block("Features", table(columns, rows), "Card")


def _bands(found: Document) -> Block:
    rows = [
        (name_of(name), low, high)
        for name, low, high in reversed(band_lines(found["version"]["content"]))
    ]
    columns = (
        Column("Band"), Column("From score", numbers.points), Column("to", numbers.points)
    )  # fmt: skip
    return Block("Bands", table(columns, rows), "Bands")


def _odds(found: Document) -> list[Part]:
    odds = found["odds"]["odds"]
    if odds is None:
        return [said(found["odds"]["why_no_odds"])]
    rows = [
        (one["score"], name_of(one["band"]), one["odds"], one["default_rate"])
        for one in odds["scores"]
    ]
    columns = (
        Column("Score", numbers.points), Column("Band"), Column("Odds good to bad", numbers.tenths),
        Column("Default rate", numbers.rate),
    )  # fmt: skip
    printed = [row for place, row in enumerate(rows) if place % 2 == 0]
    double = numbers.tenths(odds["points_to_double_odds"])
    title = f"{double} points double the odds of good to bad"
    source = f"{odds['fitted_on']} The workbook has twice as many scores."
    raw = table(columns, rows)
    return [Block(title, table(columns, printed), "Score to odds", source, raw=raw)]
