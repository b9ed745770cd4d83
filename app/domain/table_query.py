"""Run Ibis expressions over the feature columns of a table on DuckDB, row order kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

import duckdb
import ibis
import ibis.expr.types as ir
import numpy as np
import pyarrow as pa

from app.domain.feature_columns import sound_columns
from app.domain.scorecard import Scorecard
from app.domain.scorecard_parts import Feature
from app.errors import InvalidInputError

_ROW = "__row"
_SOURCE = "raw_values"
_PIECE = 61_440
"""Rows that DuckDB gives to one thread at a time."""

Limits = Mapping[str, str | int]
"""Settings of a DuckDB by its own names, such as ``memory_limit``."""

NO_LIMITS: Limits = MappingProxyType({})
"""DuckDB's own defaults."""


class TableQuery:
    """Run one expression over tables of feature values.

    The SQL is written once, so that a file can be scored piece by piece. Inside, the columns of
    features are called by their place: names that databases would confuse cannot meet.

    Parameters
    ----------
    card : Scorecard
        Whose features are read.
    names : sequence of str
        Which features.
    expression : callable
        From an Ibis table and its columns of the features, in the order of `names`, to a table
        with the same rows and more columns.
    outputs : sequence of str
        The columns of that table to give back.

    Raises
    ------
    InvalidInputError
        If the card has no such feature.

    Examples
    --------
    >>> from app.domain.scorecard import default_card
    >>> def twice(table, columns):
    ...     return table.mutate(twice=columns[0] * 2)
    >>> query = TableQuery(default_card(), ["network_size"], twice, ["twice"])
    >>> query.run(pa.table({"network_size": ["3", ""]})).to_pydict()
    {'twice': [6.0, None]}
    """

    def __init__(
        self,
        card: Scorecard,
        names: Sequence[str],
        expression: Callable[[ir.Table, list[ir.Column]], ir.Table],
        outputs: Sequence[str],
    ) -> None:
        self.features = [(name, _feature(card, name)) for name in names]
        schema = {
            f"x{place}": dtype_of(feature) for place, (_, feature) in enumerate(self.features)
        }
        source = ibis.table({**schema, _ROW: "int64"}, name=_SOURCE)
        computed = expression(source, [source[column] for column in schema])
        self.sql = str(ibis.to_sql(computed.select(*outputs, _ROW), dialect="duckdb"))

    def run(
        self, table: pa.Table, source: str = "table", *, limits: Limits = NO_LIMITS
    ) -> pa.Table:
        """Compute the outputs for a table.

        Parameters
        ----------
        table : pyarrow.Table of n rows
            Raw values, one column per feature; a column that is not there is null throughout.
            Numbers may be of any type or text; NaN is null.
        source : str, default "table"
            What an error calls the table.
        limits : mapping, default none
            What DuckDB may use.

        Returns
        -------
        pyarrow.Table of n rows
            The outputs, in the row order of the table.

        Raises
        ------
        IntakeError
            Names rows and columns whose values are infinite or no numbers.
        """
        values = sound_columns(self.features, table, source)
        return self.run_columns(values, table.num_rows, limits=limits)

    def run_columns(
        self, values: Sequence[pa.Array], n_rows: int, *, limits: Limits = NO_LIMITS
    ) -> pa.Table:
        """Compute the outputs for columns that intake has read already.

        Parameters
        ----------
        values : sequence of pyarrow.Array, each of shape (n_rows,)
            As `app.domain.feature_columns.feature_column` gives them.
        n_rows : int
            Number of rows.
        limits : mapping, default none
            What DuckDB may use.

        Returns
        -------
        pyarrow.Table of n_rows rows
            The outputs, in the same order.
        """
        columns = {f"x{place}": column for place, column in enumerate(values)}
        columns[_ROW] = pa.array(np.arange(n_rows, dtype=np.int64))
        pieces = pa.table(columns).to_batches(max_chunksize=_PIECE)
        if not pieces:
            pieces = [pa.record_batch(columns)]
        with duckdb.connect(config=dict(limits)) as connection:
            connection.register(_SOURCE, pa.Table.from_batches(pieces))
            computed = connection.execute(self.sql).to_arrow_table()
        return _in_row_order(computed)


def dtype_of(feature: Feature) -> str:
    """Name the type of the column that a feature reads.

    Parameters
    ----------
    feature : Feature
        Of the card.

    Returns
    -------
    str
        ``float64`` or ``string``.

    Examples
    --------
    >>> from app.domain.transforms import Linear
    >>> dtype_of(Feature(weight=1, transform=Linear(kind="linear", worst=0, best=4)))
    'float64'
    """
    return "float64" if feature.transform.takes_numbers else "string"


def _feature(card: Scorecard, name: str) -> Feature:
    if name not in card.features:
        known = ", ".join(card.feature_names)
        raise InvalidInputError(f"the card has no feature {name!r}; it has {known}")
    return card.features[name]


def _in_row_order(computed: pa.Table) -> pa.Table:
    rows = computed.column(_ROW).to_numpy()
    if np.any(rows[1:] < rows[:-1]):  # DuckDB keeps the order by default, but need not
        computed = computed.take(pa.array(np.argsort(rows)))
    return computed.drop_columns([_ROW])
