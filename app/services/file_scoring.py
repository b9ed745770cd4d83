"""Score a file of any size, a piece at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path

import pyarrow as pa

from app.domain.intake import FAULTS_SHOWN, describe_faults, one_chunk, trimmed_or_null
from app.domain.scorecard import Scorecard
from app.domain.table_score import TableScorer
from app.domain.types import Document, Progress
from app.errors import IntakeError, InvalidInputError
from app.lake.intake_csv import file_fault
from app.lake.row_stream import RowStream, open_rows
from app.lake.row_writer import format_of, whole_file
from app.services.scoring_run import Scored, ScoringRun, ahead, beside

_STAGE = "Scoring the rows"
_UNDONE = "written"


def score_stream(
    card: Scorecard,
    path: Path,
    out: Path,
    report: Progress,
    *,
    allow_missing_features: bool = False,
    reasons: bool = True,
    contributions: bool = True,
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
    reasons, contributions : bool, default True
        Whether to add the reason columns and the points of each feature.

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
    scorer = TableScorer(card, reasons=reasons, contributions=contributions)
    missing = _check_columns(stream, scorer, allowed=allow_missing_features)
    run = ScoringRun(scorer)
    types_columns = stream.is_text and format_of(out) == "parquet"
    notes = {"chancellor.card": card.name, "chancellor.content_hash": card.content_hash}
    with whole_file(out, notes) as writer:
        for piece in ahead(_scored(run, stream, types_columns=types_columns)):
            if piece.table is not None:
                writer.write(piece.table)
            report(_STAGE, piece.done, stream.total)
        # inside, so that a file at fault leaves no output behind
        _raise_faults(run, stream)
    report(_STAGE, stream.total, stream.total)
    return {**run.summary(), "missing_features": list(missing)}


def _check_columns(stream: RowStream, scorer: TableScorer, *, allowed: bool) -> tuple[str, ...]:
    """Give the features that the file may lack and does, or raise what is wrong with its head."""
    card = scorer.card
    faults = list(stream.file_faults)
    missing = tuple(name for name in card.features if name not in stream.columns)
    if stream.columns:
        faults += _lacking(stream.columns, missing, card, allowed=allowed)
        faults += _doubled(stream.columns, scorer.outputs)
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


def _doubled(columns: Sequence[str], outputs: Sequence[str]) -> list[Document]:
    added = {name.casefold() for name in outputs}
    doubled = [name for name in columns if name.casefold() in added]
    if not doubled:
        return []
    problem = f"scoring adds columns of these names: rename or remove {', '.join(doubled)}"
    return [file_fault(problem)]


def _scored(run: ScoringRun, stream: RowStream, *, types_columns: bool) -> Iterator[Scored]:
    """Score piece after piece; after the first fault only look for more."""
    for piece in stream.pieces():
        found = run.score(piece.table, piece.faults)
        if found is None:
            yield Scored(None, piece.done)
            continue
        rows = _typed(piece.table, found.values) if types_columns else piece.table
        yield Scored(beside(rows, found.scores), piece.done)


def _raise_faults(run: ScoringRun, stream: RowStream) -> None:
    """Raise all faults of the file as one error, if there is any."""
    n_faults = len(stream.file_faults) + stream.n_ragged + run.n_faults
    if not n_faults:
        return
    ragged = stream.ragged_faults() if stream.n_ragged else []
    cells = describe_faults(run.faults, stream.lines_of, FAULTS_SHOWN)
    in_rows = sorted([*ragged, *cells], key=lambda fault: int(fault["row"]))
    raise IntakeError(
        stream.path.name, [*stream.file_faults, *in_rows][:FAULTS_SHOWN], n_faults, _UNDONE
    )


def _typed(table: pa.Table, values: Mapping[str, pa.Array]) -> pa.Table:
    """Give features as they were read and blank text as null, as a batch snapshot does."""
    columns = {
        name: values[name] if name in values else trimmed_or_null(one_chunk(table[name]))
        for name in table.column_names
    }
    return pa.table(columns)
