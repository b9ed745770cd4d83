"""The five assets: score, label, monitor, train, refine. Each is one service call."""
# No ``from __future__ import annotations``: Dagster reads the annotations of contexts.

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

import dagster as dg
from sqlalchemy.orm import Session

from app.db import open_session
from app.lake.engine import computing_on, known_engine
from app.pipeline.checks import showing_failed_training
from app.pipeline.failures import as_dagster_failure
from app.pipeline.interruption import stop_if_asked_to_end
from app.pipeline.notes import note_materialised, noting
from app.pipeline.progress import report
from app.pipeline.request import PipelineRequest, actor_of, batches
from app.pipeline.stages import gates_markdown, labels_stage, scores_stage
from app.services.label_generation_service import LabelGenerationService
from app.services.model_training_service import ModelTrainingService
from app.services.monitoring_service import MonitoringService
from app.services.scorecard_version_service import ScorecardVersionService
from app.services.scoring_service import ScoringService

GROUP = "chancellor"


@contextmanager
def _store(context: dg.AssetExecutionContext, engine: str | None = None) -> Iterator[Session]:
    stop_if_asked_to_end()
    asset = context.asset_key.to_user_string()
    noted = noting(context.run, asset)
    with as_dagster_failure(), noted, computing_on(known_engine(engine)), open_session() as db:
        yield db


@dg.asset(partitions_def=batches, group_name=GROUP)
def score_batch(context: dg.AssetExecutionContext, request: PipelineRequest) -> dict[str, Any]:
    """Score each batch with the active version, or with the baseline that is named."""
    with _store(context, request.engine) as db:
        service = ScoringService(db, actor=actor_of(context.run))
        stage = scores_stage(
            [
                service.score_batch(batch_id, version=request.base_version)
                for batch_id in request.batches_of(context.partition_key)
            ]
        )
    return _materialised(context, stage, "n_rows", "mean_score", "version", "file_hashes")


@dg.asset(partitions_def=batches, group_name=GROUP)
def generate_scorecard_labels(
    context: dg.AssetExecutionContext, request: PipelineRequest, score_batch: dict[str, Any]
) -> dict[str, Any]:
    """Label the scored batches from their realised outcomes."""
    with _store(context, request.engine) as db:
        service = LabelGenerationService(db, actor=actor_of(context.run))
        stage = labels_stage(
            [
                service.generate_labels(
                    batch_id=batch_id,
                    outcome_type=request.outcome_type,
                    observation_window_days=request.observation_window_days,
                )
                for batch_id in score_batch["batch_ids"]
            ]
        )
    return _materialised(context, stage, "n_labelled", "n_bad", "n_immature", "default_rate")


@dg.asset(partitions_def=batches, group_name=GROUP, deps=[score_batch, generate_scorecard_labels])
def monitoring_report(
    context: dg.AssetExecutionContext, request: PipelineRequest
) -> dict[str, Any]:
    """Compare the batches with what the active version was made for; a failure ends no run."""
    with _store(context, request.engine) as db:
        stage = MonitoringService(db, actor=actor_of(context.run)).monitor_batches(
            request.batches_of(context.partition_key), cause="scored", progress=report
        )
    for failure in stage["failures"]:
        context.log.warning("Monitoring of %s failed: %s", failure["batch_id"], failure["message"])
    return _materialised(context, stage, "report_ids", "n_alerts", "sentences", "failures")


@dg.asset(partitions_def=batches, group_name=GROUP)
def train_model_asset(
    context: dg.AssetExecutionContext,
    request: PipelineRequest,
    generate_scorecard_labels: dict[str, Any],
) -> dict[str, Any]:
    """Fit the adviser to the labels and judge it on rows it never saw."""
    with _store(context, request.engine) as db, showing_failed_training(context):
        model = ModelTrainingService(db, actor=actor_of(context.run)).train_model(
            batch_id=generate_scorecard_labels["batch_ids"],
            model_type=request.model_type,
            base_version=request.base_version,
            label_set_id=generate_scorecard_labels["label_set_ids"],
            validation=request.validation,
            seed=request.seed,
            progress=report,
        )
    model = {name: part for name, part in model.items() if name != "parameters"}
    return _materialised(
        context, model, "model_id", "status", "advice", "base_version", "content_hash"
    )


@dg.asset(partitions_def=batches, group_name=GROUP)
def refine_scorecard(
    context: dg.AssetExecutionContext, train_model_asset: dict[str, Any]
) -> dict[str, Any]:
    """Draft a version from the model, unless its advice is keep."""
    with _store(context) as db:
        draft = ScorecardVersionService(db, actor=actor_of(context.run)).refine_from_model(
            model_id=train_model_asset["model_id"],
            base_version=train_model_asset["base_version"],
            progress=report,
        )
    return _materialised(
        context, draft, "status", "version", "advice", "content_hash", "evidence_hash"
    )


def _materialised(
    context: dg.AssetExecutionContext, stage: dict[str, Any], *shown: str
) -> dict[str, Any]:
    """Hand a stage on, with what Dagster shows of it: Dagster unpacks the value from the result."""
    note_materialised(context.run, context.asset_key.to_user_string(), stage)
    metadata: dict[str, Any] = {name: stage[name] for name in shown if stage.get(name) is not None}
    if stage.get("gates"):
        metadata["gates"] = dg.MetadataValue.md(gates_markdown(stage["gates"]))
    return cast("dict[str, Any]", dg.MaterializeResult(value=stage, metadata=metadata))
