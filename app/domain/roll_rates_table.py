"""Worst states of delinquency in two spans after scoring, as Ibis expressions."""

from __future__ import annotations

from datetime import date

import ibis
import ibis.expr.types as ir

from app.domain.outcomes_table import first_grants
from app.domain.roll_rates import LOST, UPPER_DAYS


def roll_rate_expression(
    parties: ir.Table,
    events: ir.Table,
    *,
    months: int,
    data_through: date,
    exposures: ir.Table | None = None,
) -> ir.Table:
    """Count parties by their worst state in two spans of equal length after scoring.

    Parameters
    ----------
    parties : ibis Table
        ``row`` (unique), ``party_id`` and ``scored_on``; a party counts once, by its first row.
    events : ibis Table
        ``party_id``, ``event_date``, ``event_type``, ``days_past_due``.
    months : int
        Length of each span in calendar months.
    data_through : date
        Last day up to which outcomes are complete.
    exposures : ibis Table or None
        ``party_id`` and ``granted_on``, as for vintages; None: all count as exposed.

    Returns
    -------
    ibis Table
        ``standing``, ``first``, ``later`` and ``n``. Standing is ``excluded`` (lost on or before
        scoring, or never granted credit), ``immature`` (the second span ends after
        `data_through`) or ``followed``; states are places in `app.domain.roll_rates.STATES`, and
        who is lost in the first span is lost in the next.
    """
    framed = _framed(parties, months)
    worst = _worst(framed, events)
    joined = framed.left_join(worst, "row").drop("row_right")
    exposed = ibis.literal(True)
    if exposures is not None:
        joined = joined.left_join(first_grants(exposures), "party_id").drop("party_id_right")
        exposed = (joined.undated == 1) | (joined.first_granted <= ibis.literal(data_through))
    first = joined.first_worst.fill_null(0)
    later = ibis.ifelse(first == LOST, LOST, joined.later_worst.fill_null(0))
    is_out = (joined.was_lost == 1).fill_null(False) | ~exposed.fill_null(False)
    standing = ibis.cases(
        (is_out, "excluded"),
        (joined.later_end > ibis.literal(data_through), "immature"),
        else_="followed",
    )
    counted = joined.select(standing=standing, first=first, later=later)
    return counted.group_by("standing", "first", "later").aggregate(n=counted.count())


def _framed(parties: ir.Table, months: int) -> ir.Table:
    order = [parties.scored_on, parties.row]
    place = ibis.row_number().over(group_by=parties.party_id, order_by=order)
    numbered = parties.mutate(place=place)
    scored = numbered.scored_on
    return numbered.filter(numbered.place == 0).select(
        "row",
        "party_id",
        "scored_on",
        first_end=(scored + ibis.interval(months=months)).cast("date"),
        later_end=(scored + ibis.interval(months=2 * months)).cast("date"),
    )


def _worst(framed: ir.Table, events: ir.Table) -> ir.Table:
    days = events.days_past_due
    late = events.event_type == "days_past_due"
    steps = [(late & (days <= most), state) for state, most in UPPER_DAYS.items()]
    state = ibis.cases(*steps, (late & days.notnull(), LOST - 1), (late, 0), else_=LOST)
    named = events.select(event_party="party_id", event_date=events.event_date, state=state)
    met = framed.inner_join(named, framed.party_id == named.event_party)
    on = met.event_date
    in_first = (on > met.scored_on) & (on <= met.first_end)
    in_later = (on > met.first_end) & (on <= met.later_end)
    before = (on <= met.scored_on) & (met.state == LOST)
    return met.group_by("row").aggregate(
        first_worst=met.state.max(where=in_first),
        later_worst=met.state.max(where=in_later),
        was_lost=ibis.ifelse(before, 1, 0).max(),
    )
