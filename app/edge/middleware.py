"""Around every request: its id, limits of size and time, headers, one log line, no traceback."""

from __future__ import annotations

import asyncio
import re
import time
import traceback
import uuid
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

import structlog
from fastapi.responses import JSONResponse
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.edge.metrics import Metrics
from app.edge.plain_pages import for_people
from app.edge.problems import Refusal, problem
from app.log import request_id
from app.settings import Settings

SECURITY_HEADERS: Mapping[str, str] = MappingProxyType(
    {
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "no-referrer",
        "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
        "Cache-Control": "no-store",
        "Cross-Origin-Resource-Policy": "same-origin",
    }
)
"""Of every answer that does not set its own."""

UPLOADS = frozenset(
    {
        "/api/batches",
        "/api/outcomes",
        "/batches/preview",
        "/outcomes/preview",
        "/exposures/preview",
    }
)
"""What takes a file, and so a body of that size."""

IMPORTS = UPLOADS | {"/batches", "/outcomes", "/exposures"}
"""What reads a whole file, and so may take its time."""

SIGN_IN, SIGN_IN_BYTES = "/sign-in", 64 << 10
"""The one form that is read before it is known whose it is: there is room for a key or a token."""

UPLOAD_PATIENCE = 10
SECONDS_BETWEEN_CHUNKS = 30.0
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_GIVEN_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
_FOREIGN = frozenset({"cross-site", "same-site"})

log = structlog.get_logger("chancellor.http")


class Envelope:
    """The outermost layer: whatever happens inside, the answer is a documented one.

    Parameters
    ----------
    app : ASGI application
        What is inside.
    settings : Settings
        The limits.
    metrics : Metrics
        Where requests are counted.
    is_open : bool
        Whether keys are off: then only this machine, and no web page of another site, is served.
    """

    def __init__(
        self, app: ASGIApp, *, settings: Settings, metrics: Metrics, is_open: bool
    ) -> None:
        self.app = app
        self.settings = settings
        self.metrics = metrics
        self.is_open = is_open
        self._log = log.bind()  # made ready once: every request writes a line

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        name = _id_of(headers)
        request_id.set(name)
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=name)
        answer = _Answer(send, name)
        began = time.perf_counter()
        try:
            self._refuse_early(scope, headers)
            await self._within_time(scope, self._counted(scope, receive), answer)
        except Refusal as error:
            await answer.instead(error, scope, receive)
        except Exception as error:  # noqa: BLE001 - the last resort: logged without its values
            log.error(  # noqa: TRY400 - a traceback may quote values
                "failed", error=type(error).__name__, frames=_frames(error)
            )
            detail = "A fault in Chancellor; the log holds it under this request id."
            await answer.give(problem(500, "internal", detail), scope, receive)
        finally:
            self._note(scope, answer.status, time.perf_counter() - began)

    def _refuse_early(self, scope: Scope, headers: Headers) -> None:
        if self.is_open:
            _refuse_strangers(scope, headers)
        if "\0" in scope["path"] or b"%00" in scope["query_string"]:
            raise Refusal(400, "unusable_text", "The address holds a null character.")
        limit = self._limit(scope)
        declared = headers.get("content-length", "0")
        if not declared.isdecimal() or not declared.isascii():
            raise Refusal(400, "malformed_header", "Content-Length is no whole number.")
        if _is_beyond(declared, limit) and scope["path"].startswith("/api/"):
            raise _too_large(limit)

    def _limit(self, scope: Scope) -> int:
        if scope["path"] == SIGN_IN:
            return min(SIGN_IN_BYTES, self.settings.max_body_bytes)
        is_upload = scope["path"] in UPLOADS
        return self.settings.max_upload_bytes if is_upload else self.settings.max_body_bytes

    def _counted(self, scope: Scope, receive: Receive) -> Receive:
        limit, taken = self._limit(scope), 0
        is_beyond = _is_beyond(Headers(scope=scope).get("content-length", "0"), limit)

        async def counted() -> Message:
            nonlocal taken
            if taken < 0:
                return await receive()
            if is_beyond:  # whoever answers with pages says so on a page
                raise _too_large(limit)
            try:
                async with asyncio.timeout(SECONDS_BETWEEN_CHUNKS):
                    message = await receive()
            except TimeoutError as error:
                raise Refusal(408, "too_slow", "The request did not arrive in time.") from error
            if message["type"] == "http.request":
                taken += len(message.get("body", b""))
                if taken > limit:
                    raise _too_large(limit)
                if not message.get("more_body", False):
                    taken = -1  # what comes now is only whether the client is still there
            return message

        return counted

    async def _within_time(self, scope: Scope, receive: Receive, answer: _Answer) -> None:
        """Answer in time; what still works then goes on to its end, unseen."""
        patience = UPLOAD_PATIENCE if scope["path"] in IMPORTS else 1
        work = asyncio.ensure_future(self.app(scope, receive, answer.send))
        try:
            done, _ = await asyncio.wait({work}, timeout=self.settings.request_seconds * patience)
        except asyncio.CancelledError:
            work.cancel()
            raise
        if done:
            work.result()
        elif not answer.status:
            work.add_done_callback(_heed)
            detail = "It takes too long and goes on; look for its outcome before trying again."
            raise Refusal(503, "timeout", detail)
        else:
            await work

    def _note(self, scope: Scope, status: int, seconds: float) -> None:
        route = getattr(scope.get("route"), "path_format", None) or "(none)"
        method = scope["method"] if scope["method"] in _METHODS else "(other)"
        self.metrics.note(method, route, status, seconds)
        ms = round(seconds * 1000, 1)
        self._log.info("request", method=method, route=route, status=status, ms=ms, **_who(scope))


