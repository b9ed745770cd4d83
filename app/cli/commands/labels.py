"""``chancellor labels``: good, bad, and who cannot be judged yet."""

from __future__ import annotations

from typing import Annotated

import typer

from app.cli.after import monitor_what_is_due
from app.cli.options import Actor, AsJson, EngineName, Outcome, Window
from app.cli.output import Output
from app.cli.render import labels as render
from app.cli.services import open_services

app = typer.Typer(no_args_is_help=True, help="Labels: who turned out good and who bad.")

BatchId = Annotated[
    str, typer.Argument(metavar="BATCH", help="Id of the batch.", show_default=False)
]


@app.callback()
def labels() -> None:
    """Labels: who turned out good and who bad."""


@app.command("generate")
def generate_labels(
    batch: BatchId,
    outcome: Outcome = "default",
    window: Window = 180,
    engine: EngineName = None,
    as_json: AsJson = False,
    actor: Actor = None,
) -> None:
    """Label a batch from its outcomes, and judge whether that can carry a training.

    bad: a qualifying event within the observation window after scoring.
    immature: the window ends after the date through which outcomes are complete.
    indeterminate: only an indeterminate event. excluded: already bad, or no credit.

    Example:
      chancellor labels generate BATCH_001 --window 180

    Next: chancellor train BATCH_001
    """
    out = Output(as_json)
    with open_services(actor, engine) as services, out.progress() as progress:
        result = services.labels.generate_labels(
            batch_id=batch,
            outcome_type=outcome,
            observation_window_days=window,
            progress=progress,
        )
    out.show(result, render.generated)
    monitor_what_is_due(out, actor)
