"""What Dagster loads: ``dagster dev -m app.pipeline.definitions``.

Set ``DAGSTER_HOME`` to the ``dagster`` directory inside ``CHANCELLOR_HOME`` to see the runs that
``chancellor pipeline run`` made.
"""

from __future__ import annotations

import dagster as dg

from app.pipeline.assets import (
    generate_scorecard_labels,
    monitoring_report,
    refine_scorecard,
    score_batch,
    train_model_asset,
)
from app.pipeline.checks import draft_gates, label_gates, model_gates
from app.pipeline.jobs import ml_training_pipeline, monitoring_pipeline, scoring_pipeline
from app.pipeline.proposals import degradation, monthly_retraining, new_outcomes
from app.pipeline.request import PipelineRequest

defs = dg.Definitions(
    assets=[
        score_batch,
        generate_scorecard_labels,
        monitoring_report,
        train_model_asset,
        refine_scorecard,
    ],
    asset_checks=[label_gates, model_gates, draft_gates],
    jobs=[ml_training_pipeline, scoring_pipeline, monitoring_pipeline],
    schedules=[monthly_retraining],
    sensors=[new_outcomes, degradation],
    resources={"request": PipelineRequest()},
)
