"""The one kind of route: admission first, then the body, then the endpoint."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager, nullcontext
from functools import wraps
from typing import Any, TypeVar

from fastapi import Request, Response
from fastapi.routing import APIRoute

from app.edge.access import Service, admitted, service_of
from app.edge.json_bodies import GuardedRequest

_Endpoint = TypeVar("_Endpoint", bound=Callable[..., Any])
_takes_seconds: set[Callable[..., Any]] = set()


def takes_seconds(endpoint: _Endpoint) -> _Endpoint:
    """Mark an endpoint that may work for seconds: few at once, so that scoring finds a thread."""
    _takes_seconds.add(endpoint)
    return endpoint


def in_turn(endpoint: Callable[..., Any], service: Service) -> AbstractAsyncContextManager[Any]:
    """Give what an endpoint runs in: one that may work for seconds waits for its turn.

    Parameters
    ----------
    endpoint : callable
        Marked by ``takes_seconds``, or not.
    service : Service
        Which counts how many run.

    Returns
    -------
    async context manager
        Whoever waits in it holds no thread.
    """
    return service.slow if endpoint in _takes_seconds else nullcontext()


class GuardedRoute(APIRoute):
    """A route that admits who asks before it reads the body, and reads the body strictly."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **kwargs: Any) -> None:
        self._given = endpoint
        super().__init__(path, _giving_back(endpoint), **kwargs)

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Wrap FastAPI's handler."""
        handle = super().get_route_handler()

        async def guarded(request: Request) -> Response:
            mine = GuardedRequest(request.scope, request.receive)
            async with admitted(mine), in_turn(self._given, service_of(request)):
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
