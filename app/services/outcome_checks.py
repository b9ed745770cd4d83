"""Say what about an outcome file cannot be, or is worth a second look."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from app.db import utc_now
from app.domain.counted import counted
from app.errors import InvalidInputError

if TYPE_CHECKING:
    import pyarrow as pa

_VALUES_SHOWN = 5
EVENTS_LEFT_OUT = (
    "A party whose only events stand in the rows left out will count as good: mend these rows and "
    "import them too."
)


def read_through(through: str | date, date_format: str | None) -> date:
    """Read the day through which outcomes are declared complete.

    Parameters
    ----------
    through : str or date
        An ISO date, or text in `date_format`; of a time its day in UTC.
    date_format : str or None
        As for ``strptime``.

    Returns
    -------
    date
        Not in the future.

    Raises
    ------
    InvalidInputError
        If it is no date, or lies in the future.
    """
    if isinstance(through, date):
        declared = _utc_day(through) if isinstance(through, datetime) else through
    else:
        declared = _parse_day(through, date_format)
    today = utc_now().date()
    if declared > today:
        raise InvalidInputError(
            f"--through {declared} lies in the future (today is {today} UTC): it is the last day "
            "for which all outcomes are known already",
            through=declared.isoformat(),
        )
    return declared


def _utc_day(moment: datetime) -> date:
    """Give the day in UTC; a time without zone is in UTC already."""
    return (moment if moment.tzinfo is None else moment.astimezone(UTC)).date()


def _parse_day(through: str, date_format: str | None) -> date:
    from app.domain.intake_dates import parse_instant  # noqa: PLC0415 - loads pyarrow

    try:
        return parse_instant(through).date()
    except InvalidInputError as not_iso:
        if date_format is None:
            raise InvalidInputError(f"--through: {not_iso.message}", through=through) from not_iso
    try:
        return parse_instant(through, date_format).date()
    except InvalidInputError as error:
        problem = f"--through: {error.message}, nor is it an ISO date such as 2026-03-31"
        raise InvalidInputError(problem, through=through) from error


def late_event_warnings(events: pa.Table, declared: date) -> list[str]:
    """Ask about events later than the day through which the file is said to be complete.

    They are kept: the declared day is where completeness ends, not where knowledge ends.

    Parameters
    ----------
    events : pyarrow.Table
        With ``event_date``.
    declared : date
        The day.

    Returns
    -------
    list of str
        One sentence, or none.
    """
    import pyarrow.compute as pc  # noqa: PLC0415 - heavy import

    late = int(pc.sum(pc.greater(events["event_date"], declared)).as_py() or 0)
    if not late:
        return []
    newest = pc.max(events["event_date"]).as_py()
    sentence = (
        f"{late:,} of {counted(events.num_rows, 'event')} dated after {declared}, the newest on "
        f"{newest}: is the file complete through a later day?"
    )
    return [sentence]


def flag_warnings(counts: dict[str, int], bad: str, n_not_in_batch: int) -> list[str]:
    """Say what of a file of final flags may not be what the person meant.

    Parameters
    ----------
    counts : dict of str to int
        How often each value of the flag occurs, most frequent first.
    bad : str
        The value that means bad.
    n_not_in_batch : int
        Flagged parties that the batch does not hold.

    Returns
    -------
    list of str
        Sentences.

    Examples
    --------
    >>> flag_warnings({"0": 7, "1": 3}, "1", 0)
    []
    >>> flag_warnings({"0": 7, "1": 3, "9": 1}, "1", 0)
    ["2 values other than '1' count as good: 0 (7), 9 (1)"]
    """
    from app.domain.intake import as_text  # noqa: PLC0415 - loads pyarrow

    warnings = []
    others = {value: n for value, n in counts.items() if value != as_text(bad)}
    if len(others) > 1:
        listed = ", ".join(f"{v} ({n:,})" for v, n in list(others.items())[:_VALUES_SHOWN])
        warnings.append(f"{len(others)} values other than {bad!r} count as good: {listed}")
    if n_not_in_batch:
        warnings.append(f"flagged but not in the batch, so counted nowhere: {n_not_in_batch:,}")
    return warnings
