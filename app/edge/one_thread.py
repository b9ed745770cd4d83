"""The route of single decisions: admitted, read and answered in one thread, where that can be."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.exceptions import RequestValidationError
from pydantic_core import to_json
from starlette.concurrency import run_in_threadpool

from app.domain.types import Document
from app.edge.access import admitted_here, sends_a_key, service_of
from app.edge.json_bodies import GuardedRequest, parse_json
from app.edge.routes import GuardedRoute

SHORT_BYTES = 64 << 10
"""A body of at most so many bytes is received before it is known who asks, and read after."""


class OneThreadRoute(GuardedRoute):
    """A guarded route for an endpoint with the parameters ``use`` and ``given`` and defaults.

    A short request that leaves the defaults alone takes one thread instead of three, which is half
    of its cost; any other goes the way of a guarded route. The endpoint gives a response.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Choose the way for each request."""
        guarded = super().get_route_handler()

        async def handle(request: Request) -> Response:
            if not _is_plain(request):
                return await guarded(request)
            mine = GuardedRequest(request.scope, request.receive)
            return await run_in_threadpool(self._answer, mine, await mine.body())

        return handle

    def _answer(self, request: Request, body: bytes) -> Response:
        with admitted_here(request) as use:
            field = self.dependant.body_params[0]
            parsed = parse_json(body)
            given, faults = field.validate(parsed, {}, loc=("body",))
            if faults:
                raise RequestValidationError(faults, body=parsed)
            answer: Response = self.endpoint(use=use, given=given)
            return answer


def _is_plain(request: Request) -> bool:
    """Say whether a request is short, without a query, JSON, and of somebody with a key."""
    headers = request.headers
    length = headers.get("content-length", "")
    return (
        0 < len(length) <= len(str(SHORT_BYTES))
        and 0 < int(length) <= SHORT_BYTES
        and not request.scope["query_string"]
        and "transfer-encoding" not in headers
        and headers.get("content-type", "") == "application/json"
        and (service_of(request).is_open or sends_a_key(request))
    )


def json_answer(document: Document) -> Response:
    """Write a document of our own as the answer, as it is.

    Parameters
    ----------
    document : dict
        What a service gave; its form is held by tests, not checked each time.

    Returns
    -------
    Response
        Status 200.
    """
    return Response(to_json(document), media_type="application/json")
