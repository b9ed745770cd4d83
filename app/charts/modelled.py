"""The charts of models, from what the service measures of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from app.charts.catalogue import Drawing
from app.domain.types import Document

MOST_MODELS = 12
"""As many as can be told apart on a narrow screen; the table has them all."""

_ROLES = {"model": "other", "refined": "new", "baseline": "old"}
_NAMES = {"model": "model", "refined": "refined card", "baseline": "baseline"}


def models_drawing(models: Sequence[Mapping[str, Any]], floor: float) -> Drawing:
    """Draw how models ranked over time.

    Parameters
    ----------
    models : sequence of mapping
        As ``ModelOverview.list_models`` gives them, newest first.
    floor : float
        The least AUC that the policy asks for.

    Returns
    -------
    Drawing
        The newest twelve, oldest on the left.
    """
    shown = list(reversed(models[:MOST_MODELS]))
    series = [
        {
            "name": _NAMES[judged],
            "role": role,
            "points": [
                {"at": one["model_id"], "n": one["n_validated"], **one["aucs"][judged]}
                for one in shown
            ],
        }
        for judged, role in _ROLES.items()
    ]
    title = "Model, by the time of training"
    return Drawing("auc_over_time", {"x_title": title, "floor": floor, "series": series})


def model_drawings(curves: Mapping[str, Any], baseline: str) -> dict[str, Drawing]:
    """Draw the curves of a model on rows that it never saw.

    Parameters
    ----------
    curves : mapping
        As ``ModelOverview.curves`` gives them.
    baseline : str
        Name of the baseline's version.

    Returns
    -------
    dict of str to Drawing
        ``roc``, ``ks_refined``, ``ks_baseline`` and ``calibration``.
    """
    names = {**_NAMES, "baseline": baseline}
    roc = [
        {"name": names[judged], "role": role, "auc": curves["roc"][judged]["auc_roc"],
         "points": curves["roc"][judged]["points"]}
        for judged, role in _ROLES.items()
    ]  # fmt: skip
    found = {"roc": Drawing("roc", {"curves": roc})}
    for judged in ("refined", "baseline"):
        spread = curves["distributions"][judged]
        points = [[score, good, bad] for score, bad, good in spread["points"]]
        found[f"ks_{judged}"] = Drawing(
            "ks",
            {"version": f"the {names[judged]}" if judged == "refined" else baseline,
             "points": points, "ks": spread["gap"], "at": spread["gap_at"]},
        )  # fmt: skip
    tables = curves["calibration"]
    series = [
        {"name": name, "role": side,
         "bins": [_bin(line, place) for place, line in enumerate(tables[side]["bins"], 1)]}
        for side, name in (("old", baseline), ("new", "model"))
    ]  # fmt: skip
    return {**found, "calibration": Drawing("calibration", {"series": series})}


def weights_drawing(model_id: str, weights: Mapping[str, Mapping[str, Any]]) -> Drawing:
    """Draw the model's weights with their intervals beside the expert's.

    Parameters
    ----------
    model_id : str
        The model.
    weights : mapping
        As ``weights_on_the_card`` gives them; those without a weight are left out.

    Returns
    -------
    Drawing
        One line per feature.
    """
    features = {
        name: {key: one[key] for key in ("model_weight", "interval", "expert_weight")}
        for name, one in weights.items()
        if one["model_weight"] is not None and one["expert_weight"] is not None
    }
    return Drawing("coefficients", {"model": model_id, "features": features})


def _bin(line: Mapping[str, Any], place: int) -> Document:
    return {
        "label": str(place),
        "n": line["n"],
        "n_bad": line["n_bad"],
        "expected": line["predicted"],
        "observed": line["bad_rate"],
        "interval": line["bad_rate_interval"],
    }
