"""Compute the labels of one batch from its snapshot and the outcome files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from app.domain.outcomes import OutcomeDefinition
from app.domain.scorecard import Scorecard
from app.errors import CircularLabelError
from app.lake.engine import collect
from app.lake.store import Lake
from app.services.label_rows import LABEL_COLUMNS

if TYPE_CHECKING:
    import pyarrow as pa

FileName = tuple[str, str]
"""Path in the lake, and the SHA-256 that was recorded for it."""

_ENOUGH = 10
"""Bad and good parties from which a perfect separation is no accident."""


@dataclass(frozen=True, slots=True)
class WindowRule:
    """What makes dated events into labels.

    Parameters
    ----------
    definition : OutcomeDefinition
        Which events count.
    window_days : int
        Length of the observation window in days.
    data_through : date
        Last day up to which outcomes are complete.
    """

    definition: OutcomeDefinition
    window_days: int
    data_through: date


def label_by_events(
    lake: Lake,
    snapshot: pa.Table,
    rule: WindowRule,
    *,
    events: Sequence[FileName],
    exposures: Sequence[FileName],
) -> pa.Table:
    """Label every party of a batch by dated events.

    Parameters
    ----------
    lake : Lake
        Where the outcome files are; each file's hash is verified.
    snapshot : pyarrow.Table
        The batch.
    rule : WindowRule
        Definition, window and data-through date.
    events, exposures : sequence of (path, sha256)
        Outcome files, and lists of those who were granted credit; no list means all were.

    Returns
    -------
    pyarrow.Table
        ``status``, ``label_value``, ``observation_end``, ``event_type`` and ``event_date``, in
        the row order of the snapshot.

    Raises
    ------
    FileHashError
        If a file is not what was stored.
    """
    return label_rows(
        numbered_rows(snapshot), rule, read_files(lake, events), read_files(lake, exposures)
    )


def numbered_rows(parties: pa.Table) -> pa.Table:
    """Give each row a number and the day of its score.

    Parameters
    ----------
    parties : pyarrow.Table of n rows
        ``party_id`` and ``scored_at``, as in snapshots.

    Returns
    -------
    pyarrow.Table of n rows
        ``row`` from 0, ``party_id`` and ``scored_on``, the UTC calendar day.
    """
    import numpy as np  # noqa: PLC0415 - heavy import
    import pyarrow as pa  # noqa: PLC0415 - the same

    return pa.table(
        {
            "row": pa.array(np.arange(parties.num_rows)),
            "party_id": parties["party_id"],
            "scored_on": parties["scored_at"].cast(pa.date32(), safe=False),
        }
    )


def read_files(lake: Lake, files: Sequence[FileName]) -> pa.Table | None:
    """Read outcome files, or exposure lists, as one table.

    Parameters
    ----------
    lake : Lake
        Where they are; each file's hash is verified.
    files : sequence of (path, sha256)
        Any number.

    Returns
    -------
    pyarrow.Table or None
        None where there is no file.

    Raises
    ------
    FileHashError
        If a file is not what was stored.
    """
    import pyarrow as pa  # noqa: PLC0415 - heavy import

    if not files:
        return None
    return pa.concat_tables([lake.read_table(path, sha256) for path, sha256 in files])


def label_rows(
    rows: pa.Table, rule: WindowRule, events: pa.Table, exposures: pa.Table | None
) -> pa.Table:
    """Label rows by dated events on DuckDB; a party may stand in several.

    Parameters
    ----------
    rows : pyarrow.Table of n rows
        As `numbered_rows` gives them.
    rule : WindowRule
        Definition, window and data-through date.
    events : pyarrow.Table
        Of all outcome files.
    exposures : pyarrow.Table or None
        Those who were granted credit; None means all were.

    Returns
    -------
    pyarrow.Table of n rows
        As `label_by_events`.
    """
    import ibis  # noqa: PLC0415 - heavy import
    import numpy as np  # noqa: PLC0415 - the same

    from app.domain.outcomes_table import label_expression  # noqa: PLC0415 - the same

    expression = label_expression(
        ibis.memtable(rows),
        ibis.memtable(events),
        definition=rule.definition,
        window_days=rule.window_days,
        data_through=rule.data_through,
        exposures=None if exposures is None else ibis.memtable(exposures),
        row="row",
        keep=("row",),
    )
    labels = collect(expression.drop("party_id"))
    place = np.empty(rows.num_rows, dtype=np.int64)
    place[labels["row"].to_numpy()] = np.arange(labels.num_rows)
    return labels.drop_columns(["row"]).take(place)


def label_by_flags(lake: Lake, snapshot: pa.Table, flags: Sequence[FileName]) -> pa.Table:
    """Label every party of a batch by its final flag; where files disagree, the newest holds.

    Parameters
    ----------
    lake : Lake
        Where the files are; each file's hash is verified.
    snapshot : pyarrow.Table
        The batch.
    flags : sequence of (path, sha256)
        Files of final flags, oldest first, at least one.

    Returns
    -------
    pyarrow.Table
        As `label_by_events`; parties without a flag are immature, and there is no window.

    Raises
    ------
    FileHashError
        If a file is not what was stored.
    """
    import pyarrow as pa  # noqa: PLC0415 - heavy import
    import pyarrow.compute as pc  # noqa: PLC0415 - the same

    n_rows = snapshot.num_rows
    bad = pa.nulls(n_rows, pa.bool_())
    for path, sha256 in flags:
        table = lake.read_table(path, sha256)
        place = pc.index_in(
            snapshot["party_id"].combine_chunks(), value_set=table["party_id"].combine_chunks()
        )
        bad = pc.coalesce(table["bad"].combine_chunks().take(place), bad)
    value = pc.if_else(bad, pa.scalar(1, pa.int8()), pa.scalar(0, pa.int8()))
    status = pc.fill_null(pc.if_else(bad, "bad", "good"), "immature")
    return pa.table(
        {
            "status": status,
            "label_value": value,
            "observation_end": pa.nulls(n_rows, pa.date32()),
            "event_type": pa.nulls(n_rows, pa.string()),
            "event_date": pa.nulls(n_rows, pa.date32()),
        }
    )


def add_scores(labels: pa.Table, snapshot: pa.Table, card: Scorecard) -> pa.Table:
    """Put ids, score dates and the card's scores beside the labels.

    Parameters
    ----------
    labels : pyarrow.Table
        In the row order of the snapshot.
    snapshot : pyarrow.Table
        The batch; a feature of the card that it lacks counts as missing.
    card : Scorecard
        The active card.

    Returns
    -------
    pyarrow.Table
        With the columns `LABEL_COLUMNS`.
    """
    from app.domain.table_score import TableScorer  # noqa: PLC0415 - loads pyarrow

    scores = TableScorer(card, reasons=False, contributions=False).run(snapshot)["score"]
    complete = (
        labels.append_column("party_id", snapshot["party_id"])
        .append_column("scored_at", snapshot["scored_at"])
        .append_column("score_at_label", scores)
    )
    return complete.select(LABEL_COLUMNS)


def refuse_circular(labels: pa.Table, version: str) -> None:
    """Refuse labels that the card's own score separates without a single error.

    Parameters
    ----------
    labels : pyarrow.Table
        With `LABEL_COLUMNS`.
    version : str
        Name of the version whose scores they are.

    Raises
    ------
    CircularLabelError
        If at least 10 bad and 10 good parties are perfectly separated.
    """
    import pyarrow.compute as pc  # noqa: PLC0415 - heavy import

    scores = {
        value: labels["score_at_label"].filter(pc.equal(labels["label_value"], value))
        for value in (0, 1)
    }
    if min(len(found) for found in scores.values()) < _ENOUGH:
        return
    good, bad = (pc.min_max(scores[value]).as_py() for value in (0, 1))
    if bad["max"] < good["min"] or good["max"] < bad["min"]:
        raise CircularLabelError(
            f"the scores of {version} separate bad from good without a single error (bad "
            f"{bad['min']} to {bad['max']}, good {good['min']} to {good['max']}): these labels "
            "were made from the score or a band, and would only teach the scorecard itself",
            scored_by=version,
            n_bad=len(scores[1]),
            n_good=len(scores[0]),
        )
