"""The three jobs, each in one process: the multiprocess executor costs 10 s more."""

from __future__ import annotations

import dagster as dg

from app.domain.pipelines import MONITORING, PIPELINES, SCORING, TRAINING

ml_training_pipeline = dg.define_asset_job(
    TRAINING,
    selection=dg.AssetSelection.assets(*PIPELINES[TRAINING]),
    description="Score, label, monitor, train and refine: from outcomes to a draft for review.",
    executor_def=dg.in_process_executor,
)

scoring_pipeline = dg.define_asset_job(
    SCORING,
    selection=dg.AssetSelection.assets(*PIPELINES[SCORING]),
    description="Score a batch with the active version, and monitor it.",
    executor_def=dg.in_process_executor,
)

monitoring_pipeline = dg.define_asset_job(
    MONITORING,
    selection=dg.AssetSelection.assets(*PIPELINES[MONITORING]),
    description="Compare a batch with what the active version was made for.",
    executor_def=dg.in_process_executor,
)
