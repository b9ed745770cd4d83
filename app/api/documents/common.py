"""Pages, gates and other parts of many documents."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Generic, Literal, TypeVar

from fastapi import Query
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from app.queries.pages import DEFAULT_ROWS, MOST_ROWS

Item = TypeVar("Item")
Evidence = dict[str, Any]
"""Measured figures by name, as the command line prints them with ``--json``."""

Text = Annotated[
    str,
    StringConstraints(
        min_length=1, max_length=4_000, strip_whitespace=True, pattern=r"[^\s\x00-\x1f\x7f-\x9f]"
    ),
]
"""A sentence for the record: more than blanks and control characters."""
Name = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class Given(BaseModel):
    """A document that somebody sends; an unknown field is refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Answered(BaseModel):
    """A document that is given; more fields may come with later releases."""

    model_config = ConfigDict(extra="allow", frozen=True, protected_namespaces=())


class Page(Answered, Generic[Item]):
    """A page of a list."""

    items: list[Item]
    next_cursor: str | None = Field(description="Where the next page begins; null on the last.")


Cursor = Annotated[
    str | None,
    Query(max_length=512, description="`next_cursor` of the page before, as it was given."),
]
Limit = Annotated[int, Query(ge=1, le=MOST_ROWS, description="Rows of a page.")]
LIMIT = DEFAULT_ROWS


class Gate(Answered):
    """What one gate said."""

    gate: str
    verdict: Literal["pass", "fail", "insufficient evidence"]
    value: float | None
    threshold: float
    interval: list[float] | None
    n: int | None
    rule: str
    judged_on: str
    sentence: str


class Withdrawal(Answered):
    """Why something is used no more."""

    reason: str
    at: datetime
    actor: str
