"""``python -m app.pipeline.run_job RUN_ID``: a queued run in a process of its own."""

from __future__ import annotations

import signal
import sys
from collections.abc import Sequence
from types import FrameType

from app.pipeline.execution import execute_run, interruption

_DONE, _FAILED, _USAGE = 0, 1, 2


def main(arguments: Sequence[str]) -> int:
    """Execute the run that is named; its result is on the record.

    Parameters
    ----------
    arguments : sequence of str
        The run's id.

    Returns
    -------
    int
        0 if the run succeeded, 1 if it failed, 2 on wrong usage.
    """
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m app.pipeline.run_job RUN_ID\n")
        return _USAGE
    signal.signal(signal.SIGTERM, _interrupt)
    return _DONE if execute_run(arguments[0])["status"] == "succeeded" else _FAILED


def _interrupt(_signal: int, _frame: FrameType | None) -> None:
    """Turn a request to end into an exception, so that the run is put on record as cancelled."""
    interruption.set()
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
