"""The guard-rails: what a draft is measured against, and how far it may go."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from app.domain.gates import Verdict, weight_gates
from app.domain.party_score import TIE
from app.domain.policy import Policy
from app.domain.stability import band_shift
from app.domain.types import Floats, Ints


@dataclass(frozen=True, slots=True)
class GuardRails:
    """Hold what a draft is measured against: rows, bands, expert and policy.

    Attributes
    ----------
    goodness : ndarray of shape (n, d)
        Goodness of the rows on which correlation and bands are judged.
    weights, expert_weights : ndarray of shape (d,)
        The baseline's weights and the expert's, rescaled to the same sum; > 0.
    band_edges : ndarray of shape (n_bands - 1,)
        Lower bounds of the bands but the lowest, in points.
    score_min, score_max : float
        Range of the score in points.
    policy : Policy
        Thresholds.
    """

    goodness: Floats
    weights: Floats
    expert_weights: Floats
    band_edges: Floats
    score_min: float
    score_max: float
    policy: Policy

    def unrounded_scores(self, weights: Floats) -> Floats:
        """Give the unrounded score in points, shape (n,), under ``weights``."""
        span = self.score_max - self.score_min
        scores = self.score_min + span * (self.goodness @ weights) / weights.sum()
        return np.asarray(scores, dtype=np.float64)

    def bands(self, unrounded: Floats) -> Ints:
        """Give the band number of each row, shape (n,), after rounding as the card does."""
        score = np.floor(unrounded + 0.5 + TIE)
        return np.searchsorted(self.band_edges, score, side="right").astype(np.int64)

    def judge(self, weights: Floats) -> tuple[Verdict, ...]:
        """Give the verdicts of the four weight gates for a card with these weights."""
        return self.judge_scores(weights, self.unrounded_scores(weights))

    def standing(self) -> Standing:
        """Give the baseline's scores and bands, which every step of a path is measured against."""
        scores = self.unrounded_scores(self.weights)
        return Standing(scores - scores.mean(), self._band_counts(scores))

    def judge_scores(
        self, weights: Floats, scores: Floats, standing: Standing | None = None
    ) -> tuple[Verdict, ...]:
        """Give the same verdicts for scores, and perhaps a standing, that are already known."""
        old = standing or self.standing()
        return weight_gates(
            self.policy,
            weight_change=_largest_change(weights, self.weights),
            score_correlation=_correlation(old.centred_scores, scores),
            band_shift=band_shift(old.band_counts, self._band_counts(scores)),
            cumulative_change=_largest_change(weights, self.expert_weights),
        )

    def _band_counts(self, unrounded: Floats) -> Ints:
        """Count rows per band as `bands` does: floor(x) >= e is x >= ceil(e)."""
        rounded = unrounded + 0.5 + TIE
        above = [np.count_nonzero(rounded >= edge) for edge in np.ceil(self.band_edges)]
        return np.array([len(unrounded), *above], np.int64) - np.array([*above, 0], np.int64)


@dataclass(frozen=True, slots=True)
class Standing:
    """Hold the baseline's unrounded scores less their mean, shape (n,), and rows per band."""

    centred_scores: Floats
    band_counts: Ints


def _largest_change(weights: Floats, reference: Floats) -> float:
    return float(np.abs(weights / reference - 1).max())


def _correlation(old: Floats, new: Floats) -> float:
    """Correlate scores less their mean with scores."""
    new = new - new.mean()
    norm = float(np.sqrt(old @ old) * np.sqrt(new @ new))
    return float(np.clip(old @ new / norm, -1, 1)) if norm > 0 else float("nan")
