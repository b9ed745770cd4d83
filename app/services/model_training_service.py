"""Train the adviser from realised outcomes, and keep every model that was trained."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy.orm import Session

from app.db import require_no_transaction, transaction, utc_now
from app.domain.canonical import content_hash
from app.domain.gates import Verdict
from app.domain.policy import Policy
from app.domain.types import Document, Progress
from app.errors import ConflictError, InvalidInputError, QualityGateError
from app.lake.store import Lake, open_lake
from app.models import Batch, LabelSet, ModelRegistry, ScorecardVersion
from app.models import Policy as PolicyRow
from app.queries import models as model_queries
from app.queries import policies as policy_queries
from app.queries import versions as version_queries
from app.queries.batches import require_batch
from app.services.audit_service import record
from app.services.chosen_label_sets import choose_label_sets
from app.services.library_versions import library_versions
from app.services.scoring_service import card_of
from app.services.verdict_rows import add_verdicts
from app.settings import default_actor, get_settings

if TYPE_CHECKING:
    from app.domain.training import TrainedModel
    from app.services.training_sample import TrainingData

MODEL_TYPES = ("logistic_regression",)


@dataclass(frozen=True, slots=True)
class _Inputs:
    """Hold what was read before the fit, and the hash that must still hold after it."""

    asked: tuple[str | Sequence[str], str | None, int | Sequence[int] | None, str, int]
    batch_ids: tuple[str, ...]
    label_sets: tuple[LabelSet, ...]
    baseline: ScorecardVersion
    expert: ScorecardVersion
    policy_row: PolicyRow
    policy: Policy
    validation: str
    seed: int
    limit: int | None
    input_hash: str


class ModelTrainingService:
    """Train models on labelled batches and read the registry.

    Parameters
    ----------
    db : Session
        Any SQLAlchemy session on the initialised database.
    actor : str, optional
        The person on the record; by default the OS user.
    lake : Lake, optional
        The data plane; by default the one of the settings.
    """

    def __init__(self, db: Session, actor: str | None = None, lake: Lake | None = None) -> None:
        self.db = db
        self.actor = actor or default_actor()
        self._lake = lake

    @property
    def lake(self) -> Lake:
        """Give the data plane, opened where it is first needed."""
        if self._lake is None:
            self._lake = open_lake()
        return self._lake

    def train_model(
        self,
        batch_id: str | Sequence[str],
        model_type: str = "logistic_regression",
        base_version: str | None = None,
        label_set_id: int | Sequence[int] | None = None,
        validation: str = "auto",
        seed: int = 0,
        progress: Progress | None = None,
    ) -> Document:
        """Fit the adviser, judge it on rows it never saw, and register it.

        Writes: verdicts of the data gates (their own transaction, also where one fails); one
        ``model_registry`` row, its verdicts, the validated rows in the lake, and the event
        ``model.registered``.

        Parameters
        ----------
        batch_id : str or sequence of str
            One batch, or several that train together.
        model_type : {"logistic_regression"}
            The kind of model.
        base_version : str, optional
            The baseline; by default the active version.
        label_set_id : int or sequence of int, optional
            Label sets to use; by default each batch's newest.
        validation : {"auto", "out_of_time", "cross_validation", "holdout"}
            How rows are kept unseen.
        seed : int
            Seed of every shuffle.
        progress : callable, optional
            Called as ``progress(stage, done, total)``.

        Returns
        -------
        dict
            model_id, metrics, feature_importance, gates, advice, passed, label_set_ids,
            base_version and more; see ``get_model``.

        Raises
        ------
        QualityGateError
            If a data gate failed: nothing is registered.
        OpenTransactionError
            If called inside an open transaction.
        NotFoundError, ConflictError, ValidationInfeasibleError, FileHashError
            If inputs are missing, do not fit together, or were changed, also during the fit.
        """
        from app.domain import training  # noqa: PLC0415 - loads the numerics
        from app.services import recorded_columns, training_sample  # noqa: PLC0415 - the same

        require_no_transaction(self.db)
        if model_type not in MODEL_TYPES:
            raise InvalidInputError(f"unknown model type {model_type!r}: use {MODEL_TYPES[0]}")
        inputs = self._read_inputs(batch_id, base_version, label_set_id, validation, seed)
        baseline = card_of(inputs.baseline)
        expert = card_of(inputs.expert)
        data = training_sample.read_training_data(
            self.db, self.lake, baseline, inputs.label_sets, limit=inputs.limit, seed=seed
        )
        card = training_sample.training_card(baseline, expert)
        n_looks = model_queries.count_looks(
            self.db, self.lake, base_version=inputs.baseline.version, input_hash=inputs.input_hash,
            shares_rows=data.shares_rows,
        )  # fmt: skip
        batches = [self.db.get_one(Batch, label_set.batch_id) for label_set in inputs.label_sets]
        recorded = recorded_columns.read_recorded_columns(self.lake, batches, data, seed=seed)
        self.db.rollback()  # no transaction stays open through a fit
        data_verdicts = training.judge_data(data.sample, card, inputs.policy)
        self._store_data_verdicts(inputs, data_verdicts)
        model = training.train(
            data.sample,
            data.population,
            card,
            training_sample.training_features(baseline),
            inputs.policy,
            data_verdicts=data_verdicts,
            validation=validation,
            n_looks=n_looks,
            seed=seed,
            recorded=recorded,
            progress=progress,
        )
        return self._register(inputs, data, model, model_type)

    def list_models(self) -> tuple[Document, ...]:
        """Give the registry, newest first, one short document per model."""
        return tuple(model_queries.model_summary(row) for row in model_queries.list_models(self.db))

    def get_model(self, model_id: str) -> Document:
        """Give everything the registry knows of one model.

        Parameters
        ----------
        model_id : str
            For example ``m-20260331-7f3a``.

        Returns
        -------
        dict
            The document that ``train_model`` returned, with parameters and lineage.

        Raises
        ------
        NotFoundError
            If there is no such model.
        """
        return model_queries.model_document(self.db, model_queries.require_model(self.db, model_id))

    def _read_inputs(
        self,
        batch_id: str | Sequence[str],
        base_version: str | None,
        label_set_id: int | Sequence[int] | None,
        validation: str,
        seed: int,
    ) -> _Inputs:
        asked = (batch_id, base_version, label_set_id, validation, seed)
        given = (batch_id,) if isinstance(batch_id, str) else tuple(batch_id)
        batch_ids = tuple(sorted(set(given)))
        if not batch_ids:
            raise InvalidInputError("name at least one batch to train on")
        label_sets = choose_label_sets(self.db, batch_ids, label_set_id)
        baseline = (
            version_queries.require_active(self.db)
            if base_version is None
            else version_queries.require_version(self.db, base_version)
        )
        expert = version_queries.expert_ancestor(self.db, baseline.version)
        policy_row, policy = policy_queries.current_policy(self.db)
        batches = [require_batch(self.db, label_set.batch_id) for label_set in label_sets]
        limit = get_settings().training_rows
        is_within = sum(label_set.n_labelled for label_set in label_sets) <= limit
        used_limit = None if is_within else limit
        input_hash = hash_training_inputs(
            batches, label_sets, baseline=baseline.content_hash, expert=expert.content_hash,
            policy=policy.content_hash, validation=validation, seed=seed, limit=used_limit,
        )  # fmt: skip
        return _Inputs(
            asked, batch_ids, label_sets, baseline, expert, policy_row, policy, validation, seed,
            used_limit, input_hash,
        )  # fmt: skip

    def _store_data_verdicts(self, inputs: _Inputs, verdicts: tuple[Verdict, ...]) -> None:
        subject = ",".join(str(label_set.id) for label_set in inputs.label_sets)
        with transaction(self.db):
            add_verdicts(self.db, "label_set", subject, verdicts, inputs.policy.content_hash)
            record(
                self.db,
                actor=self.actor,
                action="verdicts.stored",
                subject=f"label_set:{subject}",
                payload={"gates": [verdict.as_dict() for verdict in verdicts]},
            )
        failed = [verdict for verdict in verdicts if verdict.is_failed]
        if failed:
            raise QualityGateError(
                "training stops, nothing was registered"
                + "".join(f"\n  {verdict.gate} failed: {verdict.sentence}" for verdict in failed),
                tuple(verdict.as_dict() for verdict in verdicts),
                batch_ids=list(inputs.batch_ids),
            )

    def _require_unchanged(self, inputs: _Inputs) -> None:
        """Refuse where what was read before the fit would be read differently now."""
        if self._read_inputs(*inputs.asked).input_hash != inputs.input_hash:
            raise ConflictError(
                "batches, labels, baseline or policy changed while the model was fitted, so it was "
                "not registered: train again",
                batch_ids=list(inputs.batch_ids),
            )

    def _register(
        self, inputs: _Inputs, data: TrainingData, model: TrainedModel, model_type: str
    ) -> Document:
        from app.services.model_documents import (  # noqa: PLC0415 - loads the numerics
            registry_columns,
            validated_rows,
        )

        columns = registry_columns(inputs.input_hash, data, model)
        stored = self.lake.write_table("validation", validated_rows(data, model))
        now = utc_now()
        with transaction(self.db):
            self._require_unchanged(inputs)
            row = ModelRegistry(
                id=model_queries.new_model_id(self.db, now, columns["content_hash"]),
                model_type=model_type,
                batch_id=",".join(inputs.batch_ids),
                batch_ids=list(inputs.batch_ids),
                label_set_ids=[label_set.id for label_set in inputs.label_sets],
                base_version=inputs.baseline.version,
                policy_id=inputs.policy_row.id,
                policy_hash=inputs.policy.content_hash,
                seed=inputs.seed,
                input_hash=inputs.input_hash,
                library_versions=library_versions(),
                validation_path=stored.path,
                validation_hash=stored.sha256,
                created_at=now,
                created_by=self.actor,
                **columns,
            )
            add_verdicts(self.db, "model", row.id, model.verdicts, inputs.policy.content_hash)
            self.db.add(row)  # last: its verdicts are complete once it is there
            record(
                self.db,
                actor=self.actor,
                action="model.registered",
                subject=f"model:{row.id}",
                payload={
                    "status": row.status,
                    "advice": row.advice,
                    "base_version": row.base_version,
                    "batch_ids": row.batch_ids,
                    "label_set_ids": row.label_set_ids,
                    "input_hash": row.input_hash,
                    "content_hash": row.content_hash,
                    "validation_hash": row.validation_hash,
                },
            )
            return model_queries.model_document(self.db, row)


def hash_training_inputs(
    batches: Sequence[Batch],
    label_sets: Sequence[LabelSet],
    *,
    baseline: str,
    expert: str,
    policy: str,
    validation: str,
    seed: int,
    limit: int | None = None,
) -> str:
    """Hash everything that a training reads; row ids play no part.

    Parameters
    ----------
    batches, label_sets : sequence of Batch, of LabelSet
        One each per batch, in the order of the batches.
    baseline, expert, policy : str
        Content hashes.
    validation : str
        The mode that was asked for.
    seed : int
        Seed of every shuffle.
    limit : int, optional
        Row limit, where a sample was drawn.

    Returns
    -------
    str
        64 hexadecimal digits.
    """
    recorded = {
        "batches": [[batch.batch_id, batch.file_hash] for batch in batches],
        "labels": [label_set.content_hash for label_set in label_sets],
        "baseline": baseline,
        "expert": expert,
        "policy": policy,
        "validation": validation,
        "seed": seed,
    }
    return content_hash(recorded if limit is None else {**recorded, "training_rows": limit})
