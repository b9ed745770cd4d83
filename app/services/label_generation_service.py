"""Generate label sets: immutable, numbered, and mindful of what made them."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

from sqlalchemy.orm import Session

from app.db import bulk_insert_columns, transaction, utc_now
from app.domain.gates import data_gates
from app.domain.types import Document, Progress
from app.errors import ConflictError
from app.lake.engine import find_spark
from app.lake.store import Lake, open_lake
from app.models import GroundTruthLabel, LabelSet
from app.queries.batches import known_batch
from app.queries.labels import (
    find_newest_label_set,
    is_judged,
    label_set_document,
    list_label_sets,
    require_label_set,
)
from app.queries.policies import current_policy
from app.services.audit_service import record
from app.services.conflicts import conflicts_named
from app.services.label_inputs import LabelInputs, gather_inputs
from app.services.label_rows import LABEL_COLUMNS, count_statuses, hash_labels, label_columns
from app.services.label_tables import add_scores, label_by_events, label_by_flags, refuse_circular
from app.services.verdict_rows import add_verdicts
from app.settings import default_actor

if TYPE_CHECKING:
    import pyarrow as pa


class LabelGenerationService:
    """Label batches from their realised outcomes.

    Parameters
    ----------
    db : Session
        Any SQLAlchemy session on the initialised database.
    actor : str or None
        The person on the record; by default the OS user.
    lake : Lake or None
        Where the files are; by default the one of the settings.
    """

    def __init__(self, db: Session, actor: str | None = None, lake: Lake | None = None) -> None:
        self.db = db
        self.actor = actor or default_actor()
        self.lake = lake or open_lake()

    def generate_labels(
        self,
        batch_id: str,
        outcome_type: str = "default",
        observation_window_days: int = 180,
        progress: Progress | None = None,
    ) -> Document:
        """Label a batch, and judge whether the labels can carry a training.

        Writes: one label set, one label per party, the data verdicts and one audit event. Where
        the batch's newest label set has the same inputs, it is given back as it is; a new policy
        adds its verdicts to it. So the newest label set is always the one that was asked for last.

        Parameters
        ----------
        batch_id : str
            The batch.
        outcome_type : str, default 'default'
            Name of an outcome definition, whose newest version is used, or ``final_flag``.
        observation_window_days : int, default 180
            Days after the score in which outcomes count; of no account for final flags.
        progress : callable or None
            Called as ``progress(stage, done, total)``.

        Returns
        -------
        dict
            label_set_id, label_set_number, batch_id, outcome_type, n_parties, n_labelled, n_bad,
            n_good, n_indeterminate, n_excluded, n_immature, default_rate (a fraction, None where
            nobody is labelled), data_through, gates, warnings, types_never_imported,
            has_exposures, scored_by and hashes.

        Raises
        ------
        CircularLabelError
            If the labels are the scorecard's own judgement.
        ImmatureOutcomesError
            If no import declared a date through which outcomes are complete.
        InvalidInputError
            If the window is not a number of days.
        NotFoundError
            If there is no such batch, definition or flags.
        ConflictError
            If the batch was withdrawn, or the imports changed meanwhile.
        FileHashError
            If a file of the lake is not what was stored.
        """
        arguments = (batch_id, outcome_type, observation_window_days)
        inputs = gather_inputs(self.db, *arguments)
        labels = None
        if self._find_same(inputs) is None:
            labels = compute_labels(self.lake, inputs, progress)
        taken = f"somebody else labelled batch {batch_id} at the same moment: try again"
        with conflicts_named(taken), transaction(self.db):
            row = self._find_same(inputs)
            if row is not None:
                self._judge_again(row)
                return label_set_document(self.db, row)
            if labels is None or gather_inputs(self.db, *arguments).input_hash != inputs.input_hash:
                raise ConflictError(
                    f"the outcomes of batch {batch_id} changed while it was labelled: try again"
                )
            row = self._store(inputs, labels, progress)
            return label_set_document(self.db, row)

    def get_label_set(self, label_set_id: int) -> Document:
        """Describe one label set.

        Parameters
        ----------
        label_set_id : int
            Its id.

        Returns
        -------
        dict
            What `generate_labels` returned, with the newest verdicts.

        Raises
        ------
        NotFoundError
            If there is none.
        """
        return label_set_document(self.db, require_label_set(self.db, label_set_id))

    def list_label_sets(self, batch_id: str) -> tuple[Document, ...]:
        """List the label sets of a batch.

        Parameters
        ----------
        batch_id : str
            The batch, withdrawn or not.

        Returns
        -------
        tuple of dict
            By number.

        Raises
        ------
        NotFoundError
            If there is no such batch.
        """
        known_batch(self.db, batch_id)
        rows = list_label_sets(self.db, batch_id)
        return tuple(label_set_document(self.db, row) for row in rows)

    def _find_same(self, inputs: LabelInputs) -> LabelSet | None:
        """Find the batch's newest label set, if the same inputs made it."""
        newest = find_newest_label_set(self.db, inputs.batch_id)
        return newest if newest is not None and newest.input_hash == inputs.input_hash else None

    def _store(self, inputs: LabelInputs, labels: pa.Table, progress: Progress | None) -> LabelSet:
        row = self._add_label_set(inputs, labels)
        n_parties = labels.num_rows
        bulk_insert_columns(
            self.db,
            GroundTruthLabel.__table__,  # type: ignore[arg-type]  # a mapped class has a Table
            label_columns(
                labels,
                label_set_id=row.id,
                batch_id=inputs.batch_id,
                outcome_type=inputs.outcome_type,
            ),
            ("label_set_id", "batch_id", "outcome_type", *LABEL_COLUMNS),
            on_chunk=lambda done: _report(progress, "Storing the labels", done, n_parties),
        )
        policy_hash, gates = self._judge(row)
        record(
            self.db,
            actor=self.actor,
            action="labels.generated",
            subject=f"label_set:{row.id}",
            payload={
                "batch_id": row.batch_id,
                "number": row.number,
                "outcome_type": row.outcome_type,
                "observation_window_days": row.observation_window_days,
                "n_labelled": row.n_labelled,
                "n_bad": row.n_bad,
                "input_hash": row.input_hash,
                "content_hash": row.content_hash,
                "policy_hash": policy_hash,
                "gates": gates,
            },
        )
        return row

    def _add_label_set(self, inputs: LabelInputs, labels: pa.Table) -> LabelSet:
        counts = count_statuses(labels)
        n_labelled = counts["good"] + counts["bad"]
        through: date | None = None if inputs.rule is None else inputs.rule.data_through
        newest = find_newest_label_set(self.db, inputs.batch_id)
        row = LabelSet(
            number=1 if newest is None else newest.number + 1,
            batch_id=inputs.batch_id,
            outcome_type=inputs.outcome_type,
            definition_id=inputs.definition_id,
            observation_window_days=None if inputs.rule is None else inputs.rule.window_days,
            data_through=through,
            scored_by=inputs.scored_by,
            n_parties=labels.num_rows,
            n_labelled=n_labelled,
            n_bad=counts["bad"],
            n_good=counts["good"],
            n_indeterminate=counts["indeterminate"],
            n_excluded=counts["excluded"],
            n_immature=counts["immature"],
            default_rate=counts["bad"] / n_labelled if n_labelled else None,
            has_exposures=bool(inputs.exposures),
            details=inputs.details,
            input_hash=inputs.input_hash,
            content_hash=hash_labels(labels),
            created_at=utc_now(),
            created_by=self.actor,
        )
        self.db.add(row)
        self.db.flush()
        return row

    def _judge(self, row: LabelSet) -> tuple[str, dict[str, str]]:
        policy_row, policy = current_policy(self.db)
        verdicts = data_gates(
            policy, n_labelled=row.n_labelled, n_bad=row.n_bad, default_rate=row.default_rate
        )
        add_verdicts(self.db, "label_set", str(row.id), verdicts, policy_row.content_hash)
        return policy_row.content_hash, {item.gate: item.verdict for item in verdicts}

    def _judge_again(self, row: LabelSet) -> None:
        """Add the verdicts of a policy that the label set was not judged by yet."""
        policy_row, _ = current_policy(self.db)
        if is_judged(self.db, row.id, policy_row.content_hash):
            return
        policy_hash, gates = self._judge(row)
        record(
            self.db,
            actor=self.actor,
            action="verdicts.stored",
            subject=f"label_set:{row.id}",
            payload={"policy_hash": policy_hash, "gates": gates},
        )


