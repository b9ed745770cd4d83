from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from app.db import open_session
from app.domain.scorecard import load_scorecard
from app.services.batch_service import BatchService
from app.services.outcome_service import OutcomeService
from app.services.store import initialise_store
from tests.support.small_portfolio import THROUGH, write_portfolio


@pytest.fixture
def stored(tmp_path: Path, home: Path) -> Callable[..., None]:
    """Make a store with batches and their write-offs, through the services."""

    def make(
        truth: str = "adopts", *, batches: dict[str, int] | None = None, is_new: bool = True
    ) -> None:
        for number, (batch, n) in enumerate((batches or {"B1": 1500}).items()):
            files = write_portfolio(
                tmp_path / batch, truth, n=n, seed=5 + number, prefix=f"{batch}-{number}"
            )
            if is_new and number == 0:
                initialise_store(card=load_scorecard(files.card), actor="ada")
            with open_session() as db:
                BatchService(db, actor="ada").import_file(
                    files.batch, batch_id=batch, party_id="party", scored_at="scored"
                )
                OutcomeService(db, actor="ada").import_events(
                    files.outcomes,
                    party_id="party",
                    event_date="written_off",
                    event_type="write_off",
                    through=THROUGH,
                )

    return make
