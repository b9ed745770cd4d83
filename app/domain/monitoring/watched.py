"""What a report watches: comparisons that share one error rate, and the alerts they raise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.domain.monitoring.chance import holm
from app.domain.types import Document

ALERT_KINDS = ("score_psi", "feature_csi", "calibration", "auc_drop")
"""What an alert can be about."""

EVERYBODY = "all"
"""The subject of a comparison over all labelled parties, not of one band."""


@dataclass(frozen=True, slots=True)
class Watched:
    """Hold one comparison that can raise an alert.

    Attributes
    ----------
    kind : str
        One of `ALERT_KINDS`.
    subject : str
        ``score``, a feature, ``band`` and its name, or ``all``.
    value, threshold : float
        What was found, and what it is held against.
    p_value : float
        How likely as much is without a change, in [0, 1].
    is_past : bool
        Whether the value is past the threshold; chance apart.
    sentence : str
        What the alert would say.
    """

    kind: str
    subject: str
    value: float
    threshold: float
    p_value: float
    is_past: bool
    sentence: str


@dataclass(frozen=True, slots=True)
class Family:
    """Hold all comparisons of one report, with p values adjusted over all of them.

    Attributes
    ----------
    watched : tuple of Watched
        Everything that can raise an alert.
    adjusted : tuple of float
        Holm's p values, in the same order.
    level : float
        Probability of any false alert, at most.
    """

    watched: tuple[Watched, ...]
    adjusted: tuple[float, ...]
    level: float

    def p_adjusted(self, kind: str, subject: str) -> float | None:
        """Give the adjusted p value of a comparison; None where there is none."""
        for one, adjusted in zip(self.watched, self.adjusted, strict=True):
            if (one.kind, one.subject) == (kind, subject):
                return adjusted
        return None

    def level_of(self, kind: str, subject: str) -> float:
        """Give the level at which Holm's procedure tests a comparison.

        Parameters
        ----------
        kind, subject : str
            Of the comparison.

        Returns
        -------
        float
            The family's level over the number of comparisons that were left when this one, or
            the first that chance explains, had its turn; the family's where there is none.

        Examples
        --------
        >>> sure = Watched("score_psi", "score", 0.2, 0.1, 0.002, True, "Scores moved.")
        >>> less = Watched("feature_csi", "age", 0.2, 0.1, 0.04, True, "age moved.")
        >>> family = family_of([sure, less], 0.05)
        >>> family.level_of("score_psi", "score"), family.level_of("feature_csi", "age")
        (0.025, 0.05)
        """
        n_left = len(self.watched)
        ranked = sorted(
            zip(self.watched, self.adjusted, strict=True), key=lambda one: one[0].p_value
        )
        for one, adjusted in ranked:
            if adjusted > self.level or (one.kind, one.subject) == (kind, subject):
                break
            n_left -= 1
        return self.level / max(n_left, 1)

    def alerts(self) -> list[Document]:
        """List what is past its threshold and more than chance, surest first."""
        raised = [
            (adjusted, place, one)
            for place, (one, adjusted) in enumerate(zip(self.watched, self.adjusted, strict=True))
            if one.is_past and adjusted <= self.level
        ]
        return [
            {
                "kind": one.kind,
                "subject": one.subject,
                "sentence": one.sentence,
                "value": one.value,
                "threshold": one.threshold,
                "p_value": adjusted,
            }
            for adjusted, _, one in sorted(raised, key=lambda item: item[:2])
        ]


def band_subject(band: str) -> str:
    """Name a band as the subject of an alert, which no other subject can be called.

    Parameters
    ----------
    band : str
        Its name.

    Returns
    -------
    str
        ``band`` and the name.

    Examples
    --------
    >>> band_subject("all")
    'band all'
    """
    return f"band {band}"


def family_of(watched: Sequence[Watched], level: float) -> Family:
    """Adjust the p values of everything that one report watches.

    Parameters
    ----------
    watched : sequence of Watched
        The comparisons; none may be left out because it looks harmless.
    level : float
        Probability of any false alert, at most, in (0, 0.5].

    Returns
    -------
    Family
        With Holm's p values.

    Examples
    --------
    >>> moved = Watched("score_psi", "score", 0.2, 0.1, 0.002, True, "Scores moved.")
    >>> still = Watched("feature_csi", "age", 0.01, 0.1, 0.4, False, "age moved.")
    >>> [alert["sentence"] for alert in family_of([moved, still], 0.05).alerts()]
    ['Scores moved.']
    """
    return Family(tuple(watched), holm([one.p_value for one in watched]), level)
