"""Whether the service lives, is ready, and how it does."""

from __future__ import annotations

from typing import Any

from fastapi import Request, Response
from fastapi.responses import JSONResponse

from app.api.documents import store as documents
from app.api.routing import api_router
from app.domain.types import Document
from app.edge.access import Db, service_of
from app.edge.problems import documented
from app.edge.readiness import read_parts
from app.queries.runs import count_runs

router = api_router("", "health")
_TEXT: dict[int | str, dict[str, Any]] = {
    200: {"content": {"text/plain": {"schema": {"type": "string"}}}}
}


@router.get("/healthz", response_model=documents.Health)
async def healthz() -> Document:
    """Say that the process is there."""
    return {"status": "ok"}


@router.get(
    "/readyz",
    response_model=documents.Readiness,
    responses={503: {"model": documents.Readiness, "description": "A part does not answer."}},
)
def readyz(request: Request) -> Response:
    """Say whether database, lake and Dagster answer."""
    parts = read_parts(service_of(request))
    ready = all(part["ok"] for part in parts.values())
    headers = {} if ready else {"Retry-After": "5"}
    return JSONResponse({"ready": ready, "parts": parts}, 200 if ready else 503, headers)


@router.get("/metrics", response_class=Response, responses={**_TEXT, **documented()})
def metrics(request: Request, db: Db) -> Response:
    """Give requests by route and status, their times, and runs by state, for Prometheus."""
    text = request.app.state.metrics.render(count_runs(db))
    return Response(text, media_type="text/plain; version=0.0.4; charset=utf-8")


@router.get("/api/openapi.json", response_class=JSONResponse, responses=documented())
def openapi(request: Request) -> JSONResponse:
    """Give this document."""
    return JSONResponse(request.app.openapi())
