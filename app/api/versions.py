"""Versions of the scorecard: read, compare, propose, decide."""

from __future__ import annotations

from typing import Annotated

from fastapi import Header, Query, Response

from app.api.documents import versions as documents
from app.api.documents.common import LIMIT, Cursor, Limit, Page
from app.api.routing import Moment, PathName, api_router
from app.domain.scorecard import Scorecard
from app.domain.types import Document
from app.edge.access import Asked, Db, Use, require_right
from app.edge.preconditions import etag_of, expected_hash
from app.edge.problems import documented
from app.edge.routes import takes_seconds
from app.paper.report import PaperForm, PaperRequest, write_paper
from app.services.export_service import KEY, TABLE, ExportRequest
from app.services.listing_service import ListingService

router = api_router("/api/scoring/versions", "versions")

IfMatch = Annotated[
    str | None, Header(alias="If-Match", max_length=200, description="The ETag that was reviewed.")
]
_ETAG = {"ETag": {"description": "The review hash.", "schema": {"type": "string"}}}
_WITH_ETAG = {"headers": _ETAG}
DECIDING = documented(404, 409, 412, 428, body=True)


@router.get("", response_model=Page[documents.VersionSummary], responses=documented())
def list_versions(db: Db, cursor: Cursor = None, limit: Limit = LIMIT) -> Document:
    """List the versions, the newest first."""
    return ListingService(db, cursor, limit).versions()


@router.get("/compare", response_model=documents.Comparison, responses=documented(404, 409))
@takes_seconds
def compare_versions(
    use: Use,
    a: Annotated[str, Query(min_length=1, max_length=200, description="The old version.")],
    b: Annotated[str, Query(min_length=1, max_length=200, description="The new version.")],
    cut_off: Annotated[int | None, Query(ge=0, le=10_000, description="A score.")] = None,
) -> Document:
    """Compare two versions: weights, discrimination, swap sets, movement between bands, gates."""
    return use.versions.compare_versions(a, b, cut_off=cut_off)


@router.get("/at", response_model=documents.ActiveAt, responses=documented(404))
def version_at(
    use: Use, time: Annotated[Moment, Query(examples=["2026-03-31T12:00:00Z"])]
) -> Document:
    """Say which version decided at a time."""
    return use.versions.active_at(time)


@router.get(
    "/{version}",
    response_model=documents.Version,
    responses={200: _WITH_ETAG, **documented(404, 409)},
)
def get_version(use: Use, version: PathName, response: Response) -> Document:
    """Give everything about a version; its ETag is what an approval binds."""
    document = use.versions.get_version(version)
    response.headers["ETag"] = etag_of(document["review_hash"])
    return document


@router.get(
    "/{version}/export",
    response_class=Response,
    responses={200: documents.EXPORTED, **documented(404, 409)},
)
@takes_seconds
def export_version(
    use: Use,
    version: PathName,
    to: Annotated[documents.ExportForm, Query(description="The form of the file.")],
    dialect: Annotated[documents.Dialect | None, Query(description="With sql: the engine.")] = None,
    table: Annotated[str, Query(max_length=200, description="With sql: what it scores.")] = TABLE,
    key: Annotated[
        str, Query(alias="id", max_length=200, description="With sql: its column of parties.")
    ] = KEY,
    model: Annotated[
        str | None, Query(max_length=200, description="With xlsx: whose calibration gives odds.")
    ] = None,
) -> Response:
    """Give a version as a file for other programs, as ``chancellor export`` writes it."""
    request = ExportRequest(to, dialect, table, key, model)
    exported = use.exports.export(version, request)
    named = {"Content-Disposition": f'attachment; filename="{exported["file_name"]}"'}
    return Response(exported["content"], media_type=exported["media_type"], headers=named)


