"""The label of one party in Python and of a table in Ibis are the same, on generated events."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import ibis
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.outcomes import (
    EVENT_TYPES,
    Event,
    EventRule,
    OutcomeDefinition,
    default_definition,
    label_party,
)
from app.domain.outcomes_table import label_expression

SCORED_ON = date(2024, 1, 15)
WINDOW = 30
LAST = SCORED_ON + timedelta(days=WINDOW)
DEFINITIONS = (
    default_definition(),
    OutcomeDefinition(
        name="loss",
        bad=(EventRule(event_type="write_off"),),
        indeterminate=(
            EventRule(event_type="collection"),
            EventRule(event_type="days_past_due", at_least=1),
        ),
    ),
)

days = st.sampled_from([-400, -1, 0, 1, 2, WINDOW - 1, WINDOW, WINDOW + 1, 400])
past_due = st.none() | st.sampled_from([0.0, 29.9, 30.0, 60.0, 90.0, 90.5, 91.0])
events = st.builds(
    lambda offset, kind, due: Event(SCORED_ON + timedelta(days=offset), kind, due),
    days,
    st.sampled_from(EVENT_TYPES),
    past_due,
)
grants = st.none() | days
parties = st.lists(
    st.tuples(st.lists(events, max_size=4), st.lists(grants, max_size=2), st.integers(-3, 3)),
    min_size=1,
    max_size=6,
)


@pytest.fixture(scope="module")
def engine() -> Any:
    return ibis.duckdb.connect()


@settings(max_examples=60, deadline=None)
@given(
    people=parties,
    definition=st.sampled_from(DEFINITIONS),
    through=st.sampled_from([-1, 0, 1]),
    with_exposures=st.booleans(),
)
def test_both_engines_give_the_same_label(
    engine: Any, *, people: Any, definition: Any, through: int, with_exposures: bool
) -> None:
    data_through = LAST + timedelta(days=through)
    expected, rows, event_rows, granted_rows = {}, [], [], []
    for number, (happened, granted, shift) in enumerate(people):
        party, scored_on = f"P{number}", SCORED_ON + timedelta(days=shift)
        rows.append({"party_id": party, "scored_on": scored_on})
        event_rows += [(party, e.event_date, e.event_type, e.days_past_due) for e in happened]
        dates = [None if g is None else SCORED_ON + timedelta(days=g) for g in granted]
        granted_rows += [(party, on) for on in dates]
        end = scored_on + timedelta(days=WINDOW)
        exposed = any(on is None or on <= end for on in dates) or not with_exposures
        label = label_party(
            definition,
            happened,
            scored_on=scored_on,
            window_days=WINDOW,
            data_through=data_through,
            is_exposed=exposed,
        )
        happening = (label.event.event_type, label.event.event_date) if label.event else (None,) * 2
        expected[party] = (label.status, label.value, label.observation_end, *happening)
    assert (
        label_table(
            engine,
            rows,
            event_rows,
            granted_rows if with_exposures else None,
            definition,
            data_through,
        )
        == expected
    )


def label_table(
    engine: Any,
    rows: list[Any],
    event_rows: list[Any],
    granted_rows: list[Any] | None,
    definition: OutcomeDefinition,
    data_through: date,
    row: str = "party_id",
) -> dict[str, tuple[Any, ...]]:
    def table(values: list[Any], **types: pa.DataType) -> Any:
        columns = list(zip(*values, strict=True)) or [()] * len(types)
        arrays = [pa.array(c, t) for c, t in zip(columns, types.values(), strict=True)]
        return ibis.memtable(pa.table(arrays, names=list(types)))

    expression = label_expression(
        ibis.memtable(pa.Table.from_pylist(rows)),
        table(
            event_rows,
            party_id=pa.string(),
            event_date=pa.date32(),
            event_type=pa.string(),
            days_past_due=pa.float64(),
        ),
        definition=definition,
        window_days=WINDOW,
        data_through=data_through,
        exposures=None
        if granted_rows is None
        else table(granted_rows, party_id=pa.string(), granted_on=pa.date32()),
        row=row,
        keep=() if row == "party_id" else (row,),
    )
    found = engine.to_pyarrow(expression).to_pylist()
    names = ("status", "label_value", "observation_end", "event_type", "event_date")
    return {line[row]: tuple(line[name] for name in names) for line in found}


@pytest.mark.slow
@settings(max_examples=40, deadline=None)
@given(
    happened=st.lists(events, max_size=4),
    shifts=st.lists(st.integers(-40, 40), min_size=2, max_size=4),
)
def test_a_party_that_is_scored_again_gets_a_label_per_score(
    engine: Any, happened: list[Event], shifts: list[int]
) -> None:
    scored = [SCORED_ON + timedelta(days=shift) for shift in shifts]
    labels = [
        label_party(
            default_definition(),
            happened,
            scored_on=on,
            window_days=WINDOW,
            data_through=LAST,
            is_exposed=True,
        )
        for on in scored
    ]
    found = label_table(
        engine,
        [{"row": at, "party_id": "P", "scored_on": on} for at, on in enumerate(scored)],
        [("P", e.event_date, e.event_type, e.days_past_due) for e in happened],
        None,
        default_definition(),
        LAST,
        row="row",
    )
    assert {at: line[:3] for at, line in found.items()} == {
        at: (label.status, label.value, label.observation_end) for at, label in enumerate(labels)
    }


@pytest.mark.parametrize(
    ("offset", "through", "status"),
    [
        (0, 0, "excluded"),
        (1, 0, "bad"),
        (WINDOW, 0, "bad"),
        (WINDOW + 1, 0, "good"),
        (1, -1, "immature"),
        (0, -1, "excluded"),
    ],
)
def test_the_window_is_open_at_the_score_and_closed_at_its_end(
    engine: Any, offset: int, through: int, status: str
) -> None:
    happened = SCORED_ON + timedelta(days=offset)
    found = label_table(
        engine,
        [{"party_id": "P", "scored_on": SCORED_ON}],
        [("P", happened, "write_off", None)],
        None,
        default_definition(),
        LAST + timedelta(days=through),
    )
    assert found["P"][0] == status


def test_the_expression_prints_itself_as_sql_for_a_warehouse() -> None:
    schema = {"party_id": "string", "scored_on": "date"}
    happened = {
        "party_id": "string",
        "event_date": "date",
        "event_type": "string",
        "days_past_due": "float64",
    }
    expression = label_expression(
        ibis.table(schema, name="parties"),
        ibis.table(happened, name="events"),
        definition=default_definition(),
        window_days=180,
        data_through=datetime(2026, 1, 1, tzinfo=UTC).date(),
        exposures=ibis.table({"party_id": "string", "granted_on": "date"}, name="granted"),
    )
    for dialect in ("snowflake", "postgres", "databricks", "bigquery"):
        assert "SELECT" in str(ibis.to_sql(expression, dialect=dialect))
