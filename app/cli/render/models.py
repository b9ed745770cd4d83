"""What a model looks like: its advice first, then metrics, gates and lineage."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rich.console import RenderableType

from app.cli.render.gates import blocking_sentences, gate_table
from app.cli.render.over_time import over_time
from app.cli.render.tables import Figure, bullets, next_step, pairs, sentence, table
from app.domain.blocking import blocking_failures
from app.domain.counted import counted
from app.edge import numbers

if TYPE_CHECKING:
    from app.domain.types import Document

MODES = {
    "out_of_time": "out of time",
    "cross_validation": "cross-validation, 5-fold, repeated twice",
    "holdout": "one 30 % holdout",
}
_MAX_FEATURES = 20


def trained(result: Document) -> Iterator[RenderableType]:
    """Show a model that was just trained.

    Parameters
    ----------
    result : dict
        What ``train_model`` returned.

    Yields
    ------
    RenderableType
        Parts to print in order.
    """
    yield advice_line(result)
    yield from judged(result)
    yield gate_table(result["gates"])
    yield from bullets("Not passed", blocking_sentences(result["gates"]))
    yield importance_table(result["feature_importance"])
    yield from over_time(result["validation"])
    yield from bullets("Keep in mind", [*result["warnings"], *result["validation"]["limits"]])
    yield from _after_training(result)


def judged(result: Document) -> Iterator[RenderableType]:
    """Show what the judgement on unseen parties said.

    Parameters
    ----------
    result : dict
        What ``train_model`` returned.

    Yields
    ------
    RenderableType
        Parts to print in order.
    """
    yield sentence(_where_judged(result))
    yield metrics_table(result["metrics"])
    yield from _leftovers(result["metrics"])


def shown(result: Document) -> Iterator[RenderableType]:
    """Show one model of the registry with coefficients and lineage.

    Parameters
    ----------
    result : dict
        What ``get_model`` returned.

    Yields
    ------
    RenderableType
        Parts to print in order.
    """
    yield from trained(result)
    yield coefficient_table(result["parameters"])
    yield pairs(
        "Lineage",
        {
            "model": f"{result['model_id']} ({result['model_type']}), {result['status']}",
            "trained": f"{numbers.moment(result['created_at'])} by {result['created_by']}",
            "batches": ", ".join(result["batch_ids"]),
            "label sets": ", ".join(str(number) for number in result["label_set_ids"]),
            "baseline": result["base_version"],
            "policy": f"{result['policy_id']} ({numbers.short_hash(result['policy_hash'])})",
            "seed": result["seed"],
            "input hash": result["input_hash"],
            "content hash": result["content_hash"],
            "validated rows": result["validation_hash"],
            "libraries": ", ".join(
                f"{name} {version}" for name, version in result["library_versions"].items()
            ),
        },
    )


def listed(result: Sequence[Document]) -> Iterator[RenderableType]:
    """Show the registry.

    Parameters
    ----------
    result : sequence of dict
        What ``list_models`` returned.

    Yields
    ------
    RenderableType
        A table, or how to get the first model.
    """
    if not result:
        yield sentence("There is no model yet.")
        yield next_step("chancellor train BATCH")
        return
    rows = [
        (
            model["model_id"],
            model["advice"],
            model["status"].replace("_", " "),
            numbers.auc(model["auc_roc"]),
            numbers.gain(model["gain"]),
            str(model["validation_mode"]).replace("_", " "),
            model["base_version"],
            ", ".join(model["batch_ids"]),
            numbers.moment(model["created_at"]),
        )
        for model in result
    ]
    columns = (
        "model", "advice", "status", "AUC>", "gain>", "validation", "baseline", "batches",
        "trained",
    )  # fmt: skip
    yield table("Models, newest first", columns, rows)


def advice_line(result: Document) -> RenderableType:
    """Build the sentence that comes first: what the adviser advises, and why.

    Parameters
    ----------
    result : dict
        ``advice`` and ``advice_sentence``.

    Returns
    -------
    RenderableType
        A bold line.
    """
    return sentence(advice_words(result), "bold")


def advice_words(result: Document) -> str:
    """Say what the adviser advises, and why.

    Parameters
    ----------
    result : dict
        ``advice`` and ``advice_sentence``.

    Returns
    -------
    str
        A sentence that begins with the advice.

    Examples
    --------
    >>> advice_words({"advice": "wait", "advice_sentence": "Wait: the gain is not yet clear."})
    'Wait: the gain is not yet clear.'
    >>> advice_words({"advice": "keep", "advice_sentence": "Nothing moves."})
    'Keep: Nothing moves.'
    """
    advice, words = str(result["advice"]), str(result["advice_sentence"])
    return words if words.lower().startswith(advice) else f"{advice.capitalize()}: {words}"


def metrics_table(metrics: Document) -> Figure:
    """Build the table of metrics: model, refined card and baseline on the same rows.

    Parameters
    ----------
    metrics : dict
        The model's at the top, ``refined`` and ``baseline`` below; gains with intervals.

    Returns
    -------
    Figure
        One row per judged card.
    """
    judged = {"model": metrics, "refined card": metrics["refined"], "baseline": metrics["baseline"]}
    gains = {
        "model": (metrics["model_gain"], metrics["model_gain_interval"]),
        "refined card": (metrics["gain"], metrics["gain_interval"]),
    }
    rows = []
    for name, of_card in judged.items():
        gain, limits = gains.get(name, (None, None))
        rows.append(
            (
                name,
                numbers.auc(of_card["auc_roc"]),
                numbers.interval(of_card["auc_roc_interval"]),
                numbers.gain(gain),
                numbers.interval(limits),
                *(numbers.auc(of_card[metric]) for metric in ("gini", "ks", "brier", "log_loss")),
            )
        )
    columns = (
        "", "AUC>", "95 % interval>", "gain>", "95 % interval>", "Gini>", "KS>", "Brier>",
        "log loss>",
    )  # fmt: skip
    return table("On parties never seen, all three on the same rows", columns, rows)


def importance_table(importance: Document) -> Figure:
    """Build the table of feature importance.

    Parameters
    ----------
    importance : dict
        Share per feature, summing to 1.

    Returns
    -------
    Figure
        The largest first, at most 20.
    """
    ranked = sorted(importance.items(), key=lambda item: -item[1])[:_MAX_FEATURES]
    rows = [(name, numbers.rate(share)) for name, share in ranked]
    return table("Share of the model's spread, per feature", ("feature", "share>"), rows)


def coefficient_table(parameters: Document) -> Figure:
    """Build the table of coefficients, with what the data alone say beside them.

    Parameters
    ----------
    parameters : dict
        Fitted parameters in the order of ``features``.

    Returns
    -------
    Figure
        Log-odds per unit of goodness.
    """
    alone = parameters["data_only"]
    rows = [
        (
            name,
            numbers.weight(parameters["coefficients"][number]),
            numbers.weight(parameters["standard_errors"][number]),
            numbers.weight(alone["coefficients"][number]),
            numbers.weight(alone["standard_errors"][number]),
        )
        for number, name in enumerate(parameters["features"])
    ]
    columns = ("feature", "coefficient>", "std. error>", "data alone>", "std. error>")
    title = f"Coefficients, log-odds per unit of goodness (tau {parameters['tau']:g})"
    return table(title, columns, rows)


def _where_judged(result: Document) -> str:
    validation = result["validation"]
    mode = MODES.get(validation["mode"], validation["mode"])
    if "cut" in validation:
        mode += (
            f", trained on parties scored through {validation['cut']}, judged on those scored later"
        )
    return (
        f"{result['model_id']} refines {result['base_version']} on "
        f"{counted(result['n_labelled'], 'labelled party')} "
        f"({numbers.count(result['n_bad'])} bad); judged on "
        f"{numbers.count(validation['n_validated'])} "
        f"({numbers.count(validation['n_validated_bad'])} bad): {mode}."
    )


def _leftovers(metrics: Document) -> Iterator[RenderableType]:
    """Say in one line each what the guard-rails cost and what the card's form leaves."""
    cost = numbers.gain(metrics["guardrail_cost"])
    yield sentence(f"Guard-rail cost: {cost} AUC (model less refined card).")
    room = metrics["headroom"]
    if any(value is not None for value in room.values()):
        yield sentence(
            f"Headroom: {numbers.gain(room['goodness'])} AUC for a flexible model on the card's "
            f"transforms, {numbers.gain(room['raw'])} on the raw features."
        )


def _after_training(result: Document) -> Iterator[RenderableType]:
    if blocking_failures(result["gates"]):
        yield sentence("A gate failed: this model makes no draft.", "red")
    elif result["advice"] == "keep":
        yield sentence("There is nothing to draft; --despite-advice drafts it all the same.")
        yield next_step(f"chancellor refine {result['model_id']} --despite-advice")
    else:
        yield next_step(f"chancellor refine {result['model_id']}")
