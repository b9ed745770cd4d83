"""The real service in a thread: uvicorn on a free port of this machine."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from fastapi import FastAPI

_SECONDS_TO_START = 30


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
