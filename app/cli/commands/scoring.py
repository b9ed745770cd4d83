"""``chancellor score``: score a file of any size."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from app.cli.options import Actor, AllowMissing, AsJson, SourceFile
from app.cli.output import Output
from app.cli.render import batches as render
from app.cli.services import open_services

OutFile = Annotated[
    Path,
    typer.Option(
        "--out", metavar="FILE", help="Where the scores go: CSV or Parquet.", show_default=False
    ),
]
Version = Annotated[
    str | None,
    typer.Option(
        "--version",
        metavar="VERSION",
        help="The version to score with.",
        show_default="the active version",
    ),
]
NoReasons = Annotated[
    bool,
    typer.Option(
        "--no-reasons", help="Leave out reason_1 to reason_4, the features that cost most points."
    ),
]
NoContributions = Annotated[
    bool,
    typer.Option(
        "--no-contributions", help="Leave out points_FEATURE, the points that each feature adds."
    ),
]


def score(
    file: SourceFile,
    out: OutFile,
    version: Version = None,
    allow_missing_features: AllowMissing = False,
    no_reasons: NoReasons = False,
    no_contributions: NoContributions = False,
    as_json: AsJson = False,
    actor: Actor = None,
) -> None:
    """Score a file: score, band, points per feature and reason codes for each row.

    Reads CSV, CSV.gz or Parquet of any size; nothing of it is kept in the store.
    Without contributions a file is scored sooner and is smaller.

    Example:
      chancellor score applicants.csv --out scored.parquet
      chancellor score applicants.parquet --out bands.pq --no-contributions
    """
    output = Output(as_json)
    with open_services(actor) as services, output.progress() as progress:
        result = services.scoring.score_file(
            file,
            out,
            version=version,
            progress=progress,
            allow_missing_features=allow_missing_features,
            reasons=not no_reasons,
            contributions=not no_contributions,
        )
    output.show(result, render.file_scored)
