"""Monthly batches of a small card, with months that drift and months that turn bad."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path

import numpy as np
from sqlalchemy.orm import Session

from app.services.batch_service import BatchService
from app.services.outcome_service import OutcomeService

CARD = """\
name: Monitored
range: {min: 300, max: 900}
bands: {poor: 300, fair: 500, good: 700}
features:
  a: {weight: 50, transform: {kind: linear, worst: 0, best: 1}}
  b: {weight: 30, transform: {kind: linear, worst: 0, best: 1}}
  sector:
    weight: 20
    transform: {kind: categories, values: {farming: 0.2, retail: 0.6, trade: 1}, other: 0.5}
"""
_SECTORS = ("farming", "retail", "trade")


def monthly_rows(
    month: int, *, n: int = 400, shift: float = 0.0, riskier: float = 0.0, new: str | None = None
) -> list[dict[str, object]]:
    """Give the parties scored in one month of 2024, with the day on which each turned bad.

    Parameters
    ----------
    month : int
        1 to 12; also the seed.
    n : int
        Parties.
    shift : float
        Added to feature a.
    riskier : float
        Added to everybody's log-odds of turning bad: the score does not know it.
    new : str or None
        A sector that a tenth of the parties have, and no earlier month had.
    """
    rng = np.random.default_rng(month)
    a = np.clip(rng.uniform(size=n) + shift, 0, 1).round(4)
    b = rng.uniform(size=n).round(4)
    sector = rng.choice(_SECTORS, n)
    goodness = (
        0.5 * a
        + 0.3 * b
        + 0.2 * np.array([{"farming": 0.2, "retail": 0.6}.get(s, 1) for s in sector])
    )
    p_bad = 1 / (1 + np.exp(-(1.2 + riskier - 5 * goodness)))
    is_bad = rng.uniform(size=n) < p_bad
    if new is not None:
        sector[: n // 10] = new
    rows: list[dict[str, object]] = []
    for place in range(n):
        day = date(2024, month, 1) + timedelta(days=int(rng.integers(0, 28)))
        rows.append(
            {
                "party": f"M{month:02d}-{place:05d}", "on": day.isoformat(),
                "a": a[place], "b": b[place], "sector": sector[place],
                "gone": (day + timedelta(days=30)).isoformat() if is_bad[place] else "",
            }
        )  # fmt: skip
    return rows


def import_month(db: Session, folder: Path, rows: list[dict[str, object]], batch_id: str) -> Path:
    """Import the parties of a month as a batch, and give the file."""
    file = write(folder / f"{batch_id}.csv", rows)
    BatchService(db, actor="analyst").import_file(
        file, batch_id=batch_id, party_id="party", scored_at="on"
    )
    return file


def import_outcomes(db: Session, file: Path, through: str) -> None:
    """Import the write-offs of a month's parties, known through a day."""
    OutcomeService(db, actor="analyst").import_events(
        file, party_id="party", event_date="gone", event_type="write_off", through=through
    )


def write(file: Path, rows: list[Mapping[str, object]] | list[dict[str, object]]) -> Path:
    """Write rows as a CSV file."""
    with file.open("w", newline="", encoding="utf-8") as opened:
        writer = csv.DictWriter(opened, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return file
