"""Whether the parties of a batch are still those of the reference: PSI, CSI, bands, missing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from app.domain.card_movement import band_numbers
from app.domain.monitoring.bins import (
    FrozenBins,
    Numbers,
    Texts,
    ValueCounts,
    bins_from_document,
    freeze_categories,
    freeze_numbers,
    freeze_score,
)
from app.domain.monitoring.chance import PsiByChance, psi_without_change
from app.domain.monitoring.watched import Family, Watched
from app.domain.types import Document, Ints

MOST_NEW_CATEGORIES = 20
"""So many new categories of a feature are named; the others are counted."""


@dataclass(frozen=True, slots=True)
class Population:
    """Hold what is known of parties when they are scored.

    Attributes
    ----------
    scores : ndarray of shape (n,), or ValueCounts
        Unrounded, in points.
    features : mapping of str to ndarray of shape (n,), ValueCounts or counts by category
        Numbers with NaN for missing, or how often each category occurs.
    bands : mapping of str to int
        Lower bounds of the version's bands, lowest first.
    """

    scores: Numbers
    features: Mapping[str, Numbers | Texts]
    bands: Mapping[str, int]

    def band_counts(self) -> dict[str, int]:
        """Count the parties by band."""
        scores, weights = (
            (self.scores.values, self.scores.counts)
            if isinstance(self.scores, ValueCounts)
            else (self.scores, None)
        )
        counts = np.bincount(band_numbers(scores, self.bands), weights, len(self.bands))
        return dict(zip(self.bands, counts.astype(np.int64).tolist(), strict=True))


@dataclass(frozen=True, slots=True)
class Reference:
    """Hold what later batches of a version are compared with.

    Attributes
    ----------
    score : FrozenBins
        Of the unrounded score.
    features : mapping of str to FrozenBins
        Of each feature of positive weight, in card order.
    bands : mapping of str to int
        Parties per band.
    """

    score: FrozenBins
    features: Mapping[str, FrozenBins]
    bands: Mapping[str, int]

    @property
    def n(self) -> int:
        """Count the parties of the reference."""
        return sum(self.bands.values())

    def as_dict(self) -> Document:
        """Give the reference as a JSON-ready mapping; features as a list, in card order."""
        return {
            "n": self.n,
            "score": self.score.as_dict(),
            "features": [
                {"feature": name, **bins.as_dict()} for name, bins in self.features.items()
            ],
            "bands": [{"band": name, "n": n} for name, n in self.bands.items()],
        }


def freeze_reference(population: Population) -> Reference:
    """Freeze bins and counts of a reference.

    Parameters
    ----------
    population : Population
        All parties of the reference, labelled or not.

    Returns
    -------
    Reference
        Bins of the score and of each feature.

    Raises
    ------
    InvalidInputError
        If there is no party.

    Examples
    --------
    >>> bands = {"low": 300, "high": 600}
    >>> population = Population(np.array([500.0, 700.0]), {"sector": {"a": 20}}, bands)
    >>> reference = freeze_reference(population)
    >>> reference.n, dict(reference.bands), reference.features["sector"].counts
    (2, {'low': 1, 'high': 1}, (20, 0, 0))
    """
    return Reference(
        score=freeze_score(population.scores),
        features={
            name: freeze_categories(values) if isinstance(values, Mapping)
            else freeze_numbers(values)
            for name, values in population.features.items()
        },
        bands=population.band_counts(),
    )  # fmt: skip


def reference_from_document(document: Mapping[str, Any]) -> Reference:
    """Rebuild a reference from its document.

    Parameters
    ----------
    document : mapping
        As `Reference.as_dict` gives it; other keys are left alone.

    Returns
    -------
    Reference
        The same value.

    Examples
    --------
    >>> population = Population(np.array([500.0, 700.0]), {"x": np.ones(2)}, {"all": 300})
    >>> reference = freeze_reference(population)
    >>> reference_from_document(reference.as_dict()) == reference
    True
    """
    return Reference(
        score=bins_from_document(document["score"]),
        features={line["feature"]: bins_from_document(line) for line in document["features"]},
        bands={line["band"]: int(line["n"]) for line in document["bands"]},
    )


@dataclass(frozen=True, slots=True)
class Counted:
    """Hold how many parties of a batch lie where, by the bins of a reference.

    Attributes
    ----------
    score : ndarray of shape (n_bins,)
        Parties by bin of the score.
    features : mapping of str to ndarray of shape (n_bins,)
        By bin of each feature of the reference.
    new : mapping of str to mapping of str to int
        By feature, rows of each category or value that the reference did not have, most frequent
        first.
    bands : mapping of str to int
        Parties per band, lowest first.
    """

    score: Ints
    features: Mapping[str, Ints]
    new: Mapping[str, Mapping[str, int]]
    bands: Mapping[str, int]

    @property
    def n(self) -> int:
        """Count the parties."""
        return int(self.score.sum())


def count_population(batch: Population, reference: Reference) -> Counted:
    """Count the parties of a batch by the bins of a reference.

    Parameters
    ----------
    batch : Population
        With every feature of the reference.
    reference : Reference
        Whose bins count.

    Returns
    -------
    Counted
        What a report needs of the batch's scores and features.

    Examples
    --------
    >>> bands = {"low": 300, "high": 600}
    >>> reference = freeze_reference(Population(np.full(20, 500.0), {"sector": {"a": 20}}, bands))
    >>> batch = Population(np.array([400.0, 700.0]), {"sector": {"a": 1, "b": 1}}, bands)
    >>> counted = count_population(batch, reference)
    >>> counted.n, counted.bands, counted.new
    (2, {'low': 1, 'high': 1}, {'sector': {'b': 1}})
    """
    features = reference.features.items()
    return Counted(
        score=reference.score.count(batch.scores),
        features={name: bins.count(batch.features[name]) for name, bins in features},
        new={name: bins.new_categories(batch.features[name]) for name, bins in features},
        bands=batch.band_counts(),
    )


@dataclass(frozen=True, slots=True)
class Moved:
    """Hold how far a batch lies from the reference.

    Attributes
    ----------
    score : PsiByChance
        Of the score.
    features : mapping of str to PsiByChance
        Of each feature.
    """

    score: PsiByChance
    features: Mapping[str, PsiByChance]

    def watched(self, max_psi: float) -> list[Watched]:
        """Give the comparisons that can raise an alert: score and every feature."""
        found = [_watched("score_psi", "score", self.score, max_psi)]
        return found + [
            _watched("feature_csi", name, moved, max_psi) for name, moved in self.features.items()
        ]


def _watched(kind: str, subject: str, moved: PsiByChance, max_psi: float) -> Watched:
    what, index = ("Scores", "PSI") if kind == "score_psi" else (subject, "CSI")
    return Watched(
        kind=kind,
        subject=subject,
        value=moved.psi,
        threshold=max_psi,
        p_value=moved.p_value,
        is_past=moved.psi > max_psi,
        sentence=f"{what} moved: {index} {moved.psi:.3f}, above {max_psi:.2f} and more than chance "
        "explains.",
    )


def measure_movement(batch: Counted, reference: Reference) -> Moved:
    """Measure how far score and features of a batch moved from the reference.

    Parameters
    ----------
    batch : Counted
        The parties of the batch.
    reference : Reference
        What they are compared with.

    Returns
    -------
    Moved
        PSI of each, beside what chance does.

    Examples
    --------
    >>> bands = {"all": 300}
    >>> before = Population(np.arange(300.0, 900.0), {"sector": {"a": 300, "b": 300}}, bands)
    >>> after = Population(np.arange(300.0, 600.0), {"sector": {"a": 150, "b": 150}}, bands)
    >>> reference = freeze_reference(before)
    >>> moved = measure_movement(count_population(after, reference), reference)
    >>> round(moved.features["sector"].psi, 2), moved.score.psi > 1, moved.score.p_value
    (0.0, True, 0.0002)
    """
    return Moved(
        score=psi_without_change(reference.score.expected, batch.score),
        features={
            name: psi_without_change(bins.expected, batch.features[name])
            for name, bins in reference.features.items()
        },
    )


def describe_population(
    batch: Counted, reference: Reference, moved: Moved, family: Family
) -> Document:
    """Describe a batch beside the reference.

    Parameters
    ----------
    batch : Counted
        The parties of the batch.
    reference : Reference
        What they are compared with.
    moved : Moved
        As `measure_movement` gives it.
    family : Family
        Of the report; a batch of the reference has no p values in it.

    Returns
    -------
    dict
        ``score``: psi, quantile (what it must exceed to be more than chance, at its level of Holm's
        procedure), p_value, p_adjusted and bins; ``features``, each the same with feature,
        missing_rate_expected, missing_rate, n_new, new_categories; ``bands``: band,
        share_expected and share.
    """
    return {
        "score": {
            **_figures("score_psi", "score", moved.score, family),
            "bins": reference.score.lines(batch.score),
        },
        "features": [
            {
                "feature": name,
                **_figures("feature_csi", name, moved.features[name], family),
                **_counts(bins, batch.features[name], batch.new[name]),
            }
            for name, bins in reference.features.items()
        ],
        "bands": [
            {"band": name, "share_expected": n / reference.n, "share": now / batch.n}
            for (name, n), now in zip(reference.bands.items(), batch.bands.values(), strict=True)
        ],
    }


def _figures(kind: str, subject: str, moved: PsiByChance, family: Family) -> Document:
    p_adjusted = family.p_adjusted(kind, subject)
    level = 1 - family.level_of(kind, subject)
    return {
        "psi": moved.psi,
        "quantile": None if p_adjusted is None else moved.quantile(level),
        "p_value": None if p_adjusted is None else moved.p_value,
        "p_adjusted": p_adjusted,
    }


def _counts(bins: FrozenBins, actual: Ints, new: Mapping[str, int]) -> Document:
    return {
        "bins": bins.lines(actual),
        "missing_rate_expected": bins.counts[-1] / sum(bins.counts),
        "missing_rate": int(actual[-1]) / int(actual.sum()),
        "n_new": sum(new.values()),
        "new_categories": [
            {"category": category, "n": n}
            for category, n in list(new.items())[:MOST_NEW_CATEGORIES]
        ],
    }