@router.get(
    "/{version}/fairness", response_model=documents.Fairness, responses=documented(404, 409)
)
@takes_seconds
def compare_groups(
    use: Use,
    version: PathName,
    against: Annotated[str | None, Query(min_length=1, max_length=200)] = None,
    cutoff: Annotated[
        int | None, Query(ge=0, le=10_000, description="A score that counts as approved.")
    ] = None,
) -> Document:
    """Compare approval, ranking and calibration by group with the version it was made against."""
    return use.fairness.compare_groups(version, against, cut_off=cutoff)


@router.get(
    "/{version}/report",
    response_class=Response,
    responses={200: documents.PAPER, **documented(404, 409)},
)
@takes_seconds
def report_version(
    use: Use,
    version: PathName,
    to: Annotated[PaperForm, Query(description="The form of the paper.")] = "html",
    *,
    card: Annotated[
        bool, Query(description="The short model card instead of the whole dossier.")
    ] = False,
) -> Response:
    """Give the evidence about a version as a paper, as ``chancellor report`` writes it."""
    found = use.dossiers.dossier(version)
    use.db.rollback()  # typesetting holds no transaction
    paper = write_paper(found, PaperRequest(to, card))
    named = {"Content-Disposition": f'attachment; filename="{paper["file_name"]}"'}
    return Response(paper["content"], media_type=paper["media_type"], headers=named)


@router.post(
    "",
    status_code=201,
    response_model=documents.Version,
    responses={201: _WITH_ETAG, **documented(409, body=True)},
)
def add_version(use: Use, given: documents.NewVersion, response: Response) -> Document:
    """File a person's draft against the active version."""
    document = use.versions.add_version(Scorecard.from_document(given.card), note=given.note)
    response.headers["ETag"] = etag_of(document["review_hash"])
    return document


@router.post(
    "/{version}/comments",
    status_code=201,
    response_model=documents.Comment,
    responses=documented(404, 409, body=True),
)
def comment(use: Use, version: PathName, given: documents.NewComment) -> Document:
    """Put a comment on a version on record."""
    return use.versions.comment(version, given.text)


@router.post("/{version}/approve", response_model=documents.Decided, responses=DECIDING)
def approve(
    use: Use,
    caller: Asked,
    version: PathName,
    given: documents.Approval,
    if_match: IfMatch = None,
) -> Document:
    """Approve a draft that the caller has seen: maker and checker differ."""
    if given.override_reason is not None:
        require_right(caller, "override")
    return use.versions.approve(
        version,
        reason=given.reason,
        expected_hash=expected_hash(if_match, required=True),
        acknowledge=given.acknowledge,
        override_reason=given.override_reason,
    )


@router.post("/{version}/reject", response_model=documents.Decided, responses=DECIDING)
def reject(
    use: Use, version: PathName, given: documents.Rejection, if_match: IfMatch = None
) -> Document:
    """Reject a draft that the caller has seen, for good."""
    return use.versions.reject(
        version, reason=given.reason, expected_hash=expected_hash(if_match, required=True)
    )


@router.post(
    "/{version}/activate",
    response_model=documents.Decided,
    responses=documented(404, 409, 412, body=True),
)
def activate(
    use: Use,
    caller: Asked,
    version: PathName,
    given: documents.ActivationOrder | None = None,
    if_match: IfMatch = None,
) -> Document:
    """Make a draft or an approved version the one that decides."""
    order = given or documents.ActivationOrder()
    if order.override_reason is not None:
        require_right(caller, "override")
    return use.versions.activate_version(
        version,
        reason=order.reason,
        expected_hash=expected_hash(if_match, required=False),
        acknowledge=order.acknowledge,
        override_reason=order.override_reason,
    )


@router.post(
    "/{version}/rollback",
    response_model=documents.Decided,
    responses=documented(404, 409, body=True),
)
def rollback(use: Use, caller: Asked, version: PathName, given: documents.Rollback) -> Document:
    """Make an earlier version decide again; in an emergency without an approver, by an admin."""
    if given.emergency:
        require_right(caller, "override")
    return use.versions.rollback(version, reason=given.reason, emergency=given.emergency)
