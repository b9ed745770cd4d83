"""Values as they come from files: one text form, and faults as values.

Ids and categories become text once, here, so that no engine ever has to cast. `as_text` is the
rule for one value and `text_column` the same rule for a column; both agree on every input.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from numbers import Integral, Real

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from app.domain.types import Document, Ints

BLANKS = " \t\r\n\u00a0\ufeff"
"""Characters cut from both ends of a text: blanks, line ends, no-break space, byte order mark."""

WORDS = {"True": "true", "TRUE": "true", "False": "false", "FALSE": "false"}
"""How files spell booleans, and their one spelling here."""

NOT_A_NUMBER = frozenset({"nan", "NaN"})
"""Texts by which programs write a missing number."""

FAULTS_SHOWN = 20
_WHOLE = r"^(-?(?:0|[1-9][0-9]*))\.0+$"
_WHOLE_PATTERN = re.compile(_WHOLE)
_SHOWN_CHARACTERS = 60


def as_text(value: object) -> str | None:
    """Give the one text form of an id or a category.

    A whole float loses its ``.0``, a boolean becomes ``true`` or ``false``, and surrounding
    blanks are cut; text that spells such a value is treated like the value, because a CSV file
    cannot say the difference.

    Parameters
    ----------
    value : object
        A text, number, boolean, date or None, as a file or a caller gave it.

    Returns
    -------
    str or None
        None for None, NaN and blank text.

    Examples
    --------
    >>> [as_text(v) for v in (1, 1.0, "1.0", " 007 ", True, "True", 0.25, float("nan"), " ")]
    ['1', '1', '1', '007', 'true', 'true', '0.25', None, None]
    """
    if isinstance(value, bool | np.bool_):
        return "true" if value else "false"
    if isinstance(value, Integral):
        return str(int(value))
    if isinstance(value, Decimal):
        return None if value.is_nan() else _tidy(format(value, "f"))
    if isinstance(value, Real):
        return _float_text(float(value))
    if isinstance(value, bytes):
        return _tidy(value.decode("utf-8"))
    return None if value is None else _tidy(str(value))


def _float_text(value: float) -> str | None:
    if math.isnan(value):
        return None
    return str(int(value)) if value.is_integer() else repr(value)


def _tidy(text: str) -> str | None:
    trimmed = text.strip(BLANKS)
    if not trimmed or trimmed in NOT_A_NUMBER:
        return None
    whole = _WHOLE_PATTERN.match(trimmed)
    if whole:
        return "0" if whole.group(1) == "-0" else whole.group(1)
    return WORDS.get(trimmed, trimmed)


def text_column(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    """Give a whole column its one text form, value by value as `as_text` does.

    Parameters
    ----------
    column : pyarrow.Array or pyarrow.ChunkedArray of shape (n,)
        Any scalar type; dictionary-encoded columns are decoded.

    Returns
    -------
    pyarrow.Array of string, shape (n,)
        Null for null, NaN and blank text.

    Examples
    --------
    >>> text_column(pa.array([1.0, 2.5, None])).to_pylist()
    ['1', '2.5', None]
    >>> text_column(pa.array([" a ", "", "3.0", "TRUE"])).to_pylist()
    ['a', None, '3', 'true']
    """
    array = one_chunk(column)
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    kind = array.type
    if pa.types.is_null(kind):
        return array.cast(pa.string())
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return _tidy_column(array.cast(pa.string()))
    if pa.types.is_integer(kind):
        return array.cast(pa.string())
    coded = array.dictionary_encode()
    words = pa.array([as_text(word) for word in coded.dictionary.to_pylist()], pa.string())
    return words.take(coded.indices)


def _tidy_column(array: pa.Array) -> pa.Array:
    text = pc.utf8_trim(array, characters=BLANKS)
    text = trimmed_or_null(text)
    if pc.any(pc.ends_with(text, ".0")).as_py() or pc.any(pc.match_substring(text, ".0")).as_py():
        text = pc.replace_substring_regex(text, pattern=_WHOLE, replacement=r"\1")
        # only a text that was "-0.0" may become "0"; a literal "-0" is left as it is
        minus = pc.and_(pc.equal(text, "-0"), pc.match_substring(array, "."))
        text = pc.if_else(minus, "0", text)
    for spelled, word in WORDS.items():
        text = pc.if_else(pc.equal(text, spelled), word, text)
    return text


def trimmed_or_null(text: pa.Array) -> pa.Array:
    """Turn trimmed texts that mean "nothing here" into nulls.

    Parameters
    ----------
    text : pyarrow.Array of string, shape (n,)
        Already without blanks at its ends.

    Returns
    -------
    pyarrow.Array of string, shape (n,)
        Null where the text was empty or spelled NaN.

    Examples
    --------
    >>> trimmed_or_null(pa.array(["", "nan", "x"])).to_pylist()
    [None, None, 'x']
    """
    nothing = pc.is_in(text, value_set=pa.array(["", *sorted(NOT_A_NUMBER)]))
    return pc.if_else(nothing, pa.scalar(None, pa.string()), text)


def one_chunk(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    """Give a column as one contiguous array.

    Parameters
    ----------
    column : pyarrow.Array or pyarrow.ChunkedArray of shape (n,)
        Any type.

    Returns
    -------
    pyarrow.Array of shape (n,)
        The same values.

    Examples
    --------
    >>> one_chunk(pa.chunked_array([[1], [2]])).to_pylist()
    [1, 2]
    """
    if not isinstance(column, pa.ChunkedArray):
        return column
    combined = column.combine_chunks()
    return combined if isinstance(combined, pa.Array) else pa.concat_arrays(combined.chunks)


@dataclass(frozen=True, slots=True)
class RowFaults:
    """One kind of fault in one column, with every row that has it.

    Parameters
    ----------
    column : str or None
        Name of the column in the file; None where the whole row is at fault.
    problem : str
        The sentence; ``{value}`` stands for the value and ``{first}`` for the row of the first
        occurrence.
    rows : ndarray of shape (n_faults,)
        Positions of the data rows, from 0.
    values : tuple of (str or None)
        The values at fault, aligned with `rows`; empty where they say nothing.
    first : ndarray of shape (n_faults,) or None
        Positions of the rows that `problem` refers to.
    """

    column: str | None
    problem: str
    rows: Ints
    values: tuple[str | None, ...] = ()
    first: Ints | None = None


def describe_faults(
    groups: Sequence[RowFaults],
    line_of: Callable[[Ints], Ints],
    limit: int | None = FAULTS_SHOWN,
) -> list[Document]:
    """Write faults out in file order, as `app.errors.IntakeError` shows them.

    Parameters
    ----------
    groups : sequence of RowFaults
        In the order of the columns.
    line_of : callable
        Maps positions of data rows, ndarray of shape (n,), to line numbers of the file.
    limit : int or None, default 20
        How many to write; None for all.

    Returns
    -------
    list of dict
        ``row`` (line number, the header is 1), ``column``, ``value`` and ``problem``.

    Examples
    --------
    >>> group = RowFaults("age", "'{value}' is not a number", np.array([1]), ("x",))
    >>> describe_faults([group], lambda rows: rows + 2)[0]["problem"]
    "'x' is not a number"
    """
    order = sorted(
        (int(row), place, at)
        for place, group in enumerate(groups)
        for at, row in enumerate(group.rows[:limit] if limit else group.rows)
    )[:limit]
    chosen = [(groups[place], at) for _, place, at in order]
    lines = line_of(np.array([row for row, _, _ in order], dtype=np.int64))
    return [
        _document(group, at, int(line), line_of)
        for (group, at), line in zip(chosen, lines, strict=True)
    ]


def _document(group: RowFaults, at: int, line: int, line_of: Callable[[Ints], Ints]) -> Document:
    problem = group.problem
    if group.first is not None:
        problem = problem.replace("{first}", str(int(line_of(group.first[at : at + 1])[0])))
    value = shown(group.values[at]) if group.values else None
    problem = problem.replace("{value}", value or "")
    return {"row": line, "column": group.column, "value": value, "problem": problem}


def shown(value: str | None) -> str | None:
    """Shorten a value for a message.

    Parameters
    ----------
    value : str or None
        Any text.

    Returns
    -------
    str or None
        At most 60 characters.

    Examples
    --------
    >>> len(shown("x" * 100))
    60
    """
    if value is None or len(value) <= _SHOWN_CHARACTERS:
        return value
    return value[: _SHOWN_CHARACTERS - 1] + "…"


def count_faults(groups: Iterable[RowFaults]) -> int:
    """Count faults over all groups.

    Parameters
    ----------
    groups : iterable of RowFaults
        Of one file.

    Returns
    -------
    int
        Each fault of a row counts once.

    Examples
    --------
    >>> count_faults([RowFaults("age", "is blank", np.array([0, 4]))])
    2
    """
    return sum(len(group.rows) for group in groups)
