"""How every page is served: who signed in, whose form it is, and failures as pages too."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from fastapi.routing import APIRoute
from sqlalchemy.orm import Session
from starlette.datastructures import FormData

from app.domain.access import Right, may
from app.edge.access import Caller, Service, admitted, by_session, service_of
from app.edge.browser import (
    CSRF_FIELD,
    csrf_token,
    new_token,
    require_csrf_token,
    require_own_origin,
    session_token,
    set_session_cookie,
)
from app.edge.failures import ANSWERED, problem_for
from app.edge.json_bodies import require_plain_text
from app.edge.middleware import UPLOADS
from app.edge.problems import Problem, Refusal
from app.edge.routes import in_turn
from app.edge.services import Services
from app.errors import ChancellorError, KeyRefusedError, TokenRefusedError
from app.log import request_id
from app.web.rendering import environment

PAGE_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; "
    "img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'",
    "Referrer-Policy": "same-origin",
}
"""Nothing inline, nothing evaluated, nothing from elsewhere."""

_PASSED_ON = frozenset({"retry-after", "allow", "connection"})
MAX_FIELDS = 500
MAX_FIELD_BYTES = 8 << 20
MAX_FIELD_BYTES_BESIDE_A_FILE = 16 << 10
_URLENCODED = "application/x-www-form-urlencoded"
_SIGN_IN_AGAIN = (KeyRefusedError, TokenRefusedError)


@dataclass(frozen=True, slots=True)
class Desk:
    """What a page works with.

    Attributes
    ----------
    request : Request
        What the browser asked.
    caller : Caller
        Who signed in.
    use : Services
        Every service, for the one who signed in.
    service : Service
        What the running service holds.
    """

    request: Request
    caller: Caller
    use: Services
    service: Service

    @property
    def db(self) -> Session:
        """Give the request's session on the store."""
        return self.use.db

    @property
    def form(self) -> FormData:
        """Give the form that was sent, its token already checked."""
        form: FormData = self.request.state.form
        return form

    def text(self, field: str) -> str:
        """Give a field of the form as text, without outer blanks; empty where it is absent."""
        value = self.form.get(field)
        return value.strip() if isinstance(value, str) else ""

    def texts(self, field: str) -> tuple[str, ...]:
        """Give every value of a field of the form."""
        return tuple(value for value in self.form.getlist(field) if isinstance(value, str))

    def may(self, right: Right) -> bool:
        """Say whether a role of the caller has a right."""
        return any(may(role, right) for role in self.caller.roles)

    def render(
        self, template: str, *, refused: ChancellorError | Refusal | None = None, **context: Any
    ) -> HTMLResponse:
        """Build a page.

        Parameters
        ----------
        template : str
            Name of a template that extends ``layout.html``.
        refused : ChancellorError or Refusal, optional
            Why the form that was sent was not taken; shown at the top of the page, which keeps
            what was typed. It decides the status.
        **context : Any
            What the template shows.

        Returns
        -------
        HTMLResponse
            The page.
        """
        if refused is None:
            return page(self.request, template, desk=self, **context)
        answer = problem_for(self.request, refused)
        problem = Problem.model_validate_json(bytes(answer.body))
        return page(
            self.request, template, status=problem.status, problem=problem, desk=self, **context
        )


def page(request: Request, template: str, *, status: int = 200, **context: Any) -> HTMLResponse:
    """Build a page, with or without somebody signed in.

    Parameters
    ----------
    request : Request
        What the browser asked.
    template : str
        Name of a template.
    status : int
        HTTP status.
    **context : Any
        What the template shows.

    Returns
    -------
    HTMLResponse
        The page.
    """
    fixed = {
        "desk": None,
        "problem": None,
        "path": request.url.path,
        "csrf_field": CSRF_FIELD,
        "csrf_token": csrf_token(getattr(request.state, "session_token", "")),
        "is_open": service_of(request).is_open,
        "request_id": request_id.get(),
    }
    text = environment().get_template(template).render({**fixed, **context})
    return HTMLResponse(text, status, headers=PAGE_HEADERS)


