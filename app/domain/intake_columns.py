"""Columns of text as numbers, with every fault found at once."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from app.domain.intake import BLANKS, RowFaults, one_chunk, text_column, trimmed_or_null
from app.domain.types import Bools

Typed = tuple[pa.Array, tuple[RowFaults, ...]]

_NUMBER = r"^[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$"
_INFINITE = r"(?i)^[+-]?inf(?:inity)?$"
_PLAIN_NUMBER = r"^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?$"
_PLAIN_DIGITS = 15


def row_faults(column: str | None, problem: str, at_fault: Bools, values: pa.Array) -> RowFaults:
    """Name the rows of a column that a mask marks, with their values.

    Parameters
    ----------
    column : str or None
        Name of the column in the file.
    problem : str
        As in `app.domain.intake.RowFaults`.
    at_fault : ndarray of bool, shape (n,)
        True where the row is at fault.
    values : pyarrow.Array of shape (n,)
        The column as text.

    Returns
    -------
    RowFaults
        Rows in file order.

    Examples
    --------
    >>> row_faults("age", "is odd", np.array([False, True]), pa.array(["2", "3"])).values
    ('3',)
    """
    rows = np.flatnonzero(at_fault).astype(np.int64)
    return RowFaults(column, problem, rows, tuple(values.take(pa.array(rows)).to_pylist()))


def mask(condition: pa.Array | pa.ChunkedArray) -> Bools:
    """Give a condition as a numpy mask in which null counts as false.

    Parameters
    ----------
    condition : pyarrow.Array of bool, shape (n,)
        May hold nulls.

    Returns
    -------
    ndarray of bool, shape (n,)
        Without nulls.

    Examples
    --------
    >>> mask(pa.array([True, None])).tolist()
    [True, False]
    """
    return np.asarray(pc.fill_null(one_chunk(condition), fill_value=False), dtype=np.bool_)


def number_column(column: pa.Array | pa.ChunkedArray, name: str) -> Typed:
    """Read a column as finite numbers.

    Parameters
    ----------
    column : pyarrow.Array or pyarrow.ChunkedArray of shape (n,)
        Text or numbers; booleans count as 1 and 0, and so do texts that spell them.
    name : str
        Name of the column, for the faults.

    Returns
    -------
    values : pyarrow.Array of float64, shape (n,)
        Null for null, NaN and blank, and where there is a fault.
    faults : tuple of RowFaults
        Text that is no number, and infinite numbers.

    Examples
    --------
    >>> values, faults = number_column(pa.array(["1.5", "", "many", "inf"]), "age")
    >>> values.to_pylist(), [fault.problem for fault in faults]
    ([1.5, None, None, None], ["'{value}' is not a number", "'{value}' is infinite"])
    """
    array = one_chunk(column)
    if _is_numeric(array.type):
        text, numbers, wrong = array, _as_float(array), np.zeros(len(array), dtype=np.bool_)
    else:
        text, numbers, wrong = _parse_numbers(array)
    infinite = mask(pc.is_inf(numbers))
    faults: list[RowFaults] = []
    if wrong.any():
        faults.append(row_faults(name, "'{value}' is not a number", wrong, text))
    if infinite.any():
        shown = text_column(text)
        faults.append(row_faults(name, "'{value}' is infinite", infinite, shown))
    nothing = pc.or_(pc.is_nan(numbers), pa.array(infinite))
    return pc.if_else(nothing, pa.scalar(None, pa.float64()), numbers), tuple(faults)


def _is_numeric(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_integer(kind)
        or pa.types.is_floating(kind)
        or pa.types.is_decimal(kind)
        or pa.types.is_boolean(kind)
    )


def _as_float(array: pa.Array) -> pa.Array:
    if pa.types.is_boolean(array.type):
        array = array.cast(pa.int8())
    return array.cast(pa.float64(), safe=False)


def _parse_numbers(array: pa.Array) -> tuple[pa.Array, pa.Array, Bools]:
    if pa.types.is_string(array.type):
        text = trimmed_or_null(pc.utf8_trim(array, characters=BLANKS))
        try:
            return text, text.cast(pa.float64()), np.zeros(len(text), dtype=np.bool_)
        except pa.ArrowInvalid:
            pass  # some value is no plain number: the slower way names every one
    text = text_column(array)
    return text, *_parse_numbers_with_faults(text)


def _parse_numbers_with_faults(text: pa.Array) -> tuple[pa.Array, Bools]:
    spelled = pc.if_else(pc.equal(text, "true"), "1", text)
    spelled = pc.if_else(pc.equal(spelled, "false"), "0", spelled)
    known = mask(
        pc.or_(
            pc.match_substring_regex(spelled, _NUMBER),
            pc.match_substring_regex(spelled, _INFINITE),
        )
    )
    plain = pc.replace_substring_regex(spelled, pattern=r"^\+", replacement="")
    sound = pc.if_else(pa.array(known), plain, pa.scalar(None, pa.string()))
    return sound.cast(pa.float64()), ~known & mask(pc.is_valid(text))


def plain_column(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    """Read a column that nobody described: numbers if all of it is plain numbers, else text.

    Parameters
    ----------
    column : pyarrow.Array or pyarrow.ChunkedArray of string, shape (n,)
        As read from a CSV file.

    Returns
    -------
    pyarrow.Array of int64, float64 or string, shape (n,)
        Text as soon as one value has a leading zero, more than 15 digits, or is no number:
        such columns hold codes. Blanks become null.

    Examples
    --------
    >>> [str(plain_column(pa.array(v)).type) for v in (["1", ""], ["1.5", "2"], ["01", "2"])]
    ['int64', 'double', 'string']
    """
    array = one_chunk(column)
    text = trimmed_or_null(pc.utf8_trim(array, characters=BLANKS))
    if text.null_count == len(text):
        return text
    for kind in (pa.int64(), pa.float64()):
        try:
            numbers = text.cast(kind)
        except pa.ArrowInvalid:
            continue
        return numbers if _is_plain(text) else text
    return text


def _is_plain(text: pa.Array) -> bool:
    longest = pc.max(pc.utf8_length(text)).as_py()
    if longest > _PLAIN_DIGITS:
        digits = pc.utf8_length(pc.replace_substring_regex(text, pattern="[-.]", replacement=""))
        if pc.max(digits).as_py() > _PLAIN_DIGITS:
            return False
    return bool(pc.all(pc.match_substring_regex(text, _PLAIN_NUMBER)).as_py())
