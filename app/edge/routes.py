"""The one kind of route: admission first, then the body, then the endpoint."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, TypeVar

from fastapi import Request, Response
from fastapi.routing import APIRoute

from app.edge.access import admitted, service_of
from app.edge.json_bodies import GuardedRequest

_Endpoint = TypeVar("_Endpoint", bound=Callable[..., Any])
_takes_seconds: set[Callable[..., Any]] = set()


def takes_seconds(endpoint: _Endpoint) -> _Endpoint:
    """Mark an endpoint that may work for seconds: few at once, so that scoring finds a thread."""
    _takes_seconds.add(endpoint)
    return endpoint


class GuardedRoute(APIRoute):
    """A route that admits who asks before it reads the body, and reads the body strictly."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **kwargs: Any) -> None:
        self._takes_seconds = endpoint in _takes_seconds
        super().__init__(path, _giving_back(endpoint), **kwargs)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Wrap FastAPI's handler."""
        handle = super().get_route_handler()

        async def guarded(request: Request) -> Response:
            mine = GuardedRequest(request.scope, request.receive)
            async with admitted(mine):
                if not self._takes_seconds:
                    return await handle(mine)
                async with service_of(request).slow:  # who waits here holds no thread
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
