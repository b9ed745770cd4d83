"""Every failure as an RFC 9457 problem document, by one table from error class to status."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.exc import (
    DataError,
    DBAPIError,
    IntegrityError,
    InterfaceError,
    OperationalError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.exceptions import HTTPException

from app.edge.errors import error_code, error_document
from app.errors import (
    AuditChainError,
    BaselineError,
    ChancellorError,
    CheckpointError,
    CircularLabelError,
    ConflictError,
    DocumentError,
    FileHashError,
    ImmatureOutcomesError,
    IntakeError,
    InvalidInputError,
    KeyRefusedError,
    NotFoundError,
    NotPermittedError,
    OpenTransactionError,
    QualityGateError,
    SelfReviewError,
    StaleContentError,
    StoreDamagedError,
    StoreNotInitialisedError,
    TamperingError,
    TokenRefusedError,
    TransitionError,
    UnavailableError,
    ValidationInfeasibleError,
)
from app.log import request_id

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_SECONDS = 5

STATUSES: dict[type[ChancellorError], int] = {
    ChancellorError: 500,
    UnavailableError: 503,
    InvalidInputError: 422,
    DocumentError: 422,
    IntakeError: 422,
    CircularLabelError: 422,
    ImmatureOutcomesError: 422,
    ValidationInfeasibleError: 422,
    QualityGateError: 409,
    NotFoundError: 404,
    StoreNotInitialisedError: 503,
    ConflictError: 409,
    TransitionError: 409,
    StaleContentError: 412,
    BaselineError: 409,
    OpenTransactionError: 409,
    NotPermittedError: 403,
    SelfReviewError: 403,
    KeyRefusedError: 401,
    TokenRefusedError: 401,
    TamperingError: 409,
    AuditChainError: 409,
    CheckpointError: 409,
    StoreDamagedError: 409,
    FileHashError: 409,
}
"""A store without tables answers 503: the service is there, what it serves is not."""


class Problem(BaseModel):
    """A failure, as RFC 9457 writes it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "type": "urn:chancellor:problem:not_found",
                    "title": "Not Found",
                    "status": 404,
                    "detail": "There is no version 'ml_v9'. There is: v1, ml_v2.",
                    "code": "not_found",
                    "request_id": "5f0c7d2e9b1a4c3d8e6f7a8b9c0d1e2f",
                    "facts": {"version": "ml_v9", "known": ["v1", "ml_v2"]},
                }
            ]
        }
    )

    type: str = Field(description="`urn:chancellor:problem:` and the code.")
    title: str = Field(description="The words of the status.")
    status: int
    detail: str = Field(description="What is wrong, where, and what to do, for a person.")
    code: str = Field(description="What is wrong, for a program; it does not change.")
    request_id: str | None = Field(description="To be found in logs and audit events.")
    facts: dict[str, Any] = Field(description="The values behind the sentence.")


class Refusal(HTTPException):
    """A request that does not reach a service.

    Parameters
    ----------
    status : int
        HTTP status.
    code : str
        What is wrong, for a program.
    detail : str
        What is wrong, for a person.
    headers : dict, optional
        More headers of the answer.
    **facts : Any
        JSON-ready values behind the sentence.
    """

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        headers: dict[str, str] | None = None,
        **facts: Any,
    ) -> None:
        super().__init__(status, detail, headers)
        self.code = code
        self.facts = facts


def status_of(error: type[ChancellorError]) -> int:
    """Give the status of an error class: its own, or that of its nearest ancestor.

    Parameters
    ----------
    error : type of ChancellorError
        The class that was raised.

    Returns
    -------
    int
        HTTP status.

    Examples
    --------
    >>> status_of(StaleContentError)
    412
    """
    return next(STATUSES[kind] for kind in error.__mro__ if kind in STATUSES)


