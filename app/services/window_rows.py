"""Label rows under several windows and definitions and judge a version on them, storing nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from sqlalchemy.orm import Session

from app.domain.outcomes import STATUSES
from app.domain.scorecard import Scorecard
from app.domain.types import Bools, Document, Floats, Ints, Progress
from app.domain.window_table import LEAST_LABELLED, judge_window, window_sentence
from app.errors import InvalidInputError
from app.lake.store import Lake
from app.models import Batch
from app.queries.versions import require_active, require_version
from app.services.comparison_rows import population_scores
from app.services.label_inputs import gather_inputs
from app.services.label_rows import count_statuses
from app.services.label_tables import label_by_events

_STAGE = "Labelling under each window"


@dataclass(frozen=True, slots=True)
class _Rows:
    party: Ints
    scored_on: np.ndarray
    risk: Floats | None


@dataclass(frozen=True, slots=True)
class _Labels:
    value: Ints
    counts: dict[str, int]
    data_through: date
    described: Document


def window_lines(
    db: Session,
    lake: Lake,
    batches: Sequence[Batch],
    windows: Sequence[int],
    names: Sequence[str],
    version: str | None,
    report: Progress,
) -> Document:
    """Measure default rate and AUC for each definition and window.

    Parameters
    ----------
    db : Session
        The store.
    lake : Lake
        Where the files are.
    batches : sequence of Batch
        At least one.
    windows : sequence of int
        Days, shortest first.
    names : sequence of str
        Outcome definitions.
    version : str or None
        Whose AUC; None is the active one's.
    report : callable
        Called as ``report(stage, done, total)``.

    Returns
    -------
    dict
        As ``OutcomeAnalysisService.windows``.

    Raises
    ------
    InvalidInputError, NotFoundError, FileHashError
        As ``OutcomeAnalysisService.windows``.
    """
    row = require_active(db) if version is None else require_version(db, version)
    total = len(names) * len(windows) + 1
    report("Scoring the batches", 0, total)
    rows, limits = _read_rows(db, lake, batches, Scorecard.from_document(row.content))
    definitions = []
    for at, name in enumerate(names):
        found = []
        for place, days in enumerate(windows):
            report(_STAGE, 1 + at * len(windows) + place, total)
            found.append(_label(db, lake, batches, name, days))
        definitions.append(_definition(rows, windows, found))
    report(_STAGE, total, total)
    if not all(one["has_exposures"] for one in definitions):
        limits.append(
            "No list of exposures is in use, so every party counts as granted credit: a rejected "
            "applicant without events counts as good."
        )
    if len(np.unique(rows.party)) < len(rows.party):
        limits.append("Some parties stand in several batches; they count once per scoring.")
    return {
        "version": row.version,
        "batch_ids": [batch.batch_id for batch in batches],
        "definitions": definitions,
        "sentence": definitions[0]["sentence"],
        "limits": limits,
    }


def _read_rows(
    db: Session, lake: Lake, batches: Sequence[Batch], card: Scorecard
) -> tuple[_Rows, list[str]]:
    import pyarrow as pa  # noqa: PLC0415 - heavy import

    table = pa.concat_tables(
        [
            lake.read_table(batch.file_path, batch.file_hash, columns=["party_id", "scored_at"])
            for batch in batches
        ]
    )
    codes = table["party_id"].combine_chunks().dictionary_encode().indices.to_numpy()
    days = table["scored_at"].to_numpy().astype("datetime64[D]")
    limits = []
    risk: Floats | None = None
    try:
        (score,) = population_scores(db, lake, (card,), [batch.batch_id for batch in batches])
        risk = -score
    except InvalidInputError as error:
        limits.append(f"There is no AUC: {error.message}.")
    return _Rows(codes.astype(np.int64), days, risk), limits


def _label(db: Session, lake: Lake, batches: Sequence[Batch], name: str, days: int) -> _Labels:
    values, counts, through = [], Counter[str](), date.max
    for batch in batches:
        inputs = gather_inputs(db, batch.batch_id, name, days)
        rule = inputs.rule
        if rule is None:
            raise InvalidInputError(f"{name} has no dates, so it has no window")
        table = label_by_events(
            lake,
            lake.read_table(*inputs.snapshot, columns=["party_id", "scored_at"]),
            rule,
            events=inputs.outcomes,
            exposures=inputs.exposures,
        )
        through = rule.data_through
        values.append(table["label_value"].fill_null(-1).to_numpy().astype(np.int64))
        counts.update(count_statuses(table))
    described = {
        "outcome_type": name,
        "definition_version": inputs.details["definition_version"],
        "data_through": through.isoformat(),
        "types_never_imported": inputs.details["types_never_imported"],
        "has_exposures": bool(inputs.exposures),
    }
    return _Labels(np.concatenate(values), counts, through, described)


def _definition(rows: _Rows, windows: Sequence[int], found: Sequence[_Labels]) -> Document:
    common = max(
        (
            days
            for days, labels in zip(windows, found, strict=True)
            if int((labels.value >= 0).sum()) >= LEAST_LABELLED
        ),
        default=max(windows),
    )
    latest = np.datetime64(found[0].data_through - timedelta(days=common))
    is_common: Bools = rows.scored_on <= latest
    everyone = np.ones(len(rows.party), dtype=np.bool_)
    lines = []
    for days, labels in zip(windows, found, strict=True):
        counts = {f"n_{status}": labels.counts[status] for status in STATUSES}
        lines.append(
            {
                "window_days": days,
                **counts,
                **_judged(rows, labels, everyone),
                "same_parties": _judged(rows, labels, is_common),
            }
        )
    return {
        **found[0].described,
        "same_window_days": common,
        "lines": lines,
        "sentence": window_sentence([line for line in lines if line["window_days"] <= common]),
    }


def _judged(rows: _Rows, labels: _Labels, chosen: Bools) -> Document:
    risk = np.zeros(len(rows.party)) if rows.risk is None else rows.risk
    measured = judge_window(labels.value, risk, rows.party, chosen)
    if rows.risk is None:
        measured |= {"auc_roc": None, "auc_roc_interval": None}
    return measured
