"""The parties whose score moves most, with contributions before and after."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.domain.party_score import score_party
from app.domain.score_shift import largest_moves
from app.domain.scorecard import Scorecard
from app.domain.types import Document, Floats
from app.lake.store import Lake
from app.models import Batch, GroundTruthLabel
from app.queries.batches import require_batch

N_MOVERS = 10
_CANDIDATES = 100
_CONTEXT = ("party_id", "scored_at")


def read_movers(
    db: Session,
    lake: Lake,
    cards: tuple[Scorecard, Scorecard],
    scores: Floats,
    *,
    batch_ids: Sequence[str],
    label_set_ids: Sequence[int],
) -> list[Document]:
    """Explain the scores that move most.

    Parameters
    ----------
    db : Session
        The store.
    lake : Lake
        Where the snapshots are.
    cards : tuple of Scorecard
        The old and the new one.
    scores : ndarray of shape (2, n)
        Unrounded points of all rows of the batches, in their order, old card first.
    batch_ids : sequence of str
        The batches.
    label_set_ids : sequence of int
        Where outcomes may be known from.

    Returns
    -------
    list of dict
        Ten parties at most, most moved first: ``party_id``, ``batch_id``, ``scored_on``,
        ``change`` in whole points, ``outcome`` (the label's status; None where none is known),
        ``features`` (the raw values), and for ``old`` and ``new`` score, band, contributions in
        points, missing features and reason codes.

    Raises
    ------
    FileHashError
        If a snapshot is not what was stored.
    """
    batches = [require_batch(db, batch_id) for batch_id in batch_ids]
    rows = largest_moves(scores[0], scores[1], _CANDIDATES)
    found: dict[str, Document] = {}
    for document in _raw_rows(lake, cards, batches, rows.tolist()):
        if len(found) < N_MOVERS:
            found.setdefault(document["party_id"], document)
    outcomes = _outcomes(db, label_set_ids, tuple(found))
    return [
        _explained(cards, document, outcomes.get((document["batch_id"], party_id)))
        for party_id, document in found.items()
    ]


def _raw_rows(
    lake: Lake, cards: tuple[Scorecard, Scorecard], batches: Sequence[Batch], rows: list[int]
) -> list[Document]:
    """Read rows by their place in all batches together, in the order asked for."""
    names = dict.fromkeys((*cards[0].features, *cards[1].features))
    starts = np.cumsum([0, *(batch.n_rows for batch in batches)])
    documents: dict[int, Document] = {}
    for batch, start, end in zip(batches, starts[:-1], starts[1:], strict=True):
        here = [row for row in rows if start <= row < end]
        if not here:
            continue
        known = {column["name"] for column in batch.columns}
        columns = [*_CONTEXT, *(name for name in names if name in known)]
        table = lake.read_table(batch.file_path, batch.file_hash, columns=columns)
        for row, raw in zip(
            here, table.take([row - start for row in here]).to_pylist(), strict=True
        ):
            documents[row] = {
                "party_id": raw["party_id"],
                "batch_id": batch.batch_id,
                "scored_on": raw["scored_at"].date().isoformat(),
                "features": {name: raw.get(name) for name in names},
            }
    return [documents[row] for row in rows]


def _outcomes(
    db: Session, label_set_ids: Sequence[int], party_ids: Sequence[str]
) -> dict[tuple[str, str], str]:
    labels = db.execute(
        select(GroundTruthLabel.batch_id, GroundTruthLabel.party_id, GroundTruthLabel.status)
        .where(GroundTruthLabel.label_set_id.in_(label_set_ids))
        .where(GroundTruthLabel.party_id.in_(party_ids))
    )
    return {(row.batch_id, row.party_id): row.status for row in labels}


def _explained(
    cards: tuple[Scorecard, Scorecard], document: Document, outcome: str | None
) -> Document:
    results = [score_party(card, document["features"]) for card in cards]
    return {
        **document,
        "outcome": outcome,
        "change": results[1].score - results[0].score,
        "old": results[0].as_dict(),
        "new": results[1].as_dict(),
    }
