"""Pipeline runs and the models that they made."""

from __future__ import annotations

from typing import Annotated

from fastapi import Header

from app.api.documents import runs as run_documents
from app.api.documents import store as documents
from app.api.documents.common import LIMIT, Cursor, Limit, Page
from app.api.routing import PathName, api_router
from app.domain.types import Document
from app.edge.access import Db, Use
from app.edge.problems import documented
from app.services.listing_service import ListingService

router = api_router("/api/pipeline", "pipeline")

IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=200,
        pattern=r"^[\x21-\x7e]+$",
        description="The same key of the same person gives the same run.",
    ),
]


@router.post(
    "/trigger/{pipeline}",
    status_code=202,
    response_model=run_documents.Run,
    responses=documented(404, 409, body=True),
)
def trigger(
    use: Use,
    pipeline: PathName,
    given: run_documents.Trigger,
    idempotency_key: IdempotencyKey = None,
) -> Document:
    """Ask for a run of the training, scoring or monitoring pipeline; one run works at a time."""
    batches = [given.batch_id] if isinstance(given.batch_id, str) else given.batch_id
    return use.pipelines.trigger(
        pipeline=pipeline,
        batch_ids=batches,
        config=given.config.model_dump(exclude_unset=True),
        idempotency_key=idempotency_key,
    )


@router.get("/status/{run_id}", response_model=run_documents.Run, responses=documented(404))
def get_run(use: Use, run_id: PathName) -> Document:
    """Give the state of a run, of each of its assets and of each check."""
    return use.pipelines.get_run(run_id)


@router.get("/runs", response_model=Page[run_documents.Run], responses=documented())
def list_runs(
    db: Db,
    status: run_documents.RunStatus | None = None,
    cursor: Cursor = None,
    limit: Limit = LIMIT,
) -> Document:
    """List the runs, the newest first."""
    return ListingService(db, cursor, limit).runs(status=status)


@router.post(
    "/cancel/{run_id}",
    status_code=202,
    response_model=run_documents.Run,
    responses=documented(404, 409, body=True),
)
def cancel(use: Use, run_id: PathName, given: run_documents.Cancellation | None = None) -> Document:
    """Cancel a run: a queued one at once, a running one as soon as its process has ended."""
    return use.pipelines.cancel(run_id, reason=(given or run_documents.Cancellation()).reason)


@router.get("/models", response_model=Page[documents.Model], responses=documented())
def list_models(db: Db, cursor: Cursor = None, limit: Limit = LIMIT) -> Document:
    """List the models, the newest first."""
    return ListingService(db, cursor, limit).models()


@router.get("/models/{model_id}", response_model=documents.ModelDetails, responses=documented(404))
def get_model(use: Use, model_id: PathName) -> Document:
    """Give everything about a model: metrics with intervals, gates, coefficients, lineage."""
    return use.models.get_model(model_id)
