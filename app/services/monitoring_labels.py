"""Which outcomes a batch is judged by, and whether more of them are mature now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy.orm import Session

from app.domain.outcomes import FINAL_FLAG
from app.domain.policy import Policy
from app.domain.types import Progress
from app.errors import ChancellorError, ImmatureOutcomesError, NotFoundError
from app.lake.store import Lake
from app.models import Batch, LabelSet, ScorecardVersion
from app.queries.labels import find_newest_label_set, require_label_set
from app.queries.models import require_model
from app.queries.monitored import first_immature
from app.services.label_generation_service import LabelGenerationService
from app.services.label_inputs import gather_inputs


@dataclass(frozen=True, slots=True)
class WatchedOutcome:
    """Name the outcomes that monitoring judges.

    Attributes
    ----------
    outcome_type : str
        Name of the definition, or ``final_flag``.
    window_days : int
        Observation window; of no account for final flags.
    """

    outcome_type: str
    window_days: int


def watched_outcome(
    db: Session, policy: Policy, version: ScorecardVersion
) -> WatchedOutcome | None:
    """Find which outcomes are judged where a batch has no labels yet.

    Parameters
    ----------
    db : Session
        The store.
    policy : Policy
        What it names comes first.
    version : ScorecardVersion
        Else what its model was trained on.

    Returns
    -------
    WatchedOutcome or None
        None where neither names any.
    """
    if policy.watched_outcome is not None:
        days = policy.watched_window_days
        if days is not None or policy.watched_outcome == FINAL_FLAG:
            return WatchedOutcome(policy.watched_outcome, days or 1)
    if version.model_id is None:
        return None
    trained_on = require_label_set(db, require_model(db, version.model_id).label_set_ids[0])
    return _of_label_set(trained_on)


def _of_label_set(label_set: LabelSet) -> WatchedOutcome:
    return WatchedOutcome(label_set.outcome_type, label_set.observation_window_days or 1)


def matured_outcome(
    db: Session, batch: Batch, newest: LabelSet | None, watched: WatchedOutcome | None
) -> WatchedOutcome | None:
    """Say which labels of a batch could be generated now that were immature before.

    Parameters
    ----------
    db : Session
        The store.
    batch : Batch
        The batch.
    newest : LabelSet or None
        Its newest label set, whose definition and window are kept.
    watched : WatchedOutcome or None
        What is judged where it has none.

    Returns
    -------
    WatchedOutcome or None
        None where nothing more is mature, or nothing is known of it.
    """
    asked = watched if newest is None else _of_label_set(newest)
    if asked is None or (newest is not None and newest.n_immature == 0):
        return None
    through = _data_through(db, batch, asked)
    if through is None:
        is_flagged = newest is None and asked.outcome_type == FINAL_FLAG
        return asked if is_flagged and _has_flags(db, batch) else None
    first = batch.scored_from
    if newest is not None:
        if newest.data_through is not None and through <= newest.data_through:
            return None
        moment = first_immature(db, newest.id)
        if moment is None:
            return None
        first = moment.date()
    return asked if first + timedelta(days=asked.window_days) <= through else None


def _data_through(db: Session, batch: Batch, asked: WatchedOutcome) -> date | None:
    try:
        inputs = gather_inputs(db, batch.batch_id, asked.outcome_type, asked.window_days)
    except (ImmatureOutcomesError, NotFoundError):
        return None
    return None if inputs.rule is None else inputs.rule.data_through


def _has_flags(db: Session, batch: Batch) -> bool:
    try:
        gather_inputs(db, batch.batch_id, FINAL_FLAG, 1)
    except ChancellorError:
        return False
    return True


def newest_labels(
    db: Session,
    lake: Lake,
    actor: str,
    batch: Batch,
    watched: WatchedOutcome | None,
    progress: Progress | None,
) -> LabelSet | None:
    """Find the labels of a batch, generating them anew where more are mature.

    Writes: what `LabelGenerationService.generate_labels` writes, where more are mature.

    Parameters
    ----------
    db : Session
        The store.
    lake : Lake
        Where the files are.
    actor : str
        The person on the record.
    batch : Batch
        The batch.
    watched : WatchedOutcome or None
        What is judged where the batch has no labels.
    progress : callable or None
        Called as ``progress(stage, done, total)``.

    Returns
    -------
    LabelSet or None
        None where there are no labels to be had.
    """
    newest = find_newest_label_set(db, batch.batch_id)
    asked = matured_outcome(db, batch, newest, watched)
    if asked is None:
        return newest
    made = LabelGenerationService(db, actor=actor, lake=lake).generate_labels(
        batch_id=batch.batch_id,
        outcome_type=asked.outcome_type,
        observation_window_days=asked.window_days,
        progress=progress,
    )
    return require_label_set(db, made["label_set_id"])
