"""Labels of whole tables as one Ibis expression, the same on every engine.

`app.domain.outcomes.label_party` is the same rule for one party.
"""

from __future__ import annotations

from datetime import date
from functools import reduce
from operator import and_, or_

import ibis
import ibis.expr.types as ir

from app.domain.outcomes import EventRule, OutcomeDefinition

_ALREADY_BAD, _BAD, _UNCLEAR = 0, 1, 2


def label_expression(
    parties: ir.Table,
    events: ir.Table,
    *,
    definition: OutcomeDefinition,
    window_days: int,
    data_through: date,
    exposures: ir.Table | None = None,
    row: str = "party_id",
    keep: tuple[str, ...] = (),
) -> ir.Table:
    """Label every party: the first that holds of excluded, immature, bad, indeterminate, good.

    Parameters
    ----------
    parties : ibis Table
        ``party_id`` and ``scored_on``, the UTC calendar day of the score.
    events : ibis Table
        ``party_id``, ``event_date``, ``event_type``, ``days_past_due``; repeated events are
        harmless.
    definition : OutcomeDefinition
        Which events count.
    window_days : int
        Length of the observation window in days, at least 1.
    data_through : date
        Last day up to which outcomes are complete.
    exposures : ibis Table or None
        ``party_id`` and ``granted_on`` (null: at some time): who was granted credit. A party
        counts as exposed if it stands there without a date, or with one up to the end of its
        window. None: all count as exposed.
    row : str, default 'party_id'
        Column of the parties that is unique: another, to be kept as well, where a party stands
        there more than once.
    keep : tuple of str
        More columns of the parties to give back, such as a row number.

    Returns
    -------
    ibis Table
        ``party_id``, ``status``, ``label_value`` (1, 0 or null), ``observation_end``,
        ``event_type``, ``event_date``, then those to keep: one row per row of parties, in no
        order.
    """
    window = ibis.interval(days=window_days)
    framed = parties.select(
        "party_id",
        "scored_on",
        *keep,
        observation_end=(parties.scored_on + window).cast("date"),
    )
    joined = framed.left_join(_deciding_events(framed, events, definition, row), row)
    joined = joined.drop(f"{row}_right")
    if exposures is not None:
        granted = first_grants(exposures)
        joined = joined.left_join(granted, "party_id").drop("party_id_right")
        exposed = (joined.undated == 1) | (joined.first_granted <= joined.observation_end)
        joined = joined.mutate(is_exposed=ibis.ifelse(exposed.fill_null(False), 1, 0))
    else:
        joined = joined.mutate(is_exposed=ibis.literal(1))
    status = _status(joined, data_through)
    return _columns(joined.mutate(status=status), keep)


def _deciding_events(
    framed: ir.Table, events: ir.Table, definition: OutcomeDefinition, row: str
) -> ir.Table:
    """Keep the one event per row that can decide its status."""
    counted = events.select(
        event_party="party_id",
        event_date=events.event_date,
        event_type=events.event_type,
        is_bad=ibis.ifelse(covered_events(events, definition.bad), 1, 0),
        is_unclear=ibis.ifelse(covered_events(events, definition.indeterminate), 1, 0),
    )
    counted = counted.filter((counted.is_bad == 1) | (counted.is_unclear == 1))
    met = framed.inner_join(counted, framed.party_id == counted.event_party)
    in_window = (met.event_date > met.scored_on) & (met.event_date <= met.observation_end)
    met = met.mutate(
        decides=ibis.cases(
            ((met.is_bad == 1) & (met.event_date <= met.scored_on), _ALREADY_BAD),
            ((met.is_bad == 1) & in_window, _BAD),
            ((met.is_unclear == 1) & in_window, _UNCLEAR),
        )
    )
    met = met.filter(met.decides.notnull())
    order = [met.decides, met.event_date, met.event_type]
    numbered = met.mutate(place=ibis.row_number().over(group_by=met[row], order_by=order))
    first = numbered.filter(numbered.place == 0)
    return first.select(row, "decides", "event_date", "event_type")


def covered_events(events: ir.Table, rules: tuple[EventRule, ...]) -> ir.BooleanValue:
    """Say of each event whether one of the rules covers it.

    Parameters
    ----------
    events : ibis Table
        With ``event_type`` and ``days_past_due``.
    rules : tuple of EventRule
        Any number of rules.

    Returns
    -------
    ibis BooleanValue
        Never null.
    """
    covered = reduce(or_, (_rule(events, rule) for rule in rules), ibis.literal(False))
    return covered.fill_null(False)


def _rule(events: ir.Table, rule: EventRule) -> ir.BooleanValue:
    days = events.days_past_due
    conditions = [events.event_type == rule.event_type]
    if rule.more_than is not None:
        conditions.append(days > rule.more_than)
    if rule.at_least is not None:
        conditions.append(days >= rule.at_least)
    if rule.at_most is not None:
        conditions.append(days <= rule.at_most)
    return reduce(and_, conditions)


def first_grants(exposures: ir.Table) -> ir.Table:
    """Give when each party was first granted credit.

    Parameters
    ----------
    exposures : ibis Table
        ``party_id`` and ``granted_on`` (null: at some time).

    Returns
    -------
    ibis Table
        ``party_id``, ``first_granted`` and ``undated``, 1 where a row has no date.
    """
    return exposures.group_by("party_id").aggregate(
        first_granted=exposures.granted_on.min(),
        undated=ibis.ifelse(exposures.granted_on.isnull(), 1, 0).max(),
    )


def _status(joined: ir.Table, data_through: date) -> ir.StringValue:
    return ibis.cases(
        ((joined.decides == _ALREADY_BAD) | (joined.is_exposed == 0), "excluded"),
        (joined.observation_end > ibis.literal(data_through), "immature"),
        (joined.decides == _BAD, "bad"),
        (joined.decides == _UNCLEAR, "indeterminate"),
        else_="good",
    )


def _columns(labelled: ir.Table, keep: tuple[str, ...]) -> ir.Table:
    shows_event = (labelled.status != "immature") & (
        (labelled.status != "excluded") | (labelled.decides == _ALREADY_BAD)
    )
    no_type, no_date = ibis.null("string"), ibis.null("date")
    return labelled.select(
        "party_id",
        "status",
        label_value=ibis.cases((labelled.status == "bad", 1), (labelled.status == "good", 0)),
        observation_end=labelled.observation_end,
        event_type=ibis.ifelse(shows_event, labelled.event_type, no_type),
        event_date=ibis.ifelse(shows_event, labelled.event_date, no_date),
        **{name: labelled[name] for name in keep},
    )
