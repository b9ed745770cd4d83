"""Read records, group them and count."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import beta

Record = dict[str, Any]


def read_records(folder: Path, study: str) -> list[Record]:
    """Read a study's records; numbers become numbers, blanks None. Nothing where it was not run."""
    path = folder / f"{study}_runs.csv"
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return [{key: _value(text) for key, text in row.items()} for row in csv.DictReader(file)]


def _value(text: str) -> Any:
    if text == "":
        return None
    try:
        return float(text)
    except ValueError:
        return text


def group_by(records: Iterable[Record], *keys: str) -> dict[tuple[Any, ...], list[Record]]:
    """Group records by some of their values, in order of appearance."""
    groups: dict[tuple[Any, ...], list[Record]] = {}
    for record in records:
        groups.setdefault(tuple(record.get(key) for key in keys), []).append(record)
    return groups


def values(records: Iterable[Record], key: str) -> np.ndarray:
    """Give one column as numbers, without the blanks."""
    return np.array([record[key] for record in records if record.get(key) is not None])


def share_interval(n_hits: int, n: int) -> tuple[float, float]:
    """Give the exact (Clopper-Pearson) 95 % interval of a share."""
    low = float(beta.ppf(0.025, n_hits, n - n_hits + 1)) if n_hits else 0.0
    high = float(beta.ppf(0.975, n_hits + 1, n - n_hits)) if n_hits < n else 1.0
    return low, high


def upper_limit(n_hits: int, n: int) -> float:
    """Give the one-sided 95 % upper limit of a share."""
    return float(beta.ppf(0.95, n_hits + 1, n - n_hits)) if n_hits < n else 1.0


def advice_shares(records: Sequence[Record]) -> Record:
    """Count how often each advice was given."""
    n = len(records)
    return {
        name: sum(record["advice"] == name for record in records) / n
        for name in ("adopt", "wait", "keep", "stopped")
    }