_METHODS = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"})


class _Answer:
    """Send an answer once, with our headers; what comes after it was given up is dropped."""

    def __init__(self, send: Send, name: str) -> None:
        self._send = send
        self._name = name
        self._is_closed = False
        self.status = 0

    async def send(self, message: Message) -> None:
        if self._is_closed:
            return
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            headers["X-Request-ID"] = self._name
            for header, value in SECURITY_HEADERS.items():
                headers.setdefault(header, value)
        await self._send(message)

    async def instead(self, error: Refusal, scope: Scope, receive: Receive) -> None:
        await self.give(refusal_problem(error), scope, receive)

    async def give(self, response: JSONResponse, scope: Scope, receive: Receive) -> None:
        if not self.status:
            shown = for_people(scope["path"], Headers(scope=scope), response)
            await shown(scope, receive, self.send)
        self._is_closed = True


def refusal_problem(error: Refusal) -> JSONResponse:
    """Build the answer for a refusal.

    Parameters
    ----------
    error : Refusal
        What was raised.

    Returns
    -------
    JSONResponse
        A problem document.
    """
    headers = dict(error.headers or {})
    return problem(error.status_code, error.code, error.detail, facts=error.facts, headers=headers)


def _who(scope: Scope) -> dict[str, str]:
    """Name who asked; the public part of a key is no secret."""
    caller = scope.get("state", {}).get("caller")
    if caller is None:
        return {}
    return {"actor": caller.actor} | ({"key_id": caller.key_id} if caller.key_id else {})


def _id_of(headers: Headers) -> str:
    given = headers.get("x-request-id", "")
    return given if _GIVEN_ID.fullmatch(given) else uuid.uuid4().hex


def _refuse_strangers(scope: Scope, headers: Headers) -> None:
    """Without keys, serve this machine only, under its own name and to no other site's page."""
    client = scope.get("client")
    origin = headers.get("origin")
    is_here = client is None or client[0] in LOOPBACK
    host = headers.get("host", "")
    is_ours = origin is None or origin.partition("://")[2] == host
    is_known = is_here and is_ours and _host_of(host) in LOOPBACK
    if not is_known or headers.get("sec-fetch-site") in _FOREIGN:
        detail = "Keys are off (serve --no-auth): only this machine is served, by its own name."
        raise Refusal(403, "not_from_here", detail)


def _host_of(host: str) -> str:
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return host


def _is_beyond(declared: str, limit: int) -> bool:
    return len(declared) > len(str(limit)) or int(declared) > limit


def _too_large(limit: int) -> Refusal:
    detail = f"The request is larger than {limit:,} bytes."
    return Refusal(413, "too_large", detail, {"Connection": "close"}, limit_bytes=limit)


def _frames(error: BaseException) -> list[str]:
    """Give where it happened, without the values that a message may quote."""
    frames = traceback.extract_tb(error.__traceback__)[-8:]
    return [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]


def _heed(work: asyncio.Future[Any]) -> None:
    """Take note of how given-up work ended."""
    error = None if work.cancelled() else work.exception()
    if error is not None:
        log.error("failed late", error=type(error).__name__, frames=_frames(error))
