"""Hashes and sources: how anybody can find again what every number came from."""

from __future__ import annotations

from app.charts.tables import Column, as_code, table
from app.domain.types import Document
from app.edge import numbers
from app.paper.parts import Block, Section, said, section


def sources(found: Document, command: str) -> Section:
    """List files, label sets, hashes, seed and libraries.

    Parameters
    ----------
    found : dict
        The record.
    command : str
        What to type to write the same bytes again.

    Returns
    -------
    Section
        Every hash in full.
    """
    return section(
        "Hashes and sources",
        said(
            f"Written by “{command}” from the record as of {numbers.moment(found['as_of'])}, the "
            "newest entry about this version. No clock and no chance takes part: the same record "
            "gives the same bytes. “chancellor replay” computes the version again from its files."
        ),
        _hashes(found),
        _files(found["lineage"]["files"]),
        _libraries(found["model"]),
    )


def _hashes(found: Document) -> Block:
    lineage, version = found["lineage"], found["version"]
    rows = [
        (f"{version['version']}: content", version["content_hash"]),
        (f"{version['version']}: evidence", version["evidence_hash"]),
        (f"{version['version']}: review, which an approval binds", version["review_hash"]),
    ]
    for what, part in (("baseline", lineage["baseline"]), ("expert card", lineage["expert"])):
        if part and part["version"] != version["version"]:
            rows.append((f"{part['version']}, the {what}: content", part["content_hash"]))
    rows += [(f"Evidence: {kind}", one) for kind, one in lineage["evidence"].items()]
    if lineage["model"]:
        model = lineage["model"]
        rows += [
            (f"{model['model_id']}: content", model["content_hash"]),
            (f"{model['model_id']}: inputs", model["input_hash"]),
        ]
    rows.append((f"Policy no. {found['policy']['policy_id']}", found["policy"]["content_hash"]))
    for one in lineage["label_sets"]:
        name = f"Label set {one['batch_id']} no. {one['number']}"
        rows.append((f"{name}: content", one["content_hash"]))
        if one["definition_hash"]:
            rows.append((f"{name}: definition", one["definition_hash"]))
    columns = (Column("Of"), Column("SHA-256", as_code))
    return Block("Hashes in full", table(columns, rows), "Hashes")


def _files(files: list[Document]) -> Block | None:
    if not files:
        return None
    rows = [
        (
            one["what"] + (", withdrawn" if one["is_withdrawn"] else ""), one["n_rows"],
            one["source_name"] or numbers.NONE, one["source_hash"], one["file_hash"],
            one["file_path"], numbers.day(one["created_at"]), one["created_by"],
        )
        for one in files
    ]  # fmt: skip
    columns = (
        Column("What"), Column("Rows", numbers.count), Column("Came as"),
        Column("SHA-256 as it came", as_code), Column("SHA-256 as it is kept", as_code),
        Column("Kept at", as_code), Column("Brought in"), Column("by"),
    )  # fmt: skip
    shown = table(
        columns[:5], [(*row[:3], *(numbers.short_hash(one) for one in row[3:5])) for row in rows]
    )
    source = "Hashes by their first twelve digits; the workbook has them in full, with the paths."
    return Block("Files", shown, "Files", source, raw=table(columns, rows))


def _libraries(model: Document | None) -> Block | None:
    if model is None:
        return None
    rows = [("seed", str(model["seed"])), *model["library_versions"].items()]
    columns = (Column("Of the training"), Column("Version", as_code))
    return Block("Seed and libraries", table(columns, rows), "Libraries")
