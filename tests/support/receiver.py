"""A real receiver of alerts on loopback, which keeps what it was sent."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True, slots=True)
class Request:
    """One request that came."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass(slots=True)
class Received:
    """What came so far, and the statuses to answer with next; after them it is 204."""

    url: str = ""
    answers: list[int] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    seconds: float = 0.0

    def wait_for(self, n: int, seconds: float = 30.0) -> None:
        """Wait until so many requests have come."""
        wait_until(lambda: len(self.requests) >= n, seconds)


def wait_until(holds: Callable[[], bool], seconds: float = 30.0) -> None:
    """Wait until something holds."""
    until = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > until:
            raise TimeoutError("it did not come to hold")
        time.sleep(0.02)


@contextmanager
def receiver(answers: Sequence[int] = ()) -> Iterator[Received]:
    """Listen on a free port of this machine."""
    received = Received(answers=list(answers))

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            received.requests.append(Request(self.path, dict(self.headers), body))
            time.sleep(received.seconds)
            status = received.answers.pop(0) if received.answers else 204
            self.send_response(status)
            if 300 <= status < 400:
                self.send_header("Location", "/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        received.url = f"http://127.0.0.1:{server.server_port}/alerts/a-token"
        try:
            yield received
        finally:
            server.shutdown()
            thread.join()
