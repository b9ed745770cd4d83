"""The HTTP service, put together: ``app.main:create_app`` for any ASGI server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from anyio import CapacityLimiter
from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool

from app.api import (
    analysis,
    audit,
    emergencies,
    health,
    intake,
    monitoring,
    pipeline,
    rules,
    scoring,
    versions,
)
from app.db import SessionSource
from app.edge.access import Service
from app.edge.aside import remove_old
from app.edge.description import describe
from app.edge.failures import answer_failures
from app.edge.metrics import Metrics
from app.edge.middleware import Envelope
from app.edge.openid_settings import get_openid_settings
from app.edge.openid_tokens import TokenVerifier
from app.edge.prepared import PreparedDocuments
from app.edge.rates import RateLimiter
from app.edge.sealing import Sealer
from app.edge.streams import Streams
from app.edge.uploads import remove_leftovers
from app.edge.watching import Alarm, Watcher
from app.lake.store import open_lake
from app.log import configure_logging
from app.services.run_supervisor import RunSupervisor
from app.services.webhook_receiver import receiver_of
from app.settings import Settings, get_settings
from app.web import PAGES

IMPORTS_AT_ONCE = 2
SLOW_AT_ONCE = 4
DRAWING_AT_ONCE = 8
CLOSING_AT_ONCE = 8
API_VERSION = "1.0.0"
_ABOUT = (
    "The scorecard decides; a model advises; people review and activate. Every change is an event "
    "of a hash chain. Errors are RFC 9457 problem documents: `code` does not change, `detail` is "
    "for people. Lists come in pages: pass `next_cursor` on as `cursor`."
)


def create_app(settings: Settings | None = None, *, is_open: bool = False) -> FastAPI:
    """Build the service over one store.

    Parameters
    ----------
    settings : Settings, optional
        Places and limits; by default from the environment.
    is_open : bool
        Serve without keys, this machine only: every caller is the OS user with every right.

    Returns
    -------
    FastAPI
        An ASGI application. The store need not answer yet; requests get 503 until it does.
    """
    place = settings or get_settings()
    receiver_of(place)  # refuses an address without a secret before anything is served
    configure_logging(as_json=True)  # here, so that it holds in each of several processes
    remove_leftovers()
    remove_old()
    app = FastAPI(
        title="Chancellor",
        version=API_VERSION,
        description=_ABOUT,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=_working,
    )
    app.state.service = Service(
        settings=place,
        sessions=SessionSource(place.database_url),
        lake=open_lake(place.lake_url),
        limiter=RateLimiter(place.requests_per_minute),
        imports=CapacityLimiter(IMPORTS_AT_ONCE),
        slow=CapacityLimiter(SLOW_AT_ONCE),
        drawing=CapacityLimiter(DRAWING_AT_ONCE),
        closing=CapacityLimiter(CLOSING_AT_ONCE),
        verifier=_verifier(),
        is_open=is_open,
        prepared=PreparedDocuments(),
    )
    app.state.metrics = Metrics()
    app.state.streams = Streams()
    for part in (
        versions,
        emergencies,
        scoring,
        pipeline,
        rules,
        intake,
        analysis,
        monitoring,
        audit,
        health,
        *PAGES,
    ):
        app.include_router(part.router)
    answer_failures(app)
    app.add_middleware(Envelope, settings=place, metrics=app.state.metrics, is_open=is_open)
    app.openapi = lambda: describe(app)  # type: ignore[method-assign] # FastAPI's own way
    return app


@asynccontextmanager
async def _working(app: FastAPI) -> AsyncIterator[None]:
    """Do beside the requests what must be done: execute runs, seal decisions, monitor."""
    service: Service = app.state.service
    beside: list[Sealer | Watcher | Alarm | RunSupervisor] = [
        Sealer(service.sessions, service.settings.seal_seconds),
        Watcher(service.sessions, service.lake, service.settings.monitor_seconds),
        Alarm(service.sessions, receiver_of(service.settings)),
    ]
    if service.settings.execute_runs:
        beside.append(RunSupervisor(service.settings))
    for one in beside:
        one.start()
    try:
        yield
    finally:
        await run_in_threadpool(service.prepared.stop)
        for one in reversed(beside):
            await run_in_threadpool(one.stop)


def _verifier() -> TokenVerifier | None:
    settings = get_openid_settings()
    return TokenVerifier(settings) if settings.is_configured else None


def create_open_app() -> FastAPI:
    """Build the service without keys, for ``chancellor serve --no-auth``."""
    return create_app(is_open=True)
