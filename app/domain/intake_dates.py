"""Columns of dates and times as instants in UTC, with every fault found at once."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from app.domain.intake import RowFaults, one_chunk, text_column
from app.domain.intake_columns import Typed, mask, row_faults
from app.domain.types import Bools
from app.errors import InvalidInputError

EARLIEST = date(1900, 1, 1)
"""No date of a portfolio lies before this day; what does is a placeholder or a typing error."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_MICROSECONDS_PER_DAY = 86_400_000_000
_UNIX_ORDINAL = date(1970, 1, 1).toordinal()
_DAYS_SHOWN = (date.min.toordinal() - _UNIX_ORDINAL, date.max.toordinal() - _UNIX_ORDINAL)
_ISO = re.compile(
    r"\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?\s?(?:Z|[+-]\d{2}:?\d{2})?)?"
)
_TWO_READINGS = re.compile(r"\d{1,2}[./-]\d{1,2}[./-]\d{2,4}")


@dataclass(frozen=True, slots=True)
class DateRule:
    """How dates of a file are written, and between which instants they may lie.

    Parameters
    ----------
    now : datetime
        Zone-aware; nothing may be dated later.
    date_format : str or None
        As for ``strptime``; None for ISO dates and times, where no zone means UTC.
    required : bool, default True
        Whether a blank is a fault.

    Examples
    --------
    >>> DateRule(datetime(2026, 1, 1, tzinfo=UTC), "%d/%m/%Y").required
    True
    """

    now: datetime
    date_format: str | None = None
    required: bool = True

    def __post_init__(self) -> None:
        if self.date_format is not None:
            _check_format(self.date_format)


def _check_format(date_format: str) -> None:
    probe = datetime(2001, 2, 1, tzinfo=UTC)
    try:
        parsed = datetime.strptime(probe.strftime(date_format), date_format)  # noqa: DTZ007 - only the date is compared
    except ValueError as error:
        message = f"date format {date_format!r} cannot be read: {error}"
        raise InvalidInputError(message, date_format=date_format) from error
    if parsed.date() != probe.date():
        message = f"date format {date_format!r} does not say year and month, such as %d/%m/%Y does"
        raise InvalidInputError(message, date_format=date_format)


def parse_instant(text: str, date_format: str | None = None) -> datetime:
    """Read one date or time as an instant in UTC.

    Parameters
    ----------
    text : str
        An ISO date or time, or text in `date_format`; without a zone it is UTC.
    date_format : str or None
        As for ``strptime``.

    Returns
    -------
    datetime
        Zone-aware, UTC.

    Raises
    ------
    InvalidInputError
        Says how the text should be written.

    Examples
    --------
    >>> parse_instant("2024-03-04T01:30+02:00").isoformat()
    '2024-03-03T23:30:00+00:00'
    """
    try:
        return _read_instant(text, date_format)
    except (ValueError, OverflowError) as error:
        problem = _date_problem(text, date_format).replace("{value}", text)
        raise InvalidInputError(problem, value=text) from error


def _read_instant(text: str, date_format: str | None) -> datetime:
    if date_format is not None:
        found = datetime.strptime(text, date_format)  # noqa: DTZ007 - a format without zone means UTC
    elif _ISO.fullmatch(text):
        found = datetime.fromisoformat(text)
    else:
        raise ValueError(text)
    return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)


def _date_problem(text: str, date_format: str | None) -> str:
    if date_format is not None:
        return f"'{{value}}' does not match the date format {date_format}"
    if _ISO.fullmatch(text):
        return "'{value}' is not a date of the calendar"
    if _TWO_READINGS.match(text):
        return "'{value}' may have day or month first: say which with --date-format %d/%m/%Y"
    return "'{value}' is not an ISO date such as 2026-03-31: give its form with --date-format"


