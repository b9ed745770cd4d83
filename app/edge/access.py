"""Who asks, on which session: decided before a byte of the body is read."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Annotated

from anyio import CapacityLimiter, to_thread
from fastapi import Depends, Request
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool

from app.db import SessionSource
from app.domain.access import ENDPOINTS, ROLES, Right, Role, may, right_for
from app.domain.api_keys import PREFIX
from app.edge.browser import session_token
from app.edge.openid_tokens import TokenVerifier
from app.edge.prepared import PreparedDocuments
from app.edge.problems import Refusal
from app.edge.rates import RateLimiter
from app.edge.services import Services
from app.errors import ConflictError, KeyRefusedError, NotPermittedError, UnavailableError
from app.lake.store import Lake
from app.services.browser_session_service import BrowserSessionService
from app.services.key_service import KeyService
from app.settings import Settings, default_actor

_BEARER = "bearer "
_NO_KEY = "This needs an API key: send `Authorization: Bearer chancellor_...`."


@dataclass(frozen=True, slots=True)
class Service:
    """What one running service holds, in ``app.state.service``.

    Attributes
    ----------
    settings : Settings
        Places and limits.
    sessions : SessionSource
        The store's database.
    lake : Lake
        The data plane.
    limiter : RateLimiter
        Requests by key.
    imports : CapacityLimiter
        How many large files are imported at once.
    slow : CapacityLimiter
        Requests that work for seconds, such as verifying the chain, at once.
    drawing : CapacityLimiter
        Threads that make figures, or wait for what they show, and keep none from other requests.
    closing : CapacityLimiter
        Threads that only give connections back: those that wait for one cannot keep it from them.
    verifier : TokenVerifier or None
        Who signed in at an identity provider; None where none is configured.
    is_open : bool
        Whether everybody on this machine is the OS user with every right: ``serve --no-auth``.
    prepared : PreparedDocuments
        What pages show and takes seconds to compute; each process has its own.
    """

    settings: Settings
    sessions: SessionSource
    lake: Lake
    limiter: RateLimiter
    imports: CapacityLimiter
    slow: CapacityLimiter
    drawing: CapacityLimiter
    closing: CapacityLimiter
    verifier: TokenVerifier | None
    is_open: bool
    prepared: PreparedDocuments


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks.

    Attributes
    ----------
    actor : str
        The name on the record.
    roles : frozenset of str
        What the key, or the identity provider, makes of the caller.
    key_id : str or None
        The public part of the key; None where another sign-in, or none, is used.
    """

    actor: str
    roles: frozenset[Role]
    key_id: str | None


Recognise = Callable[[Request, Session], Caller]
"""How a request is known: by a key, or by a browser session."""


def service_of(request: Request) -> Service:
    """Give what the running service holds."""
    service: Service = request.app.state.service
    return service


def by_key(request: Request, db: Session) -> Caller:
    """Recognise who sent an API key, or a token of the identity provider.

    Parameters
    ----------
    request : Request
        With the header ``Authorization``.
    db : Session
        The store.

    Returns
    -------
    Caller
        Its owner.

    Raises
    ------
    KeyRefusedError
        Without a key, or with one that is not valid.
    """
    if not sends_a_key(request):
        raise KeyRefusedError(_NO_KEY)
    sent = request.headers["authorization"]
    return known_by(service_of(request), db, sent[len(_BEARER) :].strip())


def sends_a_key(request: Request) -> bool:
    """Say whether a request comes with a key, or a token, of whatever worth."""
    return request.headers.get("authorization", "").lower().startswith(_BEARER)


def by_session(request: Request, db: Session) -> Caller:
    """Recognise whose browser session it is.

    Parameters
    ----------
    request : Request
        With the cookie that a sign-in set.
    db : Session
        The store.

    Returns
    -------
    Caller
        Who signed in.

    Raises
    ------
    KeyRefusedError
        Without a session, or with one that is over.
    """
    found = BrowserSessionService(db).check(session_token(request))
    request.state.session_id = found["session_id"]
    return Caller(found["actor"], frozenset(found["roles"]), found["key_id"])


