"""Count on the engine where parties went from their worst state of delinquency."""

from __future__ import annotations

from typing import TYPE_CHECKING

import ibis
import numpy as np
import pyarrow.compute as pc

from app.domain.roll_rates import LOST, count_matrix, roll_rate_rows, roll_rate_sentence
from app.domain.roll_rates_table import roll_rate_expression
from app.domain.types import Document
from app.lake.engine import collect
from app.services.analysed_rows import Observed

if TYPE_CHECKING:
    import pyarrow as pa

_NO_DAYS = (
    "No event of these outcomes says how many days past due a party was (days_past_due): between "
    "current and lost nothing is seen, so there is no roll rate to choose a definition by."
)

_AS_RECORDED = (
    "States are those of recorded events: a party without an event in a span counts as current, "
    "also where it was late and nobody recorded it again."
)
_KEYS = ("first", "later", "n")


def count_rolls(
    rows: pa.Table,
    events: pa.Table,
    exposures: pa.Table | None,
    observed: Observed,
    *,
    months: int,
) -> Document:
    """Count parties by their worst state in one span and in the next.

    Parameters
    ----------
    rows, events, exposures : pyarrow.Table
        As `app.services.analysed_rows` reads them.
    observed : Observed
        Data through.
    months : int
        Length of each span.

    Returns
    -------
    dict
        ``n_followed``, ``n_lost_before``, ``n_immature``, ``n_excluded``, ``has_days_past_due``,
        ``states``, ``sentence`` and ``limits``.
    """
    expression = roll_rate_expression(
        ibis.memtable(rows),
        ibis.memtable(events),
        months=months,
        data_through=observed.data_through,
        exposures=None if exposures is None else ibis.memtable(exposures),
    )
    lines = collect(expression).to_pylist()
    followed = [line for line in lines if line["standing"] == "followed"]
    matrix = count_matrix(
        *(np.array([line[key] for line in followed], dtype=np.int64) for key in _KEYS)
    )
    states = roll_rate_rows(matrix)
    has_days = bool(pc.any(pc.equal(events["event_type"], "days_past_due")).as_py())
    return {
        "n_followed": int(matrix.sum()),
        "n_lost_before": int(matrix[LOST].sum()),
        "n_immature": _n(lines, "immature"),
        "n_excluded": _n(lines, "excluded"),
        "has_days_past_due": has_days,
        "states": states,
        "sentence": roll_rate_sentence(states, months) if has_days else _NO_DAYS,
        "limits": [_AS_RECORDED],
    }


def _n(lines: list[Document], standing: str) -> int:
    return sum(int(line["n"]) for line in lines if line["standing"] == standing)
