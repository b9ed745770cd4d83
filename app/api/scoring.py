"""Score parties; read what was recorded."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query, Response

from app.api.documents import scoring as documents
from app.api.routing import Moment, PathName, api_router
from app.domain.types import Document
from app.edge.access import Use
from app.edge.one_thread import OneThreadRoute, json_answer
from app.edge.problems import documented

router = api_router("/api/scoring", "scoring")


def score(use: Use, given: documents.ScoreRequest, *, record: bool = True) -> Response:
    """Score up to 10,000 parties with the active version, and record it with their features."""
    parties = [{"party_id": one.party_id, "features": one.features} for one in given.parties]
    found = use.decisions.decide(parties, version=given.version, record=record)
    return json_answer({"results": found})


router.add_api_route(
    "/score",
    score,
    methods=["POST"],
    response_model=documents.ScoreAnswer,
    responses=documented(404, 409, body=True),
    route_class_override=OneThreadRoute,
)


@router.get("/scores/{score_id}", response_model=documents.Decision, responses=documented(404, 409))
def get_score(use: Use, score_id: PathName) -> Document:
    """Give a recorded decision; 409 if somebody altered it since."""
    return use.decisions.get_decision(score_id)


@router.get("/statistics", response_model=documents.Statistics, responses=documented())
def statistics(
    use: Use,
    since: Annotated[Moment | None, Query(description="From here on.")] = None,
    until: Annotated[Moment | None, Query(description="Before this.")] = None,
    version: Annotated[str | None, Query(max_length=200)] = None,
) -> Document:
    """Count recorded decisions by version and band, and describe their scores."""
    return use.decisions.statistics(since=since, until=until, version=version)
