"""Add up the counts of decisions into what a person reads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from app.domain.types import Document
from app.queries.decisions import BIN_POINTS


def describe_decisions(rows: Sequence[Any]) -> Document:
    """Describe decisions that were counted by version, band and bin.

    Parameters
    ----------
    rows : sequence of Row
        From :func:`app.queries.decisions.count_by_bin`.

    Returns
    -------
    dict
        n_decisions and versions, in the order of their names.
    """
    by_version: dict[tuple[str, str], list[Any]] = {}
    for row in rows:
        by_version.setdefault((row.version, row.content_hash), []).append(row)
    return {
        "n_decisions": sum(row.n for row in rows),
        "versions": [_describe(*key, found) for key, found in by_version.items()],
    }


def _describe(version: str, content_hash: str, rows: Sequence[Any]) -> Document:
    n = sum(row.n for row in rows)
    bands: dict[str, int] = {}
    bins: dict[int, int] = {}
    for row in sorted(rows, key=lambda row: (row.bin, row.lowest)):
        bands[row.band] = bands.get(row.band, 0) + row.n
        bins[row.bin] = bins.get(row.bin, 0) + row.n
    return {
        "version": version,
        "content_hash": content_hash,
        "n": n,
        "mean_score": float(sum(row.total for row in rows)) / n,
        "lowest_score": min(row.lowest for row in rows),
        "highest_score": max(row.highest for row in rows),
        "bands": bands,
        "bins": [
            {"from": number * BIN_POINTS, "to": (number + 1) * BIN_POINTS - 1, "n": count}
            for number, count in sorted(bins.items())
        ],
    }
