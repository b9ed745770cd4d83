"""How well the card ranks, and whether its probabilities came true."""

from __future__ import annotations

from app.charts.tables import Column, table
from app.domain.counted import counted
from app.domain.types import Document
from app.edge import numbers
from app.findings import ranking
from app.findings.tables import evidence_tables
from app.findings.words import name_of, with_minus
from app.paper.parts import Block, Formula, Heading, Part, Section, said, section
from app.paper.sections.card import figure
from app.paper.writers import as_written, rate_interval, step

HOW = {
    "out_of_time": "Judged out of time: trained on parties scored through {cut}, tested on those "
    "scored later.",
    "cross_validation": "Judged by cross-validation: each party by a model and a card made without "
    "it.",
    "holdout": "Judged on a part held out at random, on which nothing was trained.",
}
_AUC = (
    "m bad and n good parties, x the score: the share of pairs that are ranked right, ties half. "
    "Gini = 2 AUC − 1; KS is the widest gap between the two distributions."
)
_DELONG = (
    "The error of an AUC (DeLong): variances of each party's placement among the other class, over "
    "the two numbers. Two cards are compared by the differences of placements on the same parties."
)
_FOLDS = (
    "Under cross-validation with k folds, repeated r times, the variance V of the paired "
    "difference is widened: the folds share their training rows."
)
_ALL = (
    ("auc_roc", "AUC", numbers.auc),
    ("gini", "Gini", numbers.auc),
    ("ks", "KS", numbers.auc),
    ("brier", "Brier score", numbers.auc),
    ("log_loss", "Log-loss", numbers.auc),
    ("calibration_intercept", "Calibration intercept (0 is right)", numbers.gain),
    ("calibration_slope", "Calibration slope (1 is right)", numbers.auc),
    ("accuracy", "Accuracy", numbers.rate),
    ("precision", "Precision", numbers.rate),
    ("recall", "Recall", numbers.rate),
)

_WITHIN = {None: numbers.NONE, True: "within", False: "outside"}


def validation(found: Document) -> Section:
    """Show the evidence on ranking and on probabilities.

    Parameters
    ----------
    found : dict
        The record.

    Returns
    -------
    Section
        Says what there is not.
    """
    evidence = found["review"]
    if evidence is None or evidence["discrimination"] is None:
        why = [] if evidence is None else lacking(evidence, "AUC")
        text = "No parties with outcome were used to make this version."
        return section("Validation", why or said(text), as_baseline(found))
    return section(
        "Validation",
        _how(found),
        measures_block(evidence),
        lacking(evidence, "neither card saw"),
        _costs(evidence),
        _all_measures(found),
        figure(found, "roc", "ROC figure", is_small=True),
        figure(found, "ks_new", "KS figure", is_small=True),
        _by_part(found),
        _periods(found),
        as_baseline(found),
        Heading("How the figures on ranking are made"),
        Formula("auc", _AUC),
        Formula("delong", _DELONG),
        Formula("folds", _FOLDS) if _mode(found) == "cross_validation" else None,
        Heading("Are the probabilities right"),
        _calibration(found),
    )


def lacking(evidence: Document, word: str) -> list[Part]:
    """Say what is not available of one kind, and why.

    Parameters
    ----------
    evidence : dict
        The review's evidence.
    word : str
        Part of what it is called.

    Returns
    -------
    list of Part
        One paragraph each; empty where nothing lacks.
    """
    return [
        said(f"Not available: {one['what']}. {one['why']}")
        for one in evidence["not_available"]
        if word in one["what"]
    ]


