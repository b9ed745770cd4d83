"""Count what monitoring compares on Spark: the executors read the snapshot, counts come back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce
from typing import Any

import ibis
import ibis.expr.types as ir
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from app.domain.monitoring.bins import DECIMALS, FrozenBins, Numbers, Texts, ValueCounts
from app.domain.monitoring.population import Counted, Population, Reference
from app.domain.scorecard import Scorecard
from app.domain.scorecard_table import dtype_of, score_expression
from app.lake.spark import SparkEngine
from app.lake.store import Lake
from app.services.label_tables import FileName
from app.services.training_sample import training_features

_SCORE, _BAND = "score", "band"
_OWN_COLUMNS = ("party_id", "scored_at")


def population_on_spark(
    spark: SparkEngine, lake: Lake, files: Sequence[FileName], card: Scorecard
) -> Population:
    """Count how often each score and each value of a feature occurs.

    Parameters
    ----------
    spark : SparkEngine
        Runs it.
    lake : Lake
        A folder that every executor sees; each file's hash is verified.
    files : sequence of (path, sha256)
        Snapshots, at least one.
    card : Scorecard
        That scores them.

    Returns
    -------
    Population
        All parties of the snapshots; different scores and numbers come to this process, at most as
        many as there are rows.

    Raises
    ------
    NotFoundError, FileHashError
        If a file is gone or not what was stored.
    """
    scored = _scored(spark, lake, files, card)
    names = training_features(card)
    columns = {_key(name): scored[name] for name in names}
    asked = {_SCORE: scored.unrounded_score, **columns}
    found = spark.gather(lake, "validation", _stacked(scored, {
        key: _rounded(column) if column.type().is_floating() else column
        for key, column in asked.items()
    }))  # fmt: skip
    counted = _by_what(found)
    return Population(
        scores=_value_counts(counted[_SCORE]),
        features={
            name: _counts_of(counted[_key(name)], dtype_of(card.features[name])) for name in names
        },
        bands=dict(card.bands),
    )


def counts_on_spark(
    spark: SparkEngine, lake: Lake, snapshot: FileName, card: Scorecard, reference: Reference
) -> Counted:
    """Count the parties of a batch by the bins of a reference.

    Parameters
    ----------
    spark : SparkEngine
        Runs it.
    lake : Lake
        A folder that every executor sees; the file's hash is verified.
    snapshot : tuple of (path, sha256)
        Of the batch.
    card : Scorecard
        That scores it.
    reference : Reference
        Frozen under the same card.

    Returns
    -------
    Counted
        As `app.domain.monitoring.population.count_population` on the rows.

    Raises
    ------
    NotFoundError, FileHashError
        If the file is gone or not what was stored.
    """
    scored = _scored(spark, lake, [snapshot], card)
    asked = {
        _SCORE: _placed(reference.score, scored.unrounded_score),
        _BAND: scored.band,
        **{_key(name): _placed(bins, scored[name]) for name, bins in reference.features.items()},
    }
    counted = _by_what(spark.collect(_stacked(scored, asked)))
    bands = _texts(counted[_BAND])
    features: dict[str, Any] = {}
    new: dict[str, Mapping[str, int]] = {}
    for name, bins in reference.features.items():
        part = counted[_key(name)]
        if bins.has_edges:
            features[name], new[name] = _bin_counts(part, bins), {}
            continue
        values = _counts_of(part, dtype_of(card.features[name]))
        features[name], new[name] = bins.count(values), bins.new_categories(values)
    return Counted(
        score=_bin_counts(counted[_SCORE], reference.score),
        features=features,
        new=new,
        bands={name: bands.get(name, 0) for name in card.bands},
    )


def scores_on_spark(
    spark: SparkEngine, lake: Lake, snapshot: FileName, cards: Sequence[Scorecard]
) -> pa.Table:
    """Score the parties of a batch under one or more cards.

    Parameters
    ----------
    spark : SparkEngine
        Runs it.
    lake : Lake
        A folder that every executor sees; the file's hash is verified.
    snapshot : tuple of (path, sha256)
        Of the batch.
    cards : sequence of Scorecard
        At least one.

    Returns
    -------
    pyarrow.Table of n rows
        ``party_id``, ``scored_at`` and unrounded ``score_0``, ``score_1`` and so on, in points: in
        the order of a snapshot, so that sums over them run as they do on its rows.

    Raises
    ------
    NotFoundError, FileHashError
        If the file is gone or not what was stored.
    """
    table = spark.open(lake, [snapshot])
    scores = []
    for place, card in enumerate(cards):
        scored = score_expression(card, table, reasons=False, contributions=False)
        scores.append(f"score_{place}")
        table = scored.mutate(**{scores[-1]: scored.unrounded_score})
    kept = table.select(*_OWN_COLUMNS, *scores).order_by("scored_at", "party_id")
    return spark.gather(lake, "validation", kept)


def _scored(spark: SparkEngine, lake: Lake, files: Sequence[FileName], card: Scorecard) -> ir.Table:
    table = spark.open(lake, files).select(*card.feature_names)
    return score_expression(card, table, reasons=False, contributions=False)


def _key(feature: str) -> str:
    """Name a feature among what is counted: it may itself be called score or band."""
    return f"feature {feature}"


def _stacked(table: ir.Table, columns: Mapping[str, ir.Value]) -> ir.Table:
    """Count each column by its values, all of them in one table of what, text, number and n."""
    return reduce(
        lambda one, other: one.union(other),
        [
            table.select(
                what=ibis.literal(what),
                text=column if column.type().is_string() else ibis.null("string"),
                number=ibis.null("float64") if column.type().is_string()
                else column.cast("float64"),
            )
            .group_by("what", "text", "number")
            .aggregate(n=ibis._.count())
            for what, column in columns.items()
        ],
    )  # fmt: skip


@ibis.udf.scalar.builtin(name="rint")  # type: ignore[untyped-decorator]  # of Ibis
def _rint(number: float) -> float:
    """Round to whole numbers, halves to even, as NumPy does; Spark's own function."""
    raise NotImplementedError


