"""Documents that take seconds to compute: computed once beside the requests, kept while they fit.

Each process of the service has its own: what one has prepared, another computes again. Nothing here
is a record; whatever is lost with the process is computed again from the store.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import wait as wait_for
from dataclasses import dataclass
from datetime import datetime
from threading import Lock

import structlog

from app.db import utc_now
from app.domain.types import Document, Progress
from app.edge.errors import recorded_error
from app.errors import UnavailableError

MOST_DOCUMENTS = 32
"""Finished documents that are kept, the last asked for longest."""

FAILURE_SECONDS = 15.0
"""A failure is shown for so long; whoever asks later has it tried again."""

AT_ONCE = 2

MOST_WAITING = 16
"""Documents that may wait for their turn, so that one person's wishes keep nobody for hours."""

_CROWD = "{} other computations come before this one: try again in a minute."

Key = tuple[str, ...]
"""Names everything that a document depends on: the same key, the same document."""

log = structlog.get_logger("chancellor.prepared")


@dataclass(frozen=True, slots=True)
class Ready:
    """A finished document.

    Attributes
    ----------
    document : dict
        What was computed; it is shared, so nobody changes it.
    seconds : float
        How long it took.
    """

    document: Document
    seconds: float


@dataclass(frozen=True, slots=True)
class Computing:
    """A document that is not finished yet.

    Attributes
    ----------
    since : datetime
        When it was first asked for, UTC.
    seconds : float
        How long ago that is.
    stage : str
        What is being done; empty while it waits for its turn.
    done, total : int
        Steps of the stage.
    """

    since: datetime
    seconds: float
    stage: str
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Failed:
    """A document that could not be computed.

    Attributes
    ----------
    error : Exception
        Why.
    at : datetime
        When, UTC.
    """

    error: Exception
    at: datetime


@dataclass(slots=True)
class _Entry:
    """One computation, from the first request for it to its end."""

    since: datetime
    started: float
    stage: tuple[str, int, int] = ("", 0, 0)
    future: Future[None] | None = None
    outcome: Ready | Failed | None = None
    ended: float = 0.0

    def report(self, stage: str, done: int, total: int) -> None:
        self.stage = (stage, done, total)


class PreparedDocuments:
    """Compute documents in threads of their own, each once however many ask for it.

    Parameters
    ----------
    most : int
        Finished documents that are kept.
    failure_seconds : float
        How long a failure is remembered.
    """

    def __init__(
        self, most: int = MOST_DOCUMENTS, failure_seconds: float = FAILURE_SECONDS
    ) -> None:
        self._most = most
        self._failure_seconds = failure_seconds
        self._entries: OrderedDict[Key, _Entry] = OrderedDict()
        self._lock = Lock()
        self._threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="prepared")

    def take(
        self, key: Key, compute: Callable[[Progress], Document], wait_seconds: float = 0.0
    ) -> Ready | Computing | Failed:
        """Give a document, or say how far it is.

        Parameters
        ----------
        key : tuple of str
            Names everything that the document depends on.
        compute : callable
            Computes it, in another thread and with a session of its own; called as
            ``compute(progress)``, and only if nobody has asked for this key before.
        wait_seconds : float
            Wait so long for it at most.

        Returns
        -------
        Ready, Computing or Failed
            A failure is remembered only briefly, then it is tried again. Where too many other
            documents wait to be computed, it has failed without a try.
        """
        with self._lock:
            entry = self._entries.get(key)
            if entry is None or self._is_forgotten(entry):
                n_before = sum(one.outcome is None for one in self._entries.values())
                if n_before >= AT_ONCE + MOST_WAITING:
                    return Failed(UnavailableError(_CROWD.format(n_before)), utc_now())
                entry = _Entry(utc_now(), time.monotonic())
                self._entries[key] = entry
                entry.future = self._threads.submit(self._run, key, entry, compute)
            self._entries.move_to_end(key)
            self._drop_oldest()
            future = entry.future
        if entry.outcome is None and future is not None and wait_seconds > 0:
            wait_for([future], timeout=wait_seconds)
        if entry.outcome is not None:
            return entry.outcome
        stage, done, total = entry.stage
        return Computing(entry.since, time.monotonic() - entry.started, stage, done, total)

    def stop(self) -> None:
        """Let what is being computed end, and begin nothing more."""
        self._threads.shutdown(wait=True, cancel_futures=True)

    def _run(self, key: Key, entry: _Entry, compute: Callable[[Progress], Document]) -> None:
        outcome: Ready | Failed
        try:
            document = compute(entry.report)
        except Exception as error:  # noqa: BLE001 - whatever it is, those who asked are told
            log.warning("could not prepare", key=key[:2], error=recorded_error(error)["message"])
            outcome = Failed(error, utc_now())
        else:
            outcome = Ready(document, time.monotonic() - entry.started)
        entry.ended = time.monotonic()
        entry.outcome = outcome  # last: whoever sees it sees its time

    def _is_forgotten(self, entry: _Entry) -> bool:
        age = time.monotonic() - entry.ended
        return isinstance(entry.outcome, Failed) and age > self._failure_seconds

    def _drop_oldest(self) -> None:
        finished = [key for key, entry in self._entries.items() if entry.outcome is not None]
        for key in finished[: max(0, len(finished) - self._most)]:
            del self._entries[key]
