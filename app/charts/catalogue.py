"""Every chart by its name: how it is drawn, the table behind it, and what it shows in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.metadata import version
from importlib.resources import files
from types import MappingProxyType
from typing import Any

from app.charts import (
    bands,
    calibration,
    discrimination,
    groups,
    history,
    monitoring,
    scores,
    vintages,
    weights,
)
from app.charts.tables import Table
from app.charts.theme import Look
from app.domain.canonical import content_hash
from app.domain.types import Document


@dataclass(frozen=True, slots=True)
class Chart:
    """Describe one kind of chart.

    Attributes
    ----------
    draw : callable
        Document and look to a Vega-Lite specification.
    tabulate : callable
        Document to the table behind it.
    shows : str
        What is seen, for those who do not see it; the title says the finding.
    """

    draw: Callable[[Mapping[str, Any], Look], Document]
    tabulate: Callable[[Mapping[str, Any]], Table]
    shows: str


CHARTS: Mapping[str, Chart] = MappingProxyType(
    {
        "dumbbell": Chart(
            weights.dumbbell,
            weights.dumbbell_table,
            "Old and new weight per feature, the weight by the data alone, and the guard-rail",
        ),
        "coefficients": Chart(
            weights.coefficients,
            weights.coefficients_table,
            "The model's weight with its interval beside the expert's, per feature",
        ),
        "roc": Chart(
            discrimination.roc,
            discrimination.roc_table,
            "ROC curves: bad parties declined over good parties declined",
        ),
        "ks": Chart(
            discrimination.ks,
            discrimination.ks_table,
            "Cumulative shares of good and bad parties over the score",
        ),
        "auc_over_time": Chart(
            discrimination.auc_over_time,
            discrimination.auc_over_time_table,
            "AUC with its 95 % interval over time",
        ),
        "calibration": Chart(
            calibration.calibration,
            calibration.calibration_table,
            "Observed over expected default rate, with intervals and counts",
        ),
        "score_shift": Chart(
            scores.score_shift,
            scores.score_shift_table,
            "Histogram of new minus old score",
        ),
        "score_distribution": Chart(
            scores.score_distribution,
            scores.score_distribution_table,
            "Scores of a batch against those of the batch before",
        ),
        "waterfall": Chart(
            scores.waterfall,
            scores.waterfall_table,
            "Points that each feature adds to the score",
        ),
        "band_shares": Chart(
            bands.band_shares,
            bands.band_shares_table,
            "Share of parties per band, before and after",
        ),
        "migration": Chart(
            bands.migration,
            bands.migration_table,
            "Number of parties by old and new band",
        ),
        "path": Chart(
            history.path,
            history.path_table,
            "AUC, largest weight change and band shift along the path of the refinement",
        ),
        "timeline": Chart(
            history.timeline,
            history.timeline_table,
            "Which version was active when",
        ),
        "vintage_curves": Chart(
            vintages.vintage_curves,
            vintages.vintage_curves_table,
            "Cumulative bad rate over months since scoring, one line per vintage",
        ),
        "group_approval": Chart(
            groups.group_approval,
            groups.group_approval_table,
            "Approval rate per group under the old and the new card, with intervals",
        ),
        "psi_over_time": Chart(
            monitoring.psi_over_time,
            monitoring.psi_over_time_table,
            "PSI of the score per batch, beside what chance gives and the policy's limit",
        ),
        "default_rate_over_time": Chart(
            monitoring.default_rate_over_time,
            monitoring.default_rate_over_time_table,
            "Observed default rate with its interval, and the expected one, over time",
        ),
        "label_bar": Chart(
            history.label_bar,
            history.label_bar_table,
            "Parties of the batch by label status",
        ),
    }
)
"""Name to chart."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """Hold one chart to draw: its kind and what it shows.

    Attributes
    ----------
    kind : str
        A name of ``CHARTS``.
    document : mapping
        What it shows, JSON-ready.
    """

    kind: str
    document: Mapping[str, Any]

    @property
    def chart(self) -> Chart:
        """Give how it is drawn."""
        return CHARTS[self.kind]

    @property
    def key(self) -> str:
        """Name what is seen: the same values, drawn by the same code, have the same key."""
        content = {"kind": self.kind, "document": self.document, "drawn_by": _drawn_by()}
        return content_hash(content)[:20]


@cache
def _drawn_by() -> str:
    """Hash the code that draws, so that a browser keeps nothing of an older version."""
    digest = sha256(version("vl-convert-python").encode())
    for file in sorted(files("app.charts").iterdir(), key=lambda entry: entry.name):
        if file.name.endswith(".py"):
            digest.update(file.read_bytes())
    return digest.hexdigest()
