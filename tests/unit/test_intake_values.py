"""One text form for values and columns, numbers and dates with faults as values."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.intake import as_text, text_column
from app.domain.intake_columns import number_column, plain_column
from app.domain.intake_dates import DateRule, instant_column, parse_instant
from app.errors import InvalidInputError

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1, "1"),
        (1.0, "1"),
        (-0.0, "0"),
        ("1.0", "1"),
        ("-0.0", "0"),
        ("007", "007"),
        ("007.0", "007.0"),
        (1e20, "100000000000000000000"),
        (0.1, "0.1"),
        (True, "true"),
        (np.bool_(False), "false"),
        ("TRUE", "true"),
        ("Other", "Other"),
        (" \u00a0x\t", "x"),
        ("none", "none"),
        ("", None),
        ("NaN", None),
        (float("nan"), None),
        (None, None),
        (Decimal("2.00"), "2"),
        (date(2024, 3, 4), "2024-03-04"),
        (b"abc", "abc"),
        (np.int64(5), "5"),
        (np.float32(2.0), "2"),
    ],
)
def test_a_value_has_one_text_form(value: object, text: str | None) -> None:
    assert as_text(value) == text


pieces = st.sampled_from(
    ["1.0", "-0.0", "-0", "0.00", "10.050", "True", "nan", " ", "\u00a0", "a", ".0", "x.0", "\x1c"]
)
texts = st.one_of(st.text(max_size=6), st.lists(pieces, max_size=3).map("".join))


@given(
    st.one_of(
        st.lists(st.none() | texts),
        st.lists(st.none() | st.floats()),
        st.lists(st.none() | st.integers(-(2**63), 2**63 - 1)),
        st.lists(st.none() | st.booleans()),
        st.lists(st.none() | st.dates()),
    )
)
def test_a_column_has_the_text_form_of_its_values(values: list[object]) -> None:
    column = pa.array(values)
    assert text_column(column).to_pylist() == [as_text(value) for value in values]


def test_dictionary_and_chunked_columns_are_read_like_plain_ones() -> None:
    plain = pa.chunked_array([["1.0", None], ["b"]])
    assert text_column(plain.dictionary_encode()).to_pylist() == ["1", None, "b"]


@given(st.lists(st.none() | st.floats(allow_nan=False, allow_infinity=False)))
def test_numbers_survive_being_written_as_text(values: list[float | None]) -> None:
    column = pa.array([None if v is None else repr(v) for v in values], pa.string())
    numbers, faults = number_column(column, "x")
    assert numbers.to_pylist() == values
    assert not faults


def test_texts_and_infinite_numbers_in_a_numeric_column_are_all_named() -> None:
    column = pa.array(["1", "+2.5", "abc", "inf", "-Infinity", "1e999", "", "nan", "1,5", "true"])
    numbers, faults = number_column(column, "x")
    assert numbers.to_pylist() == [1.0, 2.5, None, None, None, None, None, None, None, 1.0]
    found = {f.problem: (f.rows.tolist(), f.values) for f in faults}
    assert found == {
        "'{value}' is not a number": ([2, 8], ("abc", "1,5")),
        "'{value}' is infinite": ([3, 4, 5], ("inf", "-Infinity", "1e999")),
    }


def test_an_infinite_number_among_numbers_is_named() -> None:
    numbers, faults = number_column(pa.array([1.0, float("inf"), float("nan")]), "x")
    assert numbers.to_pylist() == [1.0, None, None]
    assert faults[0].rows.tolist() == [1]


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["1", "2", ""], pa.int64()),
        (["1.0", "-2"], pa.float64()),
        (["1", "02"], pa.string()),
        (["+1"], pa.string()),
        (["0x10"], pa.string()),
        (["1e5"], pa.string()),
        (["inf"], pa.string()),
        (["123456789012345"], pa.int64()),
        (["1234567890123456"], pa.string()),
        (["-123456789012.345"], pa.float64()),
        (["", " "], pa.string()),
        (["a", "1"], pa.string()),
    ],
)
def test_an_undescribed_column_is_numbers_only_if_all_of_it_is(
    values: list[str], kind: pa.DataType
) -> None:
    assert plain_column(pa.array(values)).type == kind


@pytest.mark.parametrize(
    ("text", "date_format", "instant"),
    [
        ("2024-03-04", None, "2024-03-04T00:00:00+00:00"),
        ("2024-03-04 05:06", None, "2024-03-04T05:06:00+00:00"),
        ("2024-03-04T05:06:07.5Z", None, "2024-03-04T05:06:07.500000+00:00"),
        ("2024-03-04T00:30:00+02:00", None, "2024-03-03T22:30:00+00:00"),
        ("04/03/2024", "%d/%m/%Y", "2024-03-04T00:00:00+00:00"),
        ("20240304", "%Y%m%d", "2024-03-04T00:00:00+00:00"),
    ],
)
def test_dates_are_instants_in_utc(text: str, date_format: str | None, instant: str) -> None:
    assert parse_instant(text, date_format).isoformat() == instant


@pytest.mark.parametrize(
    ("text", "date_format", "message"),
    [
        ("03/04/2024", None, "day or month first: say which with --date-format"),
        ("2024-02-30", None, "not a date of the calendar"),
        ("0001-01-01T00:00+02:00", None, "not a date of the calendar"),
        ("April 3", None, "not an ISO date"),
        ("20240304", None, "not an ISO date"),
        ("2024-03-04", "%d/%m/%Y", "does not match the date format %d/%m/%Y"),
    ],
)
def test_a_date_that_cannot_be_read_says_how_to_write_it(
    text: str, date_format: str | None, message: str
) -> None:
    with pytest.raises(InvalidInputError, match=message):
        parse_instant(text, date_format)


@pytest.mark.parametrize("date_format", ["%d/%m", "%Q", "%"])
def test_a_date_format_without_year_or_meaning_is_refused(date_format: str) -> None:
    with pytest.raises(InvalidInputError, match="date format"):
        DateRule(NOW, date_format)


def test_dates_outside_the_range_blanks_and_nonsense_are_all_named() -> None:
    column = pa.array(["1899-12-31", "2026-06-02", "", "x", "1900-01-01", "2026-06-01T12:00"])
    values, faults = instant_column(column, "on", DateRule(NOW))
    assert values.null_count == 4
    assert [(f.problem.split(":")[0], f.rows.tolist()) for f in faults] == [
        ("the date is blank", [2]),
        ("'{value}' is not an ISO date such as 2026-03-31", [3]),
        ("{value} lies before 1900-01-01", [0]),
        ("{value} lies in the future (now it is 2026-06-01 12", [1]),
    ]
    assert faults[2].values == ("1899-12-31",)


@pytest.mark.parametrize(
    "column",
    [
        pa.array([date(2024, 3, 4)]),
        pa.array([datetime(2024, 3, 4)]),  # noqa: DTZ001 - a naive time means UTC
        pa.array([datetime(2024, 3, 4, tzinfo=UTC)], pa.timestamp("ns", "Europe/Paris")),
        pa.array([datetime(2024, 3, 4, tzinfo=UTC)], pa.timestamp("s", "UTC")),
    ],
)
def test_typed_dates_of_parquet_files_are_the_same_instants(column: pa.Array) -> None:
    values, faults = instant_column(column, "on", DateRule(NOW))
    assert not faults
    assert values.cast(pa.int64()).to_pylist() == [1709510400000000]
