"""How every router of the API is built, and names in paths."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import AfterValidator, BeforeValidator

from app.edge.routes import GuardedRoute

_NUMBER = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*")
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


def _no_number(value: object) -> object:
    """Refuse seconds since 1970, which pydantic would take: the format is a date's."""
    if isinstance(value, int | float) or (isinstance(value, str) and _NUMBER.fullmatch(value)):
        raise ValueError("give an ISO date or time, not a number")
    return value


Moment = Annotated[datetime, AfterValidator(_in_utc), BeforeValidator(_no_number)]
"""A time; without a zone it is UTC."""

Day = Annotated[date, BeforeValidator(_no_number)]
"""A day of the calendar."""
