"""The columns a card reads, in the type that its transforms take."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from app.domain.intake import (
    FAULTS_SHOWN,
    RowFaults,
    count_faults,
    describe_faults,
    one_chunk,
    text_column,
)
from app.domain.intake_columns import number_column
from app.domain.scorecard_parts import Feature
from app.domain.types import Ints
from app.errors import IntakeError

FeatureColumn = tuple[pa.Array, tuple[RowFaults, ...]]
"""Values in the type that the transform takes, and what could not be read."""


def feature_column(feature: Feature, name: str, table: pa.Table) -> FeatureColumn:
    """Read the column of one feature.

    Parameters
    ----------
    feature : Feature
        Of the card.
    name : str
        Name of the feature and of its column.
    table : pyarrow.Table of n rows
        Where the column is; one that is not there is null throughout.

    Returns
    -------
    values : pyarrow.Array of shape (n,)
        float64 without NaN and infinities for ``linear``, ``log`` and ``bins``, string in the one
        text form of intake for ``categories``; null for what is missing or at fault.
    faults : tuple of RowFaults
        Text that is no number, and infinite numbers.

    Examples
    --------
    >>> from app.domain.transforms import Linear
    >>> feature = Feature(weight=1, transform=Linear(kind="linear", worst=0, best=4))
    >>> values, faults = feature_column(feature, "x", pa.table({"x": ["1", "", "many"]}))
    >>> values.to_pylist(), len(faults)
    ([1.0, None, None], 1)
    """
    takes_numbers = feature.transform.takes_numbers
    if name not in table.column_names:
        kind = pa.float64() if takes_numbers else pa.string()
        return pa.nulls(table.num_rows, kind), ()
    column = one_chunk(table.column(name))
    if not takes_numbers:
        return _texts(column), ()
    return (column, ()) if _is_read_already(column) else number_column(column, name)


def _is_read_already(column: pa.Array) -> bool:
    """Say whether these are finite doubles, as in a batch snapshot."""
    return bool(column.type == pa.float64() and pc.all(pc.is_finite(column)).as_py() is not False)


def _texts(column: pa.Array) -> pa.Array:
    """Write each distinct value once: categories repeat."""
    coded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    return text_column(coded.dictionary).take(coded.indices)


def sound_columns(
    features: Sequence[tuple[str, Feature]], table: pa.Table, source: str = "table"
) -> list[pa.Array]:
    """Read the columns of several features, or say all that is wrong with them.

    Parameters
    ----------
    features : sequence of (str, Feature)
        Names and features.
    table : pyarrow.Table of n rows
        Where the columns are.
    source : str, default "table"
        What the message calls the table.

    Returns
    -------
    list of pyarrow.Array, each of shape (n,)
        As `feature_column` gives them.

    Raises
    ------
    IntakeError
        Names column and row (from 1) of values that are infinite or no numbers.

    Examples
    --------
    >>> from app.domain.transforms import Linear
    >>> feature = Feature(weight=1, transform=Linear(kind="linear", worst=0, best=4))
    >>> sound_columns([("x", feature)], pa.table({"x": ["1", "many"]}))
    Traceback (most recent call last):
    ...
    app.errors.IntakeError: table: 1 fault, nothing was stored
      row 2, column x: 'many' is not a number
    """
    read = [feature_column(feature, name, table) for name, feature in features]
    faults = [fault for _, found in read for fault in found]
    if faults:
        shown = describe_faults(faults, _from_one, FAULTS_SHOWN)
        raise IntakeError(source, shown, count_faults(faults))
    return [values for values, _ in read]


def _from_one(rows: Ints) -> Ints:
    return np.asarray(rows + 1, dtype=np.int64)
