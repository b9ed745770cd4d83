"""Roll rates: from the worst state of delinquency in one span to the worst in the next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import numpy as np

from app.domain.counted import counted
from app.domain.proportions import wilson_interval
from app.domain.types import Document, Ints

STATES = ("current", "1 to 30", "31 to 60", "61 to 90", "over 90", "lost")
"""States of delinquency by days past due, mildest first; lost is a write-off, collection or
bankruptcy, from which nobody returns."""

LOST = len(STATES) - 1
UPPER_DAYS: Mapping[int, float] = MappingProxyType({0: 0, 1: 30, 2: 60, 3: 90})
"""State to the most days past due that it holds; more than 90 are over 90."""

LEAST_PARTIES = 30
_HALF = 0.5


def roll_rate_rows(counts: Ints) -> list[Document]:
    """Describe where the parties of each state went.

    Parameters
    ----------
    counts : ndarray of shape (6, 6)
        Parties by worst state in the first span (rows) and in the next (columns), in the order
        of `STATES`.

    Returns
    -------
    list of dict
        One per state from which parties can move, so all but ``lost``: ``state``, ``n``, ``to``
        (state to ``n`` and ``share``), and for ``better``, ``same`` and ``worse`` ``n``,
        ``share`` and Wilson's 95 % ``interval``; shares and intervals are None where n is 0.

    References
    ----------
    .. [1] N. Siddiqi, "Intelligent Credit Scoring", 2nd ed., Wiley 2017, chapter 4, "Roll rate
       analysis": the worst delinquency in a span against the worst in the next, to find the state
       from which most do not return.

    Examples
    --------
    >>> counts = np.zeros((6, 6), dtype=np.int64)
    >>> counts[2] = [5, 1, 4, 6, 3, 1]
    >>> line = roll_rate_rows(counts)[2]
    >>> line["state"], line["n"], line["worse"]["n"], line["worse"]["share"]
    ('31 to 60', 20, 10, 0.5)
    """
    return [_line(place, counts[place]) for place in range(LOST)]


def _line(place: int, counts: Ints) -> Document:
    n = int(counts.sum())
    parts = {
        "better": int(counts[:place].sum()),
        "same": int(counts[place]),
        "worse": int(counts[place + 1 :].sum()),
    }
    return {
        "state": STATES[place],
        "n": n,
        "to": {
            state: {"n": int(found), "share": int(found) / n if n else None}
            for state, found in zip(STATES, counts.tolist(), strict=True)
        },
        **{
            name: {"n": found, "share": found / n if n else None,
                   "interval": wilson_interval(found, n)}
            for name, found in parts.items()
        },
    }  # fmt: skip


def roll_rate_sentence(rows: Sequence[Document], months: int) -> str:
    """Name the mildest state from which more than half go on to a worse one.

    Parameters
    ----------
    rows : sequence of dict
        From `roll_rate_rows`.
    months : int
        Length of each span.

    Returns
    -------
    str
        One sentence; states of fewer than 30 parties are not judged.

    Examples
    --------
    >>> counts = np.zeros((6, 6), dtype=np.int64)
    >>> counts[3] = [5, 1, 4, 10, 20, 10]
    >>> roll_rate_sentence(roll_rate_rows(counts), 6)
    'Of 50 parties whose worst state in months 1 to 6 was 61 to 90 days past due, 60.0 % (46.2 % \
to 72.4 %) were worse in months 7 to 12: the mildest state that more than half leave for a worse \
one.'
    """
    large = [row for row in rows if row["n"] >= LEAST_PARTIES and row["state"] != "current"]
    if not large:
        return (
            f"No state of delinquency holds {LEAST_PARTIES} parties in months 1 to {months}: too "
            "few to say from which most do not return."
        )
    worse = next((row for row in large if row["worse"]["share"] > _HALF), None)
    if worse is None:
        return (
            f"No state of {LEAST_PARTIES} parties or more is left for a worse one by more than "
            "half of its parties."
        )
    low, high = worse["worse"]["interval"]
    return (
        f"Of {counted(worse['n'], 'party')} whose worst state in months 1 to {months} was "
        f"{worse['state']} days past due, {100 * worse['worse']['share']:.1f} % "
        f"({100 * low:.1f} % to {100 * high:.1f} %) "
        f"were worse in months {months + 1} to {2 * months}: the mildest state that more than half "
        "leave for a worse one."
    )


def count_matrix(first: Ints, later: Ints, n: Ints) -> Ints:
    """Put counts by pair of states into a matrix.

    Parameters
    ----------
    first, later : ndarray of shape (n_pairs,)
        Places in `STATES`.
    n : ndarray of shape (n_pairs,)
        Parties.

    Returns
    -------
    ndarray of shape (6, 6)
        Zero where there is no pair.

    Examples
    --------
    >>> count_matrix(np.array([0]), np.array([5]), np.array([3]))[0].tolist()
    [0, 0, 0, 0, 0, 3]
    """
    found = np.zeros((len(STATES), len(STATES)), dtype=np.int64)
    np.add.at(found, (first, later), n)
    return found
