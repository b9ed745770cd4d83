"""``chancellor fairness``: how groups fare under a version and the one it was made against."""

from __future__ import annotations

from typing import Annotated

import typer

from app.cli.options import Actor, AsJson
from app.cli.output import Output
from app.cli.render import fairness as render
from app.cli.services import open_services

Version = Annotated[
    str, typer.Argument(metavar="VERSION", help="Name of the version.", show_default=False)
]
Against = Annotated[
    str | None,
    typer.Option(
        "--against", metavar="VERSION", help="The old version.", show_default="its baseline"
    ),
]
CutOff = Annotated[
    int | None,
    typer.Option(
        "--cutoff",
        metavar="SCORE",
        help="A party with this score or more counts as approved.",
        show_default="that of the policy, and where bands begin",
    ),
]


def fairness(
    version: Version,
    against: Against = None,
    cutoff: CutOff = None,
    as_json: AsJson = False,
    actor: Actor = None,
) -> None:
    """Compare approval, ranking and calibration by group, old card against new.

    Groups are columns declared at import; they are never scored or trained on.
    What was kept with a draft is shown as kept, unless a cut-off is named.

    Example:
      chancellor fairness ml_v2 --cutoff 600

    Next: chancellor batch import FILE --batch ID --group COL
    """
    out = Output(as_json)
    with open_services(actor) as services, out.progress() as progress:
        result = services.fairness.compare_groups(
            version, against, cut_off=cutoff, progress=progress
        )
    out.show(result, render.compared)
