"""A proxy on loopback before the object store, which breaks the requests that a test names."""

from __future__ import annotations

import http.client
import socket
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal

Fault = Literal[
    "500",  # the store's own answer, without asking it
    "503",
    "403",
    "drop",  # the connection ends before the request is passed on
    "cut request",  # half of the body is read, then the connection ends
    "cut answer",  # half of the body is answered, then the connection ends
    "lose answer",  # the store does what was asked, and nobody hears of it
    "hang",  # nothing comes, and the connection stays open
]
Chooser = Callable[[str, str, int], Fault | None]
_ERROR = "<?xml version='1.0'?><Error><Code>{}</Code><Message>made by the test</Message></Error>"
_CODES = {"500": "InternalError", "503": "SlowDown", "403": "AccessDenied"}
_HOP = {"connection", "transfer-encoding", "content-length", "keep-alive", "expect"}


def never(method: str, path: str, number: int) -> Fault | None:
    """Break nothing."""
    return None


@dataclass(slots=True)
class FaultyProxy:
    """What passes, and what is broken.

    Attributes
    ----------
    choose : callable
        Called as ``choose(method, path, number)``: the how-manieth request of this method and
        path it is, from 1; gives the fault, or None.
    broken : list of str
        The faults that were made so far.
    """

    port: int
    target: int
    choose: Chooser = never
    broken: list[str] = field(default_factory=list)
    seen: Counter[tuple[str, str]] = field(default_factory=Counter)
    ended: threading.Event = field(default_factory=threading.Event)

    @property
    def endpoint(self) -> str:
        """For ``AWS_ENDPOINT_URL``."""
        return f"http://127.0.0.1:{self.port}"

    def fault_of(self, method: str, path: str) -> Fault | None:
        """Choose, and note what was chosen."""
        self.seen[method, path] += 1
        fault = self.choose(method, path, self.seen[method, path])
        if fault is not None:
            self.broken.append(f"{fault}: {method} {path}")
        return fault


@contextmanager
def faulty_proxy(target: int) -> Iterator[FaultyProxy]:
    """Listen before a port of this machine."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    proxy = FaultyProxy(server.server_address[1], target)
    server.proxy = proxy
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield proxy
    finally:
        proxy.ended.set()
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        """Say nothing."""

    def _handle(self) -> None:
        proxy: FaultyProxy = self.server.proxy
        fault = proxy.fault_of(self.command, self.path)
        if fault == "cut request":
            self.rfile.read(int(self.headers.get("Content-Length", 0)) // 2)
            return self._hang_up()
        body = self._body()
        if fault == "hang":
            proxy.ended.wait(60)
        if fault in ("drop", "hang"):
            return self._hang_up()
        if fault in _CODES:
            return self._answer(int(fault), {}, _ERROR.format(_CODES[fault]).encode())
        status, headers, answer = self._passed_on(proxy.target, body)
        if fault == "lose answer":
            return self._hang_up()
        return self._answer(status, headers, answer, cut=fault == "cut answer")

    do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = _handle  # noqa: N815 - the library's names

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            parts = []
            while size := int(self.rfile.readline().split(b";")[0], 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(parts)
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def _passed_on(self, port: int, body: bytes) -> tuple[int, dict[str, str], bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        headers = {name: text for name, text in self.headers.items() if name.lower() not in _HOP}
        headers["Content-Length"] = str(len(body))
        try:
            connection.request(self.command, self.path, body, headers)
            answer = connection.getresponse()
            content = answer.read()
            found = dict(answer.getheaders())
            if self.command == "HEAD":  # its length is that of what a GET would bring
                return answer.status, found, b""
            return answer.status, found, content
        finally:
            connection.close()

    def _answer(
        self, status: int, headers: dict[str, str], body: bytes, *, cut: bool = False
    ) -> None:
        length = next((v for k, v in headers.items() if k.lower() == "content-length"), None)
        kept = length if self.command == "HEAD" and length is not None else str(len(body))
        self.send_response(status)
        for name, text in headers.items():
            if name.lower() not in _HOP:
                self.send_header(name, text)
        self.send_header("Content-Length", kept)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body[: len(body) // 2] if cut else body)
        if cut:
            self._hang_up()

    def _hang_up(self) -> None:
        self.close_connection = True
        self.wfile.flush()
        self.connection.shutdown(socket.SHUT_RDWR)
