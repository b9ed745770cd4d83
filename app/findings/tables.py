"""The tables of a review, in the order in which people read them."""

from __future__ import annotations

from app.domain.types import Document
from app.findings import movement, ranking, review
from app.findings.texts import source_line
from app.findings.words import with_minus

_MEASURES = (
    ("auc_roc", "AUC", "how often a bad is ranked riskier than a good; 0.5 is chance"),
    ("gini", "Gini", "2 AUC less 1"),
    ("ks", "KS", "widest gap between the score distributions of bads and goods"),
    ("brier", "Brier score", "mean squared error of the probabilities; lower is better"),
)
_N_CAUSES = 3


def evidence_tables(evidence: Document) -> Document:
    """Arrange the evidence for the tables of the page.

    Parameters
    ----------
    evidence : dict
        From :func:`app.services.review_evidence.review_evidence`.

    Returns
    -------
    dict
        ``weights`` (the largest change first), ``measures``, ``movers``; the findings of swap
        sets and movers, and ``swaps_source``; ``figures`` (sentences about the model),
        ``lineage_finding``, and ``path_features`` with ``path_bands``, the columns of the path.
    """
    swaps, movers, path = evidence["swap_sets"], evidence["movers"], evidence["path"]
    return {
        "weights": _by_change(evidence["features"]),
        "measures": _measures(evidence["discrimination"]),
        "swaps_finding": movement.of_swaps(swaps["tables"]) if swaps else "",
        "swaps_source": source_line(swaps["source"]) if swaps else "",
        "movers": [_mover(one) for one in movers or ()],
        "movers_finding": movement.of_movers(movers or ()),
        "figures": [
            with_minus(say(evidence["figures"]))
            for say in (ranking.of_headroom, ranking.of_guard_rails)
            if evidence["figures"]
        ],
        "lineage_finding": review.of_lineage(evidence["lineage"]),
        "path_features": list(path["steps"][0]["weights"]) if path else [],
        "path_bands": list(path["steps"][0]["band_shares"] or {}) if path else [],
    }


def _by_change(features: Document) -> list[Document]:
    def size(item: tuple[str, Document]) -> float:
        change = item[1]["change"]
        return float("-inf") if change is None else -abs(change)

    return [{"name": name, **one} for name, one in sorted(features.items(), key=size)]


def _measures(found: Document | None) -> list[Document]:
    if found is None:
        return []
    return [
        {
            "name": name,
            "means": means,
            **{side: (found[side][key], found[side][f"{key}_interval"]) for side in ("old", "new")},
            "difference": found["new"][key] - found["old"][key],
            "difference_interval": found["auc_roc_difference_interval"]
            if key == "auc_roc"
            else None,
        }
        for key, name, means in _MEASURES
    ]


def _mover(one: Document) -> Document:
    """Set contributions before and after side by side, the largest difference first."""
    old, new = one["old"]["contributions"], one["new"]["contributions"]
    lines = [
        {
            "name": name,
            "value": one["features"].get(name),
            "old": old.get(name),
            "new": new.get(name),
            "difference": new.get(name, 0.0) - old.get(name, 0.0),
        }
        for name in {**old, **new}
    ]
    lines.sort(key=lambda line: -abs(line["difference"]))
    return {**one, "lines": lines, "causes": lines[:_N_CAUSES]}
