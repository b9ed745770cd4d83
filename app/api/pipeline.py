"""Pipeline runs and the models that they made."""

from __future__ import annotations

from app.api.documents import store as documents
from app.api.documents.common import LIMIT, Cursor, Limit, Page
from app.api.routing import PathName, api_router
from app.domain.types import Document
from app.edge.access import Db, Use
from app.edge.problems import documented
from app.services.listing_service import ListingService

router = api_router("/api/pipeline", "pipeline")


@router.get("/models", response_model=Page[documents.Model], responses=documented())
def list_models(db: Db, cursor: Cursor = None, limit: Limit = LIMIT) -> Document:
    """List the models, the newest first."""
    return ListingService(db, cursor, limit).models()


@router.get("/models/{model_id}", response_model=documents.ModelDetails, responses=documented(404))
def get_model(use: Use, model_id: PathName) -> Document:
    """Give everything about a model: metrics with intervals, gates, coefficients, lineage."""
    return use.models.get_model(model_id)
