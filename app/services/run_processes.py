"""The process that executes a run: whether it is still there, and asking it to end."""

from __future__ import annotations

import os
import platform
import signal

from app.models import PipelineRun
from app.services.processes import is_alive
from app.services.run_documents import execution_of


def is_here(run: PipelineRun) -> bool:
    """Say whether a process of this machine executes a run.

    Parameters
    ----------
    run : PipelineRun
        A run.

    Returns
    -------
    bool
        False also where no process does.
    """
    return (
        run.status == "running"
        and execution_of(run).get("host") == platform.node()
        and run.pid is not None
        and run.pid_started_at is not None
    )


def is_lost(run: PipelineRun) -> bool:
    """Say whether a running run's process is gone; of another machine's nothing is known.

    Parameters
    ----------
    run : PipelineRun
        A run.

    Returns
    -------
    bool
        True if nobody will ever finish it. A queued run belongs to no process: never.
    """
    if not is_here(run) or run.pid is None or run.pid_started_at is None:
        return False
    return not is_alive(run.pid, started_at=run.pid_started_at)


def send_signal(run: PipelineRun, number: signal.Signals) -> bool:
    """Send a signal to exactly the process that executes a run, if it is of this machine.

    Parameters
    ----------
    run : PipelineRun
        A running run.
    number : Signals
        Such as ``SIGTERM``.

    Returns
    -------
    bool
        Whether it was sent: not to a process that is gone, nor to one that inherited its number.
    """
    if not is_here(run) or run.pid is None or run.pid_started_at is None:
        return False
    try:
        held = os.pidfd_open(run.pid) if hasattr(os, "pidfd_open") else None
    except ProcessLookupError:
        return False
    try:  # while the descriptor is held the number means this process
        if not is_alive(run.pid, started_at=run.pid_started_at):
            return False
        if held is None:
            os.kill(run.pid, number)
        else:
            signal.pidfd_send_signal(held, number)
    except ProcessLookupError:
        return False
    finally:
        if held is not None:
            os.close(held)
    return True
