"""What changes in the card, and how far it goes."""

from __future__ import annotations

from collections.abc import Mapping
from math import isclose

from app.domain.types import Document
from app.edge import gate_words, numbers
from app.findings.words import listed

_MOST_NAMED = 3
_ROUNDING = 1e-9
_SIDES = ("old_weight", "new_weight")


def of_weights(features: Mapping[str, Document]) -> str:
    """Say how many weights move, and which move most.

    Parameters
    ----------
    features : mapping
        By name ``old_weight``, ``new_weight`` and ``change``, as a comparison gives them.

    Returns
    -------
    str
        One sentence.

    Examples
    --------
    >>> of_weights({
    ...     "tax_id": {"old_weight": 10.0, "new_weight": 12.0, "change": 0.2},
    ...     "kyc": {"old_weight": 10.0, "new_weight": 8.0, "change": -0.2},
    ...     "age": {"old_weight": 10.0, "new_weight": 10.0, "change": 0.0},
    ... })
    '2 of 3 weights move: tax_id +20.0 % and kyc -20.0 %'
    """
    moved = {
        name: one["change"]
        for name, one in features.items()
        if (one["new_weight"] if one["change"] is None else abs(one["change"]) > _ROUNDING)
    }
    if not moved:
        return "No weight moves: both cards share their points in the same way"
    largest = sorted(
        moved.items(), key=lambda item: -abs(item[1]) if item[1] is not None else float("-inf")
    )[:_MOST_NAMED]
    named = [
        f"{name} {'comes in' if size is None else numbers.change(size)}" for name, size in largest
    ]
    most = "the most " if len(moved) > len(largest) else ""
    verb = "moves" if len(moved) == 1 else "move"
    sums = [sum(one[side] or 0.0 for one in features.values()) for side in _SIDES]
    what = "weights" if isclose(*sums) else "weights, as shares of their sum,"
    return f"{len(moved)} of {len(features)} {what} {verb}: {most}{listed(named)}"


def of_path(path: Document) -> str:
    """Say where the draft stopped on its way to the model's weights, and why.

    Parameters
    ----------
    path : dict
        ``path`` of the evidence.

    Returns
    -------
    str
        One sentence.

    Examples
    --------
    >>> steps = [{"t": 0.0, "auc_roc": 0.718}, {"t": 0.9, "auc_roc": 0.742},
    ...          {"t": 0.91, "auc_roc": None}, {"t": 1.0, "auc_roc": 0.745}]
    >>> of_path({"t": 0.91, "stopped_by": ["band_stability"], "steps": steps})
    'Goes 91 % of the way, where the gate "Bands keep their shares" stops it; AUC 0.718 at the \
start, 0.742 at step 0.90, 0.745 at the end'
    """
    ranks = _ranks_along(path)
    way = f"Goes {100 * path['t']:.0f} % of the way"
    if path["t"] >= 1:
        return f"Goes the whole way that the guard-rails allow{ranks}"
    if not path["stopped_by"]:
        return f"{way}, where rounding stops it{ranks}"
    gates = listed([f'"{gate_words.GATE_TITLES.get(one, one)}"' for one in path["stopped_by"]])
    many = len(path["stopped_by"]) > 1
    return f"{way}, where the gate{'s' if many else ''} {gates} stop{'' if many else 's'} it{ranks}"


def _ranks_along(path: Document) -> str:
    """Give the AUC at both ends, and at the last measured step that the draft went through."""
    known = [step for step in path["steps"] if step["auc_roc"] is not None]
    passed = [step for step in known if step["t"] <= path["t"]]
    if not passed:
        return ""
    said = [f"{numbers.auc(known[0]['auc_roc'])} at the start"]
    if 0 < passed[-1]["t"] < known[-1]["t"]:
        said.append(f"{numbers.auc(passed[-1]['auc_roc'])} at step {passed[-1]['t']:.2f}")
    said.append(f"{numbers.auc(known[-1]['auc_roc'])} at the end")
    return f"; AUC {', '.join(said)}"
