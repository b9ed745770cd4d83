"""The two jobs, each in one process: the multiprocess executor costs 10 s more."""

from __future__ import annotations

import dagster as dg

from app.domain.pipelines import PIPELINES, SCORING, TRAINING

ml_training_pipeline = dg.define_asset_job(
    TRAINING,
    selection=dg.AssetSelection.assets(*PIPELINES[TRAINING]),
    description="Score, label, train and refine: from realised outcomes to a draft for review.",
    executor_def=dg.in_process_executor,
)

scoring_pipeline = dg.define_asset_job(
    SCORING,
    selection=dg.AssetSelection.assets(*PIPELINES[SCORING]),
    description="Score a batch with the active version.",
    executor_def=dg.in_process_executor,
)
