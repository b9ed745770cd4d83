"""Requests from browsers: whose session it is, and whether our own page sent the form."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from urllib.parse import urlsplit

from fastapi import Request, Response

from app.edge.problems import Refusal

SESSION_COOKIE = "chancellor_session"
CSRF_FIELD = "csrf_token"
_OURS = frozenset({"same-origin", "none"})


def session_token(request: Request) -> str:
    """Give the value of the session cookie, empty without one."""
    return request.cookies.get(SESSION_COOKIE, "")


def set_session_cookie(response: Response, token: str, seconds: int, *, secure: bool) -> None:
    """Hand a session to the browser: no script reads it, no other site sends it.

    Parameters
    ----------
    response : Response
        The answer that carries it.
    token : str
        Secret value of the session.
    seconds : int
        Until the browser forgets it.
    secure : bool
        Whether the browser sends it over HTTPS only.
    """
    response.set_cookie(
        SESSION_COOKIE,
        token,
        max_age=seconds,
        path="/",
        secure=secure,
        httponly=True,
        samesite="strict",
    )


def new_token() -> str:
    """Make a session value for a desk that knows everybody: it only binds forms to a browser."""
    return secrets.token_urlsafe(32)


def csrf_token(session: str) -> str:
    """Derive what each form of a session must carry.

    Parameters
    ----------
    session : str
        Secret value of the session.

    Returns
    -------
    str
        64 hexadecimal digits, of no use to learn the session from.

    Examples
    --------
    >>> csrf_token("a") == csrf_token("a"), csrf_token("a") == csrf_token("b")
    (True, False)
    """
    return hmac.new(session.encode(), b"chancellor form", hashlib.sha256).hexdigest()


def require_own_origin(request: Request, public_url: str) -> None:
    """Refuse a form that a page of another site sent.

    Parameters
    ----------
    request : Request
        Browsers say with ``Sec-Fetch-Site`` and ``Origin`` where a form comes from.
    public_url : str
        Under which people reach the desk; empty for the host that the request names.

    Raises
    ------
    Refusal
        403 if it comes from elsewhere.
    """
    origin = request.headers.get("origin")
    ours = urlsplit(public_url).netloc or request.headers.get("host")
    is_foreign = origin is not None and origin.partition("://")[2] != ours
    if is_foreign or request.headers.get("sec-fetch-site", "none") not in _OURS:
        raise Refusal(403, "foreign_form", "The form was sent by a page of another site.")


def require_csrf_token(sent: object, session: str) -> None:
    """Refuse a form that does not carry the token of its session.

    Parameters
    ----------
    sent : object
        Value of the form's field, None without it.
    session : str
        Secret value of the session.

    Raises
    ------
    Refusal
        403 if they do not belong together.
    """
    if not isinstance(sent, str) or not hmac.compare_digest(
        sent.encode("utf-8", "surrogatepass"), csrf_token(session).encode()
    ):
        detail = "This form is not of your session. Open the page again and repeat the step."
        raise Refusal(403, "csrf_token", detail)
