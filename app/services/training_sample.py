"""Read label sets and batch snapshots, and align them into the sample that training sees."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.counted import counted
from app.domain.design_matrix import Sample
from app.domain.groups import refuse_group_features
from app.domain.scorecard import Scorecard
from app.domain.types import Floats, Ints
from app.domain.validation import Card
from app.errors import ConflictError, InvalidInputError, NotFoundError, TamperingError
from app.lake.store import Lake
from app.models import Batch, LabelSet
from app.queries.batches import require_batch
from app.services.label_rows import labelled_rows, stored_labels_hash

if TYPE_CHECKING:
    import pyarrow as pa

_MISSING = -1


@dataclass(frozen=True, slots=True)
class TrainingData:
    """Hold the aligned sample with the names that its codes stand for.

    Attributes
    ----------
    sample : Sample
        Labelled rows ordered by (scored_at, batch, party).
    population : ndarray of shape (n_all, d)
        Goodness of all rows of the batches, labelled or not.
    party_id, batch_id : ndarray of str, shape (n,)
        Of the sample's rows.
    scored_at : ndarray of shape (n,)
        ``datetime64[us]`` in UTC.
    """

    sample: Sample
    population: Floats
    party_id: np.ndarray
    batch_id: np.ndarray
    scored_at: np.ndarray

    def row_keys(self) -> frozenset[tuple[str, int]]:
        """Name each row by its party and the microsecond it was scored at."""
        moments = self.scored_at.astype(np.int64).tolist()
        return frozenset(zip(self.party_id.tolist(), moments, strict=True))


@dataclass(frozen=True, slots=True)
class _BatchRows:
    party_id: np.ndarray
    batch_id: str
    scored_at: np.ndarray
    bad: Ints
    goodness: Floats
    features: pa.Table
    population: Floats


def training_features(card: Scorecard) -> tuple[str, ...]:
    """Name the features that training refines.

    Parameters
    ----------
    card : Scorecard
        The baseline.

    Returns
    -------
    tuple of str
        Those of positive weight, in card order.
    """
    return tuple(name for name, feature in card.features.items() if feature.weight > 0)


def training_card(card: Scorecard, expert: Scorecard) -> Card:
    """Give the arrays that the procedure needs of the baseline and its expert ancestor.

    Parameters
    ----------
    card : Scorecard
        The baseline.
    expert : Scorecard
        The nearest ancestor that a person wrote; its weights are rescaled to the baseline's.

    Returns
    -------
    Card
        Weights of the features of positive weight, band edges and score range.
    """
    names = training_features(card)
    weights = np.array([card.features[name].weight for name in names], dtype=np.float64)
    written = np.array([expert.features[name].weight for name in names], dtype=np.float64)
    edges = sorted(card.bands.values())[1:]
    return Card(
        weights=weights,
        expert_weights=written * weights.sum() / written.sum(),
        band_edges=np.array(edges, dtype=np.float64),
        score_min=float(card.range.min),
        score_max=float(card.range.max),
    )


def choose_label_sets(
    db: Session, batch_ids: Sequence[str], label_set_id: int | Sequence[int] | None
) -> tuple[LabelSet, ...]:
    """Find the label set of each batch: the newest, unless one is named.

    Parameters
    ----------
    db : Session
        The store.
    batch_ids : sequence of str
        Batches that train together; withdrawn ones are refused.
    label_set_id : int, sequence of int or None
        Named label sets; each must be of one of the batches.

    Returns
    -------
    tuple of LabelSet
        One per batch, in the order of the batches.

    Raises
    ------
    NotFoundError
        If a batch or its label set does not exist.
    ConflictError
        If the label sets do not share outcome, definition and window.
    """
    named = (
        () if label_set_id is None
        else (label_set_id,) if isinstance(label_set_id, int) else tuple(label_set_id)
    )  # fmt: skip
    by_batch: dict[str, LabelSet] = {}
    for number in named:
        label_set = db.get(LabelSet, number)
        if label_set is None:
            raise NotFoundError(f"there is no label set {number}", label_set_id=number)
        if label_set.batch_id not in batch_ids:
            raise InvalidInputError(
                f"label set {number} is of batch {label_set.batch_id}, which is not trained on"
            )
        by_batch[label_set.batch_id] = label_set
    chosen = tuple(
        by_batch.get(batch_id) or _newest_label_set(db, batch_id) for batch_id in batch_ids
    )
    shared = {(ls.outcome_type, ls.definition_id, ls.observation_window_days) for ls in chosen}
    if len(shared) > 1:
        raise ConflictError(
            "the batches' label sets do not share outcome definition and window: "
            + "; ".join(
                f"{ls.batch_id} {ls.outcome_type} {ls.observation_window_days} days"
                for ls in chosen
            )
            + ". Generate labels with the same --outcome and --window for each."
        )
    return chosen


def _newest_label_set(db: Session, batch_id: str) -> LabelSet:
    require_batch(db, batch_id)
    found = db.scalars(
        select(LabelSet).where(LabelSet.batch_id == batch_id).order_by(LabelSet.id.desc()).limit(1)
    ).first()
    if found is None:
        raise NotFoundError(
            f"batch {batch_id} has no labels yet: run chancellor labels generate {batch_id}",
            batch_id=batch_id,
        )
    return found


def read_training_data(
    db: Session,
    lake: Lake,
    card: Scorecard,
    label_sets: Sequence[LabelSet],
    *,
    batch_of: Callable[[Session, str], Batch] = require_batch,
) -> TrainingData:
    """Align labels and features of every batch, ordered by (scored_at, batch, party).

    Parameters
    ----------
    db : Session
        The store.
    lake : Lake
        Where the snapshots are; each file's hash is verified.
    card : Scorecard
        The baseline, whose transforms make the goodness.
    label_sets : sequence of LabelSet
        One per batch.
    batch_of : callable
        Finds a batch by its id; by default it refuses one that was withdrawn.

    Returns
    -------
    TrainingData
        The sample and all rows' goodness.

    Raises
    ------
    TamperingError
        If a snapshot or a label is not what was stored.
    InvalidInputError
        If a batch lacks a feature of the card, or declares one as a group.
    """
    import pyarrow as pa  # noqa: PLC0415 - heavy import

    for label_set in label_sets:
        _require_labels(db, label_set)
    names = training_features(card)
    categorical = np.array(
        [card.features[name].transform.kind == "categories" for name in names], dtype=np.bool_
    )
    parts = [
        _read_batch(db, lake, card, names, label_set, batch_of(db, label_set.batch_id))
        for label_set in label_sets
    ]
    party_id = np.concatenate([part.party_id for part in parts])
    batch_id = np.concatenate(
        [np.full(len(part.bad), part.batch_id, dtype=object) for part in parts]
    )
    scored_at = np.concatenate([part.scored_at for part in parts])
    party = np.unique(party_id, return_inverse=True)[1]
    batch = np.unique(batch_id, return_inverse=True)[1]
    order = np.lexsort((party, batch, scored_at))
    features = pa.concat_tables([part.features for part in parts]).take(order)
    sample = Sample(
        goodness=np.ascontiguousarray(np.concatenate([part.goodness for part in parts])[order]),
        bad=np.concatenate([part.bad for part in parts])[order],
        party=party[order].astype(np.int64),
        scored_on=scored_at[order].astype("datetime64[D]"),
        raw=_raw_matrix(features),
        categorical=categorical,
    )
    return TrainingData(
        sample=sample,
        population=np.concatenate([part.population for part in parts]),
        party_id=party_id[order],
        batch_id=batch_id[order],
        scored_at=scored_at[order],
    )


def population_goodness(
    db: Session,
    lake: Lake,
    card: Scorecard,
    batch_ids: Sequence[str],
    *,
    batch_of: Callable[[Session, str], Batch] = require_batch,
) -> Floats:
    """Give the goodness of all rows of the batches, labelled or not.

    Parameters
    ----------
    db : Session
        The store.
    lake : Lake
        Where the snapshots are; each file's hash is verified.
    card : Scorecard
        The card whose transforms make the goodness.
    batch_ids : sequence of str
        Batches, in the order of the rows.
    batch_of : callable
        Finds a batch by its id; by default it refuses one that was withdrawn.

    Returns
    -------
    ndarray of shape (n_all, d)
        For the d features of positive weight, in card order.
    """
    from app.domain.table_score import goodness_matrix  # noqa: PLC0415 - loads pyarrow

    names = training_features(card)
    return np.concatenate(
        [
            goodness_matrix(
                card,
                _read_features(lake, batch_of(db, batch_id), names),
                names,
            )
            for batch_id in batch_ids
        ]
    )


def _require_labels(db: Session, label_set: LabelSet) -> None:
    found = stored_labels_hash(db, label_set.id)
    if found != label_set.content_hash:
        raise TamperingError(
            f"the labels of label set {label_set.id} ({label_set.batch_id}) are not those that "
            f"were generated: their hash is {found}, recorded is {label_set.content_hash}. Run "
            "`chancellor doctor`.",
            label_set_id=label_set.id,
            recorded=label_set.content_hash,
            found=found,
        )


def _read_batch(
    db: Session,
    lake: Lake,
    card: Scorecard,
    names: tuple[str, ...],
    label_set: LabelSet,
    batch: Batch,
) -> _BatchRows:
    import pyarrow.compute as pc  # noqa: PLC0415 - heavy import

    from app.domain.table_score import goodness_matrix  # noqa: PLC0415 - loads pyarrow

    table = _read_features(lake, batch, names)
    population = goodness_matrix(card, table, names)
    labels = labelled_rows(db, label_set.id)
    values = labels["label_value"].to_numpy()
    position = pc.index_in(
        table["party_id"].combine_chunks(), value_set=labels["party_id"].combine_chunks()
    )
    found = position.fill_null(_MISSING).to_numpy(zero_copy_only=False)
    rows = np.flatnonzero(found != _MISSING)
    if len(rows) != len(values):
        raise ConflictError(
            f"label set {label_set.id} names {counted(len(values) - len(rows), 'party')} that "
            f"batch {batch.batch_id} does not hold"
        )
    return _BatchRows(
        party_id=np.array(table["party_id"].to_pylist(), dtype=object)[rows],
        batch_id=batch.batch_id,
        scored_at=table["scored_at"].to_numpy().astype("datetime64[us]")[rows],
        bad=values[found[rows]],
        goodness=population[rows],
        features=table.select(names).take(rows),
        population=population,
    )


def _read_features(lake: Lake, batch: Batch, names: tuple[str, ...]) -> pa.Table:
    refuse_group_features(batch.group_columns, names, batch.batch_id)
    known = {column["name"] for column in batch.columns}
    lacking = [name for name in names if name not in known]
    if lacking:
        raise InvalidInputError(
            f"batch {batch.batch_id} lacks features of the baseline: {', '.join(lacking)}",
            batch_id=batch.batch_id,
            features=lacking,
        )
    return lake.read_table(
        batch.file_path, batch.file_hash, columns=["party_id", "scored_at", *names]
    )


def _raw_matrix(features: pa.Table) -> Floats:
    """Give numbers as they are, text as codes 0, 1, ... by falling frequency, null as NaN."""
    import pyarrow as pa  # noqa: PLC0415 - heavy import

    columns = [
        column.to_numpy() if pa.types.is_floating(column.type) else _frequency_codes(column)
        for column in features.itercolumns()
    ]
    return np.column_stack([column.astype(np.float64) for column in columns])


def _frequency_codes(column: pa.ChunkedArray) -> Floats:
    encoded = column.combine_chunks().dictionary_encode()
    codes = encoded.indices.fill_null(_MISSING).to_numpy(zero_copy_only=False)
    values = np.array(encoded.dictionary.to_pylist(), dtype=str)
    counts = np.bincount(codes[codes != _MISSING], minlength=len(values))
    rank = np.full(len(values) + 1, np.nan)
    rank[np.lexsort((values, -counts))] = np.arange(len(values))
    return np.asarray(rank[codes], dtype=np.float64)
