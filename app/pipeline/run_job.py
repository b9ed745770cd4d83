"""``python -m app.pipeline.run_job RUN_ID``: a queued run in a process of its own."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from app.pipeline.execution import execute_run
from app.pipeline.interruption import heed_requests_to_end

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
    heed_requests_to_end()
    return _DONE if execute_run(arguments[0])["status"] == "succeeded" else _FAILED


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