def instant_column(column: pa.Array | pa.ChunkedArray, name: str, rule: DateRule) -> Typed:
    """Read a column as instants in UTC.

    Parameters
    ----------
    column : pyarrow.Array or pyarrow.ChunkedArray of shape (n,)
        Dates, timestamps (no zone means UTC), or text.
    name : str
        Name of the column, for the faults.
    rule : DateRule
        Form and range of the dates.

    Returns
    -------
    values : pyarrow.Array of timestamp('us', 'UTC'), shape (n,)
        Null for blanks and faults.
    faults : tuple of RowFaults
        Blank (where required), unreadable, before 1900, in the future.

    Examples
    --------
    >>> rule = DateRule(datetime(2026, 1, 1, tzinfo=UTC))
    >>> values, faults = instant_column(pa.array(["2024-03-04", "03/04/2024"]), "on", rule)
    >>> values.cast(pa.date32()).to_pylist(), faults[0].rows.tolist()
    ([datetime.date(2024, 3, 4), None], [1])
    """
    array = one_chunk(column)
    kind = array.type
    if pa.types.is_date(kind) or pa.types.is_timestamp(kind):
        text = array
        instants = array.cast(pa.timestamp("us", getattr(kind, "tz", None)), safe=False)
        micros = instants.cast(pa.int64())
        unreadable: tuple[RowFaults, ...] = ()
    else:
        text = text_column(array)
        micros, unreadable = _parse_instants(text, name, rule.date_format)
    faults = (*_blank_faults(text, name, rule), *unreadable, *_range_faults(micros, name, rule))
    bad = np.zeros(len(array), dtype=np.bool_)
    for fault in faults:
        bad[fault.rows] = True
    sound = pc.if_else(pa.array(bad), pa.scalar(None, pa.int64()), micros)
    return sound.cast(pa.timestamp("us", "UTC")), faults


def _blank_faults(text: pa.Array, name: str, rule: DateRule) -> tuple[RowFaults, ...]:
    if not rule.required or text.null_count == 0:
        return ()
    return (RowFaults(name, "the date is blank", np.flatnonzero(mask(pc.is_null(text)))),)


def _parse_instants(
    text: pa.Array, name: str, date_format: str | None
) -> tuple[pa.Array, tuple[RowFaults, ...]]:
    coded = text.dictionary_encode()
    parsed: list[int | None] = []
    wrong: dict[str, list[int]] = {}
    for code, word in enumerate(coded.dictionary.to_pylist()):
        try:
            parsed.append((_read_instant(word, date_format) - _EPOCH) // _MICROSECOND)
        except (ValueError, OverflowError):
            parsed.append(None)
            wrong.setdefault(_date_problem(word, date_format), []).append(code)
    codes = pc.fill_null(coded.indices, -1).to_numpy(zero_copy_only=False)
    faults = tuple(
        row_faults(name, problem, np.isin(codes, members), text)
        for problem, members in wrong.items()
    )
    return pa.array(parsed, pa.int64()).take(coded.indices), faults


def _range_faults(micros: pa.Array, name: str, rule: DateRule) -> tuple[RowFaults, ...]:
    earliest = (datetime(EARLIEST.year, 1, 1, tzinfo=UTC) - _EPOCH) // _MICROSECOND
    now = (rule.now - _EPOCH) // _MICROSECOND
    late = f"{{value}} lies in the future (now it is {rule.now:%Y-%m-%d %H:%M} UTC)"
    checks: tuple[tuple[str, Callable[[pa.Array], pa.Array]], ...] = (
        (f"{{value}} lies before {EARLIEST.isoformat()}", lambda at: pc.less(at, earliest)),
        (late, lambda at: pc.greater(at, now)),
    )
    faults = []
    for problem, is_outside in checks:
        outside = mask(is_outside(micros))
        if outside.any():
            faults.append(_dated_faults(name, problem, outside, micros))
    return tuple(faults)


def _dated_faults(name: str, problem: str, outside: Bools, micros: pa.Array) -> RowFaults:
    rows = np.flatnonzero(outside).astype(np.int64)
    days = micros.take(pa.array(rows)).to_numpy(zero_copy_only=False) // _MICROSECONDS_PER_DAY
    shown = [date.fromordinal(int(day) + _UNIX_ORDINAL) for day in np.clip(days, *_DAYS_SHOWN)]
    return RowFaults(name, problem, rows, tuple(day.isoformat() for day in shown))
