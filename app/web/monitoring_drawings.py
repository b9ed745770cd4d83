"""What the figures of monitoring draw, from reports as they are stored."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.charts.catalogue import Drawing
from app.domain.types import Document
from app.edge import numbers

MOST_BATCHES = 36
"""The newest that a figure over time shows."""

_REFERENCE = "reference"


def lines_over_time(over_time: Document, max_psi: float, level: float) -> Document:
    """Give the points of the figures over time.

    Parameters
    ----------
    over_time : dict
        What ``MonitoringService.over_time`` gives.
    max_psi, level : float
        The policy's.

    Returns
    -------
    dict
        ``version``, ``limit``, ``n_batches`` of which the newest are shown; ``psi``, ``rates`` and
        ``auc``: the points of each figure.
    """
    batches = over_time["batches"][-MOST_BATCHES:]
    return {
        "version": over_time["version"],
        "limit": max_psi,
        "n_batches": len(over_time["batches"]),
        "psi": [
            {
                "at": one["batch_id"],
                "psi": one["psi"],
                "quantile": one["quantile"],
                "n": one["n"],
                "is_moved": one["psi"] > max_psi
                and one["p_adjusted"] is not None
                and one["p_adjusted"] <= level,
            }
            for one in batches
        ],
        "rates": [_rate(one["batch_id"], one["overall"]) for one in batches if one["overall"]],
        "auc": [
            {
                "at": one["batch_id"],
                "auc": one["auc_roc"]["value"],
                "interval": _limits(one["auc_roc"]),
                "n": one["overall"]["n"],
            }
            for one in batches
            if one["auc_roc"]
        ],
    }


def over_time_drawings(lines: Document) -> dict[str, Drawing]:
    """Give the figures of a version over time.

    Parameters
    ----------
    lines : dict
        As `lines_over_time`.

    Returns
    -------
    dict of str to Drawing
        ``psi``, ``rates`` and ``auc``, those that there is something to draw for.
    """
    drawn = {}
    if lines["psi"]:
        drawn["psi"] = Drawing("psi_over_time", {"limit": lines["limit"], "points": lines["psi"]})
    if lines["rates"]:
        drawn["rates"] = Drawing(
            "default_rate_over_time", {"x_title": "Batch", "points": lines["rates"]}
        )
    if lines["auc"]:
        series = [{"name": lines["version"], "role": "new", "points": lines["auc"]}]
        drawn["auc"] = Drawing("auc_over_time", _auc("Batch", series))
    return drawn


def report_drawings(report: Document) -> dict[str, Drawing]:
    """Give the figures of one report.

    Parameters
    ----------
    report : dict
        A monitoring report.

    Returns
    -------
    dict of str to Drawing
        ``scores`` and ``bands``; with labels ``calibration`` and ``vintages``.
    """
    drawn = {"scores": _bins(report), "bands": _bands(report)}
    outcomes = report["outcomes"]
    if outcomes is None:
        return drawn
    judged = [line for line in outcomes["by_band"] if line["n"] and line["expected"] is not None]
    if judged:
        series = [{"name": report["version"], "role": "new", "bins": [_bin(one) for one in judged]}]
        drawn["calibration"] = Drawing("calibration", {"series": series})
    if len(outcomes["by_vintage"]) > 1:
        points = [_rate(line["vintage"], line) for line in outcomes["by_vintage"]]
        drawn["vintages"] = Drawing(
            "default_rate_over_time", {"x_title": "Scoring month", "points": points[-MOST_BATCHES:]}
        )
    return drawn


def _auc(title: str, series: list[Document]) -> Document:
    return {"x_title": title, "y_title": "AUC of the labelled", "floor": None, "series": series}


def _bins(report: Document) -> Drawing:
    bins = report["score"]["bins"]
    return _shares(
        report,
        {_range(one): one["n_expected"] for one in bins},
        {_range(one): one["n_actual"] for one in bins},
        "Score",
    )


def _bands(report: Document) -> Drawing:
    return _shares(
        report,
        {one["band"]: one["share_expected"] for one in report["bands"]},
        {one["band"]: one["share"] for one in report["bands"]},
        "Band",
    )


def _shares(
    report: Document, before: Mapping[str, float], now: Mapping[str, float], what: str
) -> Drawing:
    old, new = _as_shares(before), _as_shares(now)
    return Drawing(
        "band_shares",
        {
            "old": _REFERENCE, "new": report["batch_id"], "old_shares": old, "new_shares": new,
            "n": report["n"], "y_title": what,
        },
    )  # fmt: skip


def _as_shares(counts: Mapping[str, float]) -> dict[str, float]:
    total = sum(counts.values()) or 1
    return {name: n / total for name, n in counts.items()}


def _range(one: Mapping[str, Any]) -> str:
    low, high = one["from"], one["to"]
    if low is None and high is None:
        return str(one["label"])
    if low is None:
        return f"to {numbers.points(high)}"
    return f"above {numbers.points(low)}" if high is None else _between(low, high)


def _between(low: float, high: float) -> str:
    return f"{numbers.points(low)} to {numbers.points(high)}"


def _bin(line: Mapping[str, Any]) -> Document:
    return {
        "label": line["band"], "n": line["n"], "n_bad": line["n_bad"],
        "expected": line["expected"], "observed": line["observed"], "interval": _limits(line),
    }  # fmt: skip


def _rate(at: str, line: Mapping[str, Any]) -> Document:
    return {
        "at": at, "n": line["n"], "n_bad": line["n_bad"], "expected": line["expected"],
        "observed": line["observed"], "interval": _limits(line),
    }  # fmt: skip


def _limits(line: Mapping[str, Any]) -> list[float] | None:
    return None if line["low"] is None else [line["low"], line["high"]]
