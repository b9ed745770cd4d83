"""Simulated parties and events of any number, from a seed, as Parquet."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from app.domain.scorecard import Scorecard, default_card
from app.domain.simulated_features import simulate_features
from app.domain.types import Floats

SEED = 20_261_125
THROUGH = "2026-06-30"
WINDOW_DAYS = 180
_FIRST_DAY, _SCORING_DAYS = date(2024, 1, 1), 540
_PIECE = 500_000
_EVENTS_OVER_DAYS, _LOSSES, _MEAN_DAYS_LATE = 720, 0.01, 15.0
_AUC_SPREAD = 4.0


def write_parties(path: Path, n_parties: int) -> Path:
    """Write parties with their sixteen features, scored over 18 months.

    Parameters
    ----------
    path : Path
        To make; one that is there already is kept.
    n_parties : int
        How many.

    Returns
    -------
    Path
        The same path: columns party_id, scored_at and the features of the default card.
    """
    if path.exists():
        return path
    writer = None
    for first in range(0, n_parties, _PIECE):
        table = _parties(first, min(_PIECE, n_parties - first))
        writer = writer or pq.ParquetWriter(path, table.schema, compression="zstd")
        writer.write_table(table)
    if writer is not None:
        writer.close()
    return path


def _parties(first: int, n: int) -> pa.Table:
    rng = np.random.default_rng([SEED, first])
    features = simulate_features(rng, n)
    days = np.datetime64(_FIRST_DAY) + rng.integers(0, _SCORING_DAYS, n)
    columns = {
        name: pa.array(values, pa.float64(), from_pandas=True) for name, values in features.items()
    }
    return pa.table({"party_id": party_ids(first, n), "scored_at": pa.array(days), **columns})


def party_ids(first: int, n: int) -> pa.Array:
    """Name n parties from a number on."""
    return pa.array([f"P{number:08d}" for number in range(first, first + n)])


def write_defaults(path: Path, parties: Path) -> Path:
    """Write one default of each party that has one; the odds follow the default card, not quite.

    Parameters
    ----------
    path : Path
        To make; one that is there already is kept.
    parties : Path
        From `write_parties`.

    Returns
    -------
    Path
        The same path: columns party_id, event_date, event_type.
    """
    if path.exists():
        return path
    card = default_card()
    schema = pa.schema(
        [("party_id", pa.string()), ("event_date", pa.date32()), ("event_type", pa.string())]
    )
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for number, piece in enumerate(pq.ParquetFile(parties).iter_batches(_PIECE)):
            rng = np.random.default_rng([SEED, number, 1])
            table = pa.Table.from_batches([piece])
            is_bad = rng.random(len(piece)) < _true_rates(card, table)
            some = table.filter(pa.array(is_bad))
            after = rng.integers(1, WINDOW_DAYS, some.num_rows)
            on = some["scored_at"].to_numpy().astype("datetime64[D]") + after
            kind = pa.array(["write_off"] * some.num_rows)
            writer.write_table(pa.table([some["party_id"], pa.array(on), kind], schema=schema))
    return path


def _true_rates(card: Scorecard, table: pa.Table) -> Floats:
    from app.domain.table_score import goodness_matrix  # noqa: PLC0415 - loads pyarrow

    goodness = goodness_matrix(card, table)
    weights = np.array([feature.weight for feature in card.features.values()])
    weights *= np.where(np.arange(len(weights)) % 2, 1.5, 0.6)  # the expert is not quite right
    odds = 0.3 - _AUC_SPREAD * (goodness @ (weights / weights.sum()))
    return np.asarray(1 / (1 + np.exp(-odds)), dtype=np.float64)


def write_events(path: Path, n_parties: int, n_events: int) -> Path:
    """Write many events of parties named as in `write_parties`, as the lake keeps them.

    Parameters
    ----------
    path : Path
        To make; one that is there already is kept.
    n_parties, n_events : int
        How many; each event is of a party drawn at random.

    Returns
    -------
    Path
        The same path: columns party_id, event_date, event_type, days_past_due.
    """
    if path.exists():
        return path
    names = party_ids(0, n_parties)
    kinds = np.array(["days_past_due", "write_off"])
    writer = None
    for first in range(0, n_events, _PIECE):
        n = min(_PIECE, n_events - first)
        rng = np.random.default_rng([SEED, first, 2])
        days = np.datetime64(_FIRST_DAY) + rng.integers(0, _EVENTS_OVER_DAYS, n)
        is_loss = rng.random(n) < _LOSSES
        late = np.where(is_loss, np.nan, np.ceil(rng.exponential(_MEAN_DAYS_LATE, n)))
        table = pa.table(
            {
                "party_id": names.take(pa.array(rng.integers(0, n_parties, n))),
                "event_date": pa.array(days),
                "event_type": pa.array(kinds[is_loss.astype(np.int64)]),
                "days_past_due": pa.array(late, from_pandas=True),
            }
        )
        writer = writer or pq.ParquetWriter(path, table.schema, compression="zstd")
        writer.write_table(table)
    if writer is not None:
        writer.close()
    return path
