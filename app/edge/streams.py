"""Streams of server-sent events: few at a time, and none that keeps the service from ending."""

from __future__ import annotations

import asyncio
import json
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable

from fastapi.responses import StreamingResponse

from app.domain.types import Document
from app.edge.problems import Refusal

SECONDS_BETWEEN_LOOKS = 0.5
SECONDS_BETWEEN_BEATS = 10.0
SECONDS_OF_A_STREAM = 300.0
"""Then it ends; a browser asks again, and is admitted again or not."""

MOST_STREAMS = 64
MOST_PER_PERSON = 8
_GLANCES = 5


class Streams:
    """Give out a place per stream, so that no crowd of open pages keeps the service busy."""

    def __init__(self) -> None:
        self._taken: Counter[str] = Counter()

    def open(
        self,
        person: str,
        look: Callable[[], Awaitable[Document]],
        is_last: Callable[[Document], bool],
    ) -> StreamingResponse:
        """Send what a look finds, each time that it has changed.

        Parameters
        ----------
        person : str
            Who watches.
        look : callable
            Gives a JSON-ready document; holds nothing between two calls.
        is_last : callable
            Whether a document ends the stream: nothing will change after it.

        Returns
        -------
        StreamingResponse
            Events ``state``, and at the end ``end``. It stops when the client leaves, when the
            service is told to end, and after five minutes.

        Raises
        ------
        Refusal
            503 if too many streams are open, 429 if this person has too many.
        """
        refusal = self._refusal(person)
        if refusal is not None:
            raise refusal
        headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingResponse(
            self._events(person, look, is_last), media_type="text/event-stream", headers=headers
        )

    def _refusal(self, person: str) -> Refusal | None:
        if self._taken[person] >= MOST_PER_PERSON:
            detail = "You watch too many pages at once: close some, or reload this one by hand."
            return Refusal(429, "too_many_streams", detail, {"Retry-After": "5"})
        if self._taken.total() >= MOST_STREAMS:
            detail = "Too many pages are watched at once: reload by hand."
            return Refusal(503, "too_many_streams", detail, {"Retry-After": "5"})
        return None

    async def _events(
        self,
        person: str,
        look: Callable[[], Awaitable[Document]],
        is_last: Callable[[Document], bool],
    ) -> AsyncIterator[str]:
        if self._refusal(person) is not None:  # others were admitted at the same moment
            yield "retry: 5000\n\n"  # whoever asks again is told why not
            return
        self._taken[person] += 1
        try:
            async for event in _changes(look, is_last):
                yield event
        finally:
            self._taken[person] -= 1


async def _changes(
    look: Callable[[], Awaitable[Document]], is_last: Callable[[Document], bool]
) -> AsyncIterator[str]:
    until = time.monotonic() + SECONDS_OF_A_STREAM
    said, said_at = "", time.monotonic()
    yield "retry: 2000\n\n"
    while time.monotonic() < until and not is_service_ending():
        found = await look()
        text = json.dumps(found, separators=(",", ":"))
        if text != said:
            yield f"event: state\ndata: {text}\n\n"
            said, said_at = text, time.monotonic()
        elif time.monotonic() - said_at > SECONDS_BETWEEN_BEATS:
            yield ": still here\n\n"
            said_at = time.monotonic()
        if is_last(found):
            yield "event: end\ndata: {}\n\n"
            return
        await _pause()


async def _pause() -> None:
    """Wait for the next look, or less where the service ends."""
    for _ in range(_GLANCES):
        if is_service_ending():
            return
        await asyncio.sleep(SECONDS_BETWEEN_LOOKS / _GLANCES)


def is_service_ending() -> bool:
    """Say whether uvicorn was told to end: it waits for every answer that is still being sent.

    Returns
    -------
    bool
        False also where another server serves.
    """
    server = getattr(signal.getsignal(signal.SIGTERM), "__self__", None)
    return bool(getattr(server, "should_exit", False))
