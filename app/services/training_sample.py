"""Read label sets and batch snapshots, and align them into the sample that training sees."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from sqlalchemy.orm import Session

from app.domain.counted import counted
from app.domain.design_matrix import Sample
from app.domain.sampling import Drawn
from app.domain.scorecard import Scorecard
from app.domain.types import Floats, Ints
from app.domain.validation import Card
from app.errors import ConflictError
from app.lake.store import Lake
from app.models import Batch, LabelSet
from app.queries.batches import require_batch
from app.services.label_rows import place_labels, verified_labels
from app.services.training_goodness import drawn_parties, read_goodness

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
    drawn : Drawn or None
        How the rows were drawn from all labelled ones; None where these are all.
    """

    sample: Sample
    population: Floats
    party_id: np.ndarray
    batch_id: np.ndarray
    scored_at: np.ndarray
    drawn: Drawn | None = None

    def shares_rows(self, table: pa.Table) -> bool:
        """Say whether a row of a table is a row here: the same party, scored at the same time."""
        import pyarrow as pa  # noqa: PLC0415 - heavy import
        import pyarrow.compute as pc  # noqa: PLC0415 - the same

        names, first = np.unique(self.sample.party, return_index=True)
        own = pa.array(self.party_id[first], pa.string())
        place = pc.index_in(table["party_id"].combine_chunks(), value_set=own)
        known = place.is_valid().to_numpy(zero_copy_only=False)
        theirs = names[place.drop_null().to_numpy(zero_copy_only=False)]
        moments = table["scored_at"].to_numpy().astype("datetime64[us]")[known]
        every, code = np.unique(np.concatenate([self.scored_at, moments]), return_inverse=True)
        here, there = code[: len(self.scored_at)], code[len(self.scored_at) :]
        keys = self.sample.party * len(every) + here
        return bool(np.isin(theirs * len(every) + there, keys).any())


@dataclass(frozen=True, slots=True)
class _BatchRows:
    """Hold a batch as it was read, and which of its rows are labelled how."""

    batch_id: str
    table: pa.Table
    population: Floats
    rows: Ints
    bad: Ints

    @property
    def party_id(self) -> pa.Array:
        return self.table["party_id"].take(self.rows).combine_chunks()

    @property
    def scored_at(self) -> np.ndarray:
        moments = self.table["scored_at"].to_numpy().astype("datetime64[us]")
        return np.asarray(moments[self.rows])


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


def read_training_data(
    db: Session,
    lake: Lake,
    card: Scorecard,
    label_sets: Sequence[LabelSet],
    *,
    batch_of: Callable[[Session, str], Batch] = require_batch,
    limit: int | None = None,
    seed: int = 0,
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
    limit : int, optional
        Above so many labelled rows a stratified sample of about so many is drawn; by default none.
    seed : int
        Of the draw.

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

    names = training_features(card)
    categorical = np.array(
        [card.features[name].transform.kind == "categories" for name in names], dtype=np.bool_
    )
    parts = [
        _read_batch(db, lake, card, names, label_set, batch_of(db, label_set.batch_id))
        for label_set in label_sets
    ]
    drawn = None
    if limit is not None and sum(len(part.rows) for part in parts) > limit:
        parts, drawn = _draw(parts, limit, seed)
    party_id = pa.chunked_array([part.party_id for part in parts], pa.string()).combine_chunks()
    batch_id = np.concatenate(
        [np.full(len(part.bad), part.batch_id, dtype=object) for part in parts]
    )
    scored_at = np.concatenate([part.scored_at for part in parts])
    party = _codes_in_order(party_id)
    place_of = {name: place for place, name in enumerate(sorted({p.batch_id for p in parts}))}
    batch = np.repeat([place_of[part.batch_id] for part in parts], [len(p.bad) for p in parts])
    order = np.lexsort((party, batch, scored_at))
    features = pa.concat_tables([part.table.select(names).take(part.rows) for part in parts]).take(
        order
    )
    sample = Sample(
        goodness=_joined([part.population[part.rows] for part in parts])[order],
        bad=np.concatenate([part.bad for part in parts])[order],
        party=party[order].astype(np.int64),
        scored_on=scored_at[order].astype("datetime64[D]"),
        raw=_raw_matrix(features),
        categorical=categorical,
    )
    return TrainingData(
        sample=sample,
        population=_joined([part.population for part in parts]),
        party_id=np.asarray(party_id.to_numpy(zero_copy_only=False), dtype=object)[order],
        batch_id=batch_id[order],
        scored_at=scored_at[order],
        drawn=drawn,
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
    names = training_features(card)
    return _joined(
        [read_goodness(lake, batch_of(db, batch_id), card, names)[1] for batch_id in batch_ids]
    )


def _draw(parts: Sequence[_BatchRows], limit: int, seed: int) -> tuple[list[_BatchRows], Drawn]:
    """Keep the rows of the parties that the engine draws; both classes are drawn alike."""
    import pyarrow as pa  # noqa: PLC0415 - heavy import
    import pyarrow.compute as pc  # noqa: PLC0415 - the same

    rows = pa.concat_tables(
        pa.table(
            {
                "party_id": part.party_id,
                "bad": part.bad,
                "scored_on": part.scored_at.astype("datetime64[D]"),
            }
        )
        for part in parts
    )
    names = drawn_parties(rows, seed=seed, share=limit / rows.num_rows)
    kept = [pc.is_in(part.party_id, value_set=names).to_numpy(False) for part in parts]
    fewer = [
        replace(part, rows=part.rows[of_part], bad=part.bad[of_part])
        for part, of_part in zip(parts, kept, strict=True)
    ]
    return fewer, Drawn(
        limit=limit,
        seed=seed,
        n_rows=rows.num_rows,
        n_bad_rows=sum(int(part.bad.sum()) for part in parts),
        n_drawn=sum(len(part.rows) for part in fewer),
        n_bad_drawn=sum(int(part.bad.sum()) for part in fewer),
    )


def _joined(parts: Sequence[Floats]) -> Floats:
    """Join the rows of several batches; those of one are not copied."""
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def _codes_in_order(party_id: pa.Array) -> Ints:
    """Give the different ids numbers from 0 in the order of their characters."""
    import pyarrow.compute as pc  # noqa: PLC0415 - heavy import

    coded = party_id.dictionary_encode()
    rank = np.empty(len(coded.dictionary), dtype=np.int64)
    rank[pc.sort_indices(coded.dictionary).to_numpy()] = np.arange(len(rank))
    return np.asarray(rank[coded.indices.to_numpy()], dtype=np.int64)


def _read_batch(
    db: Session,
    lake: Lake,
    card: Scorecard,
    names: tuple[str, ...],
    label_set: LabelSet,
    batch: Batch,
) -> _BatchRows:
    labels = verified_labels(db, label_set)
    table, population = read_goodness(lake, batch, card, names)
    rows, bad = place_labels(labels, table["party_id"])
    if len(rows) != len(labels):
        raise ConflictError(
            f"label set {label_set.id} names {counted(len(labels) - len(rows), 'party')} that "
            f"batch {batch.batch_id} does not hold"
        )
    return _BatchRows(batch.batch_id, table, population, rows, bad)


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
