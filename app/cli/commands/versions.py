"""``chancellor versions``: compare, review, activate, roll back."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, date, datetime
from datetime import time as time_of_day
from pathlib import Path
from typing import Annotated

import typer

from app.cli.after import monitor_what_is_due
from app.cli.options import (
    Acknowledge,
    Actor,
    AsJson,
    ExpectedHash,
    OptionalReason,
    OverrideReason,
    Reason,
)
from app.cli.output import Output
from app.cli.render import comparison as render_comparison
from app.cli.render import versions as render
from app.cli.services import open_services
from app.errors import InvalidInputError

app = typer.Typer(no_args_is_help=True, help="Versions of the scorecard: compare, review, decide.")

Version = Annotated[
    str, typer.Argument(metavar="VERSION", help="Name of the version.", show_default=False)
]
Older = Annotated[str, typer.Argument(metavar="A", help="The old version.", show_default=False)]
Newer = Annotated[str, typer.Argument(metavar="B", help="The new version.", show_default=False)]
CutOff = Annotated[
    int | None,
    typer.Option(
        "--cut-off",
        metavar="SCORE",
        help="Also show approval rate and bad rate at this score.",
        show_default=False,
    ),
]
CardFile = Annotated[
    Path,
    typer.Argument(metavar="FILE", help="Scorecard document (YAML or JSON).", show_default=False),
]
Note = Annotated[
    str | None,
    typer.Option("--note", metavar="TEXT", help="What changed and why.", show_default=False),
]
CommentText = Annotated[
    str, typer.Option("--text", metavar="TEXT", help="What to say.", show_default=False)
]
Emergency = Annotated[
    bool,
    typer.Option("--emergency", help="Without an approver, by an admin; stays listed until seen."),
]
Moment = Annotated[
    str,
    typer.Argument(
        metavar="TIME",
        help="2026-03-31T10:42, or 2026-03-31 for the end of that day; UTC unless a zone is given.",
        show_default=False,
    ),
]


@app.command("list")
def list_versions(as_json: AsJson = False, actor: Actor = None) -> None:
    """List the versions with status, origin and dates.

    Example:
      chancellor versions list
    """
    with open_services(actor) as services:
        result = services.versions.list_versions()
        emergencies = services.versions.list_emergencies()
    Output(as_json).show(result, lambda shown: render.listed(shown, emergencies))


@app.command("show")
def show_version(version: Version, as_json: AsJson = False, actor: Actor = None) -> None:
    """Show one version: status, weights, gates, reviews and the hash to approve.

    Example:
      chancellor versions show ml_v2

    Next: chancellor versions compare v1 ml_v2
    """
    with open_services(actor) as services:
        result = services.versions.get_version(version)
    Output(as_json).show(result, render.shown)


@app.command("compare")
def compare_versions(
    a: Older, b: Newer, cut_off: CutOff = None, as_json: AsJson = False, actor: Actor = None
) -> None:
    """Compare two versions: weights, ranking, who is affected, gates.

    What changes per feature and which constraint stopped it; whether the new card
    ranks better on parties it never saw; how parties move between bands; and who
    is swapped in and out at each band boundary.

    Example:
      chancellor versions compare v1 ml_v2 --cut-off 600

    Next: chancellor versions approve ml_v2 --reason "..."
    """
    out = Output(as_json)
    with open_services(actor) as services, out.progress() as progress:
        result = services.versions.compare_versions(a, b, cut_off=cut_off, progress=progress)
    out.show(result, render_comparison.compared)


@app.command("add")
def add_version(
    file: CardFile, note: Note = None, as_json: AsJson = False, actor: Actor = None
) -> None:
    """Add a scorecard that a person wrote, as a draft.

    Example:
      chancellor versions add card.yaml --note "tax id counts more"

    Next: chancellor versions compare v1 v2
    """
    from app.domain.scorecard import load_scorecard  # noqa: PLC0415 - pydantic, 0.1 s

    card, out = load_scorecard(file), Output(as_json)
    with open_services(actor) as services, out.progress() as progress:
        result = services.versions.add_version(card, note=note, progress=progress)
    out.show(result, render.added)


@app.command("comment")
def comment(
    version: Version, text: CommentText, as_json: AsJson = False, actor: Actor = None
) -> None:
    """Say something about a version; it stays on the record.

    Example:
      chancellor versions comment ml_v2 --text "why does tax id count less?"
    """
    with open_services(actor) as services:
        result = services.versions.comment(version, text)
    Output(as_json).show(result, render.commented)


@app.command("approve")
def approve(
    version: Version,
    reason: Reason,
    expected_hash: ExpectedHash = None,
    acknowledge: Acknowledge = None,
    override_reason: OverrideReason = None,
    as_json: AsJson = False,
    actor: Actor = None,
) -> None:
    """Approve a draft; maker and checker must be two people.

    The approval is bound to the hash of content and evidence. Name each gate with
    insufficient evidence that you accept with --acknowledge.

    Example:
      chancellor versions approve ml_v2 --reason "gain holds out of time"

    Next: chancellor versions activate ml_v2
    """
    with open_services(actor) as services:
        result = services.versions.approve(
            version,
            reason=reason,
            expected_hash=expected_hash,
            acknowledge=tuple(acknowledge or ()),
            override_reason=override_reason,
        )
    Output(as_json).show(result, render.reviewed)


@app.command("reject")
def reject(
    version: Version,
    reason: Reason,
    expected_hash: ExpectedHash = None,
    as_json: AsJson = False,
    actor: Actor = None,
) -> None:
    """Reject a draft, for good.

    Example:
      chancellor versions reject ml_v2 --reason "moves too many parties to poor"
    """
    with open_services(actor) as services:
        result = services.versions.reject(version, reason=reason, expected_hash=expected_hash)
    Output(as_json).show(result, render.reviewed)


@app.command("activate")
def activate(
    version: Version,
    reason: OptionalReason = None,
    expected_hash: ExpectedHash = None,
    acknowledge: Acknowledge = None,
    override_reason: OverrideReason = None,
    as_json: AsJson = False,
    actor: Actor = None,
) -> None:
    """Make a version the one that decides, from now on.

    Counts as approval where the policy allows it. Only an admin can override a
    failed gate, with --override-reason.

    Example:
      chancellor versions activate ml_v2 --reason "committee of 31 March"

    Next: chancellor score FILE --out FILE
    """
    with open_services(actor) as services:
        result = services.versions.activate_version(
            version,
            reason=reason,
            expected_hash=expected_hash,
            acknowledge=tuple(acknowledge or ()),
            override_reason=override_reason,
        )
    out = Output(as_json)
    out.show(result, render.activated)
    monitor_what_is_due(out, actor)


@app.command("withdraw-approval")
def withdraw_approval(
    version: Version, reason: Reason, as_json: AsJson = False, actor: Actor = None
) -> None:
    """Take your own approval back, before the version is activated.

    Nothing is deleted: approval and withdrawal both stay on the record. With too few
    approvals left, an approved version is a draft again.

    Example:
      chancellor versions withdraw-approval ml_v2 --reason "the batch was incomplete"
    """
    with open_services(actor) as services:
        result = services.versions.withdraw_approval(version, reason=reason)
    Output(as_json).show(result, render.withdrawn)


@app.command("rollback")
def rollback(
    version: Version,
    reason: Reason,
    emergency: Emergency = False,
    as_json: AsJson = False,
    actor: Actor = None,
) -> None:
    """Make an earlier version active again; audited like any activation.

    With --emergency an admin does it when approvers are away. It stands out in the
    record, and is listed until an approver acknowledges it.

    Example:
      chancellor versions rollback v1 --reason "bad rates rose in band good"
    """
    with open_services(actor) as services:
        result = services.versions.rollback(version, reason=reason, emergency=emergency)
    out = Output(as_json)
    out.show(result, render.activated)
    monitor_what_is_due(out, actor)


@app.command("acknowledge-emergency")
def acknowledge_emergency(reason: Reason, as_json: AsJson = False, actor: Actor = None) -> None:
    """Acknowledge every emergency rollback that waits, as an approver who did none.

    Example:
      chancellor versions acknowledge-emergency --reason "the rollback was right"
    """
    with open_services(actor) as services:
        result = services.versions.acknowledge_emergency(reason=reason)
    Output(as_json).show(result, render.acknowledged)


@app.command("at")
def active_at(time: Moment, as_json: AsJson = False, actor: Actor = None) -> None:
    """Show which version was active at a time.

    A date without a time of day means the last moment of that day, in UTC: what was
    active once all changes of the day were made.

    Example:
      chancellor versions at 2026-03-31
    """
    moment, is_whole_day = _parse_moment(time)
    with open_services(actor) as services:
        result = services.versions.active_at(moment)
    Output(as_json).show({**result, "end_of_day": is_whole_day}, render.active_at)


def _parse_moment(text: str) -> tuple[datetime, bool]:
    """Read a moment, and say whether it is the end of a day that was given without a time."""
    with suppress(ValueError):
        day = date.fromisoformat(text)
        return datetime.combine(day, time_of_day.max, tzinfo=UTC), True
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise InvalidInputError(
            f"{text!r} is not a time: write 2026-03-31 or 2026-03-31T10:42 (UTC).", value=text
        ) from error
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)), False
