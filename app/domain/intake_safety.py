"""Text that harms whoever opens it later: null characters, and formulas of spreadsheets."""

from __future__ import annotations

import re

import pyarrow as pa
import pyarrow.compute as pc

from app.domain.intake import RowFaults
from app.domain.intake_columns import mask, row_faults

NULL_CHARACTER = "\0"
_STARTS_A_FORMULA = r"^\s*(?:[=@]|[+-]\S)"
_ONLY_NUMBERS = r"^\s*[+-][0-9\s().,/eE%:-]*$"
_NEGATIVE_NUMBER = re.compile(r"-(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
_FIRST_CHARACTERS = ("=", "+", "-", "@")
_RUNS = r"^(?:[\t\r\n]|[\s\p{Z}]*[-=+@])"
_NULL = "the value holds a null character (a NUL): save the file as plain text"
_FORMULA = (
    "'{value}' is a formula to a spreadsheet, which would run it when somebody opens the data: "
    "clear it, or put a letter in front"
)


def unsafe_text_faults(text: pa.Array, column: str) -> tuple[RowFaults, ...]:
    """Find the values of a text column that must not be stored.

    Parameters
    ----------
    text : pyarrow.Array of string, shape (n,)
        Blanks at both ends were cut.
    column : str
        Name of the column, for the faults.

    Returns
    -------
    tuple of RowFaults
        Values with a null character, which no database keeps; and values that a spreadsheet
        runs: those that begin with ``=`` or ``@``, or with a sign before anything but a number,
        a date or a telephone number. Null is no fault.

    References
    ----------
    .. [1] OWASP, "CSV Injection", community attack page.

    Examples
    --------
    >>> text = pa.array(["=1+1", "-cmd|' /C calc'!A0", "+49 (30) 901-820", "-0.5", "- late", None])
    >>> [fault.rows.tolist() for fault in unsafe_text_faults(text, "note")]
    [[0, 1]]
    """
    found = []
    broken = mask(pc.match_substring(text, NULL_CHARACTER))
    if broken.any():
        found.append(row_faults(column, _NULL, broken, pa.nulls(len(text), pa.string())))
    runs = pc.match_substring_regex(text, _STARTS_A_FORMULA)
    if pc.any(runs).as_py():
        numbers = pc.match_substring_regex(text, _ONLY_NUMBERS)
        formulas = mask(pc.and_(runs, pc.invert(numbers)))
        if formulas.any():
            found.append(row_faults(column, _FORMULA, formulas, text))
    return tuple(found)


def unsafe_name_problem(name: str) -> str | None:
    """Say why a column must not have a name.

    Parameters
    ----------
    name : str
        As in the file.

    Returns
    -------
    str or None
        A sentence, or None for a name like any other.

    Examples
    --------
    >>> unsafe_name_problem("age") is None, unsafe_name_problem("=1+1") is None
    (True, False)
    """
    if NULL_CHARACTER in name:
        return "the column name holds a null character (a NUL): save the file as plain text"
    if re.match(_STARTS_A_FORMULA, name) and not re.match(_ONLY_NUMBERS, name):
        return "the column name is a formula to a spreadsheet: rename the column"
    return None


def harmless_text(text: str | None) -> str | None:
    r"""Write a cell so that no spreadsheet runs it.

    Parameters
    ----------
    text : str or None
        As in a file that somebody gave.

    Returns
    -------
    str or None
        The same, with an apostrophe before it where it begins with ``=``, ``+``, ``-`` or ``@``,
        also after blanks, or with a tab or the end of a line. A negative number stays as it is.

    References
    ----------
    .. [1] OWASP, "CSV Injection", community attack page.

    Examples
    --------
    >>> [harmless_text(text) for text in ("=1+1", "\t=1+1", "-0.5", "-1+cmd", "A & B", "", None)]
    ["'=1+1", "'\t=1+1", '-0.5', "'-1+cmd", 'A & B', '', None]
    """
    if not text or _NEGATIVE_NUMBER.fullmatch(text):
        return text
    is_formula = text.lstrip().startswith(_FIRST_CHARACTERS) or text[0] in "\t\r\n"
    return f"'{text}" if is_formula else text


def harmless_column(column: pa.ChunkedArray) -> pa.ChunkedArray:
    r"""Write a column so that no spreadsheet runs a cell of it, as `harmless_text` writes one.

    Parameters
    ----------
    column : pyarrow.ChunkedArray, shape (n,)
        Of any type; only text changes.

    Returns
    -------
    pyarrow.ChunkedArray, shape (n,)
        The column itself where there is nothing to change.

    Examples
    --------
    >>> texts = ["=1+1", "\t=1+1", "-0.5", "-1+cmd", "A & B", "", None]
    >>> column = pa.chunked_array([texts])
    >>> harmless_column(column).to_pylist() == [harmless_text(text) for text in texts]
    True
    """
    kind = column.type
    if pa.types.is_dictionary(kind):
        plain = column.cast(kind.value_type)
        found = harmless_column(plain)
        return column if found is plain else found
    if not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
        return column
    runs = pc.match_substring_regex(column, _RUNS)
    if not pc.any(runs).as_py():
        return column
    numbers = pc.match_substring_regex(column, f"^(?:{_NEGATIVE_NUMBER.pattern})$")
    marked = pc.binary_join_element_wise(pa.scalar("'", kind), column, pa.scalar("", kind))
    return pc.if_else(pc.and_(runs, pc.invert(numbers)), marked, column)