def compute_labels(lake: Lake, inputs: LabelInputs, progress: Progress | None = None) -> pa.Table:
    """Label the parties of a batch; nothing is stored.

    Parameters
    ----------
    lake : Lake
        Where the files are; each file's hash is verified.
    inputs : LabelInputs
        What the labels are made of.
    progress : callable or None
        Called as ``progress(stage, done, total)``.

    Returns
    -------
    pyarrow.Table
        With the columns `LABEL_COLUMNS`: on DuckDB in the row order of the snapshot, on Spark by
        party.

    Raises
    ------
    CircularLabelError
        If the labels are the scorecard's own judgement.
    NotFoundError, FileHashError
        If a file is gone or not what was stored.
    """
    spark = find_spark()
    if spark is not None:
        from app.services.spark_labels import labels_on_spark  # noqa: PLC0415 - only where asked

        _report(progress, "Labelling the parties on Spark", 0, 1)
        labels = labels_on_spark(spark, lake, inputs)
        refuse_circular(labels, inputs.scored_by)
        return labels
    _report(progress, "Reading the batch", 0, 3)
    snapshot = lake.read_table(*inputs.snapshot)
    _report(progress, "Labelling the parties", 1, 3)
    if inputs.rule is None:
        labels = label_by_flags(lake, snapshot, inputs.outcomes)
    else:
        labels = label_by_events(
            lake, snapshot, inputs.rule, events=inputs.outcomes, exposures=inputs.exposures
        )
    _report(progress, "Scoring the parties", 2, 3)
    scored = add_scores(labels, snapshot, inputs.card)
    refuse_circular(scored, inputs.scored_by)
    _report(progress, "Scoring the parties", 3, 3)
    return scored


def _report(progress: Progress | None, stage: str, done: int, total: int) -> None:
    if progress is not None:
        progress(stage, done, total)
