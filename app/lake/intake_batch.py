"""A batch file as the snapshot that scoring, labels and training read."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from app.domain.groups import MOST_VALUES
from app.domain.intake import one_chunk, text_column
from app.domain.intake_columns import number_column, plain_column
from app.domain.intake_dates import DateRule
from app.domain.intake_safety import unsafe_name_problem, unsafe_text_faults
from app.domain.scorecard import Scorecard
from app.lake.intake import SourceFile
from app.lake.intake_rejects import sound_rows
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
    groups : tuple of str
        Columns to keep as groups, in their text form.
    """

    party_id: str
    scored_at: str
    rule: DateRule
    allow_missing_features: bool = False
    groups: tuple[str, ...] = ()


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
            is_group = name in request.groups
            named[name] = _group(source, name) if is_group else _typed_column(source, name, card)
    for name in missing:
        kind = pa.string() if _is_category(card, name) else pa.float64()
        named[name] = pa.nulls(source.table.num_rows, kind)
    source.raise_faults(rows_may_be_bad=skip_bad_rows)
    return _snapshot(source, pa.table(named), missing)


def _snapshot(source: SourceFile, table: pa.Table, missing: tuple[str, ...]) -> BatchSnapshot:
    sound, n_rejected = sound_rows(source, table)
    order = pc.sort_indices(sound, [("scored_at", "ascending"), ("party_id", "ascending")])
    return BatchSnapshot(sound.take(order).combine_chunks(), missing, n_rejected)


def _check_names(source: SourceFile, request: BatchRequest, card: Scorecard) -> None:
    for column in source.columns:
        if (problem := unsafe_name_problem(column)) is not None:
            source.add_fault(problem, column.replace("\0", "?"))
    roles = {request.party_id: "--party-id", request.scored_at: "--scored-at"}
    for column, role in roles.items():
        if column in card.features:
            source.add_fault(f"is a feature of the card and cannot also be {role}", column)
    _check_groups(source, request.groups, {**dict.fromkeys(card.features, "a feature"), **roles})
    for own, given in zip(OWN_COLUMNS, (request.party_id, request.scored_at), strict=True):
        if own in source.columns and given != own:
            source.add_fault(
                f"the snapshot needs this name for {given!r}: rename the column, or give it", own
            )


def _check_groups(source: SourceFile, groups: tuple[str, ...], taken: dict[str, str]) -> None:
    for column in groups:
        if source.require_column(column, "--group") and column in taken:
            source.add_fault(f"is {taken[column]} and cannot also be --group", column)


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


def _group(source: SourceFile, name: str) -> pa.Array:
    """Read a column as groups; one with very many values is none."""
    values = text_column(source.table[name])
    n_values = len(pc.unique(values.drop_null()))
    if n_values > MOST_VALUES:
        source.add_fault(
            f"has {n_values:,} different values; a --group has at most {MOST_VALUES}: put them "
            "into ranges first",
            name,
        )
    return _safe(source, name, values)


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
