"""Simulated outcomes of scored parties: dated events with delays, inside and outside the window."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from app.domain.types import Bools, Dates, Floats

BAD_EVENTS = ("days_past_due", "collection", "write_off", "bankruptcy")
BAD_EVENT_SHARES = (0.40, 0.28, 0.22, 0.10)
ALREADY_BAD = 0.015
"""Share of parties with a bad event before they were scored."""
LATE_BAD = 0.05
"""Share of good parties that turn bad only after the window."""
SLOW_PAYER = 0.06
"""Share of good parties that were once 30 to 90 days late in the window."""
SLIGHTLY_LATE = 0.10
"""Share of good parties that were once 1 to 29 days late, which means nothing."""
EARLY_WARNING = 0.45
"""Share of bad parties that were slightly late before the bad event."""
BAD_DAYS_PAST_DUE = 91
"""More than 90 days past due makes a party bad; it takes that long to happen."""


@dataclass(frozen=True, slots=True)
class EventTable:
    """Hold dated events in the order of their party.

    Attributes
    ----------
    party : ndarray of int, shape (n_events,)
        Row number of the party.
    event_date : ndarray of datetime64[D], shape (n_events,)
        When it happened.
    event_type : ndarray of str, shape (n_events,)
        days_past_due, write_off, collection or bankruptcy.
    days_past_due : ndarray of float, shape (n_events,)
        In days; NaN but for days_past_due.
    """

    party: np.ndarray
    event_date: Dates
    event_type: np.ndarray
    days_past_due: Floats

    @property
    def n_events(self) -> int:
        """Count the events."""
        return len(self.party)

    def __getitem__(self, rows: np.ndarray) -> EventTable:
        return EventTable(
            self.party[rows],
            self.event_date[rows],
            self.event_type[rows],
            self.days_past_due[rows],
        )


def simulate_events(
    rng: np.random.Generator, *, scored_on: Dates, is_bad: Bools, window_days: int
) -> EventTable:
    """Draw what happened to each party after, and to a few before, it was scored.

    Parameters
    ----------
    rng : Generator
        The only source of chance.
    scored_on : ndarray of datetime64[D], shape (n_parties,)
        When each party was scored.
    is_bad : ndarray of bool, shape (n_parties,)
        Who turns bad within the window.
    window_days : int
        Length of the window in days, >= 120.

    Returns
    -------
    EventTable
        Sorted by party, then date. Nothing is cut off at a data-through date.

    Examples
    --------
    >>> scored_on = np.full(2, np.datetime64("2024-01-31"))
    >>> events = simulate_events(np.random.default_rng(1), scored_on=scored_on,
    ...                          is_bad=np.array([True, False]), window_days=180)
    >>> 0 in events.party
    True
    """
    bad, good = np.flatnonzero(is_bad), np.flatnonzero(~is_bad)
    parts = [
        _bad_events(rng, scored_on, bad, (15, window_days)),
        _late_payments(rng, scored_on, _some(rng, bad, EARLY_WARNING), (1, 29), (1, 14)),
        _bad_events(rng, scored_on, _some(rng, good, LATE_BAD), (window_days + 1, 420)),
        _late_payments(rng, scored_on, _some(rng, good, SLOW_PAYER), (30, 90), (31, window_days)),
        _late_payments(rng, scored_on, _some(rng, good, SLIGHTLY_LATE), (1, 29), (1, window_days)),
        _bad_events(rng, scored_on, _some(rng, np.arange(len(is_bad)), ALREADY_BAD), (-300, -5)),
    ]
    table = EventTable(
        np.concatenate([part.party for part in parts]),
        np.concatenate([part.event_date for part in parts]),
        np.concatenate([part.event_type for part in parts]),
        np.concatenate([part.days_past_due for part in parts]),
    )
    return table[np.lexsort((table.event_type, table.event_date, table.party))]


def _some(rng: np.random.Generator, parties: np.ndarray, share: float) -> np.ndarray:
    return parties[rng.random(len(parties)) < share]


def _bad_events(
    rng: np.random.Generator, scored_on: Dates, parties: np.ndarray, delays: tuple[int, int]
) -> EventTable:
    """Draw one bad event per party; being over 90 days late takes more than 90 days."""
    delay = rng.integers(delays[0], delays[1], size=len(parties), endpoint=True)
    kind = rng.choice(BAD_EVENTS, size=len(parties), p=BAD_EVENT_SHARES)
    kind = np.where(
        (kind == "days_past_due") & (delay > 0) & (delay < BAD_DAYS_PAST_DUE), "collection", kind
    )
    days = np.where(
        kind == "days_past_due",
        rng.integers(BAD_DAYS_PAST_DUE, 240, size=len(parties)).astype(float),
        np.nan,
    )
    return EventTable(parties, scored_on[parties] + delay, kind, days)


def _late_payments(
    rng: np.random.Generator,
    scored_on: Dates,
    parties: np.ndarray,
    days: tuple[int, int],
    delays: tuple[int, int],
) -> EventTable:
    delay = rng.integers(delays[0], delays[1], size=len(parties), endpoint=True)
    late = rng.integers(days[0], days[1], size=len(parties), endpoint=True).astype(float)
    return EventTable(
        parties, scored_on[parties] + delay, np.full(len(parties), "days_past_due"), late
    )