@asynccontextmanager
async def admitted(request: Request, recognise: Recognise = by_key) -> AsyncIterator[None]:
    """Open a session for one request and recognise who asks.

    Parameters
    ----------
    request : Request
        Its state gets ``db`` and ``caller``; without ``caller`` where the endpoint is open to
        everybody.
    recognise : callable
        ``by_key`` or ``by_session``.

    Yields
    ------
    None
        The endpoint runs inside. What services did is committed by them; the session is closed,
        and what it read let go, before the first byte of the answer is sent.

    Raises
    ------
    KeyRefusedError
        Without a key, or with one that is not valid.
    NotPermittedError
        If no role of the caller has the right that the table of endpoints asks for.
    Refusal
        429 if the key asked too often.
    UnavailableError
        If the store cannot be used now.
    """
    right = right_for(request.method, request.scope["route"].path_format)
    if right is None:
        yield
        return
    db, caller = await run_in_threadpool(_admit, request, right, recognise)
    request.state.db, request.state.caller = db, caller
    try:
        yield
    finally:
        if db.in_transaction():  # it read: letting go of that asks the database
            await to_thread.run_sync(db.close, limiter=service_of(request).closing)
        else:
            db.close()


@contextmanager
def admitted_here(request: Request) -> Iterator[Services]:
    """Admit whoever sent a key, in the thread in which the endpoint runs.

    Parameters
    ----------
    request : Request
        For an endpoint that asks for a right; its state gets ``db`` and ``caller``.

    Yields
    ------
    Services
        On a session that is closed at the end, for the one who asks.

    Raises
    ------
    KeyRefusedError, NotPermittedError, Refusal, UnavailableError
        As ``admitted``.
    """
    right = ENDPOINTS[request.method, request.scope["route"].path_format]
    db, caller = _admit(request, right, by_key)
    request.state.db = db
    with db:
        yield Services(db, caller.actor, service_of(request).lake)


def _admit(request: Request, right: Right, recognise: Recognise) -> tuple[Session, Caller]:
    db = open_store(service_of(request))
    try:
        caller = _recognise(request, db, recognise)
        request.state.caller = caller
        require_right(caller, right)
        db.rollback()  # no connection is held for a request that waits for a thread or for a body
    except BaseException:
        db.close()
        raise
    return db, caller


def open_store(service: Service) -> Session:
    """Open a session on the service's store; 503 where it is of another release."""
    try:
        return service.sessions.open()
    except ConflictError as error:  # the store is of another release
        raise UnavailableError(error.message, **error.facts) from error


def _recognise(request: Request, db: Session, recognise: Recognise) -> Caller:
    service = service_of(request)
    if service.is_open:
        return Caller(default_actor(), frozenset({"admin"}), None)
    caller = recognise(request, db)
    require_patience(service, caller.key_id or caller.actor)
    return caller


def require_patience(service: Service, name: str) -> None:
    """Refuse whoever asks too often.

    Parameters
    ----------
    service : Service
        With the limiter.
    name : str
        Whose requests are counted.

    Raises
    ------
    Refusal
        429, saying when to try again.
    """
    wait = service.limiter.seconds_to_wait(name, time.monotonic())
    if wait:
        detail = f"Too many requests with this key; try again in {wait} s."
        raise Refusal(429, "too_many_requests", detail, {"Retry-After": str(wait)})


def known_by(service: Service, db: Session, token: str) -> Caller:
    """Know the owner of a key, or who signed in at the identity provider.

    Parameters
    ----------
    service : Service
        With the verifier of tokens, if there is one.
    db : Session
        The store.
    token : str
        A key, or a token.

    Returns
    -------
    Caller
        The owner.

    Raises
    ------
    KeyRefusedError, TokenRefusedError
        If it is not valid.
    """
    if service.verifier is None or token.startswith(PREFIX):
        found = KeyService(db).check(token)
        return Caller(found["owner"], frozenset({found["role"]}), found["key_id"])
    person = service.verifier.identify(token)
    return Caller(person.actor, frozenset(role for role in ROLES if role in person.roles), None)


def require_right(caller: Caller, right: Right) -> None:
    """Refuse a caller whose roles lack a right.

    Parameters
    ----------
    caller : Caller
        Who asks.
    right : str
        What is asked for.

    Raises
    ------
    NotPermittedError
        Naming roles and right.
    """
    if not any(may(role, right) for role in caller.roles):
        roles = sorted(caller.roles)
        raise NotPermittedError(
            f"The role {' or '.join(roles)} does not include {right!r}.", roles=roles, right=right
        )


async def get_db(request: Request) -> Session:
    """Give the request's session."""
    db: Session = request.state.db
    return db


async def get_caller(request: Request) -> Caller:
    """Give who asks."""
    caller: Caller = request.state.caller
    return caller


async def get_services(request: Request) -> Services:
    """Give every service on the request's session, for the one who asks."""
    return Services(request.state.db, request.state.caller.actor, service_of(request).lake)


Db = Annotated[Session, Depends(get_db)]
Asked = Annotated[Caller, Depends(get_caller)]
Use = Annotated[Services, Depends(get_services)]
