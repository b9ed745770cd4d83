"""Which data the version rests on, and what counts as bad."""

from __future__ import annotations

from app.charts.catalogue import Drawing
from app.charts.tables import Column, table
from app.domain.counted import counted
from app.domain.leakage import MAX_ROWS
from app.domain.outcomes import FINAL_FLAG
from app.domain.types import Document
from app.edge import numbers
from app.edge.definition_words import rules_words
from app.findings import review
from app.paper.parts import Block, Figure, Heading, Listing, Part, Section, said, section

_EXPOSED = "A list of exposures was given: only parties that were granted credit are labelled."
_NOT_EXPOSED = (
    "No exposure list was given: a party without a default counts as good, whether it was granted "
    "credit or not."
)
_STATUSES = ("good", "bad", "indeterminate", "excluded", "immature")


def data(found: Document) -> Section:
    """Describe batches, outcomes and labels, and what they leave open.

    Parameters
    ----------
    found : dict
        The record.

    Returns
    -------
    Section
        Says so where there are none.
    """
    if not found["batches"]:
        return section(
            "Data and definitions",
            said(
                "The record ties no batch and no outcome to the making of this version: its "
                "weights are a person's judgement."
            ),
            said(
                "Later models were judged against it; the section on validation says on whom."
                if found["judged_as_baseline"]
                else "Nothing here shows how it ranks."
            ),
        )
    return section(
        "Data and definitions",
        said(f"{review.of_lineage(found['lineage'])}."),
        _batches(found),
        Heading("What counts as bad"),
        definition_sentences(found),
        labels_block(found),
        _label_bar(found),
        _warnings(found),
        _leaks(found),
    )


def _batches(found: Document) -> Block:
    rows = [
        (
            one["batch_id"], one["n_rows"], one["scored_from"], one["scored_to"],
            len(one["columns"]), one["source_name"],
            f"{numbers.day(one['created_at'])}, {one['created_by']}",
            f"withdrawn: {one['withdrawn']['reason']}" if one["withdrawn"] else "in use",
        )
        for one in found["batches"]
    ]  # fmt: skip
    columns = (
        Column("Batch"), Column("Rows", numbers.count), Column("Scored from"), Column("to"),
        Column("Columns", numbers.count), Column("Came as"), Column("Brought in"), Column("State"),
    )  # fmt: skip
    return Block("Batches", table(columns, rows), "Batches")


def definition_sentences(found: Document) -> list[Part]:
    """Say what counts as bad, over which window, and among whom.

    Parameters
    ----------
    found : dict
        The record.

    Returns
    -------
    list of Part
        One paragraph per definition, and one about exposures.
    """
    sets = found["label_sets"]
    if not sets:
        return [said("No label set is tied to this version: no outcome was held against it.")]
    parts: list[Part] = []
    known: set[tuple[str, int | None]] = set()
    for one in sets:
        key = (one["outcome_type"], one["observation_window_days"])
        if key not in known:
            known.add(key)
            parts.append(said(_definition_words(one)))
    dated = [one for one in sets if one["outcome_type"] != FINAL_FLAG]
    if len(dated) < len(sets):
        parts.append(said("A party without a flag has no label."))
    if dated:
        exposed = all(one["has_exposures"] for one in dated)
        parts.append(said(_EXPOSED if exposed else _NOT_EXPOSED))
    return parts


def _definition_words(one: Document) -> str:
    if one["definition"] is None:
        return (
            "The outcome is a final flag, good or bad, as it was delivered: without event dates "
            "and without an observation window. What the flag means is not on record."
        )
    definition = one["definition"]
    content = definition["content"]
    return (
        f"Outcome “{one['outcome_type']}”, definition {definition['version']}: bad is "
        f"{rules_words(content['bad'])}; indeterminate is "
        f"{rules_words(content.get('indeterminate') or ())}. Events count in the "
        f"{one['observation_window_days']} days after scoring; a party whose days are not complete "
        f"in the data (through {numbers.day(one['data_through'])}) is immature and not used; one "
        "that was bad already when it was scored is excluded."
    )


def labels_block(found: Document) -> Block | None:
    """Count the parties of each label set by status.

    Parameters
    ----------
    found : dict
        The record.

    Returns
    -------
    Block or None
        None where there is no label set.
    """
    if not found["label_sets"]:
        return None
    rows = [
        (
            f"{one['batch_id']} no. {one['label_set_number']}", one["n_parties"],
            *(one[f"n_{status}"] for status in _STATUSES),
            one["default_rate"], one["data_through"] or numbers.NONE,
        )
        for one in found["label_sets"]
    ]  # fmt: skip
    counts = [Column(status.capitalize(), numbers.count) for status in _STATUSES]
    columns = (
        Column("Label set"), Column("Parties", numbers.count), *counts,
        Column("Default rate", numbers.rate), Column("Data through"),
    )  # fmt: skip
    source = "Default rate: bad over good and bad."
    return Block("Labels by status", table(columns, rows), "Labels", source)


def _label_bar(found: Document) -> Figure | None:
    sets = found["label_sets"]
    total = {status: sum(one[f"n_{status}"] for one in sets) for status in _STATUSES}
    n_all = sum(total.values())
    n_labelled = total["good"] + total["bad"]
    if not n_all or n_labelled == n_all:
        return None
    title = (
        f"{numbers.count(n_labelled)} of {counted(n_all, 'party')} have an outcome to learn from, "
        f"{numbers.rate(total['bad'] / n_labelled if n_labelled else None)} of them bad"
    )
    source = f"Label sets: {', '.join(str(one['label_set_id']) for one in sets)}."
    return Figure(title, Drawing("label_bar", total), "Labels figure", source)


def _warnings(found: Document) -> list[Part]:
    told = [text for one in found["label_sets"] for text in one["warnings"]]
    told += [
        f"{one['batch_id']} lacks features of the card then active: "
        f"{', '.join(one['missing_features'])}."
        for one in found["batches"]
        if one["missing_features"]
    ]
    unique = tuple(dict.fromkeys(told))
    return [Heading("Warnings kept with the data"), Listing(unique)] if unique else []


def _leaks(found: Document) -> list[Part]:
    if found["model"] is None:
        return []
    validation = found["model"]["validation"]
    signs, screen = validation["leakage"], validation.get("screens", {}).get("leakage")
    looked_at = ""
    if screen or validation["n_rows"] <= MAX_ROWS:  # else how many is not on record
        n_rows = screen["n_rows"] if screen else validation["n_rows"]
        looked_at = f"; {n_rows:,} rows were looked at"
    if not signs:
        clear = "No column of the batches showed a sign of knowing the outcome in advance"
        return [said(f"{clear}{looked_at}.")]
    rows = [
        (one["feature"], "on the card" if one["is_on_card"] else "beside the card", one["sentence"])
        for one in signs
    ]
    columns = (Column("Column"), Column("Where"), Column("Sign"))
    title = f"{counted(len(signs), 'sign')} that a column may know the outcome"
    source = f"A warning, never a gate{looked_at}. Columns beside the card were not trained on."
    return [Block(title, table(columns, rows), "Leak signs", source)]
