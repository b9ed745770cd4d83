"""Compute the content of a monitoring report from what was gathered; nothing is stored."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy.orm import Session

from app.domain.monitoring.challengers import compare_challenger
from app.domain.monitoring.outcomes import promise_from_document
from app.domain.monitoring.population import reference_from_document
from app.domain.monitoring.report import Outcomes, monitoring_report
from app.domain.types import Document, Ints
from app.lake.store import Lake
from app.models import LabelSet, ScorecardVersion
from app.services.monitored_rows import BatchRows, read_batch, read_labels
from app.services.monitoring_inputs import MonitoringInputs
from app.services.monitoring_references import TRAINING, Frozen
from app.services.scoring_service import card_of

_Rows = tuple[Ints, Ints]


def report_content(db: Session, lake: Lake, inputs: MonitoringInputs) -> Document:
    """Compute the content of a report.

    Parameters
    ----------
    db : Session
        The store, for the labels.
    lake : Lake
        Where the snapshot is; its hash is verified.
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
    rows = read_batch(lake, inputs.batch, card_of(inputs.version))
    label_set, labelled = inputs.label_set, None
    if label_set is not None and label_set.n_labelled:
        labelled = read_labels(db, label_set, rows.snapshot)
    found = monitoring_report(
        rows.population(),
        reference_from_document(inputs.reference.content),
        None if labelled is None else _outcomes(inputs, rows, labelled),
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
        "challengers": [
            _compared(lake, challenger, inputs, rows, labelled) for challenger in inputs.challengers
        ],
        "sentences": [*found["sentences"], *_limits(inputs)],
        "hashes": inputs.hashes,
    }


def _outcomes(inputs: MonitoringInputs, rows: BatchRows, labelled: _Rows) -> Outcomes:
    calibration = None if inputs.is_calibration_later else inputs.calibration
    promise = None if calibration is None else promise_from_document(calibration.content)
    return Outcomes(rows.labelled(*labelled), promise, inputs.why_not_judged)


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


def _compared(
    lake: Lake,
    challenger: ScorecardVersion,
    inputs: MonitoringInputs,
    rows: BatchRows,
    labelled: _Rows | None,
) -> Document:
    card = card_of(challenger)
    scores = read_batch(lake, inputs.batch, card).scores
    bands, challenger_bands = dict(rows.card.bands), dict(card.bands)
    compared = compare_challenger(rows.scores, scores, bands, challenger_bands, labelled)
    return {"version": challenger.version, **compared}


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
