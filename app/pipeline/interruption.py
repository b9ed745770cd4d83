"""Whether this process was asked to end, whichever signal handlers Dagster installs meanwhile."""

from __future__ import annotations

import os
import signal
from contextlib import suppress

_inbox, _outbox = os.pipe()
os.set_blocking(_inbox, False)
os.set_blocking(_outbox, False)
_received: set[int] = set()


def heed_requests_to_end() -> None:
    """Turn SIGTERM into an interrupt, and remember that it came.

    Dagster replaces the handlers of SIGINT and SIGTERM while it executes, so a handler of ours
    might not be called; the interpreter writes the number of every signal to its wake-up file
    whichever handler it has. An interrupt that comes while Dagster sets up is lost to it, so
    assets ask :func:`stop_if_asked_to_end` as they begin and as they progress.
    """
    signal.set_wakeup_fd(_outbox)
    for number in (signal.SIGINT, signal.SIGTERM):  # a shell's `&` leaves SIGINT ignored
        signal.signal(number, signal.default_int_handler)


def was_asked_to_end() -> bool:
    """Say whether SIGTERM came since :func:`heed_requests_to_end`."""
    with suppress(BlockingIOError):
        _received.update(os.read(_inbox, 4096))
    return signal.SIGTERM in _received


def stop_if_asked_to_end() -> None:
    """Interrupt the work if the process was asked to end: Dagster may have lost the first word.

    Raises
    ------
    KeyboardInterrupt
        If it was.
    """
    if was_asked_to_end():
        raise KeyboardInterrupt
