"""One report: a batch beside what its version was made for, in figures and sentences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.domain.counted import counted
from app.domain.monitoring.bins import LEAST_ROWS, N_BINS
from app.domain.monitoring.outcomes import Labelled, Promise, describe_outcomes, watch_outcomes
from app.domain.monitoring.population import (
    Counted,
    Reference,
    describe_population,
    measure_movement,
)
from app.domain.monitoring.watched import EVERYBODY, Family, family_of
from app.domain.types import Document

FEWEST_TO_COMPARE = N_BINS * LEAST_ROWS
"""With a smaller reference a report says so."""

_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Hold what the policy says of monitoring.

    Attributes
    ----------
    max_psi : float
        PSI above it, and more than chance, opens an alert.
    max_auc_drop : float
        AUC lost, at most.
    max_false_alerts : float
        Probability of any false alert in one report, at most.
    """

    max_psi: float
    max_auc_drop: float
    max_false_alerts: float


@dataclass(frozen=True, slots=True)
class Outcomes:
    """Hold the outcomes of a batch, and what is promised of them.

    Attributes
    ----------
    labelled : Labelled
        The labelled parties, at least one.
    promise : Promise or None
        None where the version has none yet.
    why_not_judged : str or None
        Why the outcomes are not held against the promise; None where they are.
    """

    labelled: Labelled
    promise: Promise | None
    why_not_judged: str | None

    @property
    def judged_by(self) -> Promise | None:
        """Give the promise that the outcomes are held against."""
        return None if self.why_not_judged is not None else self.promise


def monitoring_report(
    batch: Counted,
    reference: Reference,
    outcomes: Outcomes | None,
    thresholds: Thresholds,
    *,
    is_reference: bool = False,
) -> Document:
    """Compare a batch with its version's reference, and its outcomes with what was promised.

    Parameters
    ----------
    batch : Counted
        All parties of the batch, by the bins of the reference.
    reference : Reference
        Of the version.
    outcomes : Outcomes or None
        None where nobody is labelled.
    thresholds : Thresholds
        Of the policy.
    is_reference : bool
        Whether the batch is part of the reference; it is not tested against itself.

    Returns
    -------
    dict
        ``n``; ``score``, ``features`` and ``bands`` as `describe_population`; ``outcomes`` as
        `describe_outcomes`, or None; ``family``: level and number of comparisons; ``alerts``,
        surest first; ``sentences``, the finding first.
    """
    moved = measure_movement(batch, reference)
    watched = [] if is_reference else moved.watched(thresholds.max_psi)
    if outcomes is not None and outcomes.judged_by is not None:
        watched += watch_outcomes(outcomes.labelled, outcomes.judged_by, thresholds.max_auc_drop)
    family = family_of(watched, thresholds.max_false_alerts)
    document = {
        "n": batch.n,
        **describe_population(batch, reference, moved, family),
        "outcomes": _outcomes(outcomes, family),
        "family": {"level": family.level, "n_compared": len(family.watched)},
        "alerts": family.alerts(),
    }
    document["sentences"] = list(
        _sentences(document, outcomes, reference.n, is_reference=is_reference)
    )
    return document


def _outcomes(outcomes: Outcomes | None, family: Family) -> Document | None:
    if outcomes is None:
        return None
    promise = outcomes.promise
    calibration = None if promise is None else promise.calibration
    return {
        "why_not_judged": outcomes.why_not_judged,
        **describe_outcomes(outcomes.labelled, calibration, family),
        "auc_reference": None if promise is None or promise.auc is None else promise.auc.value,
    }


def _sentences(
    document: Document, outcomes: Outcomes | None, n_reference: int, *, is_reference: bool
) -> Sequence[str]:
    found = [alert["sentence"] for alert in document["alerts"]]
    if not found:
        n = document["family"]["n_compared"]
        found.append(
            f"Nothing alerts: none of {counted(n, 'comparison')} is past its threshold and more "
            "than chance explains."
            if n
            else "Nothing was tested: this batch is what later ones are compared with."
        )
    if is_reference and document["family"]["n_compared"]:
        found.append("This batch is part of the reference: its score and features are not tested.")
    if not is_reference and n_reference < FEWEST_TO_COMPARE:
        found.append(
            f"The reference has only {counted(n_reference, 'party')}: no more than a large change "
            "can be told from chance."
        )
    found += [_new(line) for line in document["features"] if line["n_new"]]
    is_said = any(alert["subject"] == EVERYBODY and alert["kind"] == "calibration"
                  for alert in document["alerts"])  # fmt: skip
    return found if is_said else [*found, _outcome_sentence(document["outcomes"], outcomes)]


def _new(line: Document) -> str:
    categories = line["new_categories"]
    names = ", ".join(one["category"] for one in categories[:_SHOWN])
    more = ", ..." if len(categories) > _SHOWN else ""
    rows = counted(line["n_new"], "row")
    return (
        f"{line['feature']} has values that the reference did not have, in {rows}: {names}{more}."
    )


def _outcome_sentence(described: Document | None, outcomes: Outcomes | None) -> str:
    if described is None or outcomes is None:
        return "Outcomes are not judged: no party of this batch has a mature label."
    if outcomes.why_not_judged is not None:
        return f"Outcomes are not judged: {outcomes.why_not_judged}."
    overall = described["overall"]
    return (
        f"Of {counted(overall['n'], 'labelled party')} {100 * overall['observed']:.1f} % turned "
        f"bad, expected were {100 * overall['expected']:.1f} %."
    )
