"""Count what has matured since the newest model: what a training could newly learn from."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy.orm import Session

from app.domain.outcomes import FINAL_FLAG
from app.errors import ImmatureOutcomesError, NotFoundError
from app.lake.store import Lake
from app.models import Batch, LabelSet
from app.queries import new_outcomes as queries
from app.queries.policies import current_policy
from app.services.label_inputs import LabelInputs, gather_inputs
from app.services.label_tables import label_by_events, label_by_flags

DEFAULT_OUTCOME, DEFAULT_WINDOW_DAYS = "default", 180


@dataclass(slots=True)
class NewOutcomes:
    """What a training would learn that the newest model could not know.

    Attributes
    ----------
    model_id : str or None
        The newest model; None where there is none.
    outcome_type : str
        What its labels were made by, or what the policy names for monitoring.
    window_days : int
        Their observation window; of no account for final flags.
    batch_ids : list of str
        Batches with labelled parties, oldest scores first: what would be trained on.
    through : str
        The last day through which outcomes are complete; empty for final flags.
    labelled, bad : set of str
        Distinct parties that are labelled now, and were not then.
    """

    model_id: str | None
    outcome_type: str
    window_days: int
    batch_ids: list[str] = field(default_factory=list)
    through: str = ""
    labelled: set[str] = field(default_factory=set)
    bad: set[str] = field(default_factory=set)


def find_new_outcomes(db: Session, lake: Lake) -> NewOutcomes:
    """Count the parties that are labelled now and were not when the newest model was trained.

    A batch is read only where it can hold such parties: the model did not see it, or outcomes
    are complete through a later day than then. Nothing is stored.

    Parameters
    ----------
    db : Session
        The store.
    lake : Lake
        Its files.

    Returns
    -------
    NewOutcomes
        Without batches where nothing is mature.

    Raises
    ------
    FileHashError
        If a file is not what was stored.
    """
    model = queries.newest_model(db)
    known = queries.label_sets_of(db, model)
    found = NewOutcomes(None if model is None else model.id, *_settings(db, known))
    for batch in queries.usable_batches(db):
        try:
            inputs = gather_inputs(db, batch.batch_id, found.outcome_type, found.window_days)
        except (ImmatureOutcomesError, NotFoundError):  # no outcome of this kind yet
            continue
        if inputs.rule is not None:
            found.through = max(found.through, inputs.rule.data_through.isoformat())
        _add(db, lake, found, batch, inputs, known.get(batch.batch_id))
    return found


def _settings(db: Session, known: dict[str, LabelSet]) -> tuple[str, int]:
    newest = max(known.values(), key=lambda row: row.id, default=None)
    if newest is not None:
        return newest.outcome_type, newest.observation_window_days or DEFAULT_WINDOW_DAYS
    policy = current_policy(db)[1]
    return (
        policy.watched_outcome or DEFAULT_OUTCOME,
        policy.watched_window_days or DEFAULT_WINDOW_DAYS,
    )


def _add(
    db: Session,
    lake: Lake,
    found: NewOutcomes,
    batch: Batch,
    inputs: LabelInputs,
    then: LabelSet | None,
) -> None:
    if then is not None and then.n_labelled:
        found.batch_ids.append(batch.batch_id)
    if not _may_hold_new(batch, inputs, then):
        return
    labels = _labels(lake, inputs)
    before = frozenset[str]() if then is None else queries.labelled_parties(db, then.id)
    db.rollback()  # no transaction stays open while files are read
    new = {party: label for party, label in labels.items() if party not in before}
    found.labelled.update(new)
    found.bad.update(party for party, label in new.items() if label == 1)
    if labels and batch.batch_id not in found.batch_ids:
        found.batch_ids.append(batch.batch_id)


def _may_hold_new(batch: Batch, inputs: LabelInputs, then: LabelSet | None) -> bool:
    if inputs.rule is None:
        return True
    if (inputs.rule.data_through - batch.scored_from).days < inputs.rule.window_days:
        return False  # nobody is mature
    return then is None or then.data_through != inputs.rule.data_through


def _labels(lake: Lake, inputs: LabelInputs) -> dict[str, int]:
    """Label the parties of a batch; those that are neither good nor bad are left out."""
    snapshot = lake.read_table(*inputs.snapshot, columns=["party_id", "scored_at"])
    if inputs.outcome_type == FINAL_FLAG or inputs.rule is None:
        table = label_by_flags(lake, snapshot, inputs.outcomes)
    else:
        table = label_by_events(
            lake, snapshot, inputs.rule, events=inputs.outcomes, exposures=inputs.exposures
        )
    labels = zip(snapshot["party_id"].to_pylist(), table["label_value"].to_pylist(), strict=True)
    return {party: label for party, label in labels if label is not None}
