"""Score the snapshot of a batch into the lake, a piece at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from itertools import chain

import pyarrow as pa
import pyarrow.parquet as pq

from app.domain.intake import describe_faults
from app.domain.table_score import TableScorer
from app.domain.types import Document, Progress
from app.errors import IntakeError
from app.lake.parts import StoredFile
from app.lake.store import Lake
from app.services.scoring_run import Scored, ScoringRun, ahead, beside

OWN_COLUMNS = ("party_id", "scored_at")
_STAGE = "Scoring the parties"
_PIECE_ROWS = 131_072


def score_snapshot(
    lake: Lake, snapshot: tuple[str, str], scorer: TableScorer, source: str, report: Progress
) -> tuple[StoredFile, Document]:
    """Score every party of a snapshot, without ever holding all of them.

    Writes: a Parquet file of scores in the lake, unless a value is at fault.

    Parameters
    ----------
    lake : Lake
        Where the snapshot is and the scores go.
    snapshot : tuple of str
        Path and hash of the snapshot.
    scorer : TableScorer
        With the card that decides.
    source : str
        What an error calls the snapshot.
    report : callable
        Called as ``report(stage, done, total)`` with rows.

    Returns
    -------
    stored : StoredFile
        The scores: ``party_id``, ``scored_at``, then those of the scorer.
    summary : dict
        As `app.services.scoring_run.ScoringRun.summary` gives it.

    Raises
    ------
    NotFoundError, FileHashError
        If the snapshot is gone or changed.
    IntakeError
        Every value that the card's transforms cannot take: the first 20 and their count.
    """
    run = ScoringRun(scorer)
    with ExitStack() as opened:
        files = [
            opened.enter_context(pq.ParquetFile(lake.local_file(*part)))
            for part in lake.parts_of(*snapshot)
        ]
        total = sum(file.metadata.num_rows for file in files)
        columns = [*OWN_COLUMNS, *scorer.card.feature_names]
        schema = _schema(files[0].schema_arrow, scorer)

        def batches() -> Iterator[pa.RecordBatch]:
            report(_STAGE, 0, total)
            for piece in ahead(_scored(run, files, columns)):
                if piece.table is not None:
                    yield from piece.table.to_batches()
                report(_STAGE, piece.done, total)
            if run.n_faults:
                shown = describe_faults(run.faults, lambda rows: rows + 1)
                raise IntakeError(source, shown, run.n_faults)

        stored = lake.write_table("scores", pa.RecordBatchReader.from_batches(schema, batches()))
    return stored, run.summary()


def _schema(snapshot: pa.Schema, scorer: TableScorer) -> pa.Schema:
    own = pa.schema([snapshot.field(name) for name in OWN_COLUMNS])
    return beside(own.empty_table(), scorer.run(pa.table({}))).schema


def _scored(
    run: ScoringRun, files: Sequence[pq.ParquetFile], columns: list[str]
) -> Iterator[Scored]:
    done = 0
    for batch in chain.from_iterable(
        file.iter_batches(batch_size=_PIECE_ROWS, columns=columns) for file in files
    ):
        table = pa.Table.from_batches([batch])
        done += table.num_rows
        found = run.score(table)
        rows = None if found is None else beside(table.select(list(OWN_COLUMNS)), found.scores)
        yield Scored(rows, done)
