"""A batch file as the snapshot that scoring, labels and training read."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from app.domain.intake import describe_faults, one_chunk, text_column
from app.domain.intake_columns import number_column, plain_column
from app.domain.intake_dates import DateRule
from app.domain.intake_safety import unsafe_name_problem, unsafe_text_faults
from app.domain.scorecard import Scorecard
from app.domain.types import Bools
from app.lake.intake import SourceFile
from app.lake.intake_csv import ragged_faults
from app.lake.intake_roles import instants_or_constant, party_column

OWN_COLUMNS = ("party_id", "scored_at")


@dataclass(frozen=True, slots=True)
class BatchRequest:
    """What the user said about a batch file.

    Parameters
    ----------
    party_id : str
        Column of the ids, or ``@row``.
    scored_at : str
        Column of the score dates, or one date.
    rule : DateRule
        Form and range of the dates.
    allow_missing_features : bool
        Whether the file may lack features to which the card gives a ``missing`` goodness.
    """

    party_id: str
    scored_at: str
    rule: DateRule
    allow_missing_features: bool = False


@dataclass(frozen=True, slots=True)
class BatchSnapshot:
    """The sound rows of a batch file, in the order of the store.

    Parameters
    ----------
    table : pyarrow.Table
        ``party_id``, ``scored_at``, then every other column of the file; rows by
        (scored_at, party_id).
    missing_features : tuple of str
        Features of the card that the file lacks, stored as nulls.
    n_rejected : int
        Rows left out.
    """

    table: pa.Table
    missing_features: tuple[str, ...]
    n_rejected: int


def read_batch(
    source: SourceFile, request: BatchRequest, card: Scorecard, *, skip_bad_rows: bool = False
) -> BatchSnapshot:
    """Read a batch file, or raise every fault of it at once.

    Parameters
    ----------
    source : SourceFile
        The file.
    request : BatchRequest
        What the user said about it.
    card : Scorecard
        The active card; it says which columns are numbers and which are categories.
    skip_bad_rows : bool, default False
        Leave out rows at fault instead of refusing the file.

    Returns
    -------
    BatchSnapshot
        Ready to be written.

    Raises
    ------
    IntakeError
        If the file is at fault, or no row is sound.
    """
    if not source.is_readable:
        source.raise_faults()
    ids = party_column(source, request.party_id, unique=True)
    scored_at = instants_or_constant(source, request.scored_at, "--scored-at", request.rule)
    _check_names(source, request, card)
    missing = _missing_features(source, card, allowed=request.allow_missing_features)
    named = dict(zip(OWN_COLUMNS, (ids, scored_at), strict=True))
    for name in source.columns:
        if name not in (request.party_id, request.scored_at, *OWN_COLUMNS):
            named[name] = _typed_column(source, name, card)
    for name in missing:
        kind = pa.string() if _is_category(card, name) else pa.float64()
        named[name] = pa.nulls(source.table.num_rows, kind)
    source.raise_faults(rows_may_be_bad=skip_bad_rows)
    return _snapshot(source, pa.table(named), missing)


def _snapshot(source: SourceFile, table: pa.Table, missing: tuple[str, ...]) -> BatchSnapshot:
    bad = bad_rows(source)
    n_ragged = source.csv.n_ragged if source.csv else 0
    if bad.all():
        source.raise_faults()
    sound = table.filter(pa.array(~bad)) if bad.any() else table
    order = pc.sort_indices(sound, [("scored_at", "ascending"), ("party_id", "ascending")])
    return BatchSnapshot(sound.take(order).combine_chunks(), missing, int(bad.sum()) + n_ragged)


def bad_rows(source: SourceFile) -> Bools:
    """Mark the rows of the table that are at fault.

    Parameters
    ----------
    source : SourceFile
        With all its faults noted.

    Returns
    -------
    ndarray of bool, shape (n,)
        True for a row at fault; rows of the wrong width are not in the table.
    """
    bad = np.zeros(source.table.num_rows, dtype=np.bool_)
    for group in source.row_faults:
        bad[group.rows] = True
    bad[source.misread_rows()] = True
    return bad


def _check_names(source: SourceFile, request: BatchRequest, card: Scorecard) -> None:
    for column in source.columns:
        if (problem := unsafe_name_problem(column)) is not None:
            source.add_fault(problem, column.replace("\0", "?"))
    roles = {request.party_id: "--party-id", request.scored_at: "--scored-at"}
    for column, role in roles.items():
        if column in card.features:
            source.add_fault(f"is a feature of the card and cannot also be {role}", column)
    for own, given in zip(OWN_COLUMNS, (request.party_id, request.scored_at), strict=True):
        if own in source.columns and given != own:
            source.add_fault(
                f"the snapshot needs this name for {given!r}: rename the column, or give it", own
            )


def _missing_features(source: SourceFile, card: Scorecard, *, allowed: bool) -> tuple[str, ...]:
    missing = tuple(name for name in card.features if name not in source.columns)
    for name in missing:
        lacks = "the file lacks this feature of the card"
        if "missing" not in card.features[name].model_fields_set:
            source.add_fault(f"{lacks}{source.describe_columns(name)}", name)
        elif not allowed:
            score_it = "--allow-missing-features scores it as missing"
            source.add_fault(f"{lacks}: {score_it}{source.describe_columns(name)}", name)
    return missing


def _is_category(card: Scorecard, name: str) -> bool:
    return card.features[name].transform.kind == "categories"


def _typed_column(source: SourceFile, name: str, card: Scorecard) -> pa.Array:
    column = source.table[name]
    if name not in card.features:
        return _safe(source, name, plain_column(column) if source.is_text else _plain(column))
    if _is_category(card, name):
        return _safe(source, name, text_column(column))
    values, faults = number_column(column, name)
    source.row_faults.extend(faults)
    return values


def _safe(source: SourceFile, name: str, values: pa.Array) -> pa.Array:
    if pa.types.is_string(values.type):
        source.row_faults.extend(unsafe_text_faults(one_chunk(values), name))
    return values


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray | pa.Array:
    kind = column.type
    if pa.types.is_dictionary(kind):
        column = column.cast(kind.value_type)
        kind = column.type
    if pa.types.is_floating(kind):
        return pc.if_else(pc.is_nan(column), pa.scalar(None, kind), column)
    is_text = pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
    return column.cast(pa.string()) if is_text else column


def write_rejects(source: SourceFile, path: Path) -> None:
    """Write the rows at fault, each with its line and reasons, as a CSV file.

    Parameters
    ----------
    source : SourceFile
        With all its faults noted.
    path : Path
        Overwritten; rows of the wrong width are written with the cells they have.
    """
    places = np.flatnonzero(bad_rows(source)).astype(np.int64)
    reasons: dict[int, list[str]] = {}
    for fault in describe_faults(source.row_faults, source.lines_of, limit=None):
        where = f"{fault['column']}: " if fault["column"] else ""
        reasons.setdefault(fault["row"], []).append(f"{where}{fault['problem']}")
    for line in source.lines_of(source.misread_rows()).tolist():
        reasons.setdefault(line, []).append("the row holds bytes that are not UTF-8")
    cells = [text_column(source.table[name].take(pa.array(places))) for name in source.columns]
    columns = [column.to_pylist() for column in cells]
    lines = source.lines_of(places).tolist()
    written: list[Any] = [
        [line, "; ".join(reasons[line]), *(column[at] for column in columns)]
        for at, line in enumerate(lines)
    ]
    if source.csv is not None and source.csv.n_ragged:
        layout = source.layout
        written += [
            [line, fault["problem"], *values]
            for fault, (line, values) in zip(ragged_faults(layout), layout.ragged, strict=True)
        ]
    in_order = sorted(written, key=itemgetter(0))
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["line", "reasons", *source.columns])
        writer.writerows(in_order)
