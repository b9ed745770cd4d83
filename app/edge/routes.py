"""The one kind of route: admission first, then the body, then the endpoint."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute

from app.edge.access import admitted
from app.edge.json_bodies import GuardedRequest


class GuardedRoute(APIRoute):
    """A route that admits who asks before it reads the body, and reads the body strictly."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Wrap FastAPI's handler."""
        handle = super().get_route_handler()

        async def guarded(request: Request) -> Response:
            mine = GuardedRequest(request.scope, request.receive)
            async with admitted(mine):
                return await handle(mine)

        return guarded