def _rounded(column: ir.Value) -> ir.Value:
    """Round by the steps of ``numpy.round``."""
    factor = ibis.literal(10.0**DECIMALS)
    return _rint(column * factor) / factor + ibis.literal(0.0)


def _placed(bins: FrozenBins, column: ir.Value) -> ir.Value:
    """Give the bin of a number, null for missing; a value or category as it is."""
    if column.type().is_string():
        return column
    rounded = _rounded(column)
    if not bins.has_edges:
        return rounded
    inner = [(rounded <= edge, float(place)) for place, edge in enumerate(bins.edges)]
    last = ibis.literal(float(len(inner)))
    return ibis.cases((rounded.isnull(), ibis.null("float64")), *inner, else_=last)


def _by_what(found: pa.Table) -> dict[str, pa.Table]:
    return {
        what: found.filter(pc.equal(found["what"], what))
        for what in found["what"].unique().to_pylist()
    }


def _counts_of(part: pa.Table, dtype: str) -> Numbers | Texts:
    return _texts(part) if dtype == "string" else _value_counts(part)


def _texts(part: pa.Table) -> Texts:
    return dict(zip(part["text"].to_pylist(), part["n"].to_pylist(), strict=True))


def _value_counts(part: pa.Table) -> ValueCounts:
    is_known = pc.is_valid(part["number"])
    known = part.filter(is_known).sort_by("number")
    n_missing = pc.sum(part.filter(pc.invert(is_known))["n"]).as_py() or 0
    return ValueCounts(known["number"].to_numpy(), known["n"].to_numpy(), n_missing)


def _bin_counts(part: pa.Table, bins: FrozenBins) -> np.ndarray:
    counted = _value_counts(part)
    counts = np.zeros(len(bins.counts), dtype=np.int64)
    counts[counted.values.astype(np.int64)] = counted.counts
    if bins.kind != "score":
        counts[-1] = counted.n_missing
    return counts
