"""What became of the version on later batches: the newest report of each, and alerts."""

from __future__ import annotations

from app.charts.tables import Column, table
from app.domain.counted import counted
from app.domain.types import Document
from app.edge import numbers
from app.findings.words import name_of, with_minus
from app.paper.parts import Block, Heading, Listing, Part, said
from app.paper.writers import rate_interval

_NONE = "No batch was monitored under this version yet: how it does on later batches is not known."


def monitoring_parts(found: Document) -> list[Part]:
    """Show what monitoring found, the newest batch first in words.

    Parameters
    ----------
    found : dict
        The record.

    Returns
    -------
    list of Part
        Says so where nothing was monitored.
    """
    reports, alerts = found["monitoring"]["reports"], found["monitoring"]["alerts"]
    heading = Heading("Monitoring")
    if not reports:
        return [heading, said(_NONE)]
    newest = reports[-1]
    parts: list[Part] = [
        heading,
        said(f"Batch {newest['batch_id']}, the last by scoring date:"),
        Listing(tuple(map(with_minus, newest["sentences"]))),
        _populations(reports),
    ]
    judged = [one for one in reports if one["outcomes"]]
    if judged:
        parts.append(_outcomes(judged))
    parts.append(_alerts(alerts) if alerts else said("No alert was opened."))
    return parts


def _populations(reports: list[Document]) -> Block:
    rows = []
    for one in reports:
        furthest = max(one["features"], key=lambda line: line["psi"], default=None)
        named = numbers.NONE if furthest is None else furthest["feature"]
        rows.append(
            (
                one["batch_id"], one["scored_from"], one["scored_to"], one["n"],
                one["score"]["psi"], one["score"]["quantile"], one["score"]["p_adjusted"],
                named, None if furthest is None else furthest["psi"], len(one["alerts"]),
            )
        )  # fmt: skip
    columns = (
        Column("Batch"), Column("Scored from"), Column("to"), Column("Parties", numbers.count),
        Column("PSI", numbers.auc), Column("By chance", numbers.auc), Column("p", numbers.p_value),
        Column("Furthest feature"), Column("its PSI", numbers.auc), Column("Alerts", numbers.count),
    )  # fmt: skip
    reference = reports[-1]["reference"]
    source = (
        f"Against {reference['kind']} {', '.join(reference['batch_ids'])}, "
        f"{counted(reference['n'], 'party')}; the newest report of each batch. By chance: the "
        "quantile of PSI without a change. p: adjusted over all that one report compares."
    )
    title = f"Scores on {counted(len(reports), 'monitored batch', 'monitored batches')}"
    return Block(title, table(columns, rows), "Monitoring", source)


def _outcomes(reports: list[Document]) -> Block:
    rows = []
    for one in reports:
        outcomes = one["outcomes"]
        overall, auc = outcomes["overall"] or {}, outcomes["auc_roc"] or {}
        ends = [overall.get("low"), overall.get("high")]
        rows.append(
            (
                one["batch_id"], outcomes["n_labelled"], outcomes["n_bad"],
                overall.get("expected"), overall.get("observed"),
                None if None in ends else ends, overall.get("jeffreys_p"), auc.get("value"),
                None if not auc else [auc["low"], auc["high"]], outcomes["auc_reference"],
            )
        )  # fmt: skip
    columns = (
        Column("Batch"), Column("Labelled", numbers.count), Column("Bad", numbers.count),
        Column("Expected", numbers.rate), Column("Observed", numbers.rate),
        Column("95 % interval", rate_interval), Column("Jeffreys p", numbers.p_value),
        Column("AUC", numbers.auc), Column("95 % interval ", numbers.interval),
        Column("promised", numbers.auc),
    )  # fmt: skip
    source = (
        "Expected: by the frozen calibration of the version. Promised: the AUC that batches are "
        "held against."
    )
    title = f"Outcomes of {counted(len(reports), 'batch', 'batches')} beside what was expected"
    return Block(title, table(columns, rows), "Monitored outcomes", source)


def _alerts(alerts: list[Document]) -> Block:
    rows = [
        (
            one["status"], one["batch_id"], name_of(one["kind"]), one["subject"],
            with_minus(one["sentence"]), numbers.day(one["opened_at"]), _step(one["acknowledged"]),
            _step(one["closed"]),
        )
        for one in alerts
    ]  # fmt: skip
    columns = (
        Column("Status"), Column("Batch"), Column("Kind"), Column("Of"), Column("What was found"),
        Column("Opened"), Column("Acknowledged"), Column("Closed"),
    )  # fmt: skip
    n_open = sum(one["status"] == "open" for one in alerts)
    title = f"{counted(len(alerts), 'alert')}, {numbers.count(n_open)} open"
    return Block(title, table(columns, rows), "Alerts")


def _step(one: Document | None) -> str:
    if one is None:
        return numbers.NONE
    return f"{numbers.day(one['at'])}, {one['actor']}: {one['note']}"
