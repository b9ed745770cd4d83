"""Label a million parties: against the bare join of the same files in DuckDB."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import duckdb
import pyarrow.parquet as pq

from app.domain.outcomes import default_definition
from app.domain.scorecard import default_card
from app.lake.store import Lake, StoredFile
from app.services.label_generation_service import compute_labels
from app.services.label_inputs import LabelInputs
from app.services.label_tables import WindowRule
from benchmarks.performance.data import WINDOW_DAYS, write_events, write_parties
from benchmarks.performance.measure import Row, compare, timed

OURS, BARE = "labels and scores", "bare join"
N_PARTIES = 1_000_000
SIZES = {2_000_000: 5, 20_000_000: 3}
_THROUGH = date(2026, 6, 30)
_JOIN = """
    SELECT p.party_id, max(CASE WHEN e.event_type <> 'days_past_due' OR e.days_past_due > 90
                                THEN 1 ELSE 0 END) AS bad, min(e.event_date) AS first
    FROM read_parquet('{parties}') p
    LEFT JOIN read_parquet('{events}') e
      ON e.party_id = p.party_id
     AND e.event_date > CAST(p.scored_at AS DATE)
     AND e.event_date <= CAST(p.scored_at AS DATE) + {days}
    GROUP BY p.party_id
"""


def measure_labels(folder: Path) -> list[Row]:
    """Label 1 M parties by 2 M and 20 M events; nothing is stored by either side.

    Parameters
    ----------
    folder : Path
        For files, a gigabyte.

    Returns
    -------
    list of dict
        One row per number of events.
    """
    parties = write_parties(folder / f"parties_{N_PARTIES}.parquet", N_PARTIES)
    lake = Lake(str(folder / "lake"))
    snapshot = lake.write_table("batches", pq.read_table(parties))
    rows = []
    for n_events, repeats in SIZES.items():
        events = write_events(folder / f"events_{n_events}.parquet", N_PARTIES, n_events)
        outcomes = lake.write_table("outcomes", pq.read_table(events))
        ours, bare = works(lake, snapshot, outcomes)
        runs = {OURS: timed(ours), BARE: timed(bare)}
        rows.append(compare("label 1 M parties", n_events, runs, repeats))
    return rows


def works(
    lake: Lake, snapshot: StoredFile, outcomes: StoredFile
) -> tuple[Callable[[], object], Callable[[], object]]:
    """Give our labelling of a batch, and the bare join of the same files.

    Parameters
    ----------
    lake : Lake
        Where the files are.
    snapshot, outcomes : StoredFile
        Parties and events.

    Returns
    -------
    tuple of two callables
        Ours first.
    """
    inputs = LabelInputs(
        batch_id="BENCH",
        snapshot=(snapshot.path, snapshot.sha256),
        outcome_type="default",
        definition_id=None,
        rule=WindowRule(default_definition(), WINDOW_DAYS, _THROUGH),
        outcomes=((outcomes.path, outcomes.sha256),),
        exposures=(),
        scored_by="v1",
        card=default_card(),
        details={},
        input_hash="",
    )
    join = _JOIN.format(
        parties=lake.place_of(snapshot.path), events=lake.place_of(outcomes.path), days=WINDOW_DAYS
    )

    def bare_join() -> None:
        with duckdb.connect() as connection:
            connection.sql(join).to_arrow_table()

    return lambda: compute_labels(lake, inputs), bare_join
