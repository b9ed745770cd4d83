"""Files of outcomes, final flags and exposures as tables of the store."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from app.domain.intake import RowFaults, as_text, text_column
from app.domain.intake_columns import mask, number_column, row_faults
from app.domain.intake_dates import DateRule, instant_column
from app.domain.outcomes import EVENT_TYPES
from app.domain.types import Bools
from app.lake.intake import SourceFile
from app.lake.intake_rejects import sound_rows
from app.lake.intake_roles import known_word, party_column

_PAST_DUE = "days_past_due"


@dataclass(frozen=True, slots=True)
class EventRequest:
    """What the user said about an outcome file.

    Parameters
    ----------
    party_id : str
        Column of the ids, or ``@row``.
    event_date : str
        Column of the dates; a blank one is no event.
    event_type : str
        Column of the types if the file has it, otherwise the type of all rows.
    days_past_due : str or None
        Column of the days past due.
    rule : DateRule
        Form and range of the dates.
    """

    party_id: str
    event_date: str
    event_type: str
    days_past_due: str | None
    rule: DateRule


@dataclass(frozen=True, slots=True)
class Events:
    """The events of an outcome file.

    Parameters
    ----------
    table : pyarrow.Table
        ``party_id``, ``event_date`` (date32), ``event_type``, ``days_past_due`` (float64), by
        (party_id, event_date, event_type, days_past_due).
    types : tuple of str
        The event types that the file speaks of, also where it holds no event of them; sorted.
    n_rows : int
        Sound rows of the file, those without an event included.
    n_rejected : int
        Rows left out.
    """

    table: pa.Table
    types: tuple[str, ...]
    n_rows: int
    n_rejected: int


def read_events(
    source: SourceFile, request: EventRequest, *, skip_bad_rows: bool = False
) -> Events:
    """Read an outcome file, or raise every fault of it at once.

    Parameters
    ----------
    source : SourceFile
        The file.
    request : EventRequest
        What the user said about it.
    skip_bad_rows : bool, default False
        Leave out rows at fault instead of refusing the file.

    Returns
    -------
    Events
        Ready to be written.

    Raises
    ------
    IntakeError
        If the file is at fault, or no row is sound.
    """
    if not source.is_readable:
        source.raise_faults()
    ids = party_column(source, request.party_id, unique=False)
    dates = _date_column(source, request.event_date, "--event-date", request.rule)
    dated = mask(pc.is_valid(dates))
    kinds = _event_types(source, request.event_type, dated)
    past_due = _past_due(source, request.days_past_due, kinds, dated)
    source.raise_faults(rows_may_be_bad=skip_bad_rows)
    read = pa.table(
        {"party_id": ids, "event_date": dates, "event_type": kinds, "days_past_due": past_due}
    )
    sound, n_rejected = sound_rows(source, read)
    types = sorted(set(pc.unique(sound["event_type"]).to_pylist()) & set(EVENT_TYPES))
    table = sound.filter(pc.is_valid(sound["event_date"]))
    order = pc.sort_indices(table, [(name, "ascending") for name in table.column_names])
    return Events(table.take(order).combine_chunks(), tuple(types), sound.num_rows, n_rejected)


def _date_column(source: SourceFile, column: str, role: str, rule: DateRule) -> pa.Array:
    if not source.require_column(column, role):
        return pa.nulls(source.table.num_rows, pa.date32())
    instants, faults = instant_column(source.table[column], column, rule)
    source.row_faults.extend(faults)
    return instants.cast(pa.date32(), safe=False)


def _event_types(source: SourceFile, given: str, dated: Bools) -> pa.Array:
    if given not in source.columns:
        word = known_word(source, given, "--event-type", EVENT_TYPES)
        return pa.repeat(pa.scalar(word, pa.string()), source.table.num_rows)
    kinds = pc.utf8_lower(text_column(source.table[given]))
    blank = dated & mask(pc.is_null(kinds))
    unknown = dated & ~blank & ~mask(pc.is_in(kinds, value_set=pa.array(EVENT_TYPES)))
    if blank.any():
        rows = np.flatnonzero(blank).astype(np.int64)
        source.row_faults.append(RowFaults(given, "the event has a date but no type", rows))
    if unknown.any():
        problem = f"'{{value}}' is not an event type: {', '.join(EVENT_TYPES)}"
        source.row_faults.append(row_faults(given, problem, unknown, kinds))
    return kinds


def _past_due(source: SourceFile, column: str | None, kinds: pa.Array, dated: Bools) -> pa.Array:
    needed = dated & mask(pc.equal(kinds, _PAST_DUE))
    if column is None:
        if needed.any():
            source.add_fault(f"holds {_PAST_DUE} events: name their column with --days-past-due")
        return pa.nulls(source.table.num_rows, pa.float64())
    if not source.require_column(column, "--days-past-due"):
        return pa.nulls(source.table.num_rows, pa.float64())
    days, faults = number_column(source.table[column], column)
    source.row_faults.extend(faults)
    unread = np.zeros(len(needed), dtype=np.bool_)
    for fault in faults:
        unread[fault.rows] = True
    blank = needed & mask(pc.is_null(days)) & ~unread
    negative = dated & mask(pc.less(days, 0.0))
    text = text_column(source.table[column])
    if blank.any():
        source.row_faults.append(row_faults(column, "the days past due are blank", blank, text))
    if negative.any():
        source.row_faults.append(row_faults(column, "'{value}' is negative", negative, text))
    return days


@dataclass(frozen=True, slots=True)
class Flags:
    """The final flags of a batch.

    Parameters
    ----------
    table : pyarrow.Table
        ``party_id`` and ``bad`` (bool), by party_id; parties with a blank flag are left out.
    counts : dict of str to int
        How often each value of the flag occurs, most frequent first.
    n_rows : int
        Sound rows of the file.
    n_rejected : int
        Rows left out.
    """

    table: pa.Table
    counts: dict[str, int]
    n_rows: int
    n_rejected: int


def read_flags(
    source: SourceFile, *, party_id: str, flag: str, bad: str, skip_bad_rows: bool = False
) -> Flags:
    """Read a file of final flags, or raise every fault of it at once.

    Parameters
    ----------
    source : SourceFile
        The file.
    party_id : str
        Column of the ids, or ``@row``.
    flag : str
        Column of the flags.
    bad : str
        The value that means bad; every other value means good, and a blank means unknown.
    skip_bad_rows : bool, default False
        Leave out rows at fault instead of refusing the file.

    Returns
    -------
    Flags
        Ready to be written.

    Raises
    ------
    IntakeError
        If the file is at fault, no row is sound, or no party has the bad value.
    """
    if not source.is_readable:
        source.raise_faults()
    ids = party_column(source, party_id, unique=True)
    if not source.require_column(flag, "--flag"):
        source.raise_faults()
    flags = text_column(source.table[flag])
    counts = _value_counts(flags)
    word = as_text(bad)
    if word not in counts:
        values = ", ".join(list(counts)[:10]) or "only blanks"
        source.add_fault(f"no party has the bad value {bad!r}; the column holds: {values}", flag)
    source.raise_faults(rows_may_be_bad=skip_bad_rows)
    sound, n_rejected = sound_rows(source, pa.table({"party_id": ids, "flag": flags}))
    table = pa.table({"party_id": sound["party_id"], "bad": pc.equal(sound["flag"], word)})
    table = table.filter(pc.is_valid(table["bad"])).sort_by("party_id")
    counts = _value_counts(sound["flag"])
    return Flags(table.combine_chunks(), counts, sound.num_rows, n_rejected)


def _value_counts(flags: pa.Array | pa.ChunkedArray) -> dict[str, int]:
    counted = {
        item["values"]: item["counts"] for item in flags.drop_null().value_counts().to_pylist()
    }
    return dict(sorted(counted.items(), key=lambda item: (-item[1], item[0])))


def read_exposures(
    source: SourceFile,
    *,
    party_id: str,
    granted_on: str | None,
    rule: DateRule,
    skip_bad_rows: bool = False,
) -> tuple[pa.Table, int]:
    """Read a list of those who were granted credit, or raise every fault of it at once.

    Parameters
    ----------
    source : SourceFile
        The file.
    party_id : str
        Column of the ids, or ``@row``.
    granted_on : str or None
        Column of the dates on which credit was granted; a blank means "at some time".
    rule : DateRule
        Form and range of the dates.
    skip_bad_rows : bool, default False
        Leave out rows at fault instead of refusing the file.

    Returns
    -------
    table : pyarrow.Table
        ``party_id`` and ``granted_on`` (date32), by both; a party may stand more than once.
    n_rejected : int
        Rows left out.

    Raises
    ------
    IntakeError
        If the file is at fault, or no row is sound.
    """
    if not source.is_readable:
        source.raise_faults()
    ids = party_column(source, party_id, unique=False)
    if granted_on is None:
        granted = pa.nulls(source.table.num_rows, pa.date32())
    else:
        granted = _date_column(source, granted_on, "--granted-on", rule)
    source.raise_faults(rows_may_be_bad=skip_bad_rows)
    table, n_rejected = sound_rows(source, pa.table({"party_id": ids, "granted_on": granted}))
    in_order = table.sort_by([("party_id", "ascending"), ("granted_on", "ascending")])
    return in_order.combine_chunks(), n_rejected
