"""``chancellor analysis``: outcomes over time, to choose window and definition by evidence."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.cli.files import write_whole
from app.cli.options import Actor, AsJson, Outcome
from app.cli.output import Output
from app.cli.render import analysis as render
from app.cli.services import open_services

if TYPE_CHECKING:
    from app.domain.types import Document

app = typer.Typer(no_args_is_help=True, help="Outcomes over time: vintages, roll rates, windows.")


class Period(StrEnum):
    """How scoring dates are put together."""

    auto = "auto"
    month = "month"
    quarter = "quarter"
    year = "year"


Batches = Annotated[
    list[str] | None,
    typer.Option(
        "--batch", metavar="ID", help="A batch; repeat for several.", show_default="all batches"
    ),
]
Csv = Annotated[
    Path | None,
    typer.Option(
        "--csv",
        metavar="FILE",
        help="Write the table to a CSV file too; an existing one is replaced.",
        show_default=False,
    ),
]
By = Annotated[
    Period,
    typer.Option("--by", help="Scoring month, quarter or year; auto gives at most 24 vintages."),
]
Months = Annotated[
    int, typer.Option("--months", min=1, max=120, help="Months since scoring, at most.")
]
Span = Annotated[
    int,
    typer.Option("--months", min=1, max=60, help="Length of each of the two spans, in months."),
]
Windows = Annotated[
    list[int] | None,
    typer.Option(
        "--window",
        metavar="DAYS",
        min=1,
        help="An observation window in days; repeat for several.",
        show_default="90, 180, 365 and 730",
    ),
]
Outcomes = Annotated[
    list[str] | None,
    typer.Option(
        "--outcome",
        metavar="NAME",
        help="An outcome definition; repeat for several.",
        show_default="default",
    ),
]
OfVersion = Annotated[
    str | None,
    typer.Option(
        "--version", metavar="VERSION", help="Whose AUC.", show_default="the active version"
    ),
]


@app.command("vintages")
def vintages(
    outcome: Outcome = "default",
    by: By = Period.auto,
    months: Months = 60,
    batch: Batches = None,
    csv: Csv = None,
    as_json: AsJson = False,
    actor: Actor = None,
) -> None:
    """Show the cumulative bad rate by months since scoring, one curve per vintage.

    A curve ends where not every party of its vintage has been observed. Vintages of
    fewer than 30 parties are joined with the next.

    Example:
      chancellor analysis vintages --by year --months 60 --csv vintages.csv
    """
    out = Output(as_json)
    with open_services(actor) as services, out.progress() as progress:
        result = services.analysis.vintages(
            outcome_type=outcome,
            period=by,
            months=months,
            batch_ids=batch or (),
            progress=progress,
        )
    _give(out, "vintages", result, csv, render.vintages)


@app.command("roll-rates")
def roll_rates(
    months: Span = 6,
    batch: Batches = None,
    csv: Csv = None,
    as_json: AsJson = False,
    actor: Actor = None,
) -> None:
    """Show where parties went from their worst state of delinquency.

    The worst state in the first months after scoring against the worst in as many
    months after those. It needs events of the type days_past_due.

    Example:
      chancellor analysis roll-rates --months 6
    """
    out = Output(as_json)
    with open_services(actor) as services, out.progress() as progress:
        result = services.analysis.roll_rates(
            months=months, batch_ids=batch or (), progress=progress
        )
    _give(out, "roll-rates", result, csv, render.roll_rates)


@app.command("windows")
def windows(
    window: Windows = None,
    outcome: Outcomes = None,
    version: OfVersion = None,
    batch: Batches = None,
    csv: Csv = None,
    as_json: AsJson = False,
    actor: Actor = None,
) -> None:
    """Show default rate and AUC over windows and definitions; no label set is stored.

    Example:
      chancellor analysis windows --window 180 --window 365 --outcome default

    Next: chancellor labels generate BATCH --window DAYS
    """
    out = Output(as_json)
    with open_services(actor) as services, out.progress() as progress:
        asked: dict[str, Any] = {"version": version, "batch_ids": batch or ()}
        if window:
            asked["windows"] = window
        if outcome:
            asked["outcome_types"] = outcome
        result = services.analysis.windows(progress=progress, **asked)
    _give(out, "windows", result, csv, render.windows)


def _give(
    out: Output,
    name: str,
    result: Document,
    csv: Path | None,
    show: Callable[[Document], Iterable[Any]],
) -> None:
    from app.edge.analysis_tables import TABLES, as_csv  # noqa: PLC0415 - numpy; --help stays quick

    if csv is not None:
        write_whole(csv, [as_csv(*TABLES[name](result))])
        out.note(f"The table is in {csv}.")
    out.show(result, show)
