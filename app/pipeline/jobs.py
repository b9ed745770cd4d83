"""The two jobs, each in one process: the multiprocess executor costs 10 s more."""

from __future__ import annotations

import dagster as dg

TRAINING = "ml_training_pipeline"
SCORING = "scoring_pipeline"

ml_training_pipeline = dg.define_asset_job(
    TRAINING,
    selection=dg.AssetSelection.assets(
        "score_batch", "generate_scorecard_labels", "train_model_asset", "refine_scorecard"
    ),
    description="Score, label, train and refine: from realised outcomes to a draft for review.",
    executor_def=dg.in_process_executor,
)

scoring_pipeline = dg.define_asset_job(
    SCORING,
    selection=dg.AssetSelection.assets("score_batch"),
    description="Score a batch with the active version.",
    executor_def=dg.in_process_executor,
)
