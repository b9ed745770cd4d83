"""Count vintages on the engine and draw their curves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import date
from typing import Any

import ibis
import pyarrow as pa

from app.domain.types import Document
from app.domain.vintages import (
    Vintage,
    VintageCounts,
    choose_period,
    compare_vintages,
    draw_curve,
    join_small_vintages,
    vintage_sentence,
)
from app.domain.vintages_table import count_expression, follow_expression, parties_by_month
from app.errors import InvalidInputError
from app.lake.engine import collect
from app.services.analysed_rows import DefinedOutcomes


def count_vintages(
    rows: pa.Table,
    events: pa.Table,
    exposures: pa.Table | None,
    observed: DefinedOutcomes,
    *,
    period: str,
    months: int,
) -> Document:
    """Draw the curve of every vintage.

    Parameters
    ----------
    rows, events, exposures : pyarrow.Table
        As `app.services.analysed_rows` reads them.
    observed : DefinedOutcomes
        Definition and data through.
    period : str
        ``auto``, ``month``, ``quarter`` or ``year``.
    months : int
        Curves go no further.

    Returns
    -------
    dict
        ``period``, ``n``, ``n_bad``, ``n_excluded``, ``curves``, ``compared`` and ``sentence``.

    Raises
    ------
    InvalidInputError
        If nobody is left to follow.
    """
    expression = follow_expression(
        ibis.memtable(rows),
        ibis.memtable(events),
        definition=observed.definition,
        data_through=observed.data_through,
        exposures=None if exposures is None else ibis.memtable(exposures),
    )
    followed = ibis.memtable(collect(expression))
    by_month = collect(parties_by_month(followed)).to_pydict()
    parties = dict(zip(by_month["month"], by_month["n"], strict=True))
    if not parties:
        raise InvalidInputError(
            "Nobody is left to follow: every party was already bad when scored, or was not "
            "granted credit."
        )
    chosen = choose_period(tuple(parties)) if period == "auto" else period
    vintages = join_small_vintages(parties, chosen)
    place = {month: at for at, one in enumerate(vintages) for month in one.months}
    table = ibis.memtable(pa.table({"month": list(place), "vintage": list(place.values())}))
    lines = collect(count_expression(followed, table)).to_pylist()
    counts = _counts(vintages, lines)
    curves = [draw_curve(one, observed.data_through, months) for one in counts]
    compared = compare_vintages(curves)
    return {
        "period": chosen,
        "n": sum(one.n for one in counts),
        "n_bad": sum(sum(one.bad_by_month.values()) for one in counts),
        "n_excluded": sum(one.n_excluded for one in counts),
        "curves": curves,
        "compared": compared,
        "sentence": vintage_sentence(compared),
    }


def _counts(
    vintages: Sequence[Vintage], lines: Sequence[dict[str, Any]]
) -> tuple[VintageCounts, ...]:
    found = []
    for at, vintage in enumerate(vintages):
        own = [line for line in lines if line["vintage"] == at]
        kept = [line for line in own if line["is_followed"]]
        bad: Counter[int] = Counter()
        for line in kept:
            if line["bad_month"] is not None:
                bad[line["bad_month"]] += line["n"]
        first: date = min(line["first_scored"] for line in kept)
        last: date = max(line["last_scored"] for line in kept)
        n = sum(line["n"] for line in kept)
        n_all = sum(line["n"] for line in own)
        found.append(VintageCounts(vintage, first, last, n, n_all - n, bad))
    return tuple(found)
