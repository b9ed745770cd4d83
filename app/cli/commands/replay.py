"""``chancellor replay``: compute again what was decided, and compare."""

from __future__ import annotations

from typing import Annotated

import typer

from app.cli.errors import CONFLICT
from app.cli.options import Actor, AsJson
from app.cli.output import Output
from app.cli.render import replay as render
from app.cli.services import open_services

Version = Annotated[
    str | None,
    typer.Argument(metavar="VERSION", help="Name of the version.", show_default=False),
]
Score = Annotated[
    str | None,
    typer.Option(
        "--score", metavar="ID", help="Replay one recorded decision instead.", show_default=False
    ),
]


def replay(
    version: Version = None,
    score: Score = None,
    as_json: AsJson = False,
    actor: Actor = None,
) -> None:
    """Compute a version, or a recorded decision, again from what was recorded.

    Reads the files, makes the labels anew, fits, validates, judges and refines, and
    compares weights, gates, evidence and hashes bit by bit. Nothing is written.

    Exit code 0: equal bit by bit, or a person wrote the version and its hashes hold.
    Exit code 6: the inputs are as recorded, and a number differs; it says whether the
    weights are equal at two decimals, and which library or processor changed.
    Exit code 7: a recorded input or result was tampered with.

    Example:
      chancellor replay ml_v2
      chancellor replay --score d-0199d4c7a1b2c3d4e5f60718293a4b5c
    """
    if (version is None) == (score is None):
        raise typer.BadParameter("name a version, or a decision with --score")
    out = Output(as_json)
    with open_services(actor) as services, out.progress() as progress:
        result = (
            services.replay.replay_version(version, progress=progress)
            if version is not None
            else services.replay.replay_decision(str(score))
        )
    out.show(result, render.replayed)
    if result["outcome"] in {"equal_weights", "different"}:
        raise typer.Exit(CONFLICT)
