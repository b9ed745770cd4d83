"""The rows that training reads of a batch, and which of them it draws: on the engine in use."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from app.domain.groups import refuse_group_features
from app.domain.sampling import draw_parties
from app.domain.scorecard import Scorecard
from app.domain.types import Floats
from app.errors import InvalidInputError
from app.lake.engine import collect, find_spark
from app.lake.store import Lake
from app.models import Batch

if TYPE_CHECKING:
    import pyarrow as pa

    from app.lake.spark import SparkEngine

_OWN_COLUMNS = ("party_id", "scored_at")
_PREFIX = "goodness_"


def read_goodness(
    lake: Lake, batch: Batch, card: Scorecard, names: Sequence[str]
) -> tuple[pa.Table, Floats]:
    """Read features of a batch and map them to goodness.

    Parameters
    ----------
    lake : Lake
        Where the snapshot is; its hash is verified.
    batch : Batch
        The batch.
    card : Scorecard
        Whose transforms apply.
    names : sequence of str
        Features, in the order of the columns of the result.

    Returns
    -------
    table : pyarrow.Table of n rows
        party_id, scored_at and the raw features: in the order of the snapshot on DuckDB, in the
        order of the files that the executors wrote on Spark.
    goodness : ndarray of shape (n, d)
        In [0, 1], in the same order.

    Raises
    ------
    InvalidInputError
        If the batch lacks a feature of the card, or declares one as a group.
    NotFoundError, FileHashError
        If the snapshot is gone or changed.
    """
    refuse_group_features(batch.group_columns, names, batch.batch_id)
    known = {column["name"] for column in batch.columns}
    lacking = [name for name in names if name not in known]
    if lacking:
        raise InvalidInputError(
            f"batch {batch.batch_id} lacks features of the baseline: {', '.join(lacking)}",
            batch_id=batch.batch_id,
            features=lacking,
        )
    snapshot = (batch.file_path, batch.file_hash)
    spark = find_spark()
    if spark is not None:
        return goodness_on_spark(spark, lake, snapshot, card, names)
    from app.domain.table_score import goodness_matrix  # noqa: PLC0415 - loads pyarrow

    table = lake.read_table(*snapshot, columns=[*_OWN_COLUMNS, *names])
    return table, goodness_matrix(card, table, names)


def goodness_on_spark(
    spark: SparkEngine,
    lake: Lake,
    snapshot: tuple[str, str],
    card: Scorecard,
    names: Sequence[str],
) -> tuple[pa.Table, Floats]:
    """Map features to goodness on Spark; the rows come to this process through files.

    Parameters
    ----------
    spark : SparkEngine
        Runs it.
    lake : Lake
        A folder that every executor sees.
    snapshot : tuple of (path, sha256)
        Of a batch with these features.
    card : Scorecard
        Whose transforms apply.
    names : sequence of str
        Features, in the order of the columns of the result.

    Returns
    -------
    tuple of (pyarrow.Table, ndarray)
        As `read_goodness`.

    Raises
    ------
    NotFoundError, FileHashError
        If the snapshot is gone or changed.
    InvalidInputError
        If the snapshot holds a feature in a type that its transform does not take.
    """
    from app.domain.scorecard_table import goodness_columns  # noqa: PLC0415 - loads Ibis

    parties = spark.open(lake, [snapshot]).select(*_OWN_COLUMNS, *names)
    columns = goodness_columns(card, parties, names)
    computed = {f"{_PREFIX}{name}": column for name, column in columns.items()}
    found = spark.gather(lake, "validation", parties.mutate(**computed))
    goodness = np.empty((found.num_rows, len(names)), dtype=np.float64)
    for place, name in enumerate(computed):
        goodness[:, place] = found[name].to_numpy()
    return found.select([*_OWN_COLUMNS, *names]), goodness


def drawn_parties(rows: pa.Table, *, seed: int, share: float) -> pa.Array:
    """Draw parties by `app.domain.sampling.draw_parties`: the same ones on either engine.

    Parameters
    ----------
    rows : pyarrow.Table
        ``party_id``, ``bad`` and ``scored_on``, one row per labelled row.
    seed : int
        Of the draw.
    share : float
        Of the parties of each stratum, in (0, 1].

    Returns
    -------
    pyarrow.Array
        Their ids, in no order.
    """
    import ibis  # noqa: PLC0415 - heavy import

    spark = find_spark()
    table = ibis.memtable(rows) if spark is None else spark.hold(rows)
    expression = draw_parties(table, seed=seed, good_share=share).select("party_id")
    found = collect(expression) if spark is None else spark.collect(expression)
    return found["party_id"].combine_chunks()
