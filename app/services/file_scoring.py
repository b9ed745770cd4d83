"""Score a file of any size, a piece at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from app.domain.feature_columns import feature_column
from app.domain.intake import (
    FAULTS_SHOWN,
    RowFaults,
    count_faults,
    describe_faults,
    one_chunk,
    trimmed_or_null,
)
from app.domain.scorecard import Scorecard
from app.domain.scorecard_table import score_outputs, score_query
from app.domain.types import Document, Progress
from app.errors import IntakeError, InvalidInputError
from app.lake.engine import duckdb_options
from app.lake.intake_csv import file_fault
from app.lake.row_stream import Piece, RowStream, open_rows
from app.lake.row_writer import format_of, whole_file

_STAGE = "Scoring the rows"
_UNDONE = "written"


def score_stream(
    card: Scorecard,
    path: Path,
    out: Path,
    report: Progress,
    *,
    allow_missing_features: bool = False,
) -> Document:
    """Score a file; the output appears only if every row is sound.

    Parameters
    ----------
    card : Scorecard
        The card that decides.
    path : Path
        CSV, CSV.gz or Parquet.
    out : Path
        Ends in ``.csv``, ``.csv.gz`` or ``.parquet``.
    report : callable
        Called as ``report(stage, done, total)`` with bytes (CSV) or rows (Parquet).
    allow_missing_features : bool, default False
        Whether the file may lack features to which the card gives a ``missing`` goodness.

    Returns
    -------
    dict
        n_rows, mean_score (points), band_shares (fractions), missing_features (those that the
        file lacks), missing_values (nulls by feature).

    Raises
    ------
    NotFoundError
        If there is no such file.
    InvalidInputError
        If the output cannot be written, or would replace the input.
    IntakeError
        Every fault of the file: the first 20 and their count.
    """
    stream = open_rows(path)
    if out.exists() and out.samefile(path):
        raise InvalidInputError(f"{out} is the file to score: write the scores to another one")
    missing = _check_columns(stream, card, allowed=allow_missing_features)
    run = _Run(card, stream, is_parquet=format_of(out) == "parquet")
    notes = {"chancellor.card": card.name, "chancellor.content_hash": card.content_hash}
    with whole_file(out, notes) as writer:
        for piece in stream.pieces():
            scored = run.score(piece)
            if scored is not None:
                writer.write(scored)
            report(_STAGE, piece.done, stream.total)
        # inside, so that a file at fault leaves no output behind
        run.raise_faults()
    report(_STAGE, stream.total, stream.total)
    return {**run.summary(), "missing_features": list(missing)}


def _check_columns(stream: RowStream, card: Scorecard, *, allowed: bool) -> tuple[str, ...]:
    """Give the features that the file may lack and does, or raise what is wrong with its head."""
    faults = list(stream.file_faults)
    missing = tuple(name for name in card.features if name not in stream.columns)
    if stream.columns:
        faults += _lacking(stream.columns, missing, card, allowed=allowed)
        faults += _doubled(stream.columns, card)
    if faults:
        raise IntakeError(stream.path.name, faults[:FAULTS_SHOWN], len(faults), _UNDONE)
    return missing


def _lacking(
    columns: Sequence[str], missing: Sequence[str], card: Scorecard, *, allowed: bool
) -> list[Document]:
    by_lower = {column.lower(): column for column in reversed(columns)}
    faults = []
    for name in missing:
        has_goodness = "missing" in card.features[name].model_fields_set
        if has_goodness and allowed:
            continue
        close = [by_lower[lower] for lower in get_close_matches(name.lower(), by_lower, n=2)]
        hint = f"; did you mean {' or '.join(close)}?" if close else ""
        score_it = ": --allow-missing-features scores it as missing" if has_goodness else ""
        problem = f"the file lacks this feature of the card{score_it}{hint}"
        faults.append(file_fault(problem, column=name))
    if faults:
        faults[-1]["problem"] += f". The file has: {', '.join(columns)}"
    return faults


def _doubled(columns: Sequence[str], card: Scorecard) -> list[Document]:
    added = {name.casefold() for name in score_outputs(card)}
    doubled = [name for name in columns if name.casefold() in added]
    if not doubled:
        return []
    problem = f"scoring adds columns of these names: rename or remove {', '.join(doubled)}"
    return [file_fault(problem)]


class _Run:
    """What is known after the pieces read so far."""

    def __init__(self, card: Scorecard, stream: RowStream, *, is_parquet: bool) -> None:
        self.card = card
        self.stream = stream
        self._types_columns = stream.is_text and is_parquet
        self._query = score_query(card)
        self._limits = duckdb_options()
        self._n_rows = 0
        self._points = 0
        self._bands: Counter[str] = Counter()
        self._missing: Counter[str] = Counter()
        self._faults: list[RowFaults] = []
        self._n_shown = 0
        self._n_faults = 0

    def score(self, piece: Piece) -> pa.Table | None:
        """Score a piece; after the first fault only look for more."""
        read = {
            name: feature_column(feature, name, piece.table)
            for name, feature in self.card.features.items()
        }
        self._note([*piece.faults, *(fault for _, faults in read.values() for fault in faults)])
        self._n_rows += piece.table.num_rows
        if self._n_faults:
            return None
        values = {name: column for name, (column, _) in read.items()}
        scores = self._query.run_columns(
            list(values.values()), piece.table.num_rows, limits=self._limits
        )
        self._points += pc.sum(scores["score"]).as_py() or 0
        counted = pc.value_counts(scores["band"]).to_pylist()
        self._bands.update({item["values"]: item["counts"] for item in counted})
        self._missing.update({name: column.null_count for name, column in values.items()})
        rows = _typed(piece.table, values) if self._types_columns else piece.table
        return _beside(rows, scores)

    def _note(self, faults: Sequence[RowFaults]) -> None:
        """Count all faults, and keep as many as a message shows."""
        self._n_faults += count_faults(faults)
        if self._n_shown >= FAULTS_SHOWN:
            return
        for fault in faults:
            rows = fault.rows[:FAULTS_SHOWN] + self._n_rows
            self._faults.append(replace(fault, rows=rows, values=fault.values[:FAULTS_SHOWN]))
            self._n_shown += len(rows)

    def raise_faults(self) -> None:
        """Raise all faults of the file as one error, if there is any."""
        stream = self.stream
        n_faults = len(stream.file_faults) + stream.n_ragged + self._n_faults
        if not n_faults:
            return
        ragged = stream.ragged_faults() if stream.n_ragged else []
        cells = describe_faults(self._faults, stream.lines_of, FAULTS_SHOWN)
        in_rows = sorted([*ragged, *cells], key=lambda fault: int(fault["row"]))
        raise IntakeError(
            stream.path.name, [*stream.file_faults, *in_rows][:FAULTS_SHOWN], n_faults, _UNDONE
        )

    def summary(self) -> Document:
        """Describe the scores."""
        n_rows = self._n_rows
        return {
            "n_rows": n_rows,
            "mean_score": self._points / n_rows,
            "band_shares": {name: self._bands[name] / n_rows for name in self.card.band_names},
            "missing_values": {name: self._missing[name] for name in self.card.feature_names},
        }


def _typed(table: pa.Table, values: Mapping[str, pa.Array]) -> pa.Table:
    """Give features as they were read and blank text as null, as a batch snapshot does."""
    columns = {
        name: values[name] if name in values else trimmed_or_null(one_chunk(table[name]))
        for name in table.column_names
    }
    return pa.table(columns)


def _beside(rows: pa.Table, scores: pa.Table) -> pa.Table:
    for name in scores.column_names:
        rows = rows.append_column(name, scores[name])
    return rows
