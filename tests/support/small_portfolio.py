"""A card of three features, and portfolios whose truth is near it, off it, or against it."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np

CARD = """\
name: Three features
range: {min: 300, max: 900}
bands: {poor: 300, fair: 600, good: 700}
features:
  a: {weight: 50, transform: {kind: linear, worst: 0, best: 1}, reason: Low a}
  b: {weight: 30, transform: {kind: linear, worst: 0, best: 1}, reason: Low b}
  c: {weight: 20, transform: {kind: linear, worst: 0, best: 1}, reason: Low c}
"""
TRUTHS = {
    "adopts": (1.0, 3.0, 4.5),
    "keeps": (3.0, 1.8, 1.2),
    "does not rank": (0.6, 0.05, 0.05),
    "ranks backwards": (-3.0, -2.0, -1.0),
}
"""Log-odds of being good per unit of each feature."""

THROUGH = "2025-12-31"


@dataclass(frozen=True, slots=True)
class SmallPortfolio:
    """The files of a portfolio."""

    card: Path
    batch: Path
    outcomes: Path


def write_portfolio(
    folder: Path, truth: str = "adopts", *, n: int = 1500, seed: int = 5, prefix: str = "P"
) -> SmallPortfolio:
    """Write a card, a batch scored over 2024, and its write-offs.

    Parameters
    ----------
    folder : Path
        Where the files go; made if it does not exist.
    truth : str
        One of ``TRUTHS``.
    n : int
        Parties.
    seed : int
        Same seed, same files.
    prefix : str
        First letters of the party ids.
    """
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    values = rng.uniform(size=(n, 3)).round(4)
    risk = -(values - 0.5) @ np.array(TRUTHS[truth])
    is_bad = rng.uniform(size=n) < 1 / (1 + np.exp(1.1 - risk))
    scored = [date(2024, 1, 1) + timedelta(days=int(day)) for day in rng.integers(0, 365, n)]
    ids = [f"{prefix}{number:05d}" for number in range(n)]
    files = SmallPortfolio(folder / "card.yaml", folder / "batch.csv", folder / "outcomes.csv")
    files.card.write_text(CARD, encoding="utf-8")
    batch = [
        (party, day.isoformat(), *row)
        for party, day, row in zip(ids, scored, values.tolist(), strict=True)
    ]
    events = [
        (party, (day + timedelta(days=60)).isoformat())
        for party, day, bad in zip(ids, scored, is_bad.tolist(), strict=True)
        if bad
    ]
    _write(files.batch, ("party", "scored", "a", "b", "c"), batch)
    _write(files.outcomes, ("party", "written_off"), events)
    return files


def _write(path: Path, header: tuple[str, ...], rows: list[tuple[object, ...]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows(rows)
