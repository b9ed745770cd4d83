"""``python -m app.pipeline.run_job RUN_ID``: a queued run in a process of its own."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from app.edge.errors import recorded_error
from app.errors import ConflictError, UnavailableError
from app.log import configure_logging
from app.pipeline.execution import execute_run
from app.pipeline.interruption import heed_requests_to_end
from app.services.workers import NOT_NOW

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
        0 if the run succeeded, 1 if it failed, 2 on wrong usage, 75 if it could not begin now:
        another run is running, the run is no longer queued, or the database does not answer.
    """
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m app.pipeline.run_job RUN_ID\n")
        return _USAGE
    configure_logging()
    heed_requests_to_end()
    try:
        return _DONE if execute_run(arguments[0])["status"] == "succeeded" else _FAILED
    except (ConflictError, UnavailableError) as error:
        sys.stderr.write(f"{error.message}\n")
        return NOT_NOW
    except Exception as error:  # noqa: BLE001 - a traceback in the log may quote values
        sys.stderr.write(f"{recorded_error(error)['message']}\n")
        return _FAILED


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
