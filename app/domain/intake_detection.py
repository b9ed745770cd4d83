"""Guess what the columns of a file mean, for a person to confirm or correct."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from app.domain.outcomes import EVENT_TYPES

_IDS = re.compile(r"(^|[_\s-])(id|ids|nr|no|num|number|key|ref|code|party|chkdgt)($|[_\s-])")
_SCORED = (r"scor", r"approv|decision|decided|applic", r"date|day|month|time|_at$|_on$|^on$")
_EVENT = (r"event", r"off|default|paid|bankrupt|collect", r"date|day|month|time|_at$|_on$|^on$")
_PAST_DUE = re.compile(r"past.?due|dpd|arrears")
_KINDS = re.compile(r"type|kind|event|status")
_BETWEEN_WORDS = re.compile(r"(?<=[a-z])(?=[A-Z])")


@dataclass(frozen=True, slots=True)
class Sketch:
    """What a first look at one column tells.

    Attributes
    ----------
    name : str
        Of the column.
    kind : str
        ``whole number``, ``number``, ``text``, ``date`` or ``nothing`` where every cell is blank.
    n_blank : int
        Blank cells.
    n_distinct : int
        Different values that are not blank.
    words : tuple of str
        The different values, lower case, where they are few; otherwise empty.
    """

    name: str
    kind: str
    n_blank: int
    n_distinct: int
    words: tuple[str, ...] = ()


def guess_party_id(columns: Sequence[Sketch], n_rows: int, features: Collection[str]) -> str | None:
    """Guess which column names the party of a batch.

    Parameters
    ----------
    columns : sequence of Sketch
        In the order of the file.
    n_rows : int
        Rows of the file.
    features : collection of str
        Names that are features of the card.

    Returns
    -------
    str or None
        The first column without blanks and repetition whose name speaks of an id; otherwise the
        one with such a name and the most different values, so that its faults are named;
        otherwise any without repetition; None where there is none.

    Examples
    --------
    >>> columns = [Sketch("age", "number", 0, 2), Sketch("LoanNr", "whole number", 0, 2)]
    >>> guess_party_id(columns, 2, {"age"})
    'LoanNr'
    """
    possible = [
        column
        for column in columns
        if column.name not in features and column.kind in {"whole number", "text"}
    ]
    unique = [column for column in possible if not column.n_blank and column.n_distinct == n_rows]
    named = [column for column in possible if _IDS.search(_spaced(column.name))]
    for column in unique:
        if column in named:
            return column.name
    if named:
        return max(named, key=lambda column: column.n_distinct).name
    return unique[0].name if unique else None


def guess_event_party(columns: Sequence[Sketch]) -> str | None:
    """Guess which column names the party of an outcome, where parties may repeat.

    Parameters
    ----------
    columns : sequence of Sketch
        In the order of the file.

    Returns
    -------
    str or None
        The column without blanks whose name speaks of an id, of several the one with the most
        different values; None where there is none.

    Examples
    --------
    >>> guess_event_party([Sketch("kind", "text", 0, 2), Sketch("party_id", "text", 0, 9)])
    'party_id'
    """
    fitting = [
        column
        for column in columns
        if column.kind in {"whole number", "text"}
        and not column.n_blank
        and _IDS.search(_spaced(column.name))
    ]
    return max(fitting, key=lambda column: column.n_distinct).name if fitting else None


def guess_date(columns: Sequence[Sketch], *, of_event: bool) -> str | None:
    """Guess which column holds the date of scoring, or of an event.

    Parameters
    ----------
    columns : sequence of Sketch
        In the order of the file.
    of_event : bool
        Whether an event is dated; its cell may be blank where nothing happened.

    Returns
    -------
    str or None
        Among the columns of dates the one whose name says most.

    Examples
    --------
    >>> columns = [Sketch("ChgOffDate", "date", 5, 4), Sketch("ApprovalDate", "date", 0, 9)]
    >>> guess_date(columns, of_event=False), guess_date(columns, of_event=True)
    ('ApprovalDate', 'ChgOffDate')
    """
    fitting = [column for column in columns if column.kind == "date"]
    if not of_event:
        fitting = [column for column in fitting if not column.n_blank]
    for pattern in _EVENT if of_event else _SCORED:
        for column in fitting:
            if re.search(pattern, _spaced(column.name)):
                return column.name
    return fitting[0].name if fitting else None


def guess_event_type(columns: Sequence[Sketch]) -> str | None:
    """Guess which column says what kind of event it was.

    Parameters
    ----------
    columns : sequence of Sketch
        In the order of the file.

    Returns
    -------
    str or None
        The column of which every value is an event type; None where there is none.

    Examples
    --------
    >>> guess_event_type([Sketch("what", "text", 0, 1, ("write_off",))])
    'what'
    """
    fitting = [
        column for column in columns if column.words and set(column.words) <= set(EVENT_TYPES)
    ]
    return _first(fitting, lambda column: bool(_KINDS.search(_spaced(column.name))))


def guess_days_past_due(columns: Sequence[Sketch]) -> str | None:
    """Guess which column counts the days past due.

    Parameters
    ----------
    columns : sequence of Sketch
        In the order of the file.

    Returns
    -------
    str or None
        The first column of numbers whose name says so.

    Examples
    --------
    >>> guess_days_past_due([Sketch("days_past_due", "whole number", 3, 9)])
    'days_past_due'
    """
    for column in columns:
        if column.kind.endswith("number") and _PAST_DUE.search(_spaced(column.name)):
            return column.name
    return None


def _first(columns: Sequence[Sketch], is_better: Callable[[Sketch], bool]) -> str | None:
    better = [column for column in columns if is_better(column)]
    chosen = better or columns
    return chosen[0].name if chosen else None


def _spaced(name: str) -> str:
    return _BETWEEN_WORDS.sub("_", name).lower()
