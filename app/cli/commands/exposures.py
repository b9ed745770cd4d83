"""``chancellor exposures``: who was granted credit, and so could go bad."""

from __future__ import annotations

from typing import Annotated

import typer

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
from app.cli.render import exposures as render
from app.cli.services import open_services

app = typer.Typer(no_args_is_help=True, help="Who was granted credit, so could go bad.")

GrantedOn = Annotated[
    str | None,
    typer.Option(
        "--granted-on",
        metavar="COL",
        help="Column with the date from which credit was granted.",
        show_default=False,
    ),
]
ListId = Annotated[str, typer.Argument(metavar="ID", help="Id of the list.", show_default=False)]


@app.command("import")
def import_exposures(
    file: SourceFile,
    party_id: PartyColumn,
    granted_on: GrantedOn = None,
    date_format: DateFormat = None,
    skip_bad_rows: SkipBadRows = False,
    rejects: Rejects = None,
    as_json: AsJson = False,
    actor: Actor = None,
) -> None:
    """Import the list of parties that were granted credit.

    Once there is such a list, a party that is not on it is excluded from labels:
    a rejected applicant without events is not a good payer.

    Example:
      chancellor exposures import granted.csv --party-id customer

    Next: chancellor labels generate BATCH
    """
    out = Output(as_json)
    with open_services(actor) as services, out.progress() as progress:
        result = services.exposures.import_file(
            file,
            party_id=party_id,
            granted_on=granted_on,
            date_format=date_format,
            skip_bad_rows=skip_bad_rows,
            rejects_path=rejects,
            progress=progress,
        )
    out.show(result, render.imported)


@app.command("list")
def list_imports(as_json: AsJson = False, actor: Actor = None) -> None:
    """List the exposure lists, withdrawn ones included.

    Example:
      chancellor exposures list
    """
    with open_services(actor) as services:
        result = services.exposures.list_imports()
    Output(as_json).show(result, render.listed)


@app.command("withdraw")
def withdraw_import(
    list_id: ListId, reason: Reason, as_json: AsJson = False, actor: Actor = None
) -> None:
    """Withdraw a wrong list: it stays on the record but no label uses it any more.

    Example:
      chancellor exposures withdraw 1 --reason "another portfolio"

    Next: import the right list, then chancellor labels generate BATCH
    """
    with open_services(actor) as services:
        result = services.exposures.withdraw(list_id, reason=reason)
    Output(as_json).show(result, render.withdrawn)
