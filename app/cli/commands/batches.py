"""``chancellor batch``: parties scored together, as an immutable snapshot."""

from __future__ import annotations

from typing import Annotated

import typer

from app.cli.options import (
    Actor,
    AllowMissing,
    AsJson,
    DateFormat,
    EngineName,
    Reason,
    Rejects,
    SkipBadRows,
    SourceFile,
)
from app.cli.output import Output
from app.cli.render import batches as render
from app.cli.services import open_services

app = typer.Typer(no_args_is_help=True, help="Batches: parties scored together.")

BatchId = Annotated[
    str, typer.Argument(metavar="BATCH", help="Id of the batch.", show_default=False)
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
NewBatchId = Annotated[
    str,
    typer.Option(
        "--batch", metavar="ID", help="Id of the new batch, such as BATCH_001.", show_default=False
    ),
]
PartyId = Annotated[
    str,
    typer.Option(
        "--party-id",
        metavar="COL",
        help="Column that names the party, or @row for the row number.",
        show_default=False,
    ),
]
ScoredAt = Annotated[
    str,
    typer.Option(
        "--scored-at",
        metavar="COL-or-DATE",
        help="Column with the date of scoring, or one date for all rows.",
        show_default=False,
    ),
]

Groups = Annotated[
    list[str] | None,
    typer.Option(
        "--group",
        metavar="COL",
        help="Column kept as a group, for fairness alone: never scored or trained on. Repeat for "
        "several.",
        show_default=False,
    ),
]


@app.command("import")
def import_batch(
    file: SourceFile,
    batch: NewBatchId,
    party_id: PartyId,
    scored_at: ScoredAt,
    date_format: DateFormat = None,
    allow_missing_features: AllowMissing = False,
    group: Groups = None,
    skip_bad_rows: SkipBadRows = False,
    rejects: Rejects = None,
    as_json: AsJson = False,
    actor: Actor = None,
) -> None:
    """Store a file of parties as an immutable, hashed snapshot.

    One row per party, with the features known when it was scored. Every fault is
    reported with row and column, and nothing is stored unless the file is sound.
    A name is a column if the file has it, otherwise a value.

    Example:
      chancellor batch import loans.csv --batch BATCH_001
        --party-id LoanNr --scored-at ApprovalDate

    Next: chancellor outcomes import
    """
    out = Output(as_json)
    with open_services(actor) as services, out.progress() as progress:
        result = services.batches.import_file(
            file,
            batch_id=batch,
            party_id=party_id,
            scored_at=scored_at,
            date_format=date_format,
            allow_missing_features=allow_missing_features,
            groups=group or (),
            skip_bad_rows=skip_bad_rows,
            rejects_path=rejects,
            progress=progress,
        )
    out.show(result, render.imported)


@app.command("score")
def score_batch(
    batch: BatchId,
    version: Version = None,
    engine: EngineName = None,
    as_json: AsJson = False,
    actor: Actor = None,
) -> None:
    """Score every party of a batch into the lake, once per version.

    Example:
      chancellor batch score BATCH_001
      chancellor batch score BATCH_001 --engine spark
    """
    out = Output(as_json)
    with open_services(actor, engine) as services, out.progress() as progress:
        result = services.scoring.score_batch(batch, version=version, progress=progress)
    out.show(result, render.scored)


@app.command("list")
def list_batches(as_json: AsJson = False, actor: Actor = None) -> None:
    """List the batches, newest last.

    Example:
      chancellor batch list
    """
    with open_services(actor) as services:
        result = services.batches.list_batches()
    Output(as_json).show(result, render.listed)


@app.command("show")
def show_batch(batch: BatchId, as_json: AsJson = False, actor: Actor = None) -> None:
    """Show one batch: its file, hash, dates, columns and label sets.

    Example:
      chancellor batch show BATCH_001
    """
    with open_services(actor) as services:
        result = services.batches.get_batch(batch)
    Output(as_json).show(result, render.shown)


@app.command("withdraw")
def withdraw_batch(
    batch: BatchId, reason: Reason, as_json: AsJson = False, actor: Actor = None
) -> None:
    """Withdraw a wrong batch: it stays on the record but is used no more.

    Example:
      chancellor batch withdraw BATCH_001 --reason "features of the wrong month"

    Next: import the right file under a new id
    """
    with open_services(actor) as services:
        result = services.batches.withdraw(batch, reason=reason)
    Output(as_json).show(result, render.withdrawn)
