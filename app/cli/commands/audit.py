"""``chancellor audit``: every change, and proof that none was altered."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from app.cli.files import whole_file, write_whole
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
Since = Annotated[
    str | None,
    typer.Option(
        "--since", metavar="TIME", help="From this day or time on, UTC.", show_default=False
    ),
]
Until = Annotated[
    str | None,
    typer.Option(
        "--until", metavar="TIME", help="Up to this day or time, UTC; it counts.",
        show_default=False,
    ),
]  # fmt: skip
DecisionId = Annotated[
    str, typer.Argument(metavar="ID", help="Id of the decision.", show_default=False)
]
Limit = Annotated[int, typer.Option("--limit", min=1, help="The newest so many.")]
CheckpointFile = Annotated[
    Path | None,
    typer.Option(
        "--checkpoint", metavar="FILE",
        help="A signed checkpoint: the event it names must be there as it was.",
        show_default=False,
    ),
]  # fmt: skip
PublicKeyFile = Annotated[
    Path | None,
    typer.Option(
        "--public-key", metavar="FILE", help="The key that proves the checkpoint, PEM.",
        show_default=False,
    ),
]  # fmt: skip
EventsFile = Annotated[
    Path | None,
    typer.Option(
        "--events", metavar="FILE",
        help="Check this export instead of the store; no store is needed.",
        show_default="the store",
    ),
]  # fmt: skip
OutFile = Annotated[
    Path | None,
    typer.Option("--out", metavar="FILE", help="Where it goes.", show_default="stdout"),
]
KeyFile = Annotated[
    Path | None,
    typer.Option(
        "--key", metavar="FILE", help="The private key.",
        show_default="CHANCELLOR_AUDIT_KEY, or audit_key.pem in the home",
    ),
]  # fmt: skip
NewKey = Annotated[
    bool,
    typer.Option(
        "--new-key", help="Sign with a new key although an earlier one is on record; its file is "
        "gone.",
    ),
]  # fmt: skip


@app.command("list")
def list_events(
    by: By = None,
    action: Action = None,
    subject: Subject = None,
    since: Since = None,
    until: Until = None,
    limit: Limit = 100,
    as_json: AsJson = False,
    actor: Actor = None,
) -> None:
    """List audit events: who did what, to what, when.

    Example:
      chancellor audit list --subject version:ml_v2 --since 2026-03-01 --until 2026-03-31

    Next: chancellor audit verify
    """
    with open_services(actor) as services:
        result = services.audit.list_events(
            actor=by, action=action, subject=subject, since=since, until=until, limit=limit
        )
    Output(as_json).show(result, render.listed)


@app.command("verify")
def verify(
    checkpoint: CheckpointFile = None,
    public_key: PublicKeyFile = None,
    events: EventsFile = None,
    as_json: AsJson = False,
    actor: Actor = None,
) -> None:
    """Walk the audit chain; the first event that was altered is named (exit code 7).

    Compares every event with the text that was hashed, every hash with the one
    before, and the end of the chain with the head kept beside it; then every
    recorded decision with its own hash and the root that sealed it. A checkpoint that
    was signed before and kept elsewhere also shows a chain that was written anew as
    a whole. With --events it needs no store: a file of "audit export" is enough.

    Example:
      chancellor audit verify --checkpoint march.json --public-key audit_key.pub
    """
    if (checkpoint is None) != (public_key is None):
        raise typer.BadParameter("--checkpoint and --public-key go together")
    from app.services.checkpoint_service import (  # noqa: PLC0415 - SQLAlchemy, 0.3 s
        signed_checkpoint,
        verify_exported,
    )

    out = Output(as_json)
    signed = (
        None
        if checkpoint is None or public_key is None
        else signed_checkpoint(checkpoint, public_key)
    )
    if events is not None:
        out.show(verify_exported(events, signed), render.verified)
        return
    with open_services(actor) as services, out.progress() as progress:
        result = services.audit.verify(progress=progress, checkpoint=signed)
    out.show(result, render.verified)


@app.command("checkpoint")
def checkpoint(
    out: OutFile = None,
    key: KeyFile = None,
    new_key: NewKey = False,
    as_json: AsJson = False,
    actor: Actor = None,
) -> None:
    """Sign what the audit chain is now (Ed25519); keep the file somewhere else.

    Verifies the chain, signs the number and hash of its newest event, and puts the
    checkpoint on record. The first time it creates the store's key, a file that only
    its owner may read. Who owns the database and the key can sign another history:
    what proves this one is the checkpoint, and the public key, in other hands.

    Example:
      chancellor audit checkpoint --out march.json

    Next: chancellor audit public-key --out audit_key.pub
    """
    output = Output(as_json)
    with open_services(actor) as services, output.progress() as progress:
        result = services.checkpoints(key).sign(new_key=new_key, progress=progress)
    if out is not None:
        signed = {name: result[name] for name in ("signed_text", "signature")}
        write_whole(out, (json.dumps(signed, indent=2, ensure_ascii=False), "\n"))
    output.show({**result, "out": None if out is None else str(out)}, render.signed)


@app.command("public-key")
def public_key(
    out: OutFile = None, key: KeyFile = None, as_json: AsJson = False, actor: Actor = None
) -> None:
    """Give the public key that proves checkpoints; hand it to whoever checks.

    Example:
      chancellor audit public-key --out audit_key.pub

    Next: chancellor audit verify --checkpoint march.json --public-key audit_key.pub
    """
    with open_services(actor) as services:
        result = services.checkpoints(key).public_key()
    if out is not None:
        write_whole(out, (result["public_key"],))
    Output(as_json).show({**result, "out": None if out is None else str(out)}, render.public_key)


@app.command("export")
def export(out: OutFile = None, as_json: AsJson = False, actor: Actor = None) -> None:
    """Export the audit chain as JSON Lines, each event with the exact text hashed.

    Each event is checked before it is written; where the chain does not hold, no
    file is left (exit code 7). docs/store.md says how anybody recomputes the hashes.

    Example:
      chancellor audit export --out events.jsonl

    Next: chancellor audit verify --events events.jsonl
    """
    if as_json and out is None:
        raise typer.BadParameter("--json says what was exported: give --out FILE for the events")
    output = Output(as_json)
    with open_services(actor) as services, output.progress() as progress:
        if out is None:
            services.audit.export(sys.stdout)
            return
        with whole_file(out) as file:
            result = services.audit.export(file, progress)
    output.show({**result, "out": str(out)}, render.exported)


@app.command("seal")
def seal(as_json: AsJson = False, actor: Actor = None) -> None:
    """Bind every decision recorded so far to the audit chain, by one Merkle root.

    What is deleted before it was sealed leaves no trace, so seal often. The HTTP
    service does it by itself.

    Example:
      chancellor audit seal

    Next: chancellor audit verify
    """
    with open_services(actor) as services:
        result = services.decisions.seal()
    Output(as_json).show(result, render.sealed)


@app.command("prove")
def prove(decision: DecisionId, as_json: AsJson = False, actor: Actor = None) -> None:
    """Prove that one recorded decision is under a sealed root (RFC 6962).

    With --json it prints what an outsider needs who has the root alone: the hashed
    text, its place, and the path of hashes that leads to the root.

    Example:
      chancellor audit prove d-0199d4c7a1b2c3d4e5f60718293a4b5c --json
    """
    with open_services(actor) as services:
        result = services.decisions.prove(decision)
    Output(as_json).show(result, render.proven)
