"""``chancellor outcomes``: what happened later."""

from __future__ import annotations

from typing import Annotated

import typer

from app.cli.after import monitor_what_is_due
from app.cli.options import (
    Actor,
    AsJson,
    DateFormat,
    PartyColumn,
    Reason,
    Rejects,
    SkipBadRows,
    SourceFile,
)
from app.cli.output import Output
from app.cli.render import outcomes as render
from app.cli.services import open_services

app = typer.Typer(no_args_is_help=True, help="Outcomes: what happened later, dated.")

EventDate = Annotated[
    str,
    typer.Option(
        "--event-date",
        metavar="COL",
        help="Column with the date of the event; a blank one is no event.",
        show_default=False,
    ),
]
EventType = Annotated[
    str,
    typer.Option(
        "--event-type",
        metavar="COL-or-TYPE",
        help="Column with the type, or one type for all: days_past_due, write_off, collection, "
        "bankruptcy.",
        show_default=False,
    ),
]
DaysPastDue = Annotated[
    str | None,
    typer.Option(
        "--days-past-due",
        metavar="COL",
        help="Column with the days past due of days_past_due events.",
        show_default=False,
    ),
]
Through = Annotated[
    str,
    typer.Option(
        "--through",
        metavar="DATE",
        help="The last date up to which these outcomes are known to be complete.",
        show_default=False,
    ),
]
ForBatch = Annotated[
    str, typer.Option("--batch", metavar="ID", help="The batch flagged.", show_default=False)
]
Flag = Annotated[
    str, typer.Option("--flag", metavar="COL", help="Column with the flag.", show_default=False)
]
Bad = Annotated[
    str,
    typer.Option("--bad", metavar="VALUE", help="The flag of a bad party.", show_default=False),
]
ImportId = Annotated[
    str, typer.Argument(metavar="ID", help="Id of the import.", show_default=False)
]


@app.command("import")
def import_events(
    file: SourceFile,
    party_id: PartyColumn,
    event_date: EventDate,
    event_type: EventType,
    through: Through,
    days_past_due: DaysPastDue = None,
    date_format: DateFormat = None,
    skip_bad_rows: SkipBadRows = False,
    rejects: Rejects = None,
    as_json: AsJson = False,
    actor: Actor = None,
) -> None:
    """Import dated events: write-offs, collections, bankruptcies, days past due.

    Say with --through up to which date the file is complete: a party counts only
    once its whole observation window has passed by then. Importing the same
    file twice changes nothing.

    Example:
      chancellor outcomes import loans.csv --party-id LoanNr
        --event-date ChgOffDate --event-type write_off --through 2014-08-31

    Next: chancellor labels generate BATCH, or chancellor pipeline run BATCH
    """
    out = Output(as_json)
    with open_services(actor) as services, out.progress() as progress:
        result = services.outcomes.import_events(
            file,
            party_id=party_id,
            event_date=event_date,
            event_type=event_type,
            through=through,
            days_past_due=days_past_due,
            date_format=date_format,
            skip_bad_rows=skip_bad_rows,
            rejects_path=rejects,
            progress=progress,
        )
    out.show(result, render.imported)
    monitor_what_is_due(out, actor)


@app.command("import-flags")
def import_flags(
    file: SourceFile,
    batch: ForBatch,
    party_id: PartyColumn,
    flag: Flag,
    bad: Bad,
    skip_bad_rows: SkipBadRows = False,
    rejects: Rejects = None,
    as_json: AsJson = False,
    actor: Actor = None,
) -> None:
    """Import final good/bad flags of a batch, where there are no dates.

    Such labels have no observation window; generate them with
    --outcome final_flag.

    Example:
      chancellor outcomes import-flags hmeq.csv --batch HMEQ
        --party-id @row --flag BAD --bad 1

    Next: chancellor labels generate BATCH --outcome final_flag
    """
    out = Output(as_json)
    with open_services(actor) as services, out.progress() as progress:
        result = services.outcomes.import_flags(
            file,
            batch_id=batch,
            party_id=party_id,
            flag=flag,
            bad=bad,
            skip_bad_rows=skip_bad_rows,
            rejects_path=rejects,
            progress=progress,
        )
    out.show(result, render.imported)
    monitor_what_is_due(out, actor)


@app.command("list")
def list_imports(as_json: AsJson = False, actor: Actor = None) -> None:
    """List the outcome imports, each with the date through which it is complete.

    Example:
      chancellor outcomes list
    """
    with open_services(actor) as services:
        result = services.outcomes.list_imports()
    Output(as_json).show(result, render.listed)


@app.command("withdraw")
def withdraw_import(
    import_id: ImportId, reason: Reason, as_json: AsJson = False, actor: Actor = None
) -> None:
    """Withdraw a wrong import: it stays on the record but is used no more.

    Example:
      chancellor outcomes withdraw 3 --reason "the file was cut short"

    Next: import the right file
    """
    with open_services(actor) as services:
        result = services.outcomes.withdraw(import_id, reason=reason)
    Output(as_json).show(result, render.withdrawn)
