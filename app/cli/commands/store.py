"""``chancellor init`` and ``chancellor doctor``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from app.cli.documents import read_document
from app.cli.errors import TAMPERING, UNEXPECTED
from app.cli.options import Actor, AsJson
from app.cli.output import Output
from app.cli.render import store as render
from app.cli.services import open_services

_TAMPERING = {"trigger", "audit", "altered_row", "changed_file", "missing_file"}
_TIDY = {"orphan", "lost_run", "emergency"}

rights = typer.Typer(no_args_is_help=True, help="The store's database: rights of its roles.")

Role = Annotated[
    str, typer.Option("--role", metavar="NAME", help="Of the service.", show_default=False)
]
Schema = Annotated[str, typer.Option("--schema", metavar="NAME", help="Where the tables are.")]
CardFile = Annotated[
    Path | None,
    typer.Option(
        "--card",
        metavar="FILE",
        help="Scorecard document (YAML or JSON); becomes the active v1.",
        show_default="the supply-chain card",
    ),
]
PolicyFile = Annotated[
    Path | None,
    typer.Option(
        "--policy",
        metavar="FILE",
        help="Policy document: the thresholds of the gates and who may decide.",
        show_default="the built-in policy",
    ),
]
Upgrade = Annotated[
    bool,
    typer.Option(
        "--upgrade",
        help="Bring the schema of an existing store up to this release; its content stays.",
    ),
]
RemoveOrphans = Annotated[
    bool,
    typer.Option(
        "--remove-orphans", help="Remove files in the lake that no row of the database names."
    ),
]


def init(
    card: CardFile = None,
    policy: PolicyFile = None,
    upgrade: Upgrade = False,
    as_json: AsJson = False,
    actor: Actor = None,
) -> None:
    """Create the store; the card becomes the active version v1.

    The store is a directory (CHANCELLOR_HOME, by default ./.chancellor) that holds
    the database and the data files. One store serves one scorecard. With --upgrade
    a store of an earlier release is brought up to this one; make a backup before.

    Example:
      chancellor init --card my_card.yaml

    Next: chancellor batch import
    """
    from app.domain.policy import parse_policy  # noqa: PLC0415 - pydantic, 0.1 s
    from app.domain.scorecard import load_scorecard  # noqa: PLC0415 - the same
    from app.services.store import (  # noqa: PLC0415 - SQLAlchemy, 0.3 s
        initialise_store,
        upgrade_store,
    )

    if upgrade:
        if card is not None or policy is not None:
            message = "--upgrade keeps the store's card and policy: leave --card and --policy out"
            raise typer.BadParameter(message)
        Output(as_json).show(upgrade_store(actor=actor), render.upgraded)
        return
    rules = parse_policy(None if policy is None else read_document(policy))
    result = initialise_store(
        card=None if card is None else load_scorecard(card), policy=rules, actor=actor
    )
    document = {**result, "allow_self_review": rules.allow_self_review}
    Output(as_json).show(document, render.initialised)


def doctor(
    remove_orphans: RemoveOrphans = False, as_json: AsJson = False, actor: Actor = None
) -> None:
    """Check the store: schema, triggers, audit chain, files and their hashes, runs.

    Each row is held against the event that recorded it, so that an edit shows even
    where the triggers that forbid it were taken away and put back.
    Every file that the database names is read and hashed again, so this takes a
    while on a large store. An orphan is a file that a crash left behind: no row
    names it, and it can be removed without loss.

    Exit code 7 if history or a file is not what was written, 1 if something cannot
    be read, 0 if all is well or only orphans, lost runs and emergency rollbacks that
    no approver acknowledged are left to look after.

    Example:
      chancellor doctor --remove-orphans
    """
    out = Output(as_json)
    with open_services(actor) as services, out.progress() as progress:
        result = services.doctor.examine(remove_orphans=remove_orphans, progress=progress)
    out.show(result, render.examined)
    kinds = {finding["kind"] for finding in result["findings"]}
    if kinds & _TAMPERING:
        raise typer.Exit(TAMPERING)
    if kinds - _TIDY:
        raise typer.Exit(UNEXPECTED)


@rights.command("grants")
def grants(role: Role, schema: Schema = "public", as_json: AsJson = False) -> None:
    """Print the SQL that gives PostgreSQL's role for the service no more than it needs.

    The owner of the tables runs it, after each upgrade again. The role may read, add
    history and move a version's status; it may not change or delete history, empty a
    table, nor change the schema or its triggers.

    Example:
      chancellor store grants --role chancellor_service | psql chancellor
    """
    from app.db.grants import grant_statements  # noqa: PLC0415 - SQLAlchemy, 0.3 s

    statements = [f"{text};" for text in grant_statements(role, schema)]
    Output(as_json).show({"role": role, "statements": statements}, render.grants)
