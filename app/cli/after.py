"""What a command does after its work: monitor what became due by it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from app.cli.output import Output
from app.cli.services import open_services
from app.domain.counted import counted
from app.errors import ChancellorError

if TYPE_CHECKING:
    from app.edge.services import Services

MOST_AT_ONCE = 5
"""More reports than these wait for ``chancellor monitor --due``: a command stays quick."""


def monitor_what_is_due(out: Output, actor: str | None) -> None:
    """Make the reports that are due, and say so in a line; a failure never ends the command.

    Parameters
    ----------
    out : Output
        Of the command; the line goes to stderr, a failure also with ``--json``.
    actor : str or None
        The person on the record; None is the OS user.
    """
    try:
        with open_services(actor) as services:
            _monitor(out, services)
    except ChancellorError as error:
        out.warn(f"Monitoring failed, what was asked for is done: {error.message}")


def _monitor(out: Output, services: Services) -> None:
    n_due = services.monitoring.count_due()
    if n_due > MOST_AT_ONCE:
        waits = counted(n_due, "monitoring report is", "monitoring reports are")
        out.note(f"{waits} due: chancellor monitor --due")
        return
    made = services.monitoring.monitor_due() if n_due else {"reports": [], "failures": []}
    for report in made["reports"]:
        out.note(f"Monitored {report['batch_id']} under {report['version']}: {report['sentence']}")
    for failure in made["failures"]:
        out.warn(f"Monitoring of {failure['batch_id']} failed: {failure['message']}")
