"""``chancellor monitor``: a batch beside what its version was made for."""

from __future__ import annotations

from typing import Annotated

import typer

from app.cli.options import Actor, AsJson, EngineName
from app.cli.output import Output
from app.cli.render import monitoring as render
from app.cli.services import open_services

BatchId = Annotated[
    str | None, typer.Argument(metavar="BATCH", help="Id of the batch.", show_default=False)
]
Version = Annotated[
    str | None,
    typer.Option(
        "--version",
        metavar="VERSION",
        help="The version to look at the batch under.",
        show_default="the active version",
    ),
]
IsDue = Annotated[
    bool, typer.Option("--due", help="Make every report that is due, instead of one.")
]


def monitor(
    batch: BatchId = None,
    version: Version = None,
    due: IsDue = False,
    engine: EngineName = None,
    as_json: AsJson = False,
    actor: Actor = None,
) -> None:
    """Compare a batch with what its version was made for, and open alerts.

    Score and features against the reference (PSI, CSI); with mature outcomes also
    ranking (AUC, Gini, KS) and calibration by band and month. An alert needs a
    threshold of the policy passed and more than chance explains. The same inputs
    give the same report. docs/monitoring.md explains every figure.

    Example:
      chancellor monitor BATCH_001
      chancellor monitor --due

    Next: chancellor alerts list
    """
    if due == (batch is not None):
        raise typer.BadParameter("name a batch, or ask for --due")
    out = Output(as_json)
    with open_services(actor, engine) as services, out.progress() as progress:
        if batch is None:
            out.show(services.monitoring.monitor_due(progress), render.due)
        else:
            report = services.monitoring.monitor(batch, version=version, progress=progress)
            out.show(report, render.report)
