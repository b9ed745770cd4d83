"""How an asset in this process reports progress to whoever started the run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from app.domain.types import Progress
from app.pipeline.interruption import stop_if_asked_to_end
from app.pipeline.notes import note_progress

_LISTENER: ContextVar[Progress | None] = ContextVar("progress_listener", default=None)


def report(stage: str, done: int, total: int) -> None:
    """Note progress, pass it on to the listener, and end a run that was asked to end.

    Nobody listens in a process of its own; the note is for other processes to read.

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
    note_progress(stage, done, total)
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
