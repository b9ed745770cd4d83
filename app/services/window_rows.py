"""Label rows under several windows and definitions and judge a version on them, storing nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

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
from app.services.analysed_rows import DefinedOutcomes, scored_rows
from app.services.comparison_rows import population_scores
from app.services.label_rows import count_statuses
from app.services.label_tables import WindowRule, label_rows, read_files

if TYPE_CHECKING:
    import pyarrow as pa

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


def window_lines(
    db: Session,
    lake: Lake,
    batches: Sequence[Batch],
    windows: Sequence[int],
    definitions: Sequence[DefinedOutcomes],
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
    definitions : sequence of DefinedOutcomes
        At least one.
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
    total = len(definitions) * len(windows) + 1
    report("Scoring the batches", 0, total)
    scored = scored_rows(lake, batches)
    rows, limits = _as_rows(db, lake, batches, scored, Scorecard.from_document(row.content))
    judged = []
    for at, observed in enumerate(definitions):
        events = read_files(lake, observed.outcomes)
        exposures = read_files(lake, observed.exposures)
        found = []
        for place, days in enumerate(windows):
            report(_STAGE, 1 + at * len(windows) + place, total)
            rule = WindowRule(observed.definition, days, observed.data_through)
            table = label_rows(scored, rule, events, exposures)
            value = table["label_value"].fill_null(-1).to_numpy().astype(np.int64)
            found.append(_Labels(value, count_statuses(table)))
        judged.append(_definition(rows, windows, found, observed))
    report(_STAGE, total, total)
    if not all(one["has_exposures"] for one in judged):
        limits.append(
            "No list of exposures is in use, so every party counts as granted credit: a rejected "
            "applicant without events counts as good."
        )
    if len(np.unique(rows.party)) < len(rows.party):
        limits.append("Some parties stand in several batches; they count once per scoring.")
    return {
        "version": row.version,
        "batch_ids": [batch.batch_id for batch in batches],
        "definitions": judged,
        "sentence": judged[0]["sentence"],
        "limits": limits,
    }


def _as_rows(
    db: Session, lake: Lake, batches: Sequence[Batch], scored: pa.Table, card: Scorecard
) -> tuple[_Rows, list[str]]:
    codes = scored["party_id"].combine_chunks().dictionary_encode().indices.to_numpy()
    limits = []
    risk: Floats | None = None
    try:
        (score,) = population_scores(db, lake, (card,), [batch.batch_id for batch in batches])
        risk = -score
    except InvalidInputError as error:
        limits.append(f"There is no AUC: {error.message}.")
    return _Rows(codes.astype(np.int64), scored["scored_on"].to_numpy(), risk), limits


def _definition(
    rows: _Rows, windows: Sequence[int], found: Sequence[_Labels], observed: DefinedOutcomes
) -> Document:
    common = max(
        (
            days
            for days, labels in zip(windows, found, strict=True)
            if int((labels.value >= 0).sum()) >= LEAST_LABELLED
        ),
        default=max(windows),
    )
    latest = np.datetime64(observed.data_through - timedelta(days=common))
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
        **observed.described,
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
