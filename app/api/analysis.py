"""Outcomes over time: vintages, roll rates, windows."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import Query

from app.api.documents import analysis as documents
from app.api.routing import api_router
from app.domain.types import Document
from app.edge.access import Use
from app.edge.problems import documented
from app.edge.routes import takes_seconds
from app.services.outcome_analysis_service import (
    DEFAULT_MONTHS,
    DEFAULT_SPAN,
    DEFAULT_WINDOWS,
    MOST_DEFINITIONS,
    MOST_WINDOWS,
)

router = api_router("/api/analysis", "analysis")

Name = Annotated[str, Query(min_length=1, max_length=200)]
Batches = Annotated[
    list[Annotated[str, Query(min_length=1, max_length=64)]],
    Query(max_length=100, description="Batches; by default every one that was not withdrawn."),
]
_ANSWERS = documented(404, 409)


@router.get("/vintages", response_model=documents.Vintages, responses=_ANSWERS)
@takes_seconds
def vintages(
    use: Use,
    outcome: Name = "default",
    by: Literal["auto", "month", "quarter", "year"] = "auto",
    months: Annotated[int, Query(ge=1, le=120)] = DEFAULT_MONTHS,
    batch: Batches = [],  # noqa: B006 - FastAPI copies it
) -> Document:
    """Give the cumulative bad rate by months since scoring, one curve per vintage."""
    return use.analysis.vintages(outcome_type=outcome, period=by, months=months, batch_ids=batch)


@router.get("/roll-rates", response_model=documents.RollRates, responses=_ANSWERS)
@takes_seconds
def roll_rates(
    use: Use,
    months: Annotated[int, Query(ge=1, le=60)] = DEFAULT_SPAN,
    batch: Batches = [],  # noqa: B006 - FastAPI copies it
) -> Document:
    """Give where parties went from their worst state of delinquency."""
    return use.analysis.roll_rates(months=months, batch_ids=batch)


@router.get("/windows", response_model=documents.Windows, responses=_ANSWERS)
@takes_seconds
def windows(
    use: Use,
    window: Annotated[
        list[Annotated[int, Query(ge=1, le=36_500)]], Query(min_length=1, max_length=MOST_WINDOWS)
    ] = list(DEFAULT_WINDOWS),  # noqa: B006 - FastAPI copies it
    outcome: Annotated[
        list[Annotated[str, Query(min_length=1, max_length=200)]],
        Query(min_length=1, max_length=MOST_DEFINITIONS),
    ] = ["default"],  # noqa: B006 - FastAPI copies it
    version: Annotated[str | None, Query(min_length=1, max_length=200)] = None,
    batch: Batches = [],  # noqa: B006 - FastAPI copies it
) -> Document:
    """Give default rate and AUC over windows and definitions; no label set is stored."""
    return use.analysis.windows(
        windows=window, outcome_types=outcome, version=version, batch_ids=batch
    )
