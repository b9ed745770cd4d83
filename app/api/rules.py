"""The policy and the outcome definitions."""

from __future__ import annotations

from app.api.documents import store as documents
from app.api.documents.common import LIMIT, Cursor, Limit, Page
from app.api.routing import api_router
from app.domain.types import Document
from app.edge.access import Db, Use
from app.edge.problems import documented
from app.services.listing_service import ListingService

router = api_router("/api", "rules")


@router.get("/policy", response_model=documents.Policy, responses=documented(404))
def get_policy(use: Use) -> Document:
    """Give the policy in force: every threshold, and who may decide."""
    return use.policies.get_policy()


@router.put(
    "/policy", response_model=documents.SetPolicy, responses=documented(404, 409, body=True)
)
def set_policy(use: Use, given: documents.PolicyDocument) -> Document:
    """Put a policy in force; earlier decisions keep the one they were judged by."""
    return use.policies.set_policy(given.root)


@router.get("/definitions", response_model=Page[documents.Definition], responses=documented())
def list_definitions(db: Db, cursor: Cursor = None, limit: Limit = LIMIT) -> Document:
    """List the outcome definitions by name, every version of each."""
    return ListingService(db, cursor, limit).definitions()


@router.post(
    "/definitions",
    status_code=201,
    response_model=documents.AddedDefinition,
    responses=documented(409, body=True),
)
def add_definition(use: Use, given: documents.DefinitionDocument) -> Document:
    """Add an outcome definition, or the next version of one."""
    return use.definitions.add_definition(given.root)
