"""``chancellor audit``: every change, and proof that none was altered."""

from __future__ import annotations

from typing import Annotated

import typer

from app.cli.options import Actor, AsJson
from app.cli.output import Output
from app.cli.render import audit as render
from app.cli.services import open_services

app = typer.Typer(no_args_is_help=True, help="The audit chain: every change, in order.")

By = Annotated[
    str | None,
    typer.Option("--by", metavar="NAME", help="Only changes by this person.", show_default=False),
]
Action = Annotated[
    str | None,
    typer.Option(
        "--action", metavar="NAME", help="Only this action, such as version.activated.",
        show_default=False,
    ),
]  # fmt: skip
Subject = Annotated[
    str | None,
    typer.Option(
        "--subject", metavar="SUBJECT", help="Only this subject, such as version:ml_v2.",
        show_default=False,
    ),
]  # fmt: skip
Limit = Annotated[int, typer.Option("--limit", min=1, help="The newest so many.")]


@app.command("list")
def list_events(
    by: By = None,
    action: Action = None,
    subject: Subject = None,
    limit: Limit = 100,
    as_json: AsJson = False,
    actor: Actor = None,
) -> None:
    """List audit events: who did what, to what, when.

    Example:
      chancellor audit list --subject version:ml_v2

    Next: chancellor audit verify
    """
    with open_services(actor) as services:
        result = services.audit.list_events(actor=by, action=action, subject=subject, limit=limit)
    Output(as_json).show(result, render.listed)


@app.command("verify")
def verify(as_json: AsJson = False, actor: Actor = None) -> None:
    """Walk the audit chain; the first event that was altered is named (exit code 7).

    Compares every event with the text that was hashed, every hash with the one
    before, and the end of the chain with the head kept beside it.

    Example:
      chancellor audit verify
    """
    out = Output(as_json)
    with open_services(actor) as services, out.progress() as progress:
        result = services.audit.verify(progress=progress)
    out.show(result, render.verified)
