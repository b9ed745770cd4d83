"""A schedule and two sensors that propose a training; each is off until a person turns it on.

A proposal is a run on the record, which a service of the store has executed: here where
``CHANCELLOR_DAGSTER_URL`` names this Dagster, else in a process of its own. So the tick itself
starts no run and tells what it did as the reason of its skip (ADR 0057).
"""
# No ``from __future__ import annotations``: Dagster reads the annotations of contexts.

from collections.abc import Callable

import dagster as dg

from app.db import open_session
from app.domain.types import Document
from app.edge.errors import recorded_error
from app.pipeline.jobs import ml_training_pipeline
from app.services.training_proposals import TrainingProposalService

SECONDS_BETWEEN_LOOKS = 3_600
FIRST_OF_THE_MONTH = "0 6 1 * *"


@dg.schedule(
    cron_schedule=FIRST_OF_THE_MONTH,
    execution_timezone="UTC",
    job=ml_training_pipeline,
    default_status=dg.DefaultScheduleStatus.STOPPED,
)
def monthly_retraining(context: dg.ScheduleEvaluationContext) -> dg.SkipReason:
    """Propose a training on the first of each month, if anything matured since the last one."""
    month = f"{context.scheduled_execution_time:%Y-%m}"
    return _told(lambda proposals: proposals.after_a_month(month))


@dg.sensor(
    job=ml_training_pipeline,
    minimum_interval_seconds=SECONDS_BETWEEN_LOOKS,
    default_status=dg.DefaultSensorStatus.STOPPED,
)
def new_outcomes() -> dg.SkipReason:
    """Propose a training when as many outcomes have matured as the policy asks of any training."""
    return _told(lambda proposals: proposals.on_new_outcomes())


@dg.sensor(
    job=ml_training_pipeline,
    minimum_interval_seconds=SECONDS_BETWEEN_LOOKS,
    default_status=dg.DefaultSensorStatus.STOPPED,
)
def degradation() -> dg.SkipReason:
    """Propose a training when an open alert says that the active version became worse."""
    return _told(lambda proposals: proposals.on_degradation())


def _told(propose: Callable[[TrainingProposalService], Document]) -> dg.SkipReason:
    """Propose, and say what came of it; what failed is kept without values of parties."""
    try:
        with open_session() as db:
            return dg.SkipReason(propose(TrainingProposalService(db))["sentence"])
    except Exception as error:  # noqa: BLE001 - whatever it is, Dagster would keep its words
        raise dg.DagsterError(recorded_error(error)["message"]) from None
