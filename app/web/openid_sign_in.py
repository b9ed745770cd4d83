"""Sign in at the bank's identity provider (OpenID Connect), and come back with a session."""

from __future__ import annotations

from fastapi import Request, Response
from fastapi.responses import RedirectResponse

from app.domain.access import ROLES
from app.edge.access import Caller, Service, open_store, require_patience, service_of
from app.edge.openid_codes import MINUTES, Attempt, CodeFlow
from app.edge.openid_tokens import TokenVerifier
from app.edge.problems import Refusal
from app.errors import ChancellorError
from app.web.routing import page, page_router
from app.web.sign_in import Next, begin_session, hand_over, own_path, sign_in_page

router = page_router("/sign-in/openid")

COOKIE = "chancellor_sign_in"
_PATH = "/sign-in/openid"


@router.get("")
def begin(request: Request, target: Next = "/") -> Response:
    """Send the browser to the identity provider."""
    service, verifier = _configured(request)
    attempt = Attempt.begin(own_path(target))
    try:
        place = _flow(request, verifier).address(attempt)
    except ChancellorError as error:
        return sign_in_page(request, attempt.target, error)
    response = RedirectResponse(place, 303)
    response.set_cookie(
        COOKIE,
        attempt.cookie,
        max_age=MINUTES * 60,
        path=_PATH,
        secure=service.settings.is_behind_https,
        httponly=True,
        samesite="lax",  # the provider sends the browser back from another site
    )
    return response


@router.get("/callback")
def come_back(request: Request) -> Response:
    """Begin a session for the person whom the provider vouches for."""
    service, verifier = _configured(request)
    target = "/"
    try:
        attempt = Attempt.from_cookie(request.cookies.get(COOKIE, ""))
        target = own_path(attempt.target)
        token = _session_of(request, service, verifier, attempt)
    except ChancellorError as error:
        response = sign_in_page(request, target, error)
    else:
        # No redirect: a chain of them that began at another site carries no SameSite=Strict cookie.
        response = page(request, "signed_in.html", target=target)
        hand_over(response, service, token)
    response.delete_cookie(COOKIE, path=_PATH, httponly=True, samesite="lax")
    return response


def _session_of(
    request: Request, service: Service, verifier: TokenVerifier, attempt: Attempt
) -> str:
    id_token = _flow(request, verifier).redeem(attempt, dict(request.query_params))
    person = verifier.identify(id_token, nonce=attempt.nonce)
    roles = frozenset(role for role in ROLES if role in person.roles)
    with open_store(service) as db:
        return begin_session(service, db, Caller(person.actor, roles, None))


def _configured(request: Request) -> tuple[Service, TokenVerifier]:
    service = service_of(request)
    require_patience(service, f"sign-in from {request.client.host if request.client else '-'}")
    verifier = service.verifier
    if service.is_open or verifier is None or not verifier.settings.signs_in_browsers:
        detail = "No identity provider is configured here: sign in with an API key."
        raise Refusal(404, "no_identity_provider", detail)
    return service, verifier


def _flow(request: Request, verifier: TokenVerifier) -> CodeFlow:
    base = service_of(request).settings.public_url or str(request.base_url)
    return CodeFlow(verifier.settings, verifier.provider, f"{base.rstrip('/')}{_PATH}/callback")
