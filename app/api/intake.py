"""Batches, outcomes and labels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import Query, Request
from starlette.concurrency import run_in_threadpool

from app.api.documents import store as documents
from app.api.documents.common import LIMIT, Cursor, Limit, Page
from app.api.routing import Day, PathName, api_router
from app.domain.types import Document
from app.edge.access import Db, Use
from app.edge.imports import import_received
from app.edge.problems import documented
from app.edge.uploads import MEDIA_TYPES, PLAIN_NAME, received_file
from app.errors import InvalidInputError
from app.services.listing_service import ListingService

router = api_router("/api", "data")

Column = Annotated[str, Query(min_length=1, max_length=200)]
MaybeColumn = Annotated[str | None, Query(min_length=1, max_length=200)]
FileName = Annotated[
    str | None,
    Query(
        description="A plain name for the record; no path.",
        json_schema_extra={"pattern": PLAIN_NAME},
    ),
]
BatchId = Annotated[str, Query(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
Groups = Annotated[
    list[Annotated[str, Query(min_length=1, max_length=200)]],
    Query(max_length=20, description="Columns kept as groups; repeat for several."),
]
_FILE: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "The file itself, as it is on disk.",
        "content": {
            kind: {"schema": {"type": "string", "format": "binary"}} for kind in MEDIA_TYPES
        },
    }
}


@router.get("/batches", response_model=Page[documents.BatchSummary], responses=documented())
def list_batches(db: Db, cursor: Cursor = None, limit: Limit = LIMIT) -> Document:
    """List the batches, withdrawn ones included, the newest first."""
    return ListingService(db, cursor, limit).batches()


@router.get("/batches/{batch_id}", response_model=documents.Batch, responses=documented(404))
def get_batch(use: Use, batch_id: PathName) -> Document:
    """Describe one batch and its label sets."""
    return use.batches.get_batch(batch_id)


@router.post(
    "/batches",
    status_code=201,
    response_model=documents.ImportedBatch,
    responses=documented(404, 409, body=True),
    openapi_extra=_FILE,
)
async def import_batch(
    request: Request,
    use: Use,
    batch_id: BatchId,
    party_id: Column,
    scored_at: Column,
    date_format: MaybeColumn = None,
    file_name: FileName = None,
    group: Groups = [],  # noqa: B006 - FastAPI copies it
    *,
    allow_missing_features: bool = False,
) -> Document:
    """Store a file of parties as a batch; nothing is stored unless the file is sound.

    The body is the file. `party_id` and `scored_at` name its columns; `party_id=@row` numbers the
    rows, and `scored_at` may be one date for all of them. A `group` is a column that is kept for
    fairness alone and is never scored or trained on.
    """
    await run_in_threadpool(use.db.rollback)  # no transaction stays open while bytes come in
    async with received_file(request, file_name) as path:
        return await import_received(
            request,
            use,
            "batch",
            path,
            batch_id=batch_id,
            party_id=party_id,
            scored_at=scored_at,
            date_format=date_format,
            allow_missing_features=allow_missing_features,
            groups=group,
        )


@router.post(
    "/outcomes",
    status_code=201,
    response_model=documents.ImportedOutcomes,
    responses=documented(404, 409, body=True),
    openapi_extra=_FILE,
)
async def import_outcomes(
    request: Request,
    use: Use,
    party_id: Column,
    event_date: MaybeColumn = None,
    event_type: MaybeColumn = None,
    through: Day | None = None,
    days_past_due: MaybeColumn = None,
    date_format: MaybeColumn = None,
    batch_id: BatchId | None = None,
    flag: MaybeColumn = None,
    bad: MaybeColumn = None,
    file_name: FileName = None,
) -> Document:
    """Store a file of dated events, or of final flags; the same file twice changes nothing.

    Events need `event_date`, `event_type` and `through`: `event_type` names a column, or the type
    of all rows; `through` is the last day up to which the file is complete. Final flags of a batch,
    where there are no dates, need `batch_id`, `flag` (the column) and `bad` (its value that means
    bad).
    """
    events = {"event_date": event_date, "event_type": event_type,
              "through": None if through is None else through.isoformat()}  # fmt: skip
    more = {"days_past_due": days_past_due, "date_format": date_format}
    flags = {"batch_id": batch_id, "flag": flag, "bad": bad}
    are_flags = any(value is not None for value in flags.values())
    _require_one_kind(flags if are_flags else events, {**events, **more} if are_flags else {})
    await run_in_threadpool(use.db.rollback)  # as above
    async with received_file(request, file_name) as path:
        return await import_received(
            request,
            use,
            "flags" if are_flags else "outcomes",
            path,
            party_id=party_id,
            **(flags if are_flags else {**events, **more}),
        )


def _require_one_kind(needed: Mapping[str, object], others: Mapping[str, object]) -> None:
    """Refuse a query that is neither of events nor of final flags."""
    missing = [name for name, value in needed.items() if value is None]
    given = [name for name, value in others.items() if value is not None]
    if missing or given:
        raise InvalidInputError(
            "Events need event_date, event_type and through; final flags need batch_id, flag and "
            f"bad. Missing: {', '.join(missing) or 'nothing'}; out of place: "
            f"{', '.join(given) or 'nothing'}.",
            missing=missing,
            out_of_place=given,
        )


@router.get(
    "/labels/{batch_id}", response_model=Page[documents.LabelSet], responses=documented(404)
)
def list_label_sets(
    db: Db, batch_id: PathName, cursor: Cursor = None, limit: Limit = LIMIT
) -> Document:
    """List the label sets of a batch with their counts by status, the newest first."""
    return ListingService(db, cursor, limit).label_sets(batch_id)