def problem(
    status: int,
    code: str,
    detail: str,
    *,
    facts: dict[str, Any] | None = None,
    headers: dict[str, str] | None = None,
) -> JSONResponse:
    """Build the answer to a request that failed.

    Parameters
    ----------
    status : int
        HTTP status; 429 and 503 say when to try again.
    code : str
        What is wrong, for a program.
    detail : str
        What is wrong, for a person.
    facts : dict, optional
        JSON-ready values behind the sentence.
    headers : dict, optional
        More headers.

    Returns
    -------
    JSONResponse
        A problem document.
    """
    document = Problem(
        type=f"urn:chancellor:problem:{code}",
        title=HTTPStatus(status).phrase,
        status=status,
        detail=detail,
        code=code,
        request_id=request_id.get(),
        facts=facts or {},
    )
    extra = dict(headers or {})
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        extra.setdefault("Retry-After", str(RETRY_AFTER_SECONDS))
    if status == HTTPStatus.UNAUTHORIZED:
        extra.setdefault("WWW-Authenticate", 'Bearer realm="chancellor"')
    return JSONResponse(document.model_dump(mode="json"), status, extra, MEDIA_TYPE)


def problem_of(error: ChancellorError) -> JSONResponse:
    """Build the answer for an error of our tree.

    Parameters
    ----------
    error : ChancellorError
        What a service raised.

    Returns
    -------
    JSONResponse
        A problem document.
    """
    document = error_document(error)
    return problem(
        status_of(type(error)), document["code"], document["message"], facts=document["facts"]
    )


def problem_of_database(error: DBAPIError | PoolTimeoutError) -> JSONResponse:
    """Build the answer where the database failed: 503 where it is away, 409 where it refused.

    A value that it cannot take is 422; what is neither is our fault, and 500.

    Parameters
    ----------
    error : DBAPIError or TimeoutError
        What SQLAlchemy raised; its text may hold values and is not shown.

    Returns
    -------
    JSONResponse
        A problem document.
    """
    if is_away(error):
        return problem(503, "unavailable", "The database does not answer. Try again shortly.")
    if isinstance(error, DataError):
        return problem(422, "invalid_input", "The database cannot take one of the values.")
    if isinstance(error, IntegrityError):
        return problem(409, "conflict", "The database refused the change: the state has moved on.")
    return problem(500, "internal", "The database failed; the log says how.")


def is_away(error: Exception) -> bool:
    """Say whether a database error means that it does not answer now.

    Parameters
    ----------
    error : Exception
        What SQLAlchemy raised.

    Returns
    -------
    bool
        True if trying again later may help.
    """
    return isinstance(error, OperationalError | InterfaceError | PoolTimeoutError) or (
        isinstance(error, DBAPIError) and error.connection_invalidated
    )


_MEANINGS = {
    400: "The request cannot be read: JSON, header, cursor or text.",
    401: "No API key, or one that is malformed, unknown, expired or revoked.",
    403: "The role, the policy or the rule of two people does not allow it.",
    404: "There is no such thing; the detail lists what there is.",
    408: "The request did not arrive in time.",
    409: "The present state does not allow it, or a gate failed.",
    412: "`If-Match` names another content and evidence than what is stored now.",
    413: "The request is larger than what is taken.",
    415: "The media type is not taken.",
    422: "A value is not usable; `facts.errors` or `facts.faults` name each place.",
    428: "`If-Match` with the hash that was reviewed is required.",
    429: "Too many requests with this key.",
    503: "The database or the store does not answer; `Retry-After` says when to try again.",
}
_ALWAYS = (400, 401, 403, 422, 429, 503)
_WITH_BODY = (408, 413, 415)


def documented(*statuses: int, body: bool = False) -> dict[int | str, dict[str, Any]]:
    """Give the failures of an endpoint, for its description.

    Parameters
    ----------
    *statuses : int
        Beside those that every endpoint may answer with.
    body : bool
        Whether it takes a request body.

    Returns
    -------
    dict
        As FastAPI takes it for ``responses``.
    """
    all_of_them = {*_ALWAYS, *statuses, *(_WITH_BODY if body else ())}
    return {
        status: {
            "description": _MEANINGS[status],
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        for status in sorted(all_of_them)
    }


__all__ = ["STATUSES", "Problem", "Refusal", "documented", "error_code", "problem"]
