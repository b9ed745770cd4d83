"""What the desk says about a fault of a file: the same fault as elsewhere, and what to do."""

from __future__ import annotations

import re
from collections.abc import Sequence

from app.domain.counted import counted
from app.domain.types import Document

_OPTIONS = (
    (": --allow-missing-features scores it as missing", ""),
    ("--party-id", "the party"),
    ("--scored-at", "the date of scoring"),
    ("--event-date", "the date of the event"),
    ("--event-type", "the type of event"),
    ("--days-past-due", "the days past due"),
    ("--granted-on", "the date of granting"),
    ("--date-format", "“How dates are written”"),
    ("--through", "“Complete through”"),
)
"""Options of the command line, and what the form calls them."""

_ADVICE = (
    ("is not a number", "Write a plain number, or leave the cell blank where it is not known."),
    ("is infinite", "Leave the cell blank where the number is not known."),
    ("already stands on row", "Keep one row per party, or choose another column for the party."),
    ("the party id is blank", "Fill in the id or remove the row."),
    ("the date is blank", "Fill in the date or remove the row."),
    ("day or month first", "Say above how dates are written, such as %d/%m/%Y."),
    ("not an ISO date", "Say above how dates are written, or write 2026-03-31."),
    ("not a date of the calendar", "Correct the date."),
    ("neither a column nor a date", "Choose above which column holds the date of scoring."),
    ("neither a column nor an event", "Choose above which column, or which one type, it is."),
    ("cannot also be", "Choose another column above."),
    ("no column", "Choose the column above."),
    ("--allow-missing-features", "Add the column, or tick “Features may be missing”."),
    ("lacks this feature", "Add the column: the card cannot score without it."),
    ("a formula", "Clear the value, or put a letter in front."),
    ("null character", "Save the file as plain text and choose it again."),
    ("not UTF-8", "Save the file as UTF-8; a spreadsheet calls it “CSV UTF-8”."),
    ("UTF-16", "Save the file as UTF-8; a spreadsheet calls it “CSV UTF-8”."),
    ("the header has one column", "Save the file with commas between the columns."),
    ("the row has", "Give the row as many cells as the header; quote values that hold commas."),
    ("more than once", "Give each column a name of its own."),
    ("once it is unpacked", "Split the file into several batches."),
    ("the file is empty", "Choose the file that holds the rows."),
    ("no rows", "Choose the file that holds the rows."),
    ("cannot be read", "Write the file again and choose it."),
    ("damaged", "Pack the file again and choose it."),
    ("quote", "Close the quote on the row that is named."),
    ("is not an event type", "Use one of the types that are named."),
    ("has a date but no type", "Fill in the type, or clear the date where nothing happened."),
    ("days past due", "Choose above which column counts the days past due, and fill it in."),
    ("is negative", "Correct the value."),
    ("rename the column", "Rename the column, or choose it above."),
    ("in the future", "Correct the date: nothing can have happened yet."),
    ("before", "Correct the date: it looks like a placeholder."),
)
_COLUMNS = re.compile(r"; (did you mean [^?]*\?)? ?(the file has: .*)?$", re.DOTALL)


def fault_rows(faults: Sequence[Document]) -> list[Document]:
    """Give faults as the rows of a table.

    Parameters
    ----------
    faults : sequence of dict
        row, column, value and problem, as ``IntakeError`` has them.

    Returns
    -------
    list of dict
        The same in the words of the form, each with ``todo``: what to do about it.

    Examples
    --------
    >>> fault = {"row": 7, "column": "age", "value": "x", "problem": "'x' is not a number"}
    >>> fault_rows([fault])[0]["todo"]
    'Write a plain number, or leave the cell blank where it is not known.'
    """
    return [
        {
            **fault,
            "problem": in_words_of_the_form(fault["problem"]),
            "todo": _what_to_do(fault["problem"]),
        }
        for fault in faults
    ]


def in_words_of_the_form(sentence: str) -> str:
    """Say a sentence that names options of the command line as the form would.

    Parameters
    ----------
    sentence : str
        Of a fault or an error.

    Returns
    -------
    str
        Without the list of all columns, which the page shows anyway.

    Examples
    --------
    >>> in_words_of_the_form("no column 'x' (--party-id); did you mean y? the file has: y, z")
    "no column 'x' (the party); did you mean y?"
    """
    short = _COLUMNS.sub(lambda found: f"; {found.group(1)}" if found.group(1) else "", sentence)
    for option, words in _OPTIONS:
        short = short.replace(option, words)
    return short


def fault_title(file: str, n_faults: int) -> str:
    """Say how many faults a file has.

    Parameters
    ----------
    file : str
        Its name.
    n_faults : int
        How many.

    Returns
    -------
    str
        The title of the page.

    Examples
    --------
    >>> fault_title("march.csv", 2)
    'march.csv has 2 faults; nothing was stored'
    """
    return f"{file} has {counted(n_faults, 'fault')}; nothing was stored"


def _what_to_do(problem: str) -> str:
    return next(
        (advice for sign, advice in _ADVICE if sign in problem), "Correct it and choose the file."
    )
