"""Pipeline runs: what was asked for, and how far each asset and check has come."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from app.api.documents.common import Answered, Evidence, Given, Name, Text
from app.domain.pipelines import MAX_WINDOW_DAYS

RunStatus = Literal["queued", "running", "succeeded", "failed", "cancelled"]
BatchId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]


class RunSettings(Given):
    """The settings of a run; what is left out takes its default."""

    observation_window_days: int = Field(default=180, ge=1, le=MAX_WINDOW_DAYS)
    outcome_type: Name = "default"
    validation: Literal["auto", "out_of_time", "cross_validation"] = "auto"
    base_version: Name | None = None


class Trigger(Given):
    """Which batches, and how."""

    batch_id: BatchId | Annotated[list[BatchId], Field(min_length=1, max_length=200)] = Field(
        description="One batch, or several that train together.", examples=["BATCH_001"]
    )
    config: RunSettings = Field(default_factory=RunSettings)


class Cancellation(Given):
    """Why a run is cancelled."""

    reason: Text = Field(default="no reason given", examples=["the outcomes were not complete"])


class Check(Answered):
    """One gate of an asset."""

    check: str
    status: Literal["waiting", "passed", "warned", "failed", "skipped"]
    sentence: str | None


class RunStep(Answered):
    """One asset of a run."""

    asset: str
    status: Literal["waiting", "running", "succeeded", "failed", "cancelled", "skipped"]
    started_at: datetime | None
    finished_at: datetime | None
    duration_seconds: float | None
    error: Evidence | None
    checks: list[Check]


class Run(Answered):
    """One pipeline run."""

    run_id: str
    pipeline: str
    batch_ids: list[str]
    config: Evidence
    status: RunStatus
    requested_by: str
    request_id: str | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    duration_seconds: float | None
    steps: list[RunStep]
    error: str | None
    result: Evidence | None
