"""``chancellor demo``: the main job on a simulated portfolio."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from app.cli.options import Actor, AsJson
from app.cli.output import Output
from app.cli.render import demo as render
from app.errors import ConflictError

Home = Annotated[
    Path | None,
    typer.Option(
        "--home",
        metavar="FOLDER",
        help="Where the demo's own store goes; must not exist yet.",
        show_default="a new temporary folder",
    ),
]


def demo(home: Home = None, as_json: AsJson = False, actor: Actor = None) -> None:
    """Show the main job on a simulated portfolio, in under a minute.

    Simulates 4,000 parties whose true weights are known, imports them into a fresh
    store of its own (never yours), runs the real Dagster job, and shows each stage:
    labels, gates, metrics, the refined weights beside the truth, and the commands
    for the review that then waits. Twice in a row it says the same.

    Example:
      chancellor demo

    Next: the commands it prints; then chancellor init with a card of your own
    """
    from app.log import configure_logging  # noqa: PLC0415 - structlog, 0.1 s
    from app.pipeline.execution import run_pipeline  # noqa: PLC0415 - Dagster, 1.5 s
    from app.services.demo import run_demo  # noqa: PLC0415 - the same, and the simulator

    if home is not None and home.exists():
        raise ConflictError(f"{home} exists already: the demo makes a new folder.", home=str(home))
    configure_logging()
    out = Output(as_json)
    with out.progress() as progress:
        result = run_demo(run_pipeline, home=home, actor=actor, progress=progress)
    out.show(result, render.shown)
