"""How the scores of the last batch lie against those of the batch before."""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise

import numpy as np
from sqlalchemy.orm import Session

from app.domain.stability import population_stability_index, psi_by_chance
from app.domain.types import Document, Floats
from app.errors import FileHashError, NotFoundError
from app.lake.store import Lake
from app.models import ScoreSet
from app.queries.overview import last_scored
from app.queries.versions import require_version

BIN_WIDTH = 20
"""Points; of the figure, not of the PSI, whose bins are tenths of the batch before."""

_TENTHS = np.linspace(0.1, 0.9, 9)


def last_distribution(db: Session, lake: Lake) -> Document | None:
    """Compare the scores of the last batch with those of the batch before.

    Parameters
    ----------
    db : Session
        The store.
    lake : Lake
        The data plane.

    Returns
    -------
    dict or None
        None where no batch was scored. ``version``; ``problem``, why a file of scores cannot be
        read, else None; ``bins``, pairs of first and last score; ``after`` and ``before`` (None
        where there is one batch only): ``name``, ``n``, ``mean_score``, ``band_shares`` and
        ``shares`` per bin; ``psi`` over tenths of the batch before, and ``psi_by_chance``, both
        None without one.
    """
    found = last_scored(db)
    if not found:
        return None
    document: Document = {"version": found[0].version, "problem": None}
    score_range = require_version(db, found[0].version).content.get("range") or {}
    limits = (score_range.get("min", 300), score_range.get("max", 900))
    files = tuple((row.file_path, row.file_hash) for row in found)
    try:
        bins, shares, psi = _compared(lake, files, limits)
    except (FileHashError, NotFoundError) as error:
        return {**document, "problem": error.message}
    sides = [_side(row, part) for row, part in zip(found, shares, strict=True)]
    before = sides[1] if sides[1:] else None
    return {**document, "bins": bins, "after": sides[0], "before": before, **psi}


def _side(row: ScoreSet, shares: tuple[float, ...]) -> Document:
    return {
        "name": row.batch_id,
        "n": row.n_rows,
        "mean_score": row.mean_score,
        "band_shares": dict(row.band_shares),
        "shares": list(shares),
    }


@lru_cache(maxsize=8)
def _compared(
    lake: Lake, files: tuple[tuple[str, str], ...], limits: tuple[int, int]
) -> tuple[list[list[int]], list[tuple[float, ...]], Document]:
    """Count scores; files never change, so the counts of the last two are kept."""
    low, high = limits
    scores = [
        lake.read_table(path, sha256, columns=("score",))["score"].to_numpy()
        for path, sha256 in files
    ]
    edges = np.append(np.arange(low, high, BIN_WIDTH), high)
    shares = [tuple(float(x) for x in np.histogram(s, edges)[0] / s.size) for s in scores]
    bins = [[int(a), int(b)] for a, b in pairwise(edges)]
    return bins, shares, _psi(scores[1], scores[0]) if scores[1:] else _NO_PSI


_NO_PSI: Document = {"psi": None, "psi_by_chance": None}


def _psi(expected: Floats, actual: Floats) -> Document:
    edges = np.unique(np.quantile(expected, _TENTHS))
    counts = [
        np.bincount(np.searchsorted(edges, part, side="right"), minlength=edges.size + 1)
        for part in (expected, actual)
    ]
    return {
        "psi": population_stability_index(counts[0], counts[1]),
        "psi_by_chance": psi_by_chance(expected.size, actual.size, edges.size + 1),
    }
