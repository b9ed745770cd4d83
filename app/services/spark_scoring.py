"""Score a batch on Spark: the executors read the snapshot and write the scores."""

from __future__ import annotations

from app.domain.score_outputs import score_outputs
from app.domain.scorecard import Scorecard
from app.domain.types import Document, Progress
from app.lake.parts import StoredFile
from app.lake.spark import SparkEngine
from app.lake.store import Lake

OWN_COLUMNS = ("party_id", "scored_at")
_STAGE = "Scoring the parties on Spark"


def score_on_spark(
    spark: SparkEngine, lake: Lake, snapshot: tuple[str, str], card: Scorecard, report: Progress
) -> tuple[StoredFile, Document]:
    """Score every party of a snapshot; only counts come to this process.

    Parameters
    ----------
    spark : SparkEngine
        Runs it.
    lake : Lake
        A folder that every executor sees.
    snapshot : tuple of (path, sha256)
        Of the batch, with every feature of the card in the type that its transform takes.
    card : Scorecard
        That scores it.
    report : callable
        Called as ``report(stage, done, total)`` with rows.

    Returns
    -------
    stored : StoredFile
        The scores: the columns that `app.services.batch_scoring.score_snapshot` writes, the rows
        of a part together and the parts in no order.
    summary : dict
        ``mean_score`` in points, ``band_shares`` as fractions.

    Raises
    ------
    FileHashError
        If the snapshot is not what was stored.
    InvalidInputError
        If the snapshot holds a feature in a type that its transform does not take.
    """
    from app.domain.scorecard_table import score_expression  # noqa: PLC0415 - loads Ibis

    report(_STAGE, 0, 1)
    parties = spark.open(lake, [snapshot]).select(*OWN_COLUMNS, *card.feature_names)
    scored = score_expression(card, parties).select(*OWN_COLUMNS, *score_outputs(card))
    stored = spark.write(lake, "scores", scored)
    written = spark.open_places([lake.place_of(path) for path, _ in lake.parts_of(*_name(stored))])
    counted = written.group_by("band").aggregate(n=written.count(), points=written.score.sum())
    lines = {line["band"]: line for line in spark.collect(counted).to_pylist()}
    shares = {
        band: (lines[band]["n"] if band in lines else 0) / stored.n_rows for band in card.band_names
    }
    report(_STAGE, 1, 1)
    points = sum(line["points"] for line in lines.values())
    return stored, {"mean_score": points / stored.n_rows, "band_shares": shares}


def _name(stored: StoredFile) -> tuple[str, str]:
    return stored.path, stored.sha256
