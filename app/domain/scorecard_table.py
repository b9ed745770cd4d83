"""Scores of whole tables as one Ibis expression: what other databases and Spark run.

On every finite number and every text it gives the same score, band, contributions, missing
features and reason codes as `app.domain.party_score` and `app.domain.table_score`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from operator import add

import ibis
import ibis.expr.types as ir

from app.domain.party_score import TIE
from app.domain.reasons import RESOLUTION
from app.domain.score_outputs import MISSING_SEPARATOR, REASON_COLUMNS, score_outputs
from app.domain.scorecard import Scorecard
from app.domain.scorecard_parts import Feature
from app.domain.transforms_table import constant, goodness_expression
from app.errors import InvalidInputError

Outputs = dict[str, ir.Column]
"""Expressions by the name of their column."""


def score_expression(
    card: Scorecard, table: ir.Table, *, reasons: bool = True, contributions: bool = True
) -> ir.Table:
    """Add the score and what explains it to an Ibis table, on any engine.

    Parameters
    ----------
    card : Scorecard
        The card that decides.
    table : ibis table
        With a column per feature, as batch snapshots hold them: numbers (NaN is null already)
        or texts as intake writes them. A column that is not there is missing throughout.
    reasons, contributions : bool, default True
        Whether to add the reason columns and the points of each feature.

    Returns
    -------
    ibis table
        The table with the columns `score_outputs`; columns of the same name are replaced.

    Raises
    ------
    InvalidInputError
        If a column has a type that its transform does not take.

    Examples
    --------
    >>> from app.domain.scorecard import default_card
    >>> import pyarrow as pa
    >>> table = ibis.memtable(pa.table({"kyc_verified": [1.0], "has_tax_id": [1.0]}))
    >>> score_expression(default_card(), table).score.to_pyarrow().to_pylist()
    [425]
    """
    columns = [_column(table, name, feature) for name, feature in card.features.items()]
    scored = _scored(card, table, columns, reasons=reasons, contributions=contributions)
    outputs = score_outputs(card, reasons=reasons, contributions=contributions)
    return scored.select(*[name for name in table.columns if name not in outputs], *outputs)


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


def goodness_columns(card: Scorecard, table: ir.Table, names: Sequence[str]) -> Outputs:
    """Map features of an Ibis table to goodness, on any engine.

    Parameters
    ----------
    card : Scorecard
        Whose transforms apply.
    table : ibis table
        As for `score_expression`.
    names : sequence of str
        Features of the card.

    Returns
    -------
    dict of str to ibis column
        Goodness in [0, 1] by feature, in the order of the names; never null.

    Raises
    ------
    InvalidInputError
        If a column has a type that its transform does not take.

    Examples
    --------
    >>> from app.domain.scorecard import default_card
    >>> import pyarrow as pa
    >>> table = ibis.memtable(pa.table({"company_age_years": [5.0, None, 20.0]}))
    >>> columns = goodness_columns(default_card(), table, ["company_age_years"])
    >>> table.select(**columns).to_pyarrow()["company_age_years"].to_pylist()
    [0.5, 0.0, 1.0]
    """
    features = [card.features[name] for name in names]
    columns = [_column(table, name, card.features[name]) for name in names]
    return dict(zip(names, _goodness(features, columns).values(), strict=True))


def _chained(pieces: Sequence[ir.StringColumn]) -> ir.StringValue:
    return reduce(add, pieces)


def score_columns(
    card: Scorecard,
    table: ir.Table,
    columns: Sequence[ir.Column],
    joined: Callable[[Sequence[ir.StringColumn]], ir.StringValue] = _chained,
) -> ir.Table:
    """Add the score and what explains it to a table whose columns were read already.

    Parameters
    ----------
    card : Scorecard
        The card that decides.
    table : ibis table
        Any.
    columns : sequence of ibis column
        Of `table`, in card order, in the types that the transforms take.
    joined : callable
        Joins texts that are never null, in the way that the engine does best.

    Returns
    -------
    ibis table
        The table with the columns `score_outputs`, and helpers whose names begin with ``__``.

    Examples
    --------
    >>> from app.domain.scorecard import load_scorecard
    >>> card = load_scorecard('''
    ... name: One
    ... bands: {all: 300}
    ... features: {age: {weight: 1, transform: {kind: linear, worst: 20, best: 60}}}
    ... ''')
    >>> import pyarrow as pa
    >>> table = ibis.memtable(pa.table({"x": [50.0]}))
    >>> score_columns(card, table, [table.x]).score.to_pyarrow().to_pylist()
    [750]
    """
    return _scored(card, table, columns, reasons=True, contributions=True, joined=joined)


def _column(table: ir.Table, name: str, feature: Feature) -> ir.Column:
    dtype = dtype_of(feature)
    if name not in table.columns:
        return ibis.null(dtype)
    column = table[name]
    if dtype == "float64" and column.type().is_numeric():
        return column.cast(dtype)
    if not (column.type().is_string() and dtype == "string"):
        message = (
            f"feature {name!r} takes {dtype}, the table has {column.type()}: read it by intake"
        )
        raise InvalidInputError(message)
    return column


def _helper(what: str, place: int) -> str:
    return f"__{what}_{place}"


def _goodness(features: Sequence[Feature], columns: Sequence[ir.Column]) -> Outputs:
    pairs = enumerate(zip(features, columns, strict=True))
    return {
        _helper("goodness", place): goodness_expression(feature, column)
        for place, (feature, column) in pairs
    }


def _scored(
    card: Scorecard,
    table: ir.Table,
    columns: Sequence[ir.Column],
    *,
    reasons: bool,
    contributions: bool,
    joined: Callable[[Sequence[ir.StringColumn]], ir.StringValue] = _chained,
) -> ir.Table:
    """Compute in steps of one sub-select each: inlined into one another they would explode."""
    features = list(card.features.items())
    missing = joined(_missing(card, columns)).substr(len(MISSING_SEPARATOR))
    goodness = _goodness([feature for _, feature in features], columns)
    step = table.mutate(**goodness, __missing=missing).view()
    shares = [step[name] for name in goodness]
    unrounded = _unrounded(card, shares)
    outputs: Outputs = {"unrounded_score": unrounded, "missing_features": step["__missing"]}
    if contributions:
        outputs |= {
            f"points_{name}": _points(card, feature, share)
            for (name, feature), share in zip(features, shares, strict=True)
        }
    losses = _losses(card, shares) if reasons else {}
    step = step.mutate(**outputs, **losses).view()
    score = (step["unrounded_score"] + constant(0.5) + constant(TIE)).floor().cast("int64")
    ranks = _ranks([(place, step[name]) for place, name in enumerate(losses)])
    step = step.mutate(score=score, **ranks).view()
    return step.mutate(
        band=_band(card, step["score"]),
        **(_reasons(card, step) if reasons else {}),
    )


def _missing(card: Scorecard, columns: Sequence[ir.Column]) -> list[ir.StringColumn]:
    return [
        column.isnull().ifelse(MISSING_SEPARATOR + name, "")
        for name, column in zip(card.feature_names, columns, strict=True)
    ]


def _unrounded(card: Scorecard, shares: Sequence[ir.FloatingColumn]) -> ir.FloatingColumn:
    weighted = [
        constant(feature.weight) * share
        for feature, share in zip(card.features.values(), shares, strict=True)
    ]
    low, span = constant(card.range.min), constant(card.range.max - card.range.min)
    return low + span * reduce(add, weighted) / constant(card.total_weight)


def _points(card: Scorecard, feature: Feature, share: ir.FloatingColumn) -> ir.FloatingColumn:
    span = card.range.max - card.range.min
    return constant(span * feature.weight) * share / constant(card.total_weight)


def _losses(card: Scorecard, shares: Sequence[ir.FloatingColumn]) -> Outputs:
    losses = {}
    for place, (feature, share) in enumerate(zip(card.features.values(), shares, strict=True)):
        lost = _points(card, feature, constant(feature.attainable) - share)
        losses[_helper("loss", place)] = (lost * constant(RESOLUTION) + constant(0.5)).floor()
    return losses


def _ranks(losses: Sequence[tuple[int, ir.NumericColumn]]) -> Outputs:
    one, zero = ibis.literal(1, "int32"), ibis.literal(0, "int32")
    ranks = {}
    for place, mine in losses:
        ahead = [
            ((other >= mine) if position < place else (other > mine)).ifelse(one, zero)
            for position, other in losses
            if position != place
        ]
        ranks[_helper("rank", place)] = reduce(add, ahead, zero)
    return ranks


def _reasons(card: Scorecard, step: ir.Table) -> Outputs:
    lines = [
        (name, step[_helper("loss", place)], step[_helper("rank", place)])
        for place, name in enumerate(card.feature_names)
    ]
    return {
        column: ibis.cases(
            *[((loss > 0) & (rank == position), name) for name, loss, rank in lines],
            else_=ibis.null("string"),
        )
        for position, column in enumerate(REASON_COLUMNS)
    }


def _band(card: Scorecard, score: ir.IntegerColumn) -> ir.StringValue:
    lowest, *others = card.band_names
    if not others:
        return ibis.literal(lowest)
    return ibis.cases(
        *[(score >= card.bands[name], name) for name in reversed(others)], else_=lowest
    )
