"""Columns that files of every kind share: who, and when."""

from __future__ import annotations

import difflib

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from app.domain.intake import RowFaults, text_column
from app.domain.intake_columns import mask
from app.domain.intake_dates import DateRule, instant_column, parse_instant
from app.domain.intake_safety import unsafe_text_faults
from app.errors import InvalidInputError
from app.lake.intake import ROW_NUMBER, SourceFile


def party_column(source: SourceFile, column: str, *, unique: bool) -> pa.Array:
    """Read the ids of the parties, noting blank and repeated ones.

    Parameters
    ----------
    source : SourceFile
        Faults are added to it.
    column : str
        Name of the column, or ``@row`` for the number of the data row.
    unique : bool
        Whether a second row of a party is a fault; its first row is not.

    Returns
    -------
    pyarrow.Array of string, shape (n,)
        All null where the file lacks the column.
    """
    n_rows = source.table.num_rows
    if column == ROW_NUMBER and column not in source.columns:
        return pa.array(np.arange(1, n_rows + 1)).cast(pa.string())
    if not source.require_column(column, "--party-id"):
        return pa.nulls(n_rows, pa.string())
    ids = text_column(source.table[column])
    blank = np.flatnonzero(mask(pc.is_null(ids))).astype(np.int64)
    if blank.size:
        source.row_faults.append(RowFaults(column, "the party id is blank", blank))
    source.row_faults.extend(unsafe_text_faults(ids, column))
    if unique:
        source.row_faults.extend(_repeated_parties(ids, column))
    return ids


def _repeated_parties(ids: pa.Array, column: str) -> tuple[RowFaults, ...]:
    codes = pc.fill_null(ids.dictionary_encode().indices, -1).to_numpy(zero_copy_only=False)
    _, first_rows, of_party = np.unique(codes, return_index=True, return_inverse=True)
    first = first_rows[of_party]
    repeated = np.flatnonzero((first != np.arange(len(codes))) & (codes >= 0)).astype(np.int64)
    if not repeated.size:
        return ()
    values = tuple(ids.take(pa.array(repeated)).to_pylist())
    problem = "party '{value}' already stands on row {first}"
    return (RowFaults(column, problem, repeated, values, first[repeated].astype(np.int64)),)


def instants_or_constant(source: SourceFile, given: str, role: str, rule: DateRule) -> pa.Array:
    """Read instants from a column, or take one date for all rows.

    Parameters
    ----------
    source : SourceFile
        Faults are added to it.
    given : str
        Name of a column if the file has it, otherwise a date.
    role : str
        What it was given for, such as ``--scored-at``.
    rule : DateRule
        Form and range of the dates.

    Returns
    -------
    pyarrow.Array of timestamp('us', 'UTC'), shape (n,)
        Null where there is a fault.
    """
    n_rows = source.table.num_rows
    if given in source.columns:
        values, faults = instant_column(source.table[given], given, rule)
        source.row_faults.extend(faults)
        return values
    nothing = pa.nulls(n_rows, pa.timestamp("us", "UTC"))
    try:
        instant = parse_instant(given, rule.date_format)
    except InvalidInputError:
        reading = f"{role} {given!r} is neither a column nor a date such as 2026-03-31"
        source.add_fault(f"{reading}{source.describe_columns(given)}")
        return nothing
    values, faults = instant_column(pa.array([instant]), given, rule)
    if faults:
        day = instant.date().isoformat()
        source.add_fault(f"{role}: {faults[0].problem.replace('{value}', day)}")
        return nothing
    return pa.repeat(values[0], n_rows)


def known_word(source: SourceFile, given: str, role: str, known: tuple[str, ...]) -> str | None:
    """Take a word that is not a column as one of the known words.

    Parameters
    ----------
    source : SourceFile
        A fault is added to it where the word is neither.
    given : str
        What was given.
    role : str
        What it was given for, such as ``--event-type``.
    known : tuple of str
        The words there are.

    Returns
    -------
    str or None
        The word, or None with a fault.
    """
    if given in known:
        return given
    close = difflib.get_close_matches(given, known, n=1)
    hint = f" (did you mean {close[0]}?)" if close else ""
    source.add_fault(
        f"{role} {given!r} is neither a column nor an event type{hint}: "
        f"types are {', '.join(known)}{source.describe_columns(given)}"
    )
    return None
