"""What alerts and challengers look like."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rich.console import RenderableType

from app.cli.render.tables import next_step, pairs, sentence, table
from app.domain.counted import counted
from app.edge import numbers

if TYPE_CHECKING:
    from app.domain.types import Document


def listed(result: Document) -> Iterator[RenderableType]:
    """Show a page of alerts.

    Parameters
    ----------
    result : dict
        What ``list_alerts`` returned.

    Yields
    ------
    RenderableType
        A table, or that there is none.
    """
    if not result["items"]:
        yield sentence("There is no such alert: nothing that was monitored is past a threshold.")
        yield next_step("chancellor monitor --due")
        return
    rows = [
        (
            str(one["alert_id"]),
            one["status"],
            numbers.moment(one["opened_at"]),
            one["batch_id"],
            one["version"],
            one["sentence"],
        )
        for one in result["items"]
    ]
    yield table("Alerts", ("id>", "status", "opened", "batch", "version", "what was found"), rows)
    if result["next_cursor"]:
        yield next_step(f"chancellor alerts list --cursor {result['next_cursor']}")


def shown(result: Document) -> Iterator[RenderableType]:
    """Show one alert.

    Parameters
    ----------
    result : dict
        What ``get_alert`` returned.

    Yields
    ------
    RenderableType
        Parts to print in order.
    """
    yield sentence(result["sentence"], "bold")
    yield pairs(
        "",
        {
            "alert": f"{result['alert_id']}, {result['status']}",
            "opened": numbers.moment(result["opened_at"]),
            "batch, version": f"{result['batch_id']}, {result['version']}",
            "found in report": result["report_id"],
            **{
                kind: f"{numbers.moment(result[kind]['at'])} by {result[kind]['actor']}: "
                f"{result[kind]['note']}"
                for kind in ("acknowledged", "closed")
                if result[kind]
            },
        },
    )
    if result["deliveries"]:
        rows = [
            (
                numbers.moment(one["at"]),
                one["receiver"],
                "delivered" if one["is_delivered"] else one["fault"],
            )
            for one in result["deliveries"]
        ]
        yield table("Delivery", ("at", "receiver", "what became of it"), rows)
    steps = {"open": "acknowledge", "acknowledged": "close"}
    if result["status"] in steps:
        step = steps[result["status"]]
        yield next_step(f'chancellor alerts {step} {result["alert_id"]} --note "..."')


def delivered(result: Document) -> Iterator[RenderableType]:
    """Show what a round of delivery did.

    Parameters
    ----------
    result : dict
        What ``deliver`` returned.

    Yields
    ------
    RenderableType
        Parts to print in order.
    """
    if result["is_busy"]:
        yield sentence("Another process of this store is delivering: nothing was done here.")
        return
    logged = counted(result["n_logged"], "alert")
    if result["receiver"] is None:
        yield sentence(f"{logged} written to the log. No CHANCELLOR_WEBHOOK_URL is set.", "bold")
        return
    sent = counted(result["n_delivered"], "alert")
    yield sentence(
        f"{sent} delivered to {result['receiver']}, {logged} written to the log.", "bold"
    )
    if result["n_waiting"]:
        why = f"; the last attempt failed: {result['fault']}" if result["fault"] else ""
        yield sentence(f"{counted(result['n_waiting'], 'alert')} not delivered yet{why}.")


def challenger(result: Document) -> Iterator[RenderableType]:
    """Show a challenger that was started or stopped.

    Parameters
    ----------
    result : dict
        What ``start`` or ``stop`` returned.

    Yields
    ------
    RenderableType
        Parts to print in order.
    """
    version = result["version"]
    if result["is_running"]:
        yield sentence(f"{version} runs as a challenger: {result['reason']}", "bold")
        yield sentence("It is compared in each report from now on, and decides nothing.")
        yield next_step("chancellor monitor BATCH")
    else:
        yield sentence(f"{version} runs as a challenger no more: {result['stopped']['reason']}")


def challengers(result: Sequence[Document]) -> Iterator[RenderableType]:
    """Show the challengers.

    Parameters
    ----------
    result : sequence of dict
        What ``list_challengers`` returned.

    Yields
    ------
    RenderableType
        A table, or what to do where there is none.
    """
    if not result:
        yield sentence("No version ever ran as a challenger.")
        yield next_step('chancellor challengers start VERSION --reason "..."')
        return
    rows = [
        (
            one["version"],
            "running" if one["is_running"] else one["ended_by"],
            numbers.moment(one["started_at"]),
            one["started_by"],
            one["reason"],
        )
        for one in result
    ]
    yield table("Challengers", ("version", "state", "started", "by", "why"), rows)
