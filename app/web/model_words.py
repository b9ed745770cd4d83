"""What the desk says about models: the finding above each figure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from app.charts.modelled import MOST_MODELS
from app.domain.counted import counted
from app.edge import numbers

HOW_JUDGED = {
    "out_of_time": "on parties scored later than those it was trained on",
    "cross_validation": "by cross-validation, on parties left out in turn",
    "holdout": "on parties held out at random",
}
"""How each way of validation judges, in words."""


def models_title(models: Sequence[Mapping[str, Any]]) -> str:
    """Say how the newest model ranks: the title of the list.

    Parameters
    ----------
    models : sequence of mapping
        As ``ModelOverview.list_models`` gives them, newest first.

    Returns
    -------
    str
        One sentence without its full stop.

    Examples
    --------
    >>> models_title([])
    'There is no model yet'
    """
    if not models:
        return "There is no model yet"
    newest = models[0]
    aucs = newest["aucs"]
    return (
        f"The newest model ranks with AUC {numbers.auc(aucs['model']['auc'])}, its refined card "
        f"with {numbers.auc(aucs['refined']['auc'])}, {newest['base_version']} with "
        f"{numbers.auc(aucs['baseline']['auc'])}"
    )


def aucs_title(models: Sequence[Mapping[str, Any]]) -> str:
    """Say how many refined cards rank better than their baseline for sure.

    Parameters
    ----------
    models : sequence of mapping
        As ``ModelOverview.list_models`` gives them, newest first; those that are drawn count.

    Returns
    -------
    str
        One sentence without its full stop.

    Examples
    --------
    >>> aucs_title([{"gain_interval": [0.01, 0.03]}, {"gain_interval": [-0.01, 0.03]}])
    '1 of the newest 2 models has a refined card that clearly ranks better than its baseline'
    """
    shown = models[:MOST_MODELS]
    n = sum(one["gain_interval"] is not None and one["gain_interval"][0] > 0 for one in shown)
    if len(shown) == 1:
        clearly = "clearly ranks" if n else "does not clearly rank"
        return f"The refined card {clearly} better than its baseline"
    has = "has a refined card that clearly ranks" if n == 1 else (
        "have a refined card that clearly ranks"
    )  # fmt: skip
    return f"{n or 'None'} of the newest {len(shown)} models {has} better than its baseline"


def metrics_title(model: Mapping[str, Any]) -> str:
    """Say what the refined card gains; after earlier looks as the advice's wider interval has it.

    Parameters
    ----------
    model : mapping
        As the registry describes it.

    Returns
    -------
    str
        One sentence without its full stop.

    Examples
    --------
    >>> found = {"base_version": "v1", "metrics": {"gain": 0.02, "gain_interval": [0.001, 0.039]},
    ...          "validation": {"advice": {"n_looks": 2, "interval": [-0.003, 0.043]}}}
    >>> metrics_title(found)
    'After 2 earlier looks the refined card does not clearly rank better than v1: gain +0.020 AUC, \
95 % interval 0.001 to 0.039'
    """
    metrics, advice = model["metrics"], model["validation"]["advice"]
    low, high = metrics["gain_interval"] or (None, None)
    n_looks = advice["n_looks"]
    if low is not None and low > 0 and n_looks and not (advice["interval"][0] or 0) > 0:
        said = f"After {counted(n_looks, 'earlier look')} the refined card does not clearly rank "
        said += "better than"
    elif low is not None and low > 0:
        said = "The refined card ranks better than"
    elif high is not None and high < 0:
        said = "The refined card ranks worse than"
    else:
        said = "The refined card ranks neither clearly better nor clearly worse than"
    return (
        f"{said} {model['base_version']}: gain {numbers.gain(metrics['gain'])} AUC, 95 % interval "
        f"{numbers.interval(metrics['gain_interval'])}"
    )


def roc_title(model: Mapping[str, Any]) -> str:
    """Say how the three rank on the same rows.

    Parameters
    ----------
    model : mapping
        As the registry describes it.

    Returns
    -------
    str
        One sentence without its full stop.
    """
    metrics, n = model["metrics"], model["validation"]["n_validated"]
    return (
        f"On {counted(n, 'party')} never seen the model reaches AUC "
        f"{numbers.auc(metrics['auc_roc'])}, the refined card "
        f"{numbers.auc(metrics['refined']['auc_roc'])}, {model['base_version']} "
        f"{numbers.auc(metrics['baseline']['auc_roc'])}"
    )


def spread_title(name: str, spread: Mapping[str, Any]) -> str:
    """Say where a card holds bads and goods furthest apart.

    Parameters
    ----------
    name : str
        Of the card.
    spread : mapping
        Of its scores, as ``score_distributions`` gives it.

    Returns
    -------
    str
        One sentence without its full stop.

    Examples
    --------
    >>> spread_title("v1", {"gap": 0.4, "gap_at": 583.2, "points": [[583.2, 0.7, 0.3]]})
    'Under v1 70.0 % of the bad and 30.0 % of the good score 583 or less'
    """
    bad, good = next((b, g) for at, b, g in spread["points"] if at == spread["gap_at"])
    return (
        f"Under {name} {numbers.rate(bad)} of the bad and {numbers.rate(good)} of the good score "
        f"{numbers.points(spread['gap_at'])} or less"
    )


def calibration_title(found: Mapping[str, Any]) -> str:
    """Say whether the model's probabilities came true.

    Parameters
    ----------
    found : mapping
        As ``calibration_tables`` gives it, the model as ``new``.

    Returns
    -------
    str
        One sentence without its full stop.

    Examples
    --------
    >>> calibration_title({"bad_rate": 0.165, "new": {"predicted": 0.155, "bins": [
    ...     {"is_within": True}, {"is_within": False}]}})
    'The model expects 15.5 % bad and 16.5 % came true; within the interval in 1 of 2 groups'
    """
    inside = [line["is_within"] for line in found["new"]["bins"]]
    return (
        f"The model expects {numbers.rate(found['new']['predicted'])} bad and "
        f"{numbers.rate(found['bad_rate'])} came true; within the interval in {sum(inside)} of "
        f"{counted(len(inside), 'group')}"
    )


def weights_title(weights: Mapping[str, Mapping[str, Any]]) -> str:
    """Say which weight the model would move furthest from the expert's.

    Parameters
    ----------
    weights : mapping
        As ``weights_on_the_card`` gives them.

    Returns
    -------
    str
        One sentence without its full stop.

    Examples
    --------
    >>> weights_title({"age": {"model_weight": 30.0, "expert_weight": 20.0,
    ...     "interval": [25.0, 35.0]}})
    'The model weighs age 30.00 (25.00 to 35.00), the expert 20.00: the furthest apart'
    """
    known = {
        name: one
        for name, one in weights.items()
        if one["model_weight"] is not None and one["expert_weight"] is not None
    }
    if not known:
        return "The model gives no weight to any feature"
    name = max(known, key=lambda one: abs(known[one]["model_weight"] - known[one]["expert_weight"]))
    one = known[name]
    return (
        f"The model weighs {name} {numbers.weight(one['model_weight'])} "
        f"({numbers.interval(one['interval'], 2)}), the expert "
        f"{numbers.weight(one['expert_weight'])}: the furthest apart"
    )
