"""Arguments and options that several commands share, each with one meaning."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

AsJson = Annotated[
    bool,
    typer.Option("--json", help="Print one JSON document on stdout and nothing else."),
]
Actor = Annotated[
    str | None,
    typer.Option(
        "--actor", metavar="NAME", help="The person on the record.", show_default="the OS user"
    ),
]
SourceFile = Annotated[
    Path, typer.Argument(metavar="FILE", help="CSV, CSV.gz or Parquet file.", show_default=False)
]
BatchIds = Annotated[
    list[str],
    typer.Argument(
        metavar="BATCH...", help="One batch, or several to train together.", show_default=False
    ),
]
PartyColumn = Annotated[
    str,
    typer.Option(
        "--party-id", metavar="COL", help="Column that names the party.", show_default=False
    ),
]
DateFormat = Annotated[
    str | None,
    typer.Option(
        "--date-format",
        metavar="FMT",
        help="How dates are written, for example %d/%m/%Y.",
        show_default="ISO 8601, 2026-03-31",
    ),
]
AllowMissing = Annotated[
    bool,
    typer.Option(
        "--allow-missing-features",
        help="Accept a file without some of the card's features; they count as missing, where "
        "the card says what missing is worth.",
    ),
]
SkipBadRows = Annotated[
    bool,
    typer.Option("--skip-bad-rows", help="Store the sound rows; write the others to a file."),
]
Rejects = Annotated[
    Path | None,
    typer.Option(
        "--rejects",
        metavar="FILE",
        help="CSV file for the rows that --skip-bad-rows leaves out, with line and reasons; "
        "an existing one is overwritten. An apostrophe stands before what a spreadsheet would "
        "run as a formula: remove it before importing such a cell again.",
        show_default="<name of FILE>.rejects.csv in the current directory",
    ),
]
Reason = Annotated[
    str,
    typer.Option("--reason", metavar="TEXT", help="Why; kept for good.", show_default=False),
]
OptionalReason = Annotated[
    str | None,
    typer.Option("--reason", metavar="TEXT", help="Why; kept for good.", show_default=False),
]
Window = Annotated[
    int,
    typer.Option("--window", metavar="DAYS", min=1, help="Observation window in days."),
]
Outcome = Annotated[
    str,
    typer.Option(
        "--outcome",
        metavar="NAME",
        help="Outcome definition, or final_flag for imported final flags.",
    ),
]
BaseVersion = Annotated[
    str | None,
    typer.Option(
        "--base",
        metavar="VERSION",
        help="The version to refine (the baseline).",
        show_default="the active version",
    ),
]
Seed = Annotated[int, typer.Option("--seed", min=0, help="Seed of splits and folds.")]
DespiteAdvice = Annotated[
    bool,
    typer.Option(
        "--despite-advice", help="Make the draft although the advice is keep; goes on the record."
    ),
]
ExpectedHash = Annotated[
    str | None,
    typer.Option(
        "--expected-hash",
        metavar="HASH",
        help="The review hash you read; a different one is a conflict.",
        show_default=False,
    ),
]
Acknowledge = Annotated[
    list[str] | None,
    typer.Option(
        "--acknowledge",
        metavar="GATE",
        help="A gate with insufficient evidence that you accept; repeat for several.",
        show_default=False,
    ),
]
OverrideReason = Annotated[
    str | None,
    typer.Option(
        "--override-reason",
        metavar="TEXT",
        help="Why an admin overrides a failed gate.",
        show_default=False,
    ),
]


class Engine(StrEnum):
    """What computes over the lake."""

    duckdb = "duckdb"
    spark = "spark"


EngineName = Annotated[
    Engine | None,
    typer.Option(
        "--engine",
        help="What computes over the lake; docs/scaling.md says when Spark is worth it.",
        show_default="CHANCELLOR_ENGINE, else duckdb",
    ),
]


class Validation(StrEnum):
    """How the procedure is judged on rows it never saw."""

    auto = "auto"
    out_of_time = "out_of_time"
    cross_validation = "cross_validation"


ValidationMode = Annotated[
    Validation,
    typer.Option(
        "--validation", help="auto is out of time where the dates allow it: dates decide."
    ),
]
