"""Who asks, on which session: decided before a byte of the body is read."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Annotated

from anyio import CapacityLimiter, to_thread
from fastapi import Depends, Request
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool

from app.db import SessionSource
from app.domain.access import ROLES, Right, Role, may, right_for
from app.domain.api_keys import PREFIX
from app.edge.openid_tokens import TokenVerifier
from app.edge.problems import Refusal
from app.edge.rates import RateLimiter
from app.edge.services import Services
from app.errors import ConflictError, KeyRefusedError, NotPermittedError, UnavailableError
from app.lake.store import Lake
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
    closing : CapacityLimiter
        Threads that only give connections back: those that wait for one cannot keep it from them.
    verifier : TokenVerifier or None
        Who signed in at an identity provider; None where none is configured.
    is_open : bool
        Whether everybody on this machine is the OS user with every right: ``serve --no-auth``.
    """

    settings: Settings
    sessions: SessionSource
    lake: Lake
    limiter: RateLimiter
    imports: CapacityLimiter
    closing: CapacityLimiter
    verifier: TokenVerifier | None
    is_open: bool


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


def service_of(request: Request) -> Service:
    """Give what the running service holds."""
    service: Service = request.app.state.service
    return service


@asynccontextmanager
async def admitted(request: Request) -> AsyncIterator[None]:
    """Open a session for one request and recognise who asks.

    Parameters
    ----------
    request : Request
        Its state gets ``db`` and ``caller``, unless the endpoint is open to everybody.

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
    db, caller = await run_in_threadpool(_admit, request, right)
    request.state.db, request.state.caller = db, caller
    try:
        yield
    finally:
        if db.in_transaction():  # it read: letting go of that asks the database
            await to_thread.run_sync(db.close, limiter=service_of(request).closing)
        else:
            db.close()


def _admit(request: Request, right: Right) -> tuple[Session, Caller]:
    db = _open(service_of(request))
    try:
        caller = _recognise(request, db)
        request.state.caller = caller
        require_right(caller, right)
        db.rollback()  # no connection is held for a request that waits for a thread or for a body
    except BaseException:
        db.close()
        raise
    return db, caller


def _open(service: Service) -> Session:
    try:
        return service.sessions.open()
    except ConflictError as error:  # the store is of another release
        raise UnavailableError(error.message, **error.facts) from error


def _recognise(request: Request, db: Session) -> Caller:
    service = service_of(request)
    if service.is_open:
        return Caller(default_actor(), frozenset({"admin"}), None)
    sent = request.headers.get("authorization", "")
    if not sent.lower().startswith(_BEARER):
        raise KeyRefusedError(_NO_KEY)
    caller = _known(service, db, sent[len(_BEARER) :].strip())
    wait = service.limiter.seconds_to_wait(caller.key_id or caller.actor, time.monotonic())
    if wait:
        detail = f"Too many requests with this key; try again in {wait} s."
        raise Refusal(429, "too_many_requests", detail, {"Retry-After": str(wait)})
    return caller


def _known(service: Service, db: Session, token: str) -> Caller:
    """Know the owner of a key, or who signed in at the identity provider."""
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
