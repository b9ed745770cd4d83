"""The one kind of route: admission first, then the body, then the endpoint."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute

from app.edge.access import admitted
from app.edge.json_bodies import GuardedRequest


class GuardedRoute(APIRoute):
    """A route that admits who asks before it reads the body, and reads the body strictly."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **kwargs: Any) -> None:
        super().__init__(path, _giving_back(endpoint), **kwargs)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Wrap FastAPI's handler."""
        handle = super().get_route_handler()

        async def guarded(request: Request) -> Response:
            mine = GuardedRequest(request.scope, request.receive)
            async with admitted(mine):
                return await handle(mine)

        return guarded


def _giving_back(endpoint: Callable[..., Any]) -> Callable[..., Any]:
    """Give the connection back in the endpoint's own thread.

    FastAPI checks the answer in a thread of its own afterwards: in a crowd it would wait for one
    while all threads wait for the connection that is still held.
    """
    if inspect.iscoroutinefunction(endpoint):
        return endpoint

    @wraps(endpoint)
    def giving_back(*args: Any, **kwargs: Any) -> Any:
        try:
            return endpoint(*args, **kwargs)
        finally:
            db = getattr(kwargs.get("use"), "db", None)
            if db is not None:
                db.rollback()

    return giving_back
