"""Small batch and outcome files, and stores with a card of one's own."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy.orm import Session

from app.db import open_session
from app.domain.scorecard import Scorecard
from app.services.store import initialise_store

FEATURES = (
    "kyc_verified",
    "company_age_years",
    "party_type_score",
    "contact_completeness",
    "has_tax_id",
    "transaction_count_6m",
    "avg_transaction_amount",
    "total_transaction_volume_6m",
    "transaction_regularity_score",
    "recent_activity_flag",
    "direct_counterparty_count",
    "network_depth_downstream",
    "network_size",
    "supplier_count",
    "customer_count",
    "network_balance_ratio",
)


def party(name: str, scored_at: str = "2024-01-01", **values: Any) -> dict[str, Any]:
    """Give one row of a batch file, with 1 for every feature that is not named."""
    return {"id": name, "on": scored_at, **dict.fromkeys(FEATURES, 1), **values}


def write_rows(path: Path, rows: Sequence[Mapping[str, Any]]) -> Path:
    """Write rows of the same columns as a CSV file."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def write_batch(path: Path, parties: Iterable[Mapping[str, Any]]) -> Path:
    """Write a batch file."""
    return write_rows(path, list(parties))


def write_events(path: Path, events: Iterable[Sequence[Any]]) -> Path:
    """Write an outcome file of (party, date, type, days past due)."""
    names = ("id", "date", "type", "days")
    return write_rows(path, [dict(zip(names, event, strict=True)) for event in events])


@contextmanager
def store_with_card(card: Scorecard, home: Path, sqlite_template: Path) -> Iterator[Session]:
    """Initialise a store on SQLite with a card, and open a session on it."""
    home.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(sqlite_template, home / "chancellor.db")
    initialise_store(card=card, actor="tester")
    with open_session() as db:
        yield db
