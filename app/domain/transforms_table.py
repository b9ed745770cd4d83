"""Raw values to goodness: the four transforms of `app.domain.transforms`, as Ibis expressions.

Every constant is cast from its text: engines read a bare ``0.1`` as a decimal and may then round
it differently from Python.
"""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

from app.domain.scorecard_parts import Feature
from app.domain.transforms import Bins, Categories, Linear, Log


def constant(value: float) -> ir.FloatingScalar:
    """Give a double that every engine reads as Python does.

    Parameters
    ----------
    value : float
        Finite.

    Returns
    -------
    ibis scalar of float64
        The shortest decimal text of `value`, cast to double.

    Examples
    --------
    >>> "CAST('0.1' AS DOUBLE)" in ibis.to_sql(constant(0.1).name("x"), dialect="duckdb")
    True
    """
    return ibis.literal(repr(float(value))).cast("float64")


def goodness_expression(feature: Feature, column: ir.Column) -> ir.FloatingColumn:
    """Map a column of raw values to goodness.

    Parameters
    ----------
    feature : Feature
        Of the card.
    column : ibis column
        float64 for ``linear``, ``log`` and ``bins``; string, as intake writes it, for
        ``categories``. NaN must be null already.

    Returns
    -------
    ibis column of float64
        In [0, 1], never null.

    Examples
    --------
    >>> from app.domain.transforms import Linear
    >>> feature = Feature(weight=1, transform=Linear(kind="linear", worst=0, best=4), missing=0.5)
    >>> import pyarrow as pa
    >>> table = ibis.memtable(pa.table({"x": [1.0, None, 9.0]}))
    >>> goodness_expression(feature, table.x).to_pyarrow().to_pylist()
    [0.25, 0.5, 1.0]
    """
    transform = feature.transform
    if isinstance(transform, Linear):
        given = _linear(transform, column)
    elif isinstance(transform, Log):
        given = _log(transform, column)
    elif isinstance(transform, Bins):
        given = _bins(transform, column)
    else:
        given = _categories(transform, column)
    return column.isnull().ifelse(constant(feature.missing), given)


def _clipped(share: ir.FloatingColumn) -> ir.FloatingColumn:
    return ibis.greatest(constant(0.0), ibis.least(constant(1.0), share))


def _linear(transform: Linear, column: ir.FloatingColumn) -> ir.FloatingColumn:
    return _clipped((column - constant(transform.worst)) / constant(transform.span))


def _log(transform: Log, column: ir.FloatingColumn) -> ir.FloatingColumn:
    counted = ibis.greatest(column, constant(0.0))
    logarithm = (constant(1.0) + counted).ln()
    return _clipped((logarithm - constant(transform.origin)) / constant(transform.span))


def _bins(transform: Bins, column: ir.FloatingColumn) -> ir.FloatingColumn:
    below = [
        (column < constant(edge), constant(value))
        for edge, value in zip(transform.edges, transform.values[:-1], strict=True)
    ]
    return ibis.cases(*below, else_=constant(transform.values[-1]))


def _categories(transform: Categories, column: ir.StringColumn) -> ir.FloatingColumn:
    known = [
        (ibis.literal(text) == column, constant(value)) for text, value in transform.values.items()
    ]
    return ibis.cases(*known, else_=constant(transform.other))
