"""Parties followed from scoring to their first bad event, as Ibis expressions."""

from __future__ import annotations

from datetime import date

import ibis
import ibis.expr.types as ir

from app.domain.outcomes import OutcomeDefinition
from app.domain.outcomes_table import covered_events, first_grants


def follow_expression(
    parties: ir.Table,
    events: ir.Table,
    *,
    definition: OutcomeDefinition,
    data_through: date,
    exposures: ir.Table | None = None,
) -> ir.Table:
    """Follow every scored row to its first bad event after scoring.

    Parameters
    ----------
    parties : ibis Table
        ``row`` (unique), ``party_id`` and ``scored_on``, the UTC calendar day of the score.
    events : ibis Table
        ``party_id``, ``event_date``, ``event_type``, ``days_past_due``; repeats are harmless.
    definition : OutcomeDefinition
        Which events are bad; indeterminate ones leave a party not bad.
    data_through : date
        Last day up to which outcomes are complete.
    exposures : ibis Table or None
        ``party_id`` and ``granted_on`` (null: at some time). A party counts as exposed if it
        stands there without a date, or with one up to `data_through`. None: all count as exposed.

    Returns
    -------
    ibis Table
        ``row``, ``party_id``, ``scored_on``, ``month`` of scoring (counted from 1970-01),
        ``is_followed``, 0 where a bad event fell on or before scoring or the party was never
        granted credit, and ``bad_month``: the smallest m so that the bad event lies at most m
        calendar months after scoring, null where there is none.
    """
    met = _first_bad(parties, events, definition)
    joined = parties.left_join(met, "row").drop("row_right")
    exposed = ibis.literal(True)
    if exposures is not None:
        joined = joined.left_join(first_grants(exposures), "party_id").drop("party_id_right")
        exposed = (joined.undated == 1) | (joined.first_granted <= ibis.literal(data_through))
    scored, bad = joined.scored_on, joined.bad_on
    months = 12 * (bad.year() - scored.year()) + bad.month() - scored.month()
    later = ibis.ifelse(bad.day() > scored.day(), 1, 0)
    is_out = (joined.was_bad == 1).fill_null(False) | ~exposed.fill_null(False)
    return joined.select(
        "row",
        "party_id",
        "scored_on",
        month=(12 * (scored.year() - 1970) + scored.month() - 1).cast("int64"),
        is_followed=ibis.ifelse(is_out, 0, 1),
        bad_month=(months + later).cast("int64"),
    )


def _first_bad(parties: ir.Table, events: ir.Table, definition: OutcomeDefinition) -> ir.Table:
    counted = events.filter(covered_events(events, definition.bad)).select(
        event_party="party_id", event_date="event_date"
    )
    met = parties.inner_join(counted, parties.party_id == counted.event_party)
    after = met.event_date > met.scored_on
    return met.group_by("row").aggregate(
        was_bad=ibis.ifelse(after, 0, 1).max(), bad_on=met.event_date.min(where=after)
    )


def parties_by_month(followed: ir.Table) -> ir.Table:
    """Count the parties of each scoring month.

    Parameters
    ----------
    followed : ibis Table
        From `follow_expression`.

    Returns
    -------
    ibis Table
        ``month`` and ``n``, distinct parties that are followed.
    """
    kept = followed.filter(followed.is_followed == 1)
    return kept.group_by("month").aggregate(n=kept.party_id.nunique())


def count_expression(followed: ir.Table, vintages: ir.Table) -> ir.Table:
    """Count parties by vintage and by the month in which they turned bad.

    Parameters
    ----------
    followed : ibis Table
        From `follow_expression`.
    vintages : ibis Table
        ``month`` of scoring (unique) and ``vintage``, a number.

    Returns
    -------
    ibis Table
        ``vintage``, ``is_followed``, ``bad_month`` (null: not bad), ``n``, ``first_scored`` and
        ``last_scored``. A party counts once per vintage, by its first scoring there.
    """
    joined = followed.inner_join(vintages, "month")
    place = ibis.row_number().over(
        group_by=[joined.vintage, joined.party_id], order_by=[joined.scored_on, joined.row]
    )
    numbered = joined.mutate(place=place)
    first = numbered.filter(numbered.place == 0)
    return first.group_by("vintage", "is_followed", "bad_month").aggregate(
        n=first.count(), first_scored=first.scored_on.min(), last_scored=first.scored_on.max()
    )
