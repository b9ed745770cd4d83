"""Read what monitoring compares: scores, features and labels of batches under a card."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from sqlalchemy.orm import Session

from app.domain.monitoring.bins import DECIMALS, Numbers, Texts
from app.domain.monitoring.population import (
    Counted,
    Population,
    Reference,
    count_population,
    freeze_reference,
)
from app.domain.scorecard import Scorecard
from app.domain.types import Floats, Ints
from app.lake.engine import find_spark
from app.lake.store import Lake
from app.models import Batch, LabelSet
from app.services.batch_features import require_features
from app.services.label_rows import place_labels, verified_labels
from app.services.training_sample import training_features

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class ScoredRows:
    """Hold the scores of a batch's parties under one or more cards.

    Attributes
    ----------
    party_id : pyarrow.ChunkedArray of shape (n,)
        In the order of the snapshot: by moment, then by party.
    scored_on : ndarray of shape (n,)
        Days, ``datetime64[D]``.
    scores : tuple of ndarray of shape (n,)
        In points, rounded to nine decimals: engines differ in the last digits of a sum, and scores
        that are tied on one are then tied on the other. One for each card.
    """

    party_id: pa.ChunkedArray
    scored_on: np.ndarray
    scores: tuple[Floats, ...]


class MonitoredReader:
    """Read batches and labels for one report, each once.

    The batch that is monitored is often the one that reference and calibration are made of, so
    what was read last is kept. On Spark the executors read the snapshot: counts come to this
    process, and scores only where outcomes or a challenger are judged.

    Parameters
    ----------
    db : Session
        The store.
    lake : Lake
        Where the snapshots are; each file's hash is verified.
    """

    def __init__(self, db: Session, lake: Lake) -> None:
        self._db = db
        self._lake = lake
        self._last_read: tuple[tuple[str, str, str], _ScoredSnapshot] | None = None
        self._last_labels: tuple[int, pa.Table] | None = None

    def freeze(self, batches: Sequence[Batch], card: Scorecard) -> Reference:
        """Freeze a reference on all parties of batches.

        Parameters
        ----------
        batches : sequence of Batch
            At least one.
        card : Scorecard
            That scores them.

        Returns
        -------
        Reference
            With the features of positive weight, in card order.

        Raises
        ------
        ConflictError
            If a batch was imported without a feature of the card.
        FileHashError
            If a snapshot is not what was stored.
        """
        spark = find_spark()
        if spark is None:
            return freeze_reference(_pooled([self._read(batch, card) for batch in batches]))
        from app.services.spark_monitoring import population_on_spark  # noqa: PLC0415 - Spark only

        files = [_file_of(batch, card) for batch in batches]
        return freeze_reference(population_on_spark(spark, self._lake, files, card))

    def count(self, batch: Batch, card: Scorecard, reference: Reference) -> Counted:
        """Count the parties of a batch by the bins of a reference.

        Parameters
        ----------
        batch : Batch
            The batch.
        card : Scorecard
            That scores it.
        reference : Reference
            Frozen under the same card.

        Returns
        -------
        Counted
            All parties, labelled or not.

        Raises
        ------
        ConflictError, FileHashError
            As `freeze`.
        """
        spark = find_spark()
        if spark is None:
            return count_population(self._read(batch, card).population(), reference)
        from app.services.spark_monitoring import counts_on_spark  # noqa: PLC0415 - Spark only

        return counts_on_spark(spark, self._lake, _file_of(batch, card), card, reference)

    def scored(self, batch: Batch, cards: Sequence[Scorecard]) -> ScoredRows:
        """Score the parties of a batch under one or more cards; nothing is stored.

        Parameters
        ----------
        batch : Batch
            The batch.
        cards : sequence of Scorecard
            At least one.

        Returns
        -------
        ScoredRows
            The scores are those that `ScoringService.score_batch` would store, but for rounding.

        Raises
        ------
        ConflictError, FileHashError
            As `freeze`.
        """
        spark = find_spark()
        if spark is None:
            table = self._read(batch, cards[0]).table
            return _scored_rows(table, [self._read(batch, card).scores for card in cards])
        from app.services.spark_monitoring import scores_on_spark  # noqa: PLC0415 - Spark only

        (snapshot,) = {_file_of(batch, card) for card in cards}
        table = scores_on_spark(spark, self._lake, snapshot, cards)
        return _scored_rows(
            table, [table[f"score_{place}"].to_numpy() for place in range(len(cards))]
        )

    def labelled(self, label_set: LabelSet, rows: ScoredRows) -> tuple[Ints, Ints]:
        """Find the labelled rows of a batch.

        Parameters
        ----------
        label_set : LabelSet
            Of the batch.
        rows : ScoredRows
            Of the batch.

        Returns
        -------
        tuple of ndarray of shape (n_labelled,)
            Positions of the rows, rising, and 1 bad or 0 good.

        Raises
        ------
        TamperingError
            If the labels are not those that were generated.
        """
        if self._last_labels is None or self._last_labels[0] != label_set.id:
            self._last_labels = label_set.id, verified_labels(self._db, label_set)
        return place_labels(self._last_labels[1], rows.party_id)

    def _read(self, batch: Batch, card: Scorecard) -> _ScoredSnapshot:
        """Read and score a snapshot, unless it was the last."""
        key = batch.file_path, batch.file_hash, card.content_hash
        if self._last_read is None or self._last_read[0] != key:
            self._last_read = None
            self._last_read = key, _read_snapshot(self._lake, batch, card)
        return self._last_read[1]


def _file_of(batch: Batch, card: Scorecard) -> tuple[str, str]:
    """Name the snapshot of a batch, which must hold every feature of the card."""
    require_features(batch, card)
    return batch.file_path, batch.file_hash


def _scored_rows(table: pa.Table, scores: Sequence[Floats]) -> ScoredRows:
    moments = table["scored_at"].to_numpy().astype("datetime64[us]")
    return ScoredRows(
        party_id=table["party_id"],
        scored_on=moments.astype("datetime64[D]"),
        scores=tuple(np.round(own, DECIMALS) for own in scores),
    )


@dataclass(frozen=True, slots=True)
class _ScoredSnapshot:
    """Hold a snapshot in this process, and its scores under a card."""

    table: pa.Table
    scores: Floats
    card: Scorecard

    def population(self) -> Population:
        return _pooled([self])


def _read_snapshot(lake: Lake, batch: Batch, card: Scorecard) -> _ScoredSnapshot:
    from app.domain.table_score import TableScorer  # noqa: PLC0415 - loads pyarrow

    columns = ("party_id", "scored_at", *card.feature_names)
    table = lake.read_table(*_file_of(batch, card), columns=columns)
    scorer = TableScorer(card, reasons=False, contributions=False)
    scored = scorer.run(table, source=f"batch {batch.batch_id}")
    return _ScoredSnapshot(table, scored["unrounded_score"].to_numpy(), card)


def _pooled(parts: Sequence[_ScoredSnapshot]) -> Population:
    """Pool the parties of one or more batches under one card."""
    from app.domain.feature_columns import sound_columns  # noqa: PLC0415 - loads pyarrow

    card = parts[0].card
    names = training_features(card)
    features = [(name, card.features[name]) for name in names]
    columns = [sound_columns(features, part.table) for part in parts]
    return Population(
        scores=np.concatenate([part.scores for part in parts]),
        features={
            name: _values([column[place] for column in columns]) for place, name in enumerate(names)
        },
        bands=dict(card.bands),
    )


def _values(columns: Sequence[pa.Array]) -> Numbers | Texts:
    import pyarrow as pa  # noqa: PLC0415 - heavy import
    import pyarrow.compute as pc  # noqa: PLC0415 - the same

    if pa.types.is_floating(columns[0].type):
        return np.concatenate([column.to_numpy(zero_copy_only=False) for column in columns])
    counted = pc.value_counts(pa.chunked_array(columns).combine_chunks())
    return {item["values"]: item["counts"] for item in counted.to_pylist()}
