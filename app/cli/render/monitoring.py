"""A monitoring report for a person: the finding first, then the figures behind it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from rich.console import RenderableType

from app.cli.render.tables import bullets, next_step, sentence, table
from app.domain.counted import counted
from app.edge import numbers

if TYPE_CHECKING:
    from app.domain.types import Document


def due(result: Document) -> Iterator[RenderableType]:
    """Show the reports that were due.

    Parameters
    ----------
    result : dict
        What ``monitor_due`` returned.

    Yields
    ------
    RenderableType
        Parts to print in order.
    """
    reports, failures = result["reports"], result["failures"]
    yield sentence(_due_sentence(reports, failures), "bold")
    if reports:
        rows = [
            (
                line["batch_id"], line["version"], line["cause"], numbers.count(line["n"]),
                numbers.auc(line["psi"]), numbers.count(line["n_labelled"]),
                numbers.count(line["n_alerts"]), line["sentence"],
            )
            for line in reports
        ]  # fmt: skip
        headers = (
            "batch", "version", "because", "parties>", "PSI>", "labelled>", "alerts>", "finding",
        )  # fmt: skip
        yield table("Reports", headers, rows)
    yield from bullets("Failed", [f"{one['batch_id']}: {one['message']}" for one in failures])
    if any(line["n_alerts"] for line in reports):
        yield next_step("chancellor alerts list")


def _due_sentence(reports: list[Document], failures: list[Document]) -> str:
    if not reports and not failures:
        return "Nothing is due: no scored batch has news that a report does not know."
    n_alerts = sum(line["n_alerts"] for line in reports)
    made = counted(len(reports), "report was made", "reports were made")
    failed = f", {counted(len(failures), 'report')} failed" if failures else ""
    return f"{made}{failed}; {counted(n_alerts, 'alert')}."


def report(result: Document) -> Iterator[RenderableType]:
    """Show one report.

    Parameters
    ----------
    result : dict
        What ``monitor`` returned.

    Yields
    ------
    RenderableType
        Parts to print in order.
    """
    finding, *others = result["sentences"]
    yield sentence(finding, "bold")
    yield from bullets("Keep in mind", others)
    yield sentence(_against(result), "dim")
    yield _movement(result)
    yield _bands(result)
    if result["outcomes"] is not None:
        yield from _outcomes(result["outcomes"])
    if result["challengers"]:
        yield _challengers(result["challengers"])
    if result["alerts"]:
        yield next_step("chancellor alerts list")


def _against(result: Document) -> str:
    reference = result["reference"]
    batches = ", ".join(reference["batch_ids"])
    return (
        f"Report {result['report_id']}: {counted(result['n'], 'party')} of {result['batch_id']} "
        f"under {result['version']}, against {counted(reference['n'], 'party')} of {batches} "
        f"({reference['kind']})."
    )


def _movement(result: Document) -> RenderableType:
    lines = [{"feature": "score", **result["score"]}, *result["features"]]
    rows = [
        (
            line["feature"],
            numbers.auc(line["psi"]),
            numbers.auc(line["quantile"]),
            numbers.p_value(line["p_adjusted"]),
            numbers.rate(line.get("missing_rate_expected")),
            numbers.rate(line.get("missing_rate")),
            numbers.count(line.get("n_new")),
        )
        for line in lines
    ]
    headers = (
        "what", "PSI>", "by chance up to>", "adjusted p>", "missing before>", "missing now>",
        "new values>",
    )  # fmt: skip
    return table(_largest(lines), headers, rows)


def _largest(lines: list[Document]) -> str:
    moved = max(lines, key=lambda line: float(line["psi"]))
    return f"{moved['feature']} moved most: PSI {numbers.auc(moved['psi'])}"


def _bands(result: Document) -> RenderableType:
    rows = [
        (
            line["band"],
            numbers.rate(line["share_expected"]),
            numbers.rate(line["share"]),
            numbers.percentage_points(line["share"] - line["share_expected"]),
        )
        for line in result["bands"]
    ]
    shift = sum(abs(line["share"] - line["share_expected"]) for line in result["bands"]) / 2
    title = f"{numbers.rate(shift)} of the parties lie in another band than before, net"
    return table(title, ("band", "before>", "now>", "change in points>"), rows)


def _outcomes(outcomes: Document) -> Iterator[RenderableType]:
    yield table(
        _ranking_title(outcomes), ("measure", "value>", "95 % interval>"), _ranking(outcomes)
    )
    lines = [{"band": "all", **outcomes["overall"]}, *outcomes["by_band"]]
    rows = [(line["band"], *_rates(line), numbers.p_value(line["p_adjusted"])) for line in lines]
    headers = ("band", "labelled>", "bad>", "expected>", "observed>", "95 % interval>",
               "Jeffreys p>", "adjusted p>")  # fmt: skip
    yield table(_calibration_title(outcomes), headers, rows, source=_labels(outcomes))
    yield sentence(
        "Jeffreys p takes the expected rate as known. The adjusted p, by which alerts go, knows "
        "how sure the calibration is, and counts every comparison of the report."
    )
    if len(outcomes["by_vintage"]) > 1:
        rows = [(line["vintage"], *_rates(line), _value(line["auc_roc"]))
                for line in outcomes["by_vintage"]]  # fmt: skip
        headers = ("scored in", *headers[1:7], "AUC>")
        yield table("By the month or year of scoring", headers, rows)


def _labels(outcomes: Document) -> str:
    days, through = outcomes["observation_window_days"], outcomes["data_through"]
    window = f" within {counted(days, 'day')}" if days and through else ""
    known = f", outcomes through {numbers.day(through)}" if through else ""
    return f"{outcomes['outcome_type']}{window}{known}; label set {outcomes['label_set_id']}"


def _rates(line: Document) -> tuple[str, ...]:
    limits = (line["low"], line["high"])
    interval = numbers.NONE
    if line["low"] is not None:
        interval = " to ".join(numbers.rate(end).removesuffix(" %") for end in limits) + " %"
    return (
        numbers.count(line["n"]),
        numbers.count(line["n_bad"]),
        numbers.rate(line["expected"]),
        numbers.rate(line["observed"]),
        interval,
        numbers.p_value(line["jeffreys_p"]),
    )


def _ranking_title(outcomes: Document) -> str:
    before = outcomes["auc_reference"]
    now = f"AUC {_value(outcomes['auc_roc'])}"
    return now if before is None else f"{now}, before {numbers.auc(before)}"


def _calibration_title(outcomes: Document) -> str:
    overall = outcomes["overall"]
    observed = f"{numbers.rate(overall['observed'])} turned bad"
    if overall["expected"] is None:
        return observed
    return f"{observed}, expected were {numbers.rate(overall['expected'])}"


def _ranking(outcomes: Document) -> Iterable[tuple[str, str, str]]:
    calibration = outcomes["calibration"] or {}
    measures = (
        ("AUC", outcomes["auc_roc"]), ("Gini", outcomes["gini"]), ("KS", outcomes["ks"]),
        ("calibration intercept (0 is right)", calibration.get("intercept")),
        ("calibration slope (1 is right)", calibration.get("slope")),
    )  # fmt: skip
    for name, found in measures:
        limits = None if found is None else (found["low"], found["high"])
        yield name, _value(found), numbers.interval(limits)


def _value(found: Document | None) -> str:
    return numbers.NONE if found is None else numbers.auc(found["value"])


def _challengers(challengers: list[Document]) -> RenderableType:
    rows = []
    for line in challengers:
        gained = line["auc_difference"]
        limits = None if gained is None else (gained["low"], gained["high"])
        rows.append(
            (
                line["version"], numbers.count(line["n"]), numbers.auc(line["score_correlation"]),
                numbers.points(line["mean_score"]["new"]), numbers.rate(line["agreement"]),
                _value(line["auc_roc"]), numbers.gain(None if gained is None else gained["value"]),
                numbers.interval(limits),
            )
        )  # fmt: skip
    headers = (
        "version", "parties>", "correlation>", "mean score>", "same band>", "AUC>",
        "AUC less the active one's>", "95 % interval>",
    )  # fmt: skip
    return table("Challengers on the same parties; they decide nothing", headers, rows)
