"""Read what monitoring compares: scores, features and labels of a batch under a version."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from sqlalchemy.orm import Session

from app.domain.monitoring.bins import Texts
from app.domain.monitoring.outcomes import Labelled
from app.domain.monitoring.population import Population
from app.domain.scorecard import Scorecard
from app.domain.types import Floats, Ints
from app.errors import TamperingError
from app.lake.store import Lake
from app.models import Batch, LabelSet
from app.services.batch_features import require_features
from app.services.label_rows import labelled_rows, stored_labels_hash
from app.services.training_sample import training_features

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class BatchRows:
    """Hold the rows of a batch in the order of its snapshot.

    Attributes
    ----------
    snapshot : pyarrow.Table of n rows
        party_id, scored_at and the card's features.
    scores : ndarray of shape (n,)
        Unrounded, in points.
    card : Scorecard
        That gave them.
    """

    snapshot: pa.Table
    scores: Floats
    card: Scorecard

    def population(self) -> Population:
        """Give scores, features and bands of all rows."""
        return population_of([self])

    def labelled(self, rows: Ints, bad: Ints) -> Labelled:
        """Give scores and scoring days of the rows that are labelled 1 bad or 0 good."""
        scored_at = self.snapshot["scored_at"].to_numpy()[rows]
        days = scored_at.astype("datetime64[us]").astype("datetime64[D]")
        return Labelled(self.scores[rows], bad, days, dict(self.card.bands))


def read_batch(lake: Lake, batch: Batch, card: Scorecard) -> BatchRows:
    """Read a batch and score it; nothing is stored.

    Parameters
    ----------
    lake : Lake
        Where the snapshot is; its hash is verified.
    batch : Batch
        The batch.
    card : Scorecard
        That scores it.

    Returns
    -------
    BatchRows
        The scores are those that `ScoringService.score_batch` would store.

    Raises
    ------
    ConflictError
        If the batch was imported without a feature of the card.
    FileHashError
        If the snapshot is not what was stored.
    """
    from app.domain.table_score import TableScorer  # noqa: PLC0415 - loads pyarrow

    require_features(batch, card)
    columns = ("party_id", "scored_at", *card.feature_names)
    snapshot = lake.read_table(batch.file_path, batch.file_hash, columns=columns)
    scorer = TableScorer(card, reasons=False, contributions=False)
    scored = scorer.run(snapshot, source=f"batch {batch.batch_id}")
    return BatchRows(snapshot, scored["unrounded_score"].to_numpy(), card)


def population_of(parts: Sequence[BatchRows]) -> Population:
    """Pool the parties of one or more batches under one card.

    Parameters
    ----------
    parts : sequence of BatchRows
        At least one.

    Returns
    -------
    Population
        With the features of positive weight, in card order.
    """
    from app.domain.feature_columns import sound_columns  # noqa: PLC0415 - loads pyarrow

    card = parts[0].card
    names = training_features(card)
    features = [(name, card.features[name]) for name in names]
    columns = [sound_columns(features, part.snapshot) for part in parts]
    return Population(
        scores=np.concatenate([part.scores for part in parts]),
        features={
            name: _values([column[place] for column in columns]) for place, name in enumerate(names)
        },
        bands=dict(card.bands),
    )


def _values(columns: Sequence[pa.Array]) -> Floats | Texts:
    import pyarrow as pa  # noqa: PLC0415 - heavy import
    import pyarrow.compute as pc  # noqa: PLC0415 - the same

    if pa.types.is_floating(columns[0].type):
        return np.concatenate([column.to_numpy(zero_copy_only=False) for column in columns])
    counted = pc.value_counts(pa.chunked_array(columns).combine_chunks())
    return {item["values"]: item["counts"] for item in counted.to_pylist()}


def read_labels(db: Session, label_set: LabelSet, snapshot: pa.Table) -> tuple[Ints, Ints]:
    """Find the labelled rows of a batch.

    Parameters
    ----------
    db : Session
        The store.
    label_set : LabelSet
        Of the batch.
    snapshot : pyarrow.Table
        Of the batch, with party_id.

    Returns
    -------
    tuple of ndarray of shape (n_labelled,)
        Positions in the snapshot, rising, and 1 bad or 0 good.

    Raises
    ------
    TamperingError
        If the labels are not those that were generated.
    """
    import pyarrow.compute as pc  # noqa: PLC0415 - heavy import

    found = stored_labels_hash(db, label_set.id)
    if found != label_set.content_hash:
        raise TamperingError(
            f"the labels of label set {label_set.id} ({label_set.batch_id}) are not those that "
            f"were generated: their hash is {found}, recorded is {label_set.content_hash}. Run "
            "`chancellor doctor`.",
            label_set_id=label_set.id,
        )
    labels = labelled_rows(db, label_set.id)
    values = labels["label_value"].to_numpy()
    places = pc.index_in(
        snapshot["party_id"].combine_chunks(), value_set=labels["party_id"].combine_chunks()
    )
    codes = places.fill_null(-1).to_numpy(zero_copy_only=False)
    rows = np.flatnonzero(codes >= 0)
    return rows, values[codes[rows]]
