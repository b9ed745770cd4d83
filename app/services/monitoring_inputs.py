"""Gather everything that a monitoring report depends on, under one hash."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from sqlalchemy.orm import Session

from app.domain.canonical import content_hash
from app.domain.monitoring.report import Thresholds
from app.domain.types import Document, Progress
from app.lake.store import Lake
from app.models import Batch, LabelSet, ScorecardVersion
from app.queries.batches import list_withdrawals, require_batch
from app.queries.challengers import running_challengers
from app.queries.monitoring import find_calibration, find_reference
from app.queries.policies import current_policy
from app.queries.versions import require_version
from app.services.batch_features import lacks_features
from app.services.monitored_rows import MonitoredReader
from app.services.monitoring_labels import newest_labels, watched_outcome
from app.services.monitoring_references import Frozen, made_calibration, made_reference
from app.services.scoring_service import ScoringService, card_of

SCHEMA_NUMBER = 1
"""Part of every input hash; raised when the same inputs would give another report."""


@dataclass(frozen=True, slots=True)
class MonitoringInputs:
    """Hold what one report is made of.

    Attributes
    ----------
    batch : Batch
        The batch.
    version : ScorecardVersion
        The version that it is looked at under.
    cause : str
        What made the report due.
    label_set : LabelSet or None
        The batch's newest labels.
    reference : Frozen
        What the batch is compared with.
    calibration : Frozen or None
        What outcomes are expected.
    challengers : tuple of ScorecardVersion
        Those that run and that the batch has the features of.
    thresholds : Thresholds
        Of the policy.
    policy_hash : str
        Of the whole policy.
    hashes : dict
        Of everything that the report reads.
    """

    batch: Batch
    version: ScorecardVersion
    cause: str
    label_set: LabelSet | None
    reference: Frozen
    calibration: Frozen | None
    challengers: tuple[ScorecardVersion, ...]
    thresholds: Thresholds
    policy_hash: str
    hashes: Document

    @property
    def input_hash(self) -> str:
        """Hash everything that the report reads; row ids play no part."""
        return content_hash(self.hashes)

    @property
    def is_calibration_later(self) -> bool:
        """Say whether every party of the calibration was scored after those of the batch."""
        if self.calibration is None:
            return False
        first = min(str(batch["scored_from"]) for batch in self.calibration.content["batches"])
        return self.batch.scored_to.isoformat() < first

    @property
    def why_not_judged(self) -> str | None:
        """Say why outcomes are not held against the calibration; None where they are."""
        calibration, label_set = self.calibration, self.label_set
        if calibration is None or label_set is None:
            return (
                "no batch of this version has ten parties that turned bad and ten that did not, "
                "so there is no calibration yet"
            )
        if self.batch.batch_id in calibration.batch_ids:
            return "this batch made the calibration of its version"
        if self.is_calibration_later:
            later = ", ".join(calibration.batch_ids)
            return (
                f"the calibration was made of parties scored later ({later}), and nothing is "
                "expected from the future"
            )
        made_of = calibration.content
        names = ("outcome_type", "observation_window_days")
        if any(made_of[name] != getattr(label_set, name) for name in names):
            return (
                f"the calibration is of {made_of['outcome_type']} within "
                f"{made_of['observation_window_days']} days, these labels are of "
                f"{label_set.outcome_type} within {label_set.observation_window_days} days"
            )
        return None


def gather_monitoring(
    db: Session,
    lake: Lake,
    reader: MonitoredReader,
    actor: str,
    *,
    batch_id: str,
    version: str,
    cause: str,
    progress: Progress | None,
) -> MonitoringInputs:
    """Score the batch, bring its labels up to date, and gather what its report is made of.

    Writes: scores of the batch under the version and the running challengers; a label set where
    more outcomes are mature.

    Parameters
    ----------
    db : Session
        The store.
    lake : Lake
        Where the files are.
    reader : MonitoredReader
        Reads what reference and calibration are made of.
    actor : str
        The person on the record.
    batch_id, version, cause : str
        Of the report.
    progress : callable or None
        Called as ``progress(stage, done, total)``.

    Returns
    -------
    MonitoringInputs
        Reference and calibration are made here where they were not frozen before; nothing of them
        is stored yet.

    Raises
    ------
    NotFoundError, ConflictError
        If there is no such batch or version; if the batch was withdrawn or lacks a feature.
    TamperingError
        If something is not what was stored.
    """
    scoring = ScoringService(db, actor=actor, lake=lake)
    scores = scoring.score_batch(batch_id, version=version)
    _, policy = current_policy(db)
    watched = watched_outcome(db, policy, require_version(db, version))
    label_set = newest_labels(db, lake, actor, require_batch(db, batch_id), watched, progress)
    challengers = _challengers(db, scoring, batch_id, version)
    policy_row, policy = current_policy(db)
    batch, row = require_batch(db, batch_id), require_version(db, version)
    reference = _reference(db, reader, row)
    calibration = _calibration(db, reader, row, label_set)
    thresholds = Thresholds(policy.max_psi, policy.max_auc_drop, policy.max_false_alerts)
    return MonitoringInputs(
        batch=batch,
        version=row,
        cause=cause,
        label_set=label_set,
        reference=reference,
        calibration=calibration,
        challengers=challengers,
        thresholds=thresholds,
        policy_hash=policy_row.content_hash,
        hashes={
            "schema": SCHEMA_NUMBER,
            "batch": batch.file_hash,
            "scores": scores["file_hash"],
            "version": row.content_hash,
            "reference": reference.content_hash,
            "calibration": None if calibration is None else calibration.content_hash,
            "labels": None if label_set is None else label_set.content_hash,
            "outcome": _outcome(label_set),
            "withdrawn": _withdrawn(db, reference, calibration),
            "challengers": [[one.version, one.content_hash] for one in challengers],
            "thresholds": asdict(thresholds),
        },
    )


def _challengers(
    db: Session, scoring: ScoringService, batch_id: str, version: str
) -> tuple[ScorecardVersion, ...]:
    """Score the batch with each challenger that it has the features of."""
    batch = require_batch(db, batch_id)
    running = [require_version(db, name) for name in running_challengers(db)]
    fitting = [
        row.version
        for row in running
        if row.version != version and not lacks_features(batch, card_of(row))
    ]
    for name in fitting:
        scoring.score_batch(batch_id, version=name)
    return tuple(require_version(db, name) for name in fitting)


def _reference(db: Session, reader: MonitoredReader, row: ScorecardVersion) -> Frozen:
    stored = find_reference(db, row.version)
    if stored is not None:
        return Frozen(stored.content, stored.content_hash, stored.id)
    return made_reference(db, reader, row)


def _calibration(
    db: Session, reader: MonitoredReader, row: ScorecardVersion, label_set: LabelSet | None
) -> Frozen | None:
    stored = find_calibration(db, row.version)
    if stored is not None:
        return Frozen(stored.content, stored.content_hash, stored.id)
    if label_set is None or label_set.n_labelled == 0:
        return None
    return made_calibration(db, reader, row, label_set)


def _withdrawn(db: Session, *frozen: Frozen | None) -> list[str]:
    """Name the batches that reference or calibration were made of and that were withdrawn."""
    made_of = {name for one in frozen if one is not None for name in one.batch_ids}
    return sorted(made_of & list_withdrawals(db, "batch").keys())


def _outcome(label_set: LabelSet | None) -> Document | None:
    if label_set is None:
        return None
    return {
        "outcome_type": label_set.outcome_type,
        "observation_window_days": label_set.observation_window_days,
        "inputs": label_set.input_hash,
    }
