"""``chancellor alerts`` and ``chancellor challengers``: what was found, what is compared."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from app.cli.options import Actor, AsJson, Reason
from app.cli.output import Output
from app.cli.render import alerts as render
from app.cli.services import open_services

app = typer.Typer(no_args_is_help=True, help="Alerts: what monitoring found past a threshold.")
challengers = typer.Typer(
    no_args_is_help=True, help="Challengers: drafts scored beside the active version."
)

_SHOWN = 50


class Status(StrEnum):
    """Where an alert stands."""

    open = "open"
    acknowledged = "acknowledged"
    closed = "closed"


AlertId = Annotated[
    int, typer.Argument(metavar="ID", help="From alerts list.", show_default=False)
]  # fmt: skip
Note = Annotated[
    str, typer.Option("--note", metavar="TEXT", help="What you found or did; kept for good.",
                      show_default=False),
]  # fmt: skip
VersionName = Annotated[
    str, typer.Argument(metavar="VERSION", help="A draft or an approved version.",
                        show_default=False),
]  # fmt: skip


@app.command("list")
def list_alerts(
    status: Annotated[
        Status | None, typer.Option("--status", help="Only these.", show_default="all, open first")
    ] = None,
    batch: Annotated[
        str | None, typer.Option("--batch", metavar="BATCH", help="Only of this batch.",
                                 show_default=False),
    ] = None,
    version: Annotated[
        str | None, typer.Option("--version", metavar="VERSION", help="Only of this version.",
                                 show_default=False),
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=500, help="At most.")] = _SHOWN,
    cursor: Annotated[
        str | None, typer.Option("--cursor", help="next_cursor of the page before.",
                                 show_default="the first page"),
    ] = None,
    as_json: AsJson = False,
    actor: Actor = None,
) -> None:  # fmt: skip
    """List the alerts: open ones first, then those acknowledged, the newest first.

    Example:
      chancellor alerts list --status open

    Next: chancellor alerts acknowledge ID --note "what you found"
    """
    with open_services(actor) as services:
        result = services.alerts.list_alerts(
            status=status.value if status else None,
            batch_id=batch,
            version=version,
            limit=limit,
            cursor=cursor,
        )
    Output(as_json).show(result, render.listed)


@app.command("show")
def show_alert(alert_id: AlertId, as_json: AsJson = False, actor: Actor = None) -> None:
    """Show one alert: what was found, what people did, and how it was delivered.

    Example:
      chancellor alerts show 1
    """
    with open_services(actor) as services:
        result = services.alerts.get_alert(alert_id)
    Output(as_json).show(result, render.shown)


@app.command("acknowledge")
def acknowledge(
    alert_id: AlertId, note: Note, as_json: AsJson = False, actor: Actor = None
) -> None:
    """Say that you looked at an alert, and what you make of it.

    Example:
      chancellor alerts acknowledge 1 --note "the new branch of 2026-03; asked for its files"

    Next: chancellor alerts close 1 --note "..."
    """
    with open_services(actor) as services:
        result = services.alerts.acknowledge(alert_id, note=note)
    Output(as_json).show(result, render.shown)


@app.command("close")
def close(alert_id: AlertId, note: Note, as_json: AsJson = False, actor: Actor = None) -> None:
    """Say that an alert is dealt with; it stays on the record.

    Example:
      chancellor alerts close 1 --note "refined as ml_v4, active since today"
    """
    with open_services(actor) as services:
        result = services.alerts.close(alert_id, note=note)
    Output(as_json).show(result, render.shown)


@app.command("deliver")
def deliver(as_json: AsJson = False, actor: Actor = None) -> None:
    """Deliver what is due to the log and to CHANCELLOR_WEBHOOK_URL, once, and end.

    "chancellor serve" does that by itself. Where no service runs, have a timer
    call this. An alert that was delivered is never delivered again.

    Example:
      chancellor alerts deliver
    """
    from app.services.alert_delivery import AlertDelivery  # noqa: PLC0415 - SQLAlchemy, httpx
    from app.services.webhook_receiver import receiver_of  # noqa: PLC0415 - the same
    from app.settings import get_settings  # noqa: PLC0415 - pydantic

    receiver = receiver_of(get_settings())
    with open_services(actor) as services:
        result = AlertDelivery(services.db, receiver).deliver()
    Output(as_json).show(result, render.delivered)


@challengers.command("start")
def start_challenger(
    version: VersionName, reason: Reason, as_json: AsJson = False, actor: Actor = None
) -> None:
    """Score a draft on every batch beside the active version, from the next report on.

    It decides nothing. It ends when you stop it, or its version is activated or
    rejected.

    Example:
      chancellor challengers start ml_v2 --reason "watch it for a quarter"

    Next: chancellor monitor BATCH
    """
    with open_services(actor) as services:
        result = services.challengers.start(version, reason=reason)
    Output(as_json).show(result, render.challenger)


@challengers.command("stop")
def stop_challenger(
    version: VersionName, reason: Reason, as_json: AsJson = False, actor: Actor = None
) -> None:
    """Leave a challenger out of the reports from now on; what was compared stays.

    Example:
      chancellor challengers stop ml_v2 --reason "it ranks no better"
    """
    with open_services(actor) as services:
        result = services.challengers.stop(version, reason=reason)
    Output(as_json).show(result, render.challenger)


@challengers.command("list")
def list_challengers(as_json: AsJson = False, actor: Actor = None) -> None:
    """List the challengers there are and were.

    Example:
      chancellor challengers list
    """
    with open_services(actor) as services:
        result = services.challengers.list_challengers()
    Output(as_json).show(result, render.challengers)