class PageRoute(APIRoute):
    """A page: the session admits, a form carries its token, and a failure is a page."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Wrap FastAPI's handler."""
        handle = super().get_route_handler()

        async def guarded(request: Request) -> Response:
            known = session_token(request)
            request.state.session_token = known or new_token()
            try:
                async with AsyncExitStack() as stack:
                    await stack.enter_async_context(admitted(request, by_session))
                    if request.method == "POST":
                        request.state.form = await _read_form(request, stack)
                    async with in_turn(self.endpoint, service_of(request)):
                        response = await handle(request)
            except _SIGN_IN_AGAIN as error:
                return _sign_in_again(request, error)
            except ANSWERED as error:
                return failure_page(request, error)
            if service_of(request).is_open and not known:
                set_session_cookie(response, request.state.session_token, 86_400, secure=False)
            return response

        return guarded


async def _read_form(request: Request, stack: AsyncExitStack) -> FormData:
    """Read a form that one of our own pages sent to this browser."""
    require_own_origin(request, service_of(request).settings.public_url)
    most = MAX_FIELD_BYTES
    if request.url.path in UPLOADS:  # its file goes to disk; all else must stay small
        most = MAX_FIELD_BYTES_BESIDE_A_FILE
        _require_multipart(request)
    form = await stack.enter_async_context(
        request.form(max_files=1, max_fields=MAX_FIELDS, max_part_size=most)
    )
    if getattr(request.state, "caller", None) is not None:  # before a sign-in there is no session
        require_csrf_token(form.get(CSRF_FIELD), request.state.session_token)
    for name, value in form.multi_items():
        require_plain_text(name, "A field's name")
        if isinstance(value, str):
            require_plain_text(value, f"Field {name}")
    return form


def _require_multipart(request: Request) -> None:
    """Refuse a large form of a kind that would be read into memory as a whole."""
    if request.headers.get("content-type", "").lower().startswith(_URLENCODED):
        length = request.headers.get("content-length")
        if length is None or int(length) > MAX_FIELD_BYTES_BESIDE_A_FILE:
            raise Refusal(415, "unsupported_media_type", "Send the form as multipart/form-data.")


def _sign_in_again(request: Request, error: ChancellorError) -> Response:
    if request.method == "GET":
        target = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        return RedirectResponse(f"/sign-in?next={quote(target, safe='/')}", HTTPStatus.SEE_OTHER)
    return failure_page(request, error)


def failure_page(request: Request, error: Exception) -> HTMLResponse:
    """Show a failure: what, why, and what to do, under the request's id.

    Parameters
    ----------
    request : Request
        What the browser asked.
    error : Exception
        What was raised.

    Returns
    -------
    HTMLResponse
        With the status that the API would answer.
    """
    answer = problem_for(request, error)
    caller = getattr(request.state, "caller", None)
    db = getattr(request.state, "db", None)
    desk = None
    if caller is not None and db is not None:
        service = service_of(request)
        desk = Desk(request, caller, Services(db, caller.actor, service.lake), service)
    found = Problem.model_validate_json(bytes(answer.body))
    response = page(request, "failure.html", status=found.status, failed=found, desk=desk)
    for name in _PASSED_ON & set(answer.headers):
        response.headers[name] = answer.headers[name]
    return response


def page_router(prefix: str = "") -> APIRouter:
    """Build a router of pages; they are not part of the API's description.

    Parameters
    ----------
    prefix : str
        Path before each route.

    Returns
    -------
    APIRouter
        Empty.
    """
    return APIRouter(prefix=prefix, route_class=PageRoute, include_in_schema=False)


def go_to(path: str) -> RedirectResponse:
    """Send the browser to a page after a form, so that reloading sends nothing twice."""
    return RedirectResponse(path, HTTPStatus.SEE_OTHER)


async def get_desk(request: Request) -> Desk:
    """Give what a page works with."""
    service = service_of(request)
    caller: Caller = request.state.caller
    return Desk(request, caller, Services(request.state.db, caller.actor, service.lake), service)


OnDesk = Annotated[Desk, Depends(get_desk)]
