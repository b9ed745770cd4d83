"""How an asset in this process reports progress to whoever started the run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from app.domain.types import Progress
from app.pipeline.interruption import stop_if_asked_to_end

_LISTENER: ContextVar[Progress | None] = ContextVar("progress_listener", default=None)


def report(stage: str, done: int, total: int) -> None:
    """Pass progress on to the listener of this run, and end a run that was asked to end.

    Nobody listens in a run of Dagster's own.

    Parameters
    ----------
    stage : str
        What is being done.
    done, total : int
        Steps finished, and steps in all.

    Raises
    ------
    KeyboardInterrupt
        If the process was asked to end.
    """
    stop_if_asked_to_end()
    listener = _LISTENER.get()
    if listener is not None:
        listener(stage, done, total)


@contextmanager
def heard_by(listener: Progress | None) -> Iterator[None]:
    """Let a listener hear the progress of what runs inside the block.

    Parameters
    ----------
    listener : Progress or None
        Called with stage, done and total.
    """
    token = _LISTENER.set(listener)
    try:
        yield
    finally:
        _LISTENER.reset(token)