def as_baseline(found: Document) -> list[Part]:
    """Show how the version ranked where later models were judged against it.

    Parameters
    ----------
    found : dict
        The record.

    Returns
    -------
    list of Part
        Empty where no model was judged against it.
    """
    models = found["judged_as_baseline"]
    if not models:
        return []
    rows = [
        (
            one["model_id"], name_of(one["validation_mode"]), one["n_validated"],
            one["n_validated_bad"], one["baseline"]["auc_roc"], one["baseline"]["auc_roc_interval"],
            one["refined"]["auc_roc"], one["advice"],
        )
        for one in models
    ]  # fmt: skip
    columns = (
        Column("Model"), Column("Judged"), Column("Parties", numbers.count),
        Column("Bad", numbers.count), Column(f"AUC {found['version']['version']}", numbers.auc),
        Column("95 % interval", numbers.interval), Column("refined card", numbers.auc),
        Column("Advice"),
    )  # fmt: skip
    newest = models[0]
    title = (
        f"As the baseline of {newest['model_id']} it ranks with AUC "
        f"{numbers.auc(newest['baseline']['auc_roc'])} on {counted(newest['n_validated'], 'party')}"
    )
    source = "Each model's validation rows; the newest model first."
    return [Block(title, table(columns, rows), "As baseline", source)]


def _mode(found: Document) -> str | None:
    model = found["model"]
    return None if model is None else str(model["validation"]["mode"])


def _how(found: Document) -> list[Part]:
    evidence, model = found["review"], found["model"]
    source = evidence["discrimination"]["source"]
    parts: list[Part] = []
    if model is not None:
        judged = model["validation"]
        parts.append(said(HOW[judged["mode"]].format(cut=judged.get("cut"))))
        parts.append(
            said(
                "The whole procedure, calibration, choice of τ, fit, guard-rails and step back, "
                "runs inside each training part and is judged on rows that part never saw."
            )
        )
        if judged["why_not_out_of_time"]:
            parts.append(said(f"Not out of time: {judged['why_not_out_of_time']}."))
    parts.append(said(f"Cards: {source['cards']}. Rows: {source['rows']}."))
    return parts


def measures_block(evidence: Document) -> Block:
    """Set the measures of both cards side by side.

    Parameters
    ----------
    evidence : dict
        The review's evidence, with ``discrimination``.

    Returns
    -------
    Block
        With intervals.
    """
    old, new = (evidence[side]["version"] for side in ("old", "new"))
    rows = [
        (
            one["name"], one["old"][0], one["old"][1], one["new"][0], one["new"][1],
            one["difference"], one["difference_interval"],
        )
        for one in evidence_tables(evidence)["measures"]
    ]  # fmt: skip
    columns = (
        Column("Measure"), Column(old, numbers.auc), Column("95 % interval", numbers.interval),
        Column(new, numbers.auc), Column("95 % interval ", numbers.interval),
        Column("Difference", numbers.gain), Column("Its 95 % interval", numbers.interval),
    )  # fmt: skip
    found = evidence["discrimination"]
    source = (
        f"{counted(found['n_parties'], 'party')}, {numbers.count(found['n_bad'])} bad; the same "
        "rows for both cards. Of the differences only that of AUC has an interval."
    )
    return Block(ranking.of_spread(found), table(columns, rows), "Measures", source)


def _costs(evidence: Document) -> list[Part]:
    figures = evidence["figures"]
    if figures is None:
        return []
    return [said(f"{say(figures)}.") for say in (ranking.of_headroom, ranking.of_guard_rails)]


def _all_measures(found: Document) -> Block | None:
    if found["model"] is None:
        return None
    metrics = found["model"]["metrics"]
    sides = (metrics, metrics["refined"], metrics["baseline"])
    rows = [
        (name, *(with_minus(write(side.get(key))) for side in sides)) for key, name, write in _ALL
    ]
    raw = [(name, *(side.get(key) for side in sides)) for key, name, _ in _ALL]
    names = ("Model itself", "Refined card", found["model"]["base_version"])
    columns = (Column("Measure"), *(Column(name, as_written) for name in names))
    plain = (Column("Measure"), *(Column(name, numbers.auc) for name in names))
    source = (
        "Mean over the validation's test parts. Accuracy, precision and recall at P(bad) at or "
        "above the training part's bad rate."
    )
    return Block(
        "Every measure that was registered", table(columns, rows), "All measures", source,
        raw=table(plain, raw),
    )  # fmt: skip


