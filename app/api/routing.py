"""How every router of the API is built, and names in paths."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import AfterValidator

from app.edge.routes import GuardedRoute

_FIRST_YEAR, _LAST_YEAR = 1900, 2200

PathName = Annotated[str, Path(min_length=1, max_length=200)]


def api_router(prefix: str, tag: str) -> APIRouter:
    """Build a router that admits who asks before it reads a body, which it reads strictly.

    Parameters
    ----------
    prefix : str
        Path before each route.
    tag : str
        Under which the OpenAPI document lists them.

    Returns
    -------
    APIRouter
        Empty.
    """
    return APIRouter(prefix=prefix, tags=[tag], route_class=GuardedRoute)


def _in_utc(moment: datetime) -> datetime:
    if not _FIRST_YEAR <= moment.year <= _LAST_YEAR:
        raise ValueError(f"the year lies outside {_FIRST_YEAR} to {_LAST_YEAR}")
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


Moment = Annotated[datetime, AfterValidator(_in_utc)]
"""A time; without a zone it is UTC."""
