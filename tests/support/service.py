"""The real service in a thread: uvicorn on a free port of this machine, with a key per role."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import httpx
import uvicorn
from fastapi import FastAPI

from app.db import close_engine, open_session
from app.domain.access import ROLES
from app.main import create_app
from app.services.key_service import KeyService
from app.settings import Settings
from tests.conftest import Store

_SECONDS_TO_START = 30


@dataclass(frozen=True, slots=True)
class Running:
    """A service and how to talk to it: the owner of each role's key has the role's name."""

    url: str
    store: Store
    keys: dict[str, str]

    def headers(self, role: str) -> dict[str, str]:
        """Give the headers of the owner of a role's key."""
        return {"Authorization": f"Bearer {self.keys[role]}"}

    def client(self, role: str) -> httpx.Client:
        """Give a client that sends a role's key."""
        return httpx.Client(
            base_url=self.url, headers=self.headers(role), timeout=60, trust_env=False
        )


@contextmanager
def running_service(
    store: Store, owners: Mapping[str, str] | None = None, *, execute_runs: bool = False
) -> Iterator[Running]:
    """Serve the store that the environment names, with a key for each role.

    Parameters
    ----------
    store : Store
        The same store.
    owners : mapping of str to str, optional
        Role to who owns its key; by default the role's own name.
    execute_runs : bool
        Whether the service takes up runs that wait.
    """
    names = {role: role for role in ROLES} | dict(owners or {})
    with open_session(store.database_url) as db:
        service = KeyService(db, actor="tester")
        keys = {role: service.create(owner=names[role], role=role)["key"] for role in ROLES}
    with served(create_app(Settings(execute_runs=execute_runs))) as url:
        yield Running(url, store, keys)
    close_engine(store.database_url)


@contextmanager
def served(app: FastAPI) -> Iterator[str]:
    """Serve an application and give its URL; the server has ended when the block has.

    Parameters
    ----------
    app : FastAPI
        From ``app.main.create_app``.
    """
    config = uvicorn.Config(app, log_config=None, access_log=False, server_header=False)
    server = uvicorn.Server(config)
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port = listening.getsockname()[1]
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            until = time.monotonic() + _SECONDS_TO_START
            while not server.started:
                if not thread.is_alive() or time.monotonic() > until:
                    raise RuntimeError("the service did not start")
                time.sleep(0.005)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.should_exit = True
            thread.join()
