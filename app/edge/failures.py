"""Which answer becomes of what is raised."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.exceptions import HTTPException

from app.domain.document import format_place
from app.edge.errors import error_code
from app.edge.middleware import refusal_problem
from app.edge.paths import methods_of
from app.edge.plain_pages import for_people
from app.edge.problems import Refusal, problem, problem_of, problem_of_database
from app.errors import ChancellorError, UnavailableError

_AWAY = "What this service stands on does not answer. Try again shortly; its log says more."
_FAULTS_SHOWN = 20
_CODES = {404: "no_such_endpoint", 405: "method_not_allowed"}

log = structlog.get_logger("chancellor.http")


def answer_failures(app: FastAPI) -> None:
    """Give an application one handler per kind of failure.

    Parameters
    ----------
    app : FastAPI
        It gets the handlers.
    """
    for kind, answer in _ANSWERS:
        app.add_exception_handler(kind, _shown_by(answer))


def _shown_by(
    answer: Callable[[Request, Any], JSONResponse],
) -> Callable[[Request, Exception], Response]:
    """Show a person a page where no page of the desk took the request."""

    def shown(request: Request, error: Exception) -> Response:
        return for_people(request.url.path, request.headers, answer(request, error))

    return shown


def problem_for(request: Request, error: Exception) -> JSONResponse:
    """Build the answer for what was raised, as the handlers would.

    Parameters
    ----------
    request : Request
        What was asked.
    error : Exception
        One of ``ANSWERED``.

    Returns
    -------
    JSONResponse
        A problem document.
    """
    return next(answer(request, error) for kind, answer in _ANSWERS if isinstance(error, kind))


def _ours(request: Request, error: Any) -> JSONResponse:
    del request
    if isinstance(error, UnavailableError) and error.__cause__ is not None:
        log.warning("not available", error=type(error.__cause__).__name__)
        return problem(503, error_code(type(error)), _AWAY)  # who has no key may read this
    return problem_of(error)


def _database(request: Request, error: Any) -> JSONResponse:
    del request
    log.warning("database refused", error=type(error).__name__)
    return problem_of_database(error)


def _http(request: Request, error: Any) -> JSONResponse:
    if isinstance(error, Refusal):
        return refusal_problem(error)
    code = _CODES.get(error.status_code, "refused")
    headers = dict(error.headers or {})
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        headers["Allow"] = ", ".join(methods_of(request.url.path))
    return problem(error.status_code, code, str(error.detail), headers=headers)


def _invalid(request: Request, error: Any) -> JSONResponse:
    """Name each place that is wrong, without the value that somebody sent."""
    del request
    found = [
        {"place": format_place(fault["loc"]), "problem": fault["msg"]} for fault in error.errors()
    ]
    shown = found[:_FAULTS_SHOWN]
    lines = "; ".join(f"{fault['place']}: {fault['problem']}" for fault in shown)
    return problem(
        422,
        "invalid_request",
        lines,
        facts={"errors": shown, "n_errors": len(found)},
    )


_ANSWERS: tuple[tuple[type[Exception], Callable[[Request, Any], JSONResponse]], ...] = (
    (ChancellorError, _ours),
    (RequestValidationError, _invalid),
    (HTTPException, _http),
    (DBAPIError, _database),
    (PoolTimeoutError, _database),
)

ANSWERED: tuple[type[Exception], ...] = tuple(kind for kind, _ in _ANSWERS)
"""What becomes an answer; anything else is a fault of ours."""
