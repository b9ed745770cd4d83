"""``chancellor policy`` and ``chancellor definitions``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from app.cli.documents import read_document
from app.cli.options import Actor, AsJson
from app.cli.output import Output
from app.cli.render import policies as render
from app.cli.services import open_services

policy = typer.Typer(
    no_args_is_help=True, help="The thresholds that decisions are judged by, and who may decide."
)
definitions = typer.Typer(
    no_args_is_help=True, help="Which events make a party bad, and which indeterminate."
)

DocumentFile = Annotated[
    Path, typer.Argument(metavar="FILE", help="YAML or JSON document.", show_default=False)
]


@policy.command("show")
def show_policy(as_json: AsJson = False, actor: Actor = None) -> None:
    """Show the policy in force: every threshold, and who may decide.

    Example:
      chancellor policy show

    Next: chancellor policy set FILE
    """
    with open_services(actor) as services:
        result = services.policies.get_policy()
    Output(as_json).show(result, render.policy)


@policy.command("set")
def set_policy(file: DocumentFile, as_json: AsJson = False, actor: Actor = None) -> None:
    """Put a new policy in force; earlier decisions keep the one they were judged by.

    Fields left out of the document take their defaults.

    Example:
      chancellor policy set policy.yaml      (policy.yaml: min_auc_roc: 0.65)

    Next: chancellor policy show
    """
    document = read_document(file)
    with open_services(actor) as services:
        result = services.policies.set_policy(document)
    Output(as_json).show(result, render.policy)


@definitions.command("list")
def list_definitions(as_json: AsJson = False, actor: Actor = None) -> None:
    """List the outcome definitions, every version of each.

    Example:
      chancellor definitions list
    """
    with open_services(actor) as services:
        result = services.definitions.list_definitions()
    Output(as_json).show(result, render.definitions)


@definitions.command("add")
def add_definition(file: DocumentFile, as_json: AsJson = False, actor: Actor = None) -> None:
    """Add an outcome definition, or a new version of one.

    Example:
      chancellor definitions add write_off.yaml

    Next: chancellor labels generate BATCH --outcome NAME
    """
    document = read_document(file)
    with open_services(actor) as services:
        result = services.definitions.add_definition(document)
    Output(as_json).show(result, render.definition_added)