def _by_part(found: Document) -> Block | None:
    if found["model"] is None or len(found["model"]["validation"]["folds"]) <= 1:
        return None
    parts = found["model"]["validation"]["folds"]
    rows = [
        (
            f"{one['repeat'] + 1}.{one['fold'] + 1}", one["n_train"], one["n_test"], one["tau"],
            one["t"], *(one["auc_roc"][name] for name in ("model", "refined", "baseline")),
        )
        for one in parts
    ]  # fmt: skip
    better = sum(one["auc_roc"]["refined"] > one["auc_roc"]["baseline"] for one in parts)
    columns = (
        Column("Test part"), Column("Rows trained", numbers.count),
        Column("tested", numbers.count), Column("τ", step), Column("t", step),
        Column("AUC model", numbers.auc), Column("refined", numbers.auc),
        Column("baseline", numbers.auc),
    )  # fmt: skip
    title = f"The refined card ranks better in {better} of {counted(len(parts), 'test part')}"
    return Block(title, table(columns, rows), "Test parts", "Repeat and fold.")


def _periods(found: Document) -> list[Part]:
    periods = found["review"]["periods"]
    if not periods or len(periods["periods"]) <= 1:
        return []
    rows = [
        (
            one["name"], one["n"], one["n_bad"],
            *((one[side] or {}).get("auc_roc") for side in ("old", "new")),
            (one["difference"] or {}).get("value"), (one["difference"] or {}).get("interval"),
        )
        for one in periods["periods"]
    ]  # fmt: skip
    old, new = (found["review"][side]["version"] for side in ("old", "new"))
    columns = (
        Column("Scored"), Column("Parties", numbers.count), Column("Bad", numbers.count),
        Column(f"AUC {old}", numbers.auc), Column(new, numbers.auc),
        Column("Difference", numbers.gain), Column("95 % interval", numbers.interval),
    )  # fmt: skip
    shown = figure(found, "periods", "Periods figure")
    block = Block(f"Ranking by scoring {periods['period']}", table(columns, rows), "Periods")
    return [block] if shown is None else [shown, block]


def _calibration(found: Document) -> list[Part]:
    calibration = found["review"]["calibration"]
    if not calibration:
        return [said("There are no parties with outcome to hold the probabilities against.")]
    shown = figure(found, "calibration_bands", "Calibration figure", is_small=True)
    block = calibration_block(found["review"])
    tenths = figure(found, "calibration", "Calibration by tenths", is_small=True)
    return [one for one in (shown, tenths, block) if one is not None]


def calibration_block(evidence: Document) -> Block:
    """Set predicted and observed default rates side by side, by band.

    Parameters
    ----------
    evidence : dict
        The review's evidence, with ``calibration``.

    Returns
    -------
    Block
        The best band first.
    """
    found, new = evidence["calibration"], evidence["new"]["version"]
    rows = [
        (
            name_of(one["band"]), one["n"], one["n_bad"], one["predicted"], one["bad_rate"],
            one["bad_rate_interval"], _WITHIN[one["is_within"]],
        )
        for one in reversed(found["new"]["bands"])
    ]  # fmt: skip
    rows.append(
        ("all", found["n"], found["n_bad"], found["new"]["predicted"], found["bad_rate"],
         found["bad_rate_interval"], "")
    )  # fmt: skip
    columns = (
        Column("Band"), Column("Parties", numbers.count), Column("Bad", numbers.count),
        Column("Predicted", numbers.rate), Column("Observed", numbers.rate),
        Column("95 % interval", rate_interval), Column("Prediction"),
    )  # fmt: skip
    title = f"{new}: predicted default rate beside what came true, by band"
    return Block(title, table(columns, rows), "Calibration", "Intervals by Wilson.")
