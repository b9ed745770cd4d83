"""Score rows a piece at a time: what files and batches share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TypeVar

import pyarrow as pa
import pyarrow.compute as pc

from app.domain.feature_columns import feature_column
from app.domain.intake import FAULTS_SHOWN, RowFaults, count_faults
from app.domain.table_score import TableScorer
from app.domain.types import Document

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Scored:
    """A piece that was scored.

    Parameters
    ----------
    table : pyarrow.Table or None
        The rows and their scores; None once a fault was met.
    done : int
        How far into its source the piece reaches.
    """

    table: pa.Table | None
    done: int


@dataclass(frozen=True, slots=True)
class Found:
    """What a piece holds.

    Parameters
    ----------
    values : dict of str to pyarrow.Array
        The features as their transforms take them.
    scores : pyarrow.Table
        As `app.domain.table_score.TableScorer` gives them.
    """

    values: dict[str, pa.Array]
    scores: pa.Table


class ScoringRun:
    """What is known after the pieces scored so far.

    Parameters
    ----------
    scorer : TableScorer
        That scores them.

    Attributes
    ----------
    faults : list of RowFaults
        As many as a message shows; positions from the start of the first piece.
    n_faults : int
        All of them.
    """

    def __init__(self, scorer: TableScorer) -> None:
        self.faults: list[RowFaults] = []
        self.n_faults = 0
        self._scorer = scorer
        self._n_rows = 0
        self._points = 0
        self._bands: Counter[str] = Counter()
        self._missing: Counter[str] = Counter()

    def score(self, table: pa.Table, faults: Sequence[RowFaults] = ()) -> Found | None:
        """Score a piece; None if it or one before it holds a fault."""
        read = {
            name: feature_column(feature, name, table) for name, feature in self._scorer.features
        }
        self._note([*faults, *(fault for _, found in read.values() for fault in found)])
        self._n_rows += table.num_rows
        if self.n_faults:
            return None
        values = {name: column for name, (column, _) in read.items()}
        scores = self._scorer.run_columns(list(values.values()), table.num_rows)
        self._points += pc.sum(scores["score"]).as_py() or 0
        counted = pc.value_counts(scores["band"]).to_pylist()
        self._bands.update({item["values"]: item["counts"] for item in counted})
        self._missing.update({name: column.null_count for name, column in values.items()})
        return Found(values, scores)

    def _note(self, faults: Sequence[RowFaults]) -> None:
        """Count all faults, and keep as many as a message shows."""
        self.n_faults += count_faults(faults)
        if count_faults(self.faults) >= FAULTS_SHOWN:
            return
        for fault in faults:
            rows = fault.rows[:FAULTS_SHOWN] + self._n_rows
            self.faults.append(replace(fault, rows=rows, values=fault.values[:FAULTS_SHOWN]))

    def summary(self) -> Document:
        """Describe the scores: n_rows, mean_score, band_shares and missing_values."""
        card, n_rows = self._scorer.card, self._n_rows
        return {
            "n_rows": n_rows,
            "mean_score": self._points / n_rows,
            "band_shares": {name: self._bands[name] / n_rows for name in card.band_names},
            "missing_values": {name: self._missing[name] for name in card.feature_names},
        }


def ahead(items: Iterator[Item]) -> Iterator[Item]:
    """Make the next item in another thread while the caller works on the one before.

    Parameters
    ----------
    items : iterator
        Of anything but None.

    Yields
    ------
    object
        The items in their order; what making one raises is raised here.

    Examples
    --------
    >>> list(ahead(iter("abc")))
    ['a', 'b', 'c']
    """
    with ThreadPoolExecutor(1) as pool:
        made = pool.submit(next, items, None)
        while (item := made.result()) is not None:
            made = pool.submit(next, items, None)
            yield item


def beside(rows: pa.Table, scores: pa.Table) -> pa.Table:
    """Put scores beside the rows that they are of.

    Parameters
    ----------
    rows, scores : pyarrow.Table of n rows
        Without a name in common.

    Returns
    -------
    pyarrow.Table of n rows
        The columns of `rows`, then those of `scores`.
    """
    for name in scores.column_names:
        rows = rows.append_column(name, scores[name])
    return rows
