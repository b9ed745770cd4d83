"""Compute a registered model again from what it was recorded to be made of; nothing is stored."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy.orm import Session

from app.domain.policy import Policy
from app.domain.replay import Part
from app.domain.scorecard import Scorecard
from app.domain.training import judge_data, train
from app.domain.types import Document, Progress
from app.errors import NotFoundError, TamperingError
from app.lake.store import Lake
from app.models import Batch, LabelSet, ModelRegistry
from app.queries import models as model_queries
from app.queries.batches import known_batch
from app.queries.labels import require_label_set
from app.queries.policies import policy_by_hash
from app.queries.versions import expert_ancestor, require_version
from app.services.label_generation_service import compute_labels
from app.services.label_inputs import recorded_inputs
from app.services.label_rows import count_statuses, hash_labels
from app.services.model_documents import registry_columns, require_unaltered_model, validated_rows
from app.services.model_training_service import hash_training_inputs
from app.services.recorded_columns import read_recorded_columns
from app.services.scoring_service import card_of
from app.services.training_sample import (
    TrainingData,
    read_training_data,
    training_card,
    training_features,
)

if TYPE_CHECKING:
    import pyarrow as pa

    from app.domain.training import TrainedModel

MODES = ("auto", "out_of_time", "cross_validation", "holdout")
"""How validation may have been asked for; the hash of the inputs says which it was."""

_COMPARED = ("parameters", "feature_importance", "metrics", "validation", "warnings")


@dataclass(frozen=True, slots=True)
class ReplayedModel:
    """Hold a model that was computed again.

    Attributes
    ----------
    parts : tuple of Part
        Labels, coefficients, metrics, gates, validated rows and hashes.
    trained : TrainedModel
        The model, as computed now.
    columns : dict
        What the registry would hold of it.
    data : TrainingData
        The sample.
    baseline, expert : Scorecard
        The cards it was trained against.
    policy : Policy
        Thresholds.
    """

    parts: tuple[Part, ...]
    trained: TrainedModel
    columns: Document
    data: TrainingData
    baseline: Scorecard
    expert: Scorecard
    policy: Policy


def replay_model(
    db: Session, lake: Lake, model: ModelRegistry, progress: Progress | None = None
) -> ReplayedModel:
    """Regenerate the labels, read the files, fit, validate and judge again.

    Parameters
    ----------
    db : Session
        The store.
    lake : Lake
        Where the files are; each file's hash is verified.
    model : ModelRegistry
        The model, withdrawn batches or not.
    progress : callable, optional
        Called as ``progress(stage, done, total)``.

    Returns
    -------
    ReplayedModel
        Both sides of everything.

    Raises
    ------
    TamperingError
        If a file, a label, a card, the policy or the model is not what was recorded.
    """
    require_unaltered_model(db, model)
    label_sets = [require_label_set(db, number) for number in model.label_set_ids]
    batches = [known_batch(db, label_set.batch_id) for label_set in label_sets]
    parts: list[Part] = []
    for label_set in label_sets:
        parts += _replay_labels(db, lake, label_set, progress)
    baseline_row = require_version(db, model.base_version)
    expert_row = expert_ancestor(db, model.base_version)
    baseline, expert = card_of(baseline_row), card_of(expert_row)
    policy = _recorded_policy(db, model)
    mode = _mode_of(model, batches, label_sets, baseline, expert)
    data = read_training_data(
        db, lake, baseline, label_sets, batch_of=known_batch, limit=_limit_of(model),
        seed=model.seed,
    )  # fmt: skip
    card = training_card(baseline, expert)
    n_looks = model_queries.count_looks(
        db, lake, base_version=model.base_version, input_hash=model.input_hash,
        shares_rows=data.shares_rows, before=model.created_at,
    )  # fmt: skip
    recorded = read_recorded_columns(lake, batches, data, seed=model.seed)
    kept_rows = lake.read_table(model.validation_path, model.validation_hash)
    gates = list(model_queries.stored_verdicts(db, "model", model.id))
    kept = {name: getattr(model, name) for name in (*_COMPARED, "status", "advice")}
    subject, recorded_hash, seed = f"model:{model.id}", model.content_hash, model.seed
    input_hash = model.input_hash
    db.rollback()  # no transaction stays open through a fit
    trained = train(
        data.sample,
        data.population,
        card,
        training_features(baseline),
        policy,
        data_verdicts=judge_data(data.sample, card, policy),
        validation=mode,
        n_looks=n_looks,
        seed=seed,
        recorded=recorded,
        progress=progress,
    )
    columns = registry_columns(input_hash, data, trained)
    parts += [Part(name, subject, kept[name], columns[name]) for name in kept]
    parts += [
        Part("gates", subject, gates, [verdict.as_dict() for verdict in trained.verdicts]),
        Part("validated rows", subject, *_rows(kept_rows, validated_rows(data, trained))),
        Part("content hash", subject, recorded_hash, columns["content_hash"]),
    ]
    return ReplayedModel(tuple(parts), trained, columns, data, baseline, expert, policy)


def _replay_labels(db: Session, lake: Lake, row: LabelSet, progress: Progress | None) -> list[Part]:
    inputs = recorded_inputs(db, row)
    if inputs.input_hash != row.input_hash:
        raise TamperingError(
            f"what label set {row.id} ({row.batch_id}) was made of is not what was recorded: "
            "batch, outcomes, definition or card changed. Run `chancellor doctor`.",
            label_set_id=row.id,
            recorded=row.input_hash,
            found=inputs.input_hash,
        )
    labels = compute_labels(lake, inputs, progress)
    counts = {f"n_{name}": n for name, n in count_statuses(labels).items()}
    subject = f"label_set:{row.id}"
    return [
        Part("label counts", subject, {name: getattr(row, name) for name in counts}, counts),
        Part("labels", subject, row.content_hash, hash_labels(labels)),
    ]


def _recorded_policy(db: Session, model: ModelRegistry) -> Policy:
    try:
        _, policy = policy_by_hash(db, model.policy_hash)
    except NotFoundError as error:
        raise TamperingError(error.message, model_id=model.id) from error
    if policy.content_hash != model.policy_hash:
        raise TamperingError(
            f"the policy that {model.id} was judged by is not what was stored",
            recorded=model.policy_hash,
            found=policy.content_hash,
        )
    return policy


def _mode_of(
    model: ModelRegistry,
    batches: Sequence[Batch],
    label_sets: Sequence[LabelSet],
    baseline: Scorecard,
    expert: Scorecard,
) -> str:
    for mode in MODES:
        found = hash_training_inputs(
            batches, label_sets, baseline=baseline.content_hash, expert=expert.content_hash,
            policy=model.policy_hash, validation=mode, seed=model.seed, limit=_limit_of(model),
        )  # fmt: skip
        if found == model.input_hash:
            return mode
    raise TamperingError(
        f"what {model.id} was trained on is not what was recorded: a batch, its labels or a card "
        "changed. Run `chancellor doctor`.",
        model_id=model.id,
        recorded=model.input_hash,
    )


def _limit_of(model: ModelRegistry) -> int | None:
    """Give the row limit that the model was trained under, if that made it draw a sample."""
    sampling = model.validation.get("sampling")
    return None if sampling is None else int(sampling["limit"])


def _rows(kept: pa.Table, computed: pa.Table) -> tuple[Any, Any]:
    """Give both tables of validated rows: whether they are equal, else their numbers."""
    if kept.schema.names == computed.schema.names and kept.equals(computed.cast(kept.schema)):
        return kept.num_rows, computed.num_rows
    numbers = ("p_model", "p_refined", "score_refined")
    first, second = (
        {name: table[name].to_pylist() for name in numbers} for table in (kept, computed)
    )
    return first, second
