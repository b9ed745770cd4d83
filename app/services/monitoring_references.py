"""Freeze what a version's batches are compared with: its reference and its calibration."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sqlalchemy.orm import Session

from app.domain.canonical import content_hash
from app.domain.monitoring.odds import FEWEST_OF_A_CLASS, freeze_calibration
from app.domain.monitoring.outcomes import Promise, promise_document
from app.domain.monitoring.ranking import RankedAuc, ranked_auc
from app.domain.scorecard import Scorecard
from app.domain.types import Document
from app.errors import InvalidInputError
from app.models import Batch, LabelSet, ModelRegistry, ScorecardVersion
from app.queries.batches import find_withdrawal
from app.queries.labels import require_label_set
from app.queries.models import require_model
from app.queries.monitored import newest_label_sets, scored_batches
from app.services.monitored_rows import MonitoredReader
from app.services.scoring_service import card_of

TRAINING, FIRST_SCORED = "training batches", "first scored batch"
FIRST_LABELLED = "first labelled batch"


@dataclass(frozen=True, slots=True)
class Frozen:
    """Hold a document that is frozen, or about to be.

    Attributes
    ----------
    content : dict
        JSON-ready.
    content_hash : str
        SHA-256 of it.
    id : int or None
        Row it is stored in; None where it is not stored yet.
    """

    content: Document
    content_hash: str
    id: int | None

    @property
    def batch_ids(self) -> list[str]:
        """Name the batches that it was made of."""
        return [str(batch["batch_id"]) for batch in self.content["batches"]]


def made_reference(db: Session, reader: MonitoredReader, version: ScorecardVersion) -> Frozen:
    """Make the reference of a version: its training batches, else its first scored batch.

    Parameters
    ----------
    db : Session
        The store.
    reader : MonitoredReader
        Reads the snapshots, and verifies them.
    version : ScorecardVersion
        The version, with at least one scored batch.

    Returns
    -------
    Frozen
        Not stored yet.
    """
    card = card_of(version)
    batches = [batch for batch, _ in _training(db, version)]
    kind = TRAINING if batches else FIRST_SCORED
    if not batches:
        batches = list(scored_batches(db, version.version)[:1])
    content = {
        "kind": kind,
        "batches": _named(batches),
        "card_hash": version.content_hash,
        **reader.freeze(batches, card).as_dict(),
    }
    return Frozen(content, content_hash(content), None)


def made_calibration(
    db: Session, reader: MonitoredReader, version: ScorecardVersion, like: LabelSet
) -> Frozen | None:
    """Make the calibration of a version: on its training labels, else its first labelled batch.

    Parameters
    ----------
    db : Session
        The store.
    reader : MonitoredReader
        Reads the snapshots, and verifies them.
    version : ScorecardVersion
        The version.
    like : LabelSet
        Labels of another definition or window do not make the calibration of a version that has
        no training labels.

    Returns
    -------
    Frozen or None
        Not stored yet; None where no batch has ten bad and ten good parties.
    """
    card = card_of(version)
    training = _training(db, version)
    if training:
        auc = _validated_auc(require_model(db, str(version.model_id)))
        return _calibration(reader, card, training, kind=TRAINING, auc=auc)
    batches = scored_batches(db, version.version)
    newest = newest_label_sets(db, [batch.batch_id for batch in batches])
    for batch in batches:
        label_set = newest.get(batch.batch_id)
        if label_set is not None and is_same_outcome(label_set, like) and _is_enough(label_set):
            parts = [(batch, label_set)]
            return _calibration(reader, card, parts, kind=FIRST_LABELLED, auc=None)
    return None


def is_same_outcome(one: LabelSet, other: LabelSet) -> bool:
    """Say whether two label sets share outcome type and window.

    Parameters
    ----------
    one, other : LabelSet
        The label sets.

    Returns
    -------
    bool
        Whatever their batches and dates.
    """
    return (one.outcome_type, one.observation_window_days) == (
        other.outcome_type,
        other.observation_window_days,
    )


def _is_enough(label_set: LabelSet) -> bool:
    return min(label_set.n_bad, label_set.n_good) >= FEWEST_OF_A_CLASS


def _training(db: Session, version: ScorecardVersion) -> list[tuple[Batch, LabelSet]]:
    """Give the batches and labels that the version's model saw, without withdrawn batches."""
    if version.model_id is None:
        return []
    label_sets = [
        require_label_set(db, number)
        for number in require_model(db, version.model_id).label_set_ids
    ]
    return [
        (db.get_one(Batch, label_set.batch_id), label_set)
        for label_set in label_sets
        if find_withdrawal(db, "batch", label_set.batch_id) is None
    ]


def _calibration(
    reader: MonitoredReader,
    card: Scorecard,
    parts: Sequence[tuple[Batch, LabelSet]],
    *,
    kind: str,
    auc: RankedAuc | None,
) -> Frozen | None:
    found = []
    for batch, label_set in parts:
        rows = reader.scored(batch, [card])
        labelled, is_bad = reader.labelled(label_set, rows)
        found.append((rows.scores[0][labelled], is_bad))
    scores, bad = (np.concatenate(column) for column in zip(*found, strict=True))
    try:
        calibration = freeze_calibration(scores, bad)
    except InvalidInputError:
        return None
    promise = Promise(calibration, auc if kind == TRAINING else ranked_auc(-scores, bad))
    label_set = parts[0][1]
    content = {
        "kind": kind,
        "batches": _named([batch for batch, _ in parts]),
        "label_sets": [
            {"label_set_id": part.id, "content_hash": part.content_hash} for _, part in parts
        ],
        "outcome_type": label_set.outcome_type,
        "observation_window_days": label_set.observation_window_days,
        "auc_from": "validation" if kind == TRAINING else "the same parties",
        **promise_document(promise),
    }
    return Frozen(content, content_hash(content), None)


def _validated_auc(model: ModelRegistry) -> RankedAuc | None:
    """Give the AUC of the refined card on parties that it never saw, with its error."""
    refined = model.metrics["refined"]
    auc, error = refined["auc_roc"], refined.get("auc_roc_se") or 0.0
    return RankedAuc(auc, error) if error > 0 and 0 < auc < 1 else None


def _named(batches: Sequence[Batch]) -> list[Document]:
    return [
        {
            "batch_id": batch.batch_id,
            "file_hash": batch.file_hash,
            "scored_from": batch.scored_from.isoformat(),
        }
        for batch in batches
    ]
