"""The title of each figure of a review, which is its finding, and the line under it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from app.domain.types import Document
from app.findings import movement as of_movement
from app.findings import ranking as of_ranking
from app.findings import weights as of_weights
from app.findings.words import with_minus


@dataclass(frozen=True, slots=True)
class FigureText:
    """What is written at a figure.

    Attributes
    ----------
    title : str
        The finding.
    source : str
        Which cards and which rows it comes from.
    """

    title: str
    source: str


def fairness_texts(fairness: Document | None) -> dict[str, FigureText]:
    """Write titles and sources for the figures of groups.

    Parameters
    ----------
    fairness : dict or None
        As ``FairnessService.compare_groups`` gives it.

    Returns
    -------
    dict of str to FigureText
        By the names of :func:`app.charts.reviewed.fairness_drawings`.
    """
    if fairness is None:
        return {}
    source = f"Final cards {fairness['old']} and {fairness['new']}; {fairness['source']['rows']}."
    return {
        f"groups_{place}": FigureText(column["sentence"], source)
        for place, column in enumerate(fairness["columns"])
    }


def figure_texts(evidence: Document) -> Mapping[str, FigureText]:
    """Write titles and sources for the figures of a review.

    Parameters
    ----------
    evidence : dict
        From :func:`app.services.review_evidence.review_evidence`.

    Returns
    -------
    mapping of str to FigureText
        By the names of :func:`app.charts.reviewed.review_drawings`.
    """
    texts = {
        "weights": FigureText(
            of_weights.of_weights(evidence["features"]), _weights_source(evidence["weights_source"])
        )
    }
    if evidence["roc"]:
        texts |= _ranking(evidence)
    if evidence["movement"]:
        moved = evidence["movement"]
        source = source_line(moved["source"])
        texts |= {
            "shift": FigureText(of_movement.of_shift(evidence["shift"]), source),
            "band_shares": FigureText(of_movement.of_bands(moved["band_shares"]), source),
            "migration": FigureText(of_movement.of_migration(moved), source),
        }
    texts |= fairness_texts(evidence.get("fairness"))
    if evidence["path"]:
        texts["path"] = FigureText(of_weights.of_path(evidence["path"]), _PATH_SOURCE)
    return {name: FigureText(with_minus(text.title), text.source) for name, text in texts.items()}


_SAME = 1e-9
_MEAN_CURVES = (
    "The curves are the mean over the test parts; KS in the table above is the mean of the parts' "
    "widest gaps, each at a score of its own, and so a little larger."
)
_PERIODS = (
    "Each party by its latest row. Clearly: the paired 95 % interval of the difference (DeLong) "
    "leaves out 0; chance alone makes one period in twenty look clear."
)
_PATH_SOURCE = (
    "The path was traced when the draft was made and is part of its evidence. AUC: mean over the "
    "validation's test parts, at every twentieth step; it never chooses the step."
)


def source_line(source: Document) -> str:
    """Write where a figure comes from.

    Parameters
    ----------
    source : dict
        ``cards`` and ``rows``.

    Returns
    -------
    str
        For the line under a figure.

    Examples
    --------
    >>> source_line({"cards": "the final cards v1 and v2", "rows": "all 10 rows of B1"})
    'Cards: the final cards v1 and v2. Rows: all 10 rows of B1.'
    """
    return f"Cards: {source['cards']}. Rows: {source['rows']}."


def _weights_source(source: Document) -> str:
    said = [f"Change: {source['change']}."]
    for key, title in (("data_only", "Data alone"), ("binding", "Stopped by")):
        if source[key]:
            said.append(f"{title}: {source[key]}.")
    return " ".join(said)


def _ranking(evidence: Document) -> Mapping[str, FigureText]:
    found = evidence["discrimination"]
    old, new = (evidence[side]["version"] for side in ("old", "new"))
    source = source_line(found["source"])
    calibrated = of_ranking.of_calibration(
        evidence["calibration"], new, in_sample=found["source"]["in_sample"]
    )
    has_parts = found["new"]["ks"] > evidence["distributions"]["new"]["gap"] + _SAME
    gaps = f"{source} {_MEAN_CURVES}" if has_parts else source
    wilson = f"{source} Intervals by Wilson, 95 %."
    return {
        "roc": FigureText(of_ranking.of_ranking(found, evidence["advice"]), source),
        "ks_old": FigureText(of_ranking.of_spread_alone(evidence, "old", old), gaps),
        "ks_new": FigureText(of_ranking.of_spread_alone(evidence, "new", new), gaps),
        "periods": FigureText(of_ranking.of_periods(evidence["periods"]), f"{source} {_PERIODS}"),
        "calibration_bands": FigureText(calibrated, wilson),
        "calibration": FigureText(of_ranking.of_bins(evidence["calibration"], new), wilson),
    }
