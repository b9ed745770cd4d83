"""Compute the content of a monitoring report from what was gathered; nothing is stored."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from app.domain.monitoring.challengers import compare_challenger
from app.domain.monitoring.outcomes import Labelled, promise_from_document
from app.domain.monitoring.population import reference_from_document
from app.domain.monitoring.report import Outcomes, monitoring_report
from app.domain.scorecard import Scorecard
from app.domain.types import Document, Ints
from app.models import LabelSet
from app.services.monitored_rows import MonitoredReader, ScoredRows
from app.services.monitoring_inputs import MonitoringInputs
from app.services.monitoring_references import TRAINING, Frozen
from app.services.scoring_service import card_of


def report_content(reader: MonitoredReader, inputs: MonitoringInputs) -> Document:
    """Compute the content of a report.

    Parameters
    ----------
    reader : MonitoredReader
        Reads snapshot and labels, and verifies them.
    inputs : MonitoringInputs
        What the report is made of.

    Returns
    -------
    dict
        JSON-ready; see ``docs/monitoring.md``.

    Raises
    ------
    TamperingError
        If labels or snapshot are not what was stored.
    """
    card, label_set = card_of(inputs.version), inputs.label_set
    reference = reference_from_document(inputs.reference.content)
    counted = reader.count(inputs.batch, card, reference)
    rows = _judged_rows(reader, inputs, card)
    found = monitoring_report(
        counted,
        reference,
        None if rows is None else _outcomes(inputs, card, rows),
        inputs.thresholds,
        is_reference=inputs.batch.batch_id in inputs.reference.batch_ids,
    )
    if found["outcomes"] is not None and label_set is not None:
        found["outcomes"] = {**_label_facts(label_set), **found["outcomes"]}
    return {
        "batch_id": inputs.batch.batch_id,
        "version": inputs.version.version,
        "cause": inputs.cause,
        "scored_from": inputs.batch.scored_from.isoformat(),
        "scored_to": inputs.batch.scored_to.isoformat(),
        "reference": _made_of(inputs.reference),
        "calibration": _calibration(inputs.calibration),
        **found,
        "challengers": [] if rows is None else list(_compared(inputs, card, rows)),
        "sentences": [*found["sentences"], *_limits(inputs)],
        "hashes": inputs.hashes,
    }


@dataclass(frozen=True, slots=True)
class _JudgedRows:
    """Hold the scores under the version, then each challenger; who is labelled, if anybody is."""

    scored: ScoredRows
    labelled: tuple[Ints, Ints] | None


def _judged_rows(
    reader: MonitoredReader, inputs: MonitoringInputs, card: Scorecard
) -> _JudgedRows | None:
    """Read the rows that outcomes or challengers are judged on; None where there are neither."""
    label_set = inputs.label_set
    labelled_by = None if label_set is None or not label_set.n_labelled else label_set
    if labelled_by is None and not inputs.challengers:
        return None
    challengers = [card_of(challenger) for challenger in inputs.challengers]
    scored = reader.scored(inputs.batch, [card, *challengers])
    labelled = None if labelled_by is None else reader.labelled(labelled_by, scored)
    return _JudgedRows(scored, labelled)


def _outcomes(inputs: MonitoringInputs, card: Scorecard, rows: _JudgedRows) -> Outcomes | None:
    if rows.labelled is None:
        return None
    places, bad = rows.labelled
    scored = rows.scored
    labelled = Labelled(scored.scores[0][places], bad, scored.scored_on[places], dict(card.bands))
    calibration = None if inputs.is_calibration_later else inputs.calibration
    promise = None if calibration is None else promise_from_document(calibration.content)
    return Outcomes(labelled, promise, inputs.why_not_judged)


def _label_facts(label_set: LabelSet) -> Document:
    through = label_set.data_through
    return {
        "label_set_id": label_set.id,
        "outcome_type": label_set.outcome_type,
        "observation_window_days": label_set.observation_window_days,
        "data_through": None if through is None else through.isoformat(),
        "n_immature": label_set.n_immature,
        "has_exposures": label_set.has_exposures,
    }


def _made_of(frozen: Frozen) -> Document:
    content = frozen.content
    return {"kind": content["kind"], "batch_ids": frozen.batch_ids, "n": content["n"]}


def _calibration(frozen: Frozen | None) -> Document | None:
    if frozen is None:
        return None
    content = frozen.content
    names = (
        "n_bad", "outcome_type", "observation_window_days", "centre", "scale", "intercept",
        "slope", "auc_roc", "auc_from",
    )  # fmt: skip
    return {**_made_of(frozen), **{name: content[name] for name in names}}


def _compared(inputs: MonitoringInputs, card: Scorecard, rows: _JudgedRows) -> Iterator[Document]:
    active, *others = rows.scored.scores
    for challenger, scores in zip(inputs.challengers, others, strict=True):
        bands, challenger_bands = dict(card.bands), dict(card_of(challenger).bands)
        compared = compare_challenger(active, scores, bands, challenger_bands, rows.labelled)
        yield {"version": challenger.version, **compared}


def _limits(inputs: MonitoringInputs) -> Iterator[str]:
    """Say what the reader must know of what the figures rest on."""
    if inputs.calibration is not None and inputs.calibration.content["kind"] == TRAINING:
        yield (
            "The calibration was fitted on the labels that the version was refined on, so it "
            "may expect a little less risk among the worst than there is; the AUC that "
            "batches are held against is of parties that the refinement never saw."
        )
    if gone := inputs.hashes["withdrawn"]:
        yield (
            f"What this batch is compared with was made of {', '.join(gone)}, withdrawn since: "
            "activate a version that was not made of it."
        )
    label_set = inputs.label_set
    if label_set is not None and not label_set.has_exposures and label_set.n_labelled:
        yield (
            "No list of exposures is in use, so every party counts as granted credit: rejected "
            "ones without events count as good."
        )
