"""The charts of a review, from the evidence that the service computes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.charts.catalogue import Drawing
from app.domain.fairness import headline_cut_off
from app.domain.types import Document

_SIDES = ("old", "new")


def review_drawings(evidence: Mapping[str, Any]) -> dict[str, Drawing]:
    """Choose what a review shows.

    Parameters
    ----------
    evidence : mapping
        As `app.services.review_evidence.review_evidence` gives it.

    Returns
    -------
    dict of str to Drawing
        ``weights``, and where there is evidence for them ``roc``, ``ks_old``, ``ks_new``,
        ``calibration`` (by tenths), ``calibration_bands``, ``periods``, ``shift``,
        ``band_shares``, ``migration``, ``path`` and `fairness_drawings`.
    """
    names = {side: str(evidence[side]["version"]) for side in _SIDES}
    found = {"weights": Drawing("dumbbell", {**names, "features": evidence["features"]})}
    if evidence.get("roc"):
        found |= _ranking(evidence, names)
    if evidence.get("calibration"):
        found |= _probabilities(evidence["calibration"], names)
    if evidence.get("shift"):
        found["shift"] = Drawing("score_shift", _shift(evidence["shift"], names))
    if evidence.get("movement"):
        found |= _movement(evidence["movement"], names)
    if evidence.get("path"):
        found["path"] = Drawing("path", _path(evidence["path"], evidence["gates"]))
    return found | fairness_drawings(evidence.get("fairness"))


def fairness_drawings(fairness: Mapping[str, Any] | None) -> dict[str, Drawing]:
    """Draw approval by group, one figure per column.

    Parameters
    ----------
    fairness : mapping or None
        As ``FairnessService.compare_groups`` gives it.

    Returns
    -------
    dict of str to Drawing
        ``groups_0``, ``groups_1``, ... in the order of the columns.
    """
    found: dict[str, Drawing] = {}
    if fairness is None:
        return found
    for place, column in enumerate(fairness["columns"]):
        cut_off = headline_cut_off(column)
        if cut_off is not None:
            found[f"groups_{place}"] = Drawing(
                "group_approval",
                {"old": fairness["old"], "new": fairness["new"], "column": column["column"],
                 "least": fairness["min_impact_ratio"], "cut_off": cut_off},
            )  # fmt: skip
    return found


def _ranking(evidence: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Drawing]:
    curves = [
        {"name": names[side], "role": side, "auc": evidence["roc"][side]["auc_roc"],
         "points": evidence["roc"][side]["points"]}
        for side in _SIDES
    ]  # fmt: skip
    found = {"roc": Drawing("roc", {"curves": curves})}
    for side in _SIDES:
        spread = evidence["distributions"][side]
        points = [[score, good, bad] for score, bad, good in spread["points"]]
        document = {"version": names[side], "points": points, "ks": spread["gap"],
                    "at": spread["gap_at"]}  # fmt: skip
        found[f"ks_{side}"] = Drawing("ks", document)
    series = [
        {"name": names[side], "role": side,
         "points": [_period(one, side) for one in evidence["periods"]["periods"] if one.get(side)]}
        for side in _SIDES
    ]  # fmt: skip
    if any(one["points"] for one in series):
        title = f"Scoring {evidence['periods']['period']}"
        document = {"x_title": title, "floor": None, "series": series}
        found["periods"] = Drawing("auc_over_time", document)
    return found


def _period(period: Mapping[str, Any], side: str) -> Document:
    measured = period[side]
    return {
        "at": period["name"],
        "auc": measured["auc_roc"],
        "interval": measured["auc_roc_interval"],
        "n": period["n"],
    }


def _probabilities(calibration: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Drawing]:
    found = {}
    for name, table in (("calibration", "bins"), ("calibration_bands", "bands")):
        series = [
            {"name": names[side], "role": side,
             "bins": [_bin(line, place) for place, line in enumerate(calibration[side][table], 1)
                      if line["n"]]}
            for side in _SIDES
        ]  # fmt: skip
        found[name] = Drawing("calibration", {"series": series})
    return found


def _bin(line: Mapping[str, Any], place: int) -> Document:
    return {
        "label": line.get("band", str(place)),
        "n": line["n"],
        "n_bad": line["n_bad"],
        "expected": line["predicted"],
        "observed": line["bad_rate"],
        "interval": line["bad_rate_interval"],
    }


def _shift(shift: Mapping[str, Any], names: Mapping[str, str]) -> Document:
    return {
        **names,
        "bins": [[part["from"], part["to"], part["n"]] for part in shift["bins"]],
        "n_lower": shift["n_down"],
        "n_same": shift["n_same"],
        "n_higher": shift["n_up"],
        "mean": shift["mean"],
    }


def _movement(movement: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Drawing]:
    shares = {f"{side}_shares": movement["band_shares"][side] for side in _SIDES}
    return {
        "band_shares": Drawing("band_shares", {**names, **shares, "n": movement["n_rows"]}),
        "migration": Drawing("migration", {**names, **movement["migration"]}),
    }


def _path(path: Mapping[str, Any], gates: list[Document]) -> Document:
    limits = {gate["gate"]: gate["threshold"] for gate in gates}
    return {
        "t": path["t"],
        "limits": {
            "weight_change": limits.get("weight_change"),
            "band_shift": limits.get("band_stability"),
        },
        "steps": [
            {"t": step["t"], "auc": step["auc_roc"], "weight_change": step["weight_change"],
             "band_shift": step["band_stability"]}
            for step in path["steps"]
        ],
    }  # fmt: skip
