"""Sign in with an API key, sign out, and the files that every page loads."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlsplit

from fastapi import Query, Request, Response
from fastapi.responses import RedirectResponse
from sqlalchemy.orm import Session

from app.domain.access import may
from app.edge.access import Caller, Service, known_by, open_store, require_patience, service_of
from app.edge.browser import SESSION_COOKIE, set_session_cookie
from app.edge.failures import problem_for
from app.edge.problems import Problem, Refusal
from app.errors import KeyRefusedError, NotPermittedError, TokenRefusedError
from app.services.browser_session_service import BrowserSessionService
from app.web.rendering import MEDIA_TYPES, STATIC
from app.web.routing import OnDesk, go_to, page, page_router

router = page_router()

Next = Annotated[str, Query(alias="next", max_length=2000)]
_A_YEAR = "public, max-age=31536000, immutable"


@router.get("/sign-in")
def show_sign_in(request: Request, target: Next = "/") -> Response:
    """Ask for an API key."""
    if service_of(request).is_open:
        return go_to("/")
    return sign_in_page(request, own_path(target))


@router.post("/sign-in")
def sign_in(request: Request) -> Response:
    """Exchange an API key for a session."""
    form = request.state.form
    key, target = str(form.get("key", "")).strip(), own_path(str(form.get("next", "/")))
    service = service_of(request)
    require_patience(service, f"sign-in from {request.client.host if request.client else '-'}")
    try:
        token = _begin(service, key)
    except (KeyRefusedError, TokenRefusedError, NotPermittedError) as error:
        return sign_in_page(request, target, error)
    response = go_to(target)
    hand_over(response, service, token)
    return response


def _begin(service: Service, key: str) -> str:
    """Begin a session for the owner of a key."""
    with open_store(service) as db:
        return begin_session(service, db, known_by(service, db, key))


def begin_session(service: Service, db: Session, caller: Caller) -> str:
    """Begin a session for somebody who has proved who they are.

    Parameters
    ----------
    service : Service
        How long sessions last.
    db : Session
        The store.
    caller : Caller
        Who it is.

    Returns
    -------
    str
        For the cookie.

    Raises
    ------
    NotPermittedError
        If no role of theirs opens the desk.
    """
    if not any(may(role, "read") for role in caller.roles):
        raise NotPermittedError("The role service scores; it opens no desk.")
    begun = BrowserSessionService(db).begin(
        actor=caller.actor,
        roles=caller.roles,
        key_id=caller.key_id,
        minutes=service.settings.session_minutes,
    )
    token: str = begun["token"]
    return token


def hand_over(response: Response, service: Service, token: str) -> None:
    """Hand a session to the browser."""
    seconds = service.settings.session_minutes * 60
    set_session_cookie(response, token, seconds, secure=service.settings.is_behind_https)


def sign_in_page(request: Request, target: str, refused: Exception | None = None) -> Response:
    """Ask who it is, and say why the attempt before was refused.

    Parameters
    ----------
    request : Request
        What the browser asked.
    target : str
        Page to go to afterwards.
    refused : Exception, optional
        Why the attempt was refused.

    Returns
    -------
    Response
        The page.
    """
    verifier = service_of(request).verifier
    provider = None
    if verifier is not None and verifier.settings.signs_in_browsers:
        provider = urlsplit(verifier.settings.issuer).hostname
    status, problem = 200, None
    if refused is not None:
        problem = Problem.model_validate_json(bytes(problem_for(request, refused).body))
        status = problem.status
    return page(
        request, "sign_in.html", status=status, problem=problem, target=target, provider=provider
    )


@router.post("/sign-out")
def sign_out(desk: OnDesk) -> RedirectResponse:
    """End the session for good."""
    session_id = getattr(desk.request.state, "session_id", None)
    if session_id is not None:  # a desk without keys has none
        BrowserSessionService(desk.db).end(session_id)
    response = go_to("/sign-in")
    response.delete_cookie(SESSION_COOKIE, path="/", httponly=True, samesite="strict")
    return response


@router.get("/static/{name}")
def static_file(name: str) -> Response:
    """Give a style sheet or a script; its address holds its hash."""
    known = {entry.name for entry in STATIC.iterdir()}
    ending = name[name.rfind(".") :]
    if name not in known or ending not in MEDIA_TYPES:
        raise Refusal(404, "not_found", f"There is no file {name!r}.")
    content = (STATIC / name).read_bytes()
    return Response(content, headers={"Cache-Control": _A_YEAR}, media_type=MEDIA_TYPES[ending])


def own_path(target: str) -> str:
    """Give where to go after a sign-in: a path of ours, whatever was asked for.

    Browsers drop tabs and line ends from an address before they read it, so ``/``, a tab and
    ``/evil.example`` is another site.

    Examples
    --------
    >>> own_path("/versions?x=1"), own_path("//evil.example"), own_path("https://evil.example")
    ('/versions?x=1', '/', '/')
    """
    is_ours = target.startswith("/") and not target.startswith(("//", "/\\"))
    return target if is_ours and target.isprintable() else "/"
