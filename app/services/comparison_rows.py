"""Read the rows that two cards are compared on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from sqlalchemy.orm import Session

from app.domain.judged_cards import JudgedRows
from app.domain.scorecard import Scorecard
from app.domain.types import Floats, Ints
from app.lake.store import Lake
from app.models import Batch, LabelSet, ModelRegistry
from app.queries.batches import require_batch
from app.services.training_sample import (
    population_goodness,
    read_training_data,
    training_features,
)


def unrounded_scores(card: Scorecard, goodness: Floats) -> Floats:
    """Give the unrounded scores of rows.

    Parameters
    ----------
    card : Scorecard
        The card.
    goodness : ndarray of shape (n, d)
        For the d features of positive weight, in card order.

    Returns
    -------
    ndarray of shape (n,)
        Points.
    """
    span = card.range.max - card.range.min
    weights = np.array([card.features[name].weight for name in training_features(card)])
    weighted = np.einsum("ij,j->i", goodness, weights)  # the same sums on any number of threads
    scores = card.range.min + span * weighted / weights.sum()
    return np.asarray(scores, dtype=np.float64)


def population_scores(
    db: Session,
    lake: Lake,
    cards: Sequence[Scorecard],
    batch_ids: Sequence[str],
    *,
    batch_of: Callable[[Session, str], Batch] = require_batch,
) -> Floats:
    """Score all rows of batches under each of several cards.

    Parameters
    ----------
    db : Session
        The store.
    lake : Lake
        Where the snapshots are.
    cards : sequence of Scorecard
        One or more.
    batch_ids : sequence of str
        Batches, in the order of the rows.
    batch_of : callable
        Finds a batch by its id; by default it refuses one that was withdrawn.

    Returns
    -------
    ndarray of shape (n_cards, n)
        Unrounded points, in the order of the cards.

    Raises
    ------
    InvalidInputError
        If a batch lacks a feature of a card.
    ConflictError
        If a batch was withdrawn.
    """
    return np.stack(
        [
            unrounded_scores(
                card, population_goodness(db, lake, card, batch_ids, batch_of=batch_of)
            )
            for card in cards
        ]
    )


def validated_rows(lake: Lake, model: ModelRegistry) -> JudgedRows:
    """Read what model and cards said of rows that they never saw, baseline first.

    Parameters
    ----------
    lake : Lake
        Where the validated rows are; the hash of the file is verified.
    model : ModelRegistry
        The model that made the draft.

    Returns
    -------
    JudgedRows
        One entry per row and repeat.
    """
    table = lake.read_table(model.validation_path, model.validation_hash)
    parties = _codes(table["party_id"].to_pylist())
    batches = _codes(table["batch_id"].to_pylist())
    moments = table["scored_at"].to_numpy().astype("datetime64[us]").astype(np.int64)
    return JudgedRows(
        row=batches * (int(parties.max(initial=0)) + 1) + parties,
        party=parties,
        scored_at=moments,
        bad=table["bad"].to_numpy().astype(np.int64),
        repeat=table["repeat"].to_numpy().astype(np.int64),
        fold=table["fold"].to_numpy().astype(np.int64),
        scores=np.stack([table[f"score_{card}"].to_numpy() for card in ("baseline", "refined")]),
        probabilities=np.stack([table[f"p_{card}"].to_numpy() for card in ("baseline", "refined")]),
    )


def model_rows(lake: Lake, model: ModelRegistry) -> JudgedRows:
    """Read what baseline and model said of rows that they never saw, baseline first.

    Parameters
    ----------
    lake : Lake
        Where the validated rows are; the hash of the file is verified.
    model : ModelRegistry
        The model.

    Returns
    -------
    JudgedRows
        As `validated_rows`. A model has no points: its score is 1 - P(bad), which ranks the same.
    """
    rows = validated_rows(lake, model)
    table = lake.read_table(model.validation_path, model.validation_hash, columns=["p_model"])
    bad = table["p_model"].to_numpy()
    return replace(
        rows,
        scores=np.stack([rows.scores[0], 1.0 - bad]),
        probabilities=np.stack([rows.probabilities[0], bad]),
    )


def labelled_rows(
    db: Session, lake: Lake, cards: tuple[Scorecard, Scorecard], label_set: LabelSet
) -> JudgedRows:
    """Judge two cards on the rows of a label set, each calibrated on these rows.

    Parameters
    ----------
    db : Session
        The store.
    lake : Lake
        Where the snapshot is.
    cards : tuple of Scorecard
        The old and the new one.
    label_set : LabelSet
        Whose labelled rows; both classes are needed.

    Returns
    -------
    JudgedRows
        One entry per row; nothing was kept unseen.

    Raises
    ------
    InvalidInputError
        If the batch lacks a feature of a card.
    ConflictError
        If the batch was withdrawn.
    """
    from app.domain.fitting import calibrate  # noqa: PLC0415 - loads the numerics

    read = [read_training_data(db, lake, card, (label_set,)) for card in cards]
    sample = read[0].sample
    scores = np.stack(
        [
            unrounded_scores(card, data.sample.goodness)
            for card, data in zip(cards, read, strict=True)
        ]
    )
    probabilities = []
    for card, points in zip(cards, scores, strict=True):
        share = (points - card.range.min) / (card.range.max - card.range.min)
        fitted = calibrate(share, sample.bad)
        log_odds = fitted.intercept - fitted.slope * share
        probabilities.append(1 / (1 + np.exp(-log_odds)))
    n = sample.n_rows
    return JudgedRows(
        row=np.arange(n, dtype=np.int64),
        party=sample.party,
        scored_at=read[0].scored_at.astype(np.int64),
        bad=sample.bad,
        repeat=np.zeros(n, dtype=np.int64),
        fold=np.zeros(n, dtype=np.int64),
        scores=scores,
        probabilities=np.stack(probabilities),
    )


def _codes(names: Sequence[str]) -> Ints:
    return np.unique(np.array(names, dtype=object), return_inverse=True)[1].astype(np.int64)
