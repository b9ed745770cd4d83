"""The four real data sets are labelled as their README says, from files to stored labels."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import func, select

from app.domain.scorecard import load_scorecard
from app.models import GroundTruthLabel
from app.services.batch_service import BatchService
from app.services.label_generation_service import LabelGenerationService
from app.services.outcome_service import OutcomeService
from tests.support.portfolio import store_with_card

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


@pytest.fixture
def store_with(home: Path, sqlite_template: Path, shared_cards: Path) -> Iterator[Any]:
    """Open stores with one of the expert cards."""
    with ExitStack() as stores:

        def build(name: str) -> Session:
            card = load_scorecard(shared_cards / f"{name}.yaml")
            return stores.enter_context(store_with_card(card, home, sqlite_template))

        yield build


def test_small_business_loans_are_labelled_by_their_write_offs(
    store_with: Any, shared_data: Path
) -> None:
    db = store_with("sba_case")
    file = shared_data / "sba_case" / "sba_case.csv"
    batch = BatchService(db).import_file(
        file, batch_id="SBA", party_id="LoanNr_ChkDgt", scored_at="ApprovalDate"
    )
    assert (batch["n_rows"], batch["missing_features"]) == (2102, [])
    outcomes = OutcomeService(db).import_events(
        file,
        party_id="LoanNr_ChkDgt",
        event_date="ChgOffDate",
        event_type="write_off",
        through="2014-08-31",
    )
    assert outcomes["through"] == {"write_off": "2014-08-31"}
    assert outcomes["n_rows"] == 2102

    labels = LabelGenerationService(db).generate_labels("SBA", observation_window_days=1825)

    # ../shared/design.md, section 6: 2,050 labelled with 26.8 % bad, 52 of 2,102 immature
    assert (labels["n_parties"], labels["n_labelled"], labels["n_immature"]) == (2102, 2050, 52)
    assert round(labels["default_rate"], 3) == 0.268
    assert labels["data_through"] == "2014-08-31"
    assert labels["types_never_imported"] == ["bankruptcy", "collection", "days_past_due"]
    assert {gate["gate"]: gate["verdict"] for gate in labels["gates"]} == {
        "sample_size": "pass",
        "default_rate": "pass",
    }
    assert any("rejected applicant" in warning for warning in labels["warnings"])
    stored = db.scalar(
        select(func.sum(GroundTruthLabel.label_value)).where(
            GroundTruthLabel.label_set_id == labels["label_set_id"]
        )
    )
    assert stored == labels["n_bad"]


@pytest.mark.parametrize(
    ("name", "file", "party_id", "flag", "bad", "rows", "rate"),
    [
        # ../shared/data/README.md gives rows and rates
        ("hmeq", "hmeq.csv", "@row", "BAD", "1", 5960, 0.1995),
        ("german", "german.csv", "row_id", "creditability", "bad", 1000, 0.300),
        ("taiwan", "taiwan_default.csv.gz", "ID", "default.payment.next.month", "1", 30000, 0.2212),
    ],
)
def test_final_flags_give_the_known_bad_rates(
    store_with: Any,
    shared_data: Path,
    name: str,
    file: str,
    party_id: str,
    flag: str,
    bad: str,
    rows: int,
    rate: float,
) -> None:
    db = store_with(name)
    path = shared_data / name / file
    BatchService(db).import_file(path, batch_id="B", party_id=party_id, scored_at="2006-01-01")
    flags = OutcomeService(db).import_flags(
        path, batch_id="B", party_id=party_id, flag=flag, bad=bad
    )
    assert flags["warnings"] == []

    labels = LabelGenerationService(db).generate_labels("B", outcome_type="final_flag")

    assert (labels["n_labelled"], labels["n_immature"]) == (rows, 0)
    assert labels["default_rate"] == pytest.approx(rate, abs=5e-5)
    assert (labels["data_through"], labels["observation_window_days"]) == (None, None)
