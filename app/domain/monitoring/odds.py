"""From a version's score to the probability of turning bad, frozen with how sure it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy.special import expit

from app.domain.fitting import CALIBRATION_RIDGE, calibrate
from app.domain.types import Document, Floats, Ints
from app.errors import InvalidInputError

FEWEST_OF_A_CLASS = 10
"""With fewer bad or good parties a calibration would be chance, and it is frozen for good."""

_NODES_PER_AXIS = 15
_DECIMALS_OF_A_SCORE = 2


@dataclass(frozen=True, slots=True)
class FrozenCalibration:
    r"""Hold the probability of turning bad as a function of the score.

    .. math:: \mathrm{logit}\,P(\mathrm{bad}) = a - s \, (x - c) / d

    Attributes
    ----------
    centre, scale : float
        c and d > 0, mean and standard deviation of the reference's unrounded scores, in points.
    intercept, slope : float
        a, log-odds of bad at the centre; s, log-odds per scale, positive where the card ranks.
    variances : tuple of three floats
        Of a, of s, and their covariance.
    n, n_bad : int
        Labelled parties it was made of, and bad ones among them.
    """

    centre: float
    scale: float
    intercept: float
    slope: float
    variances: tuple[float, float, float]
    n: int
    n_bad: int

    def log_odds(self, scores: Floats) -> Floats:
        """Give the log-odds of bad, shape (n,), of unrounded scores of shape (n,) in points."""
        return np.asarray(self.intercept - self.slope * (scores - self.centre) / self.scale)

    def probability(self, scores: Floats) -> Floats:
        """Give P(bad), shape (n,), of unrounded scores of shape (n,) in points."""
        return np.asarray(expit(self.log_odds(scores)))

    def expected_rates(self, scores: Floats, groups: Ints, n_groups: int) -> tuple[Floats, Floats]:
        """Give the mean probability of each group, as sure as the calibration is.

        Parameters
        ----------
        scores : ndarray of shape (n,)
            Unrounded, in points; taken to a hundredth of the scale.
        groups : ndarray of shape (n,)
            Group of each row, from 0.
        n_groups : int
            How many groups.

        Returns
        -------
        tuple of ndarray of shape (n_groups, n_nodes), and of shape (n_nodes,)
            Mean P(bad) at each node of a quadrature over intercept and slope, NaN where a group is
            empty; and the nodes' probabilities.
        """
        at = np.round((scores - self.centre) / self.scale, _DECIMALS_OF_A_SCORE)
        levels, codes = np.unique(at, return_inverse=True)
        counts = np.zeros((n_groups, len(levels)))
        np.add.at(counts, (groups, codes), 1)
        intercepts, slopes, probabilities = self._nodes()
        p = expit(intercepts[:, None] - slopes[:, None] * levels)
        with np.errstate(invalid="ignore"):
            shares = counts / counts.sum(axis=1, keepdims=True)
        return np.clip(shares @ p.T, 0.0, 1.0), probabilities

    def _nodes(self) -> tuple[Floats, Floats, Floats]:
        """Give nodes of Gauss-Hermite quadrature for the normal law of intercept and slope."""
        points, weights = np.polynomial.hermite.hermgauss(_NODES_PER_AXIS)
        one, other = (axis.ravel() for axis in np.meshgrid(points, points, indexing="ij"))
        of_a, of_s, both = self.variances
        along = np.sqrt(2 * of_a)
        tilt = 2 * both / along
        rest = np.sqrt(max(2 * of_s - tilt**2, 0.0))
        probabilities = np.outer(weights, weights).ravel() / np.pi
        return self.intercept + along * one, self.slope + tilt * one + rest * other, probabilities

    def as_dict(self) -> Document:
        """Give the calibration as a JSON-ready mapping."""
        return {**asdict(self), "variances": list(self.variances)}


def calibration_from_document(document: Mapping[str, Any]) -> FrozenCalibration:
    """Rebuild a calibration from its document.

    Parameters
    ----------
    document : mapping
        As `FrozenCalibration.as_dict` gives it; other keys are left alone.

    Returns
    -------
    FrozenCalibration
        The same value.

    Examples
    --------
    >>> made = FrozenCalibration(600.0, 80.0, -2.0, 0.9, (0.01, 0.02, 0.0), 400, 60)
    >>> calibration_from_document({**made.as_dict(), "source": "a batch"}) == made
    True
    """
    numbers = {name: float(document[name]) for name in ("centre", "scale", "intercept", "slope")}
    of_a, of_s, both = (float(value) for value in document["variances"])
    return FrozenCalibration(
        **numbers, variances=(of_a, of_s, both), n=int(document["n"]), n_bad=int(document["n_bad"])
    )


def freeze_calibration(scores: Floats, bad: Ints) -> FrozenCalibration:
    """Fit the probability of turning bad to the scores of labelled parties.

    Parameters
    ----------
    scores : ndarray of shape (n,)
        Unrounded, in points.
    bad : ndarray of shape (n,)
        1 bad, 0 good.

    Returns
    -------
    FrozenCalibration
        By maximum likelihood, with the inverse of the information as covariance.

    Raises
    ------
    InvalidInputError
        If fewer than ten are bad or good, or all scores are the same.

    Examples
    --------
    Half of those with 500 points turned bad, a fifth of those with 700:

    >>> scores = np.repeat([500.0, 700.0], 100)
    >>> bad = np.concatenate([np.repeat([1, 0], [50, 50]), np.repeat([1, 0], [20, 80])])
    >>> found = freeze_calibration(scores, bad)
    >>> found.probability(np.array([500.0, 700.0])).round(3).tolist()
    [0.5, 0.2]
    """
    n, n_bad = len(bad), int(bad.sum())
    if min(n_bad, n - n_bad) < FEWEST_OF_A_CLASS:
        raise InvalidInputError(
            f"{n_bad} bad of {n} labelled parties: a calibration needs {FEWEST_OF_A_CLASS} of each",
            n=n,
            n_bad=n_bad,
        )
    centre, scale = float(scores.mean()), float(scores.std())
    if not scale > 1e-9 * max(1.0, abs(centre)):
        raise InvalidInputError("all labelled parties have the same score: it says nothing of risk")
    x = (scores - centre) / scale
    fitted = calibrate(x, bad)
    p = expit(fitted.intercept - fitted.slope * x)
    weight = p * (1 - p)
    information = np.array(
        [
            [weight.sum(), -(weight * x).sum()],
            [-(weight * x).sum(), (weight * x**2).sum() + CALIBRATION_RIDGE],
        ]
    )
    covariance = np.linalg.inv(information)
    variances = (float(covariance[0, 0]), float(covariance[1, 1]), float(covariance[0, 1]))
    return FrozenCalibration(centre, scale, fitted.intercept, fitted.slope, variances, n, n_bad)
