"""Outcome analyses show what pandas, or counting by hand, finds in the same files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score
from sqlalchemy import func, select

from app.domain.scorecard import load_scorecard
from app.domain.table_score import TableScorer
from app.errors import ImmatureOutcomesError, InvalidInputError, NotFoundError
from app.models import LabelSet
from app.services.batch_service import BatchService
from app.services.definition_service import DefinitionService
from app.services.exposure_service import ExposureService
from app.services.label_generation_service import LabelGenerationService
from app.services.outcome_analysis_service import OutcomeAnalysisService
from app.services.outcome_service import OutcomeService
from tests.support.portfolio import store_with_card, write_rows

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

THROUGH = pd.Timestamp("2014-08-31")
SMALL_CARD = """\
name: One feature
range: {min: 300, max: 900}
bands: {low: 300, high: 600}
features:
  a: {weight: 1, transform: {kind: linear, worst: 0, best: 1}}
"""


@pytest.fixture
def sba(
    home: Path, sqlite_template: Path, shared_cards: Path, shared_data: Path
) -> Iterator[tuple[Session, pd.DataFrame]]:
    """Open a store with the small-business loans, and the same file read by pandas."""
    file = shared_data / "sba_case" / "sba_case.csv"
    card = load_scorecard(shared_cards / "sba_case.yaml")
    with store_with_card(card, home, sqlite_template) as db:
        BatchService(db).import_file(
            file, batch_id="SBA", party_id="LoanNr_ChkDgt", scored_at="ApprovalDate"
        )
        OutcomeService(db).import_events(
            file, party_id="LoanNr_ChkDgt", event_date="ChgOffDate", event_type="write_off",
            through="2014-08-31",
        )  # fmt: skip
        yield db, pd.read_csv(file, parse_dates=["ApprovalDate", "ChgOffDate"])


def test_vintages_of_small_business_loans_show_2006_and_2007_as_pandas_counts_them(
    sba: tuple[Session, pd.DataFrame],
) -> None:
    db, frame = sba
    found = OutcomeAnalysisService(db).vintages(period="year", months=60)
    curves = {curve["vintage"]: curve for curve in found["curves"]}
    compared = 0
    for year, rows in frame.groupby(frame["ApprovalDate"].dt.year):
        if str(year) not in curves:
            assert len(rows) < 30 or any(str(year) in name for name in curves), year
            continue
        curve = curves[str(year)]
        months = [
            month
            for month in range(1, 61)
            if (rows["ApprovalDate"] + pd.DateOffset(months=month) <= THROUGH).all()
        ]
        assert [point["month"] for point in curve["points"]] == months
        for point in curve["points"]:
            ends = rows["ApprovalDate"] + pd.DateOffset(months=point["month"])
            is_bad = rows["ChgOffDate"] <= ends
            assert (point["n"], point["n_bad"]) == (len(rows), int(is_bad.sum()))
            assert point["bad_rate"] == pytest.approx(is_bad.mean(), abs=1e-12)
            compared += 1
    assert compared > 500
    at_60 = {name: curve["points"][59]["bad_rate"] for name, curve in curves.items()
             if len(curve["points"]) == 60}  # fmt: skip
    assert found["compared"]["highest"]["vintage"] == "2007"
    assert "2007" in found["sentence"]
    assert found["compared"]["p_value"] < 1e-6
    # the deterioration: 11 % of 2004, 45 % of 2006 and 61 % of 2007 within five years
    rates = [round(at_60[year], 2) for year in ("2004", "2006", "2007")]
    assert rates == [0.11, 0.45, 0.61]
    assert len(curves["2009"]["points"]) < 60


@pytest.mark.slow
def test_the_window_table_gives_what_labels_and_scikit_learn_give_and_stores_nothing(
    sba: tuple[Session, pd.DataFrame], shared_cards: Path
) -> None:
    db, frame = sba
    found = OutcomeAnalysisService(db).windows(windows=[730, 1825])
    assert db.scalar(select(func.count()).select_from(LabelSet)) == 0
    snapshot = BatchService(db).lake.read_table(
        *(BatchService(db).get_batch("SBA")[key] for key in ("file_path", "file_hash"))
    )
    card = load_scorecard(shared_cards / "sba_case.yaml")
    scores = TableScorer(card).run(snapshot)["score"].to_numpy()
    score = dict(zip(snapshot["party_id"].to_pylist(), scores, strict=True))
    for line in found["definitions"][0]["lines"]:
        for judged, longest in ((line, line["window_days"]), (line["same_parties"], 1825)):
            days = pd.Timedelta(days=line["window_days"])
            rows = frame[frame["ApprovalDate"] + pd.Timedelta(days=longest) <= THROUGH]
            is_bad = rows["ChgOffDate"] <= rows["ApprovalDate"] + days
            assert (judged["n_labelled"], judged["n_bad"]) == (len(rows), int(is_bad.sum()))
            risk = [-score[str(party)] for party in rows["LoanNr_ChkDgt"]]
            # whole points tie a few rows that unrounded scores order
            assert judged["auc_roc"] == pytest.approx(roc_auc_score(is_bad, risk), abs=5e-4)
    labels = LabelGenerationService(db).generate_labels("SBA", observation_window_days=1825)
    last = found["definitions"][0]["lines"][-1]
    for name in ("n_labelled", "n_bad", "n_good", "n_immature", "n_excluded", "default_rate"):
        assert last[name] == labels[name], name


def test_without_days_past_due_the_roll_rates_say_so(sba: tuple[Session, pd.DataFrame]) -> None:
    db, _ = sba
    found = OutcomeAnalysisService(db).roll_rates(months=12)
    assert found["has_days_past_due"] is False
    assert "days_past_due" in found["sentence"]


@pytest.fixture
def small(home: Path, sqlite_template: Path, tmp_path: Path) -> Iterator[Session]:
    """Open a store with 64 parties scored in January and February 2024, complete through June."""
    rows, events = [], []

    def party(name: str, scored: str, *happened: tuple[str, str, float | None]) -> None:
        rows.append({"id": name, "on": scored, "a": "0.5"})
        events.extend(
            {"id": name, "at": at, "type": kind, "days": "" if days is None else str(days)}
            for at, kind, days in happened
        )

    for number in range(30):
        party(f"J{number}", "2024-01-31")
    for number in range(30):
        party(f"F{number}", "2024-02-10")
    party("month_end", "2024-01-31", ("2024-02-29", "write_off", None))
    party("day_after", "2024-01-31", ("2024-03-01", "write_off", None))
    party("already", "2024-01-31", ("2024-01-31", "write_off", None))
    party("late", "2024-01-31", ("2024-02-20", "days_past_due", 45),
          ("2024-04-05", "days_past_due", 95))  # fmt: skip
    with store_with_card(load_scorecard(SMALL_CARD), home, sqlite_template) as db:
        BatchService(db).import_file(
            write_rows(tmp_path / "b.csv", rows), batch_id="B", party_id="id", scored_at="on"
        )
        OutcomeService(db).import_events(
            write_rows(tmp_path / "o.csv", events), party_id="id", event_date="at",
            event_type="type", days_past_due="days", through="2024-06-29",
        )  # fmt: skip
        yield db


def test_a_curve_counts_by_calendar_months_and_ends_where_not_all_are_observed(
    small: Session, tmp_path: Path
) -> None:
    january, february = OutcomeAnalysisService(small).vintages()["curves"]
    # 2024-01-31 and five months is 2024-06-30, a day after the data end
    assert (january["n"], january["n_excluded"], january["months_observed"]) == (33, 1, 4)
    assert [point["n_bad"] for point in january["points"]] == [1, 2, 3, 3]
    assert (february["n"], len(february["points"])) == (30, 4)

    granted = [
        {"id": row, "from": "2024-06-29"} for row in ("month_end", *(f"J{n}" for n in range(30)))
    ]
    granted += [{"id": "late", "from": "2024-06-30"}]
    ExposureService(small).import_file(
        write_rows(tmp_path / "x.csv", granted), party_id="id", granted_on="from"
    )
    (only,) = OutcomeAnalysisService(small).vintages()["curves"]
    assert (only["n"], only["points"][-1]["n_bad"]) == (31, 1)


def test_roll_rates_go_from_the_worst_of_one_span_to_the_worst_of_the_next(small: Session) -> None:
    found = OutcomeAnalysisService(small).roll_rates(months=2)
    assert (found["n_followed"], found["n_lost_before"], found["n_excluded"]) == (63, 2, 1)
    by_state = {line["state"]: line for line in found["states"]}
    assert by_state["31 to 60"]["to"]["over 90"]["n"] == by_state["31 to 60"]["n"] == 1
    assert by_state["current"]["to"]["current"]["n"] == 60
    assert OutcomeAnalysisService(small).roll_rates(months=3)["n_immature"] == 63


def test_what_cannot_be_analysed_says_why(small: Session) -> None:
    analysis = OutcomeAnalysisService(small)
    for refused, options in (
        (InvalidInputError, {"period": "week"}),
        (InvalidInputError, {"months": 121}),
        (NotFoundError, {"outcome_type": "nothing"}),
        (NotFoundError, {"batch_ids": ["nothing"]}),
        (NotFoundError, {"outcome_type": "final_flag"}),
    ):
        with pytest.raises(refused):
            analysis.vintages(**options)
    with pytest.raises(InvalidInputError, match="12 windows"):
        analysis.windows(windows=range(1, 14))
    for days in (0, -30, 36_501, 30.5, True):
        with pytest.raises(InvalidInputError, match="a window is a whole number from 1 to 36,500"):
            analysis.windows(windows=[days])
    DefinitionService(small).add_definition({"name": "ruin", "bad": [{"event_type": "bankruptcy"}]})
    with pytest.raises(ImmatureOutcomesError):
        analysis.vintages(outcome_type="ruin")
    assert np.isfinite(analysis.windows(windows=[30])["definitions"][0]["lines"][0]["default_rate"])
