"""Label sets: statuses of design section 4, immutable, numbered, mindful of what made them."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import create_engine, func, select
from sqlalchemy.orm import Session as PlainSession

from app.domain.outcomes import OutcomeDefinition
from app.errors import (
    CircularLabelError,
    ConflictError,
    FileHashError,
    ImmatureOutcomesError,
    InvalidInputError,
    NotFoundError,
)
from app.lake.store import open_lake
from app.models import AuditEvent, GroundTruthLabel, LabelSet, OutcomeImport, Verdict
from app.services.batch_service import BatchService
from app.services.definition_service import DefinitionService
from app.services.exposure_service import ExposureService
from app.services.label_generation_service import LabelGenerationService
from app.services.outcome_service import OutcomeService
from app.services.policy_service import PolicyService
from tests.support.portfolio import party, write_batch, write_events, write_rows

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from tests.conftest import Store

WINDOW = 30
EVENTS = [
    ("bad", "2024-01-15", "write_off", ""),
    ("bad", "2024-01-20", "collection", ""),
    ("last_day", "2024-01-31", "bankruptcy", ""),
    ("day_after", "2024-02-01", "write_off", ""),
    ("same_day", "2024-01-01", "write_off", ""),
    ("unclear", "2024-01-10", "days_past_due", "30"),
    ("late", "2024-01-10", "days_past_due", "91"),
    ("mild", "2024-01-10", "days_past_due", "29"),
]
STATUSES = {
    "bad": ("bad", 1, "write_off", date(2024, 1, 15)),
    "last_day": ("bad", 1, "bankruptcy", date(2024, 1, 31)),
    "day_after": ("good", 0, None, None),
    "same_day": ("excluded", None, "write_off", date(2024, 1, 1)),
    "unclear": ("indeterminate", None, "days_past_due", date(2024, 1, 10)),
    "late": ("bad", 1, "days_past_due", date(2024, 1, 10)),
    "mild": ("good", 0, None, None),
    "quiet": ("good", 0, None, None),
    "young": ("immature", None, None, None),
}


@pytest.fixture
def portfolio(db: Session, tmp_path: Path) -> Session:
    """Import nine parties and their events; outcomes are complete through 2024-06-30."""
    rows = [
        party(name, "2024-06-01" if name == "young" else "2024-01-01", network_size=place)
        for place, name in enumerate(STATUSES)
    ]
    path = write_batch(tmp_path / "b.csv", rows)
    BatchService(db).import_file(path, batch_id="B1", party_id="id", scored_at="on")
    take_events(db, write_events(tmp_path / "e.csv", EVENTS))
    return db


def take_events(db: Session, path: Path, through: str = "2024-06-30") -> dict[str, Any]:
    return OutcomeService(db).import_events(
        path,
        party_id="id",
        event_date="date",
        event_type="type",
        days_past_due="days",
        through=through,
    )


def label(db: Session, **options: Any) -> dict[str, Any]:
    return LabelGenerationService(db, actor="ann").generate_labels(
        **{"batch_id": "B1", "observation_window_days": WINDOW, **options}
    )


def stored(db: Session, label_set_id: int) -> dict[str, tuple[Any, ...]]:
    rows = db.scalars(select(GroundTruthLabel).where(GroundTruthLabel.label_set_id == label_set_id))
    return {r.party_id: (r.status, r.label_value, r.event_type, r.event_date) for r in rows}


def count(db: Session, action: str) -> int:
    events = select(func.count()).select_from(AuditEvent).where(AuditEvent.action == action)
    return int(db.scalar(events) or 0)


def test_every_status_is_the_one_of_the_design(portfolio: Session) -> None:
    labels = label(portfolio)
    assert stored(portfolio, labels["label_set_id"]) == STATUSES
    assert {name: part for name, part in labels.items() if name.startswith("n_")} == {
        "n_parties": 9,
        "n_labelled": 6,
        "n_bad": 3,
        "n_good": 3,
        "n_indeterminate": 1,
        "n_excluded": 1,
        "n_immature": 1,
    }
    assert labels["default_rate"] == 0.5
    assert labels["data_through"] == "2024-06-30"
    assert labels["types_never_imported"] == []
    assert [(g["gate"], g["verdict"]) for g in labels["gates"]] == [
        ("sample_size", "fail"),
        ("default_rate", "pass"),
    ]


def test_a_label_remembers_score_window_and_time(portfolio: Session) -> None:
    labels = label(portfolio)
    row = portfolio.scalars(
        select(GroundTruthLabel).where(GroundTruthLabel.party_id == "last_day")
    ).one()
    assert row.scored_at == datetime(2024, 1, 1, tzinfo=UTC)
    assert row.observation_end == date(2024, 1, 31)
    assert row.score_at_label is not None
    assert 300 <= row.score_at_label <= 900
    assert labels["scored_by"] == "v1"


EDGES = [
    # scored at 2024-01-01T23:30-02:00, which is 2024-01-02 in UTC; the window ends on 2024-02-01
    ("score day, later hour", "2024-01-02T23:59:59.999999Z", "write_off", "", "excluded"),
    ("score day elsewhere", "2024-01-03T01:00+02:00", "write_off", "", "excluded"),
    ("day after the score", "2024-01-03T00:00Z", "write_off", "", "bad"),
    ("day after, elsewhere", "2024-01-02T23:30-02:00", "write_off", "", "bad"),
    ("last moment", "2024-02-01T23:59:59.999999Z", "write_off", "", "bad"),
    ("last day elsewhere", "2024-02-02T00:30+02:00", "write_off", "", "bad"),
    ("first moment after", "2024-02-02T00:00Z", "write_off", "", "good"),
    ("after, elsewhere", "2024-02-01T23:30-02:00", "write_off", "", "good"),
    ("under 30", "2024-01-10", "days_past_due", "29.999", "good"),
    ("30", "2024-01-10", "days_past_due", "30", "indeterminate"),
    ("90", "2024-01-10", "days_past_due", "90", "indeterminate"),
    ("over 90", "2024-01-10", "days_past_due", "90.001", "bad"),
    ("90 on the score day", "2024-01-02", "days_past_due", "90", "good"),
    ("91 on the score day", "2024-01-02", "days_past_due", "91", "excluded"),
    ("no date", "", "write_off", "", "good"),
    ("neither date nor type", "", "", "", "good"),
]


def test_the_edges_of_windows_and_bounds_are_those_of_utc_days(db: Session, tmp_path: Path) -> None:
    rows = [party(name, "2024-01-01T23:30-02:00") for name, *_ in EDGES]
    path = write_batch(tmp_path / "b.csv", rows)
    BatchService(db).import_file(path, batch_id="B1", party_id="id", scored_at="on")
    happened = [(name, *event) for name, *event, _ in EDGES]
    # each event stands twice in one file, and once more in another
    take_events(db, write_events(tmp_path / "e.csv", [*happened, *happened]), through="2024-02-01")
    take_events(db, write_events(tmp_path / "again.csv", happened), through="2024-02-01")
    labels = label(db)
    found = {name: parts[0] for name, parts in stored(db, labels["label_set_id"]).items()}
    assert found == {name: status for name, *_, status in EDGES}
    ends = select(GroundTruthLabel.observation_end).distinct()
    assert db.scalars(ends).all() == [date(2024, 2, 1)]


def test_a_day_short_of_the_window_everyone_is_immature_but_who_was_bad_before(
    db: Session, tmp_path: Path
) -> None:
    rows = [party(name, "2024-01-01T23:30-02:00") for name, *_ in EDGES]
    path = write_batch(tmp_path / "b.csv", rows)
    BatchService(db).import_file(path, batch_id="B1", party_id="id", scored_at="on")
    happened = [(name, *event) for name, *event, _ in EDGES]
    take_events(db, write_events(tmp_path / "e.csv", happened), through="2024-01-31")
    labels = label(db)
    n_excluded = sum(status == "excluded" for *_, status in EDGES)
    assert (labels["n_excluded"], labels["n_immature"]) == (n_excluded, len(EDGES) - n_excluded)


def test_the_same_inputs_give_the_same_label_set(portfolio: Session) -> None:
    first = label(portfolio)
    assert label(portfolio) == first
    assert portfolio.scalar(select(func.count()).select_from(LabelSet)) == 1
    assert count(portfolio, "labels.generated") == 1
    other = label(portfolio, observation_window_days=31)
    assert (other["label_set_number"], other["n_bad"]) == (2, 4)


def test_the_newest_label_set_is_the_one_asked_for_last(portfolio: Session) -> None:
    first = label(portfolio)
    label(portfolio, observation_window_days=31)
    third = label(portfolio)
    assert third["label_set_number"] == 3
    assert third["input_hash"] == first["input_hash"]
    assert third["content_hash"] == first["content_hash"]
    assert stored(portfolio, third["label_set_id"]) == stored(portfolio, first["label_set_id"])
    assert [gate["verdict"] for gate in third["gates"]] == [g["verdict"] for g in first["gates"]]
    assert label(portfolio) == third
    assert count(portfolio, "labels.generated") == 3


def test_the_newest_declaration_counts_per_type_and_the_oldest_over_types(
    portfolio: Session, tmp_path: Path
) -> None:
    nothing = write_events(tmp_path / "n.csv", [("quiet", "", "write_off", "")])
    take_events(portfolio, nothing, through="2024-12-31")
    assert label(portfolio)["through_by_type"] == {
        "bankruptcy": "2024-06-30",
        "collection": "2024-06-30",
        "days_past_due": "2024-06-30",
        "write_off": "2024-12-31",
    }
    assert label(portfolio)["data_through"] == "2024-06-30"


def test_a_withdrawn_import_is_left_out(portfolio: Session, tmp_path: Path) -> None:
    more = take_events(
        portfolio,
        write_events(tmp_path / "m.csv", [("quiet", "2024-01-09", "write_off", "")]),
    )
    with_more = label(portfolio)
    OutcomeService(portfolio).withdraw(more["import_id"], reason="another portfolio")
    without = label(portfolio)
    assert (with_more["n_bad"], without["n_bad"]) == (4, 3)
    assert with_more["content_hash"] != without["content_hash"]
    OutcomeService(portfolio).withdraw(1, reason="cut short")
    with pytest.raises(ImmatureOutcomesError, match="chancellor outcomes import FILE"):
        label(portfolio)


def test_a_withdrawn_batch_is_not_labelled(portfolio: Session) -> None:
    BatchService(portfolio).withdraw("B1", reason="wrong month")
    with pytest.raises(ConflictError, match="wrong month"):
        label(portfolio)


def test_a_party_that_was_not_granted_credit_is_excluded(
    portfolio: Session, tmp_path: Path
) -> None:
    before = label(portfolio)
    granted = [
        {"id": "bad", "from": "2024-01-31"},
        {"id": "late", "from": "2024-02-01"},
        {"id": "mild", "from": ""},
        {"id": "young", "from": "2024-06-01"},
    ]
    path = write_rows(tmp_path / "x.csv", granted)
    ExposureService(portfolio).import_file(path, party_id="id", granted_on="from")
    after = label(portfolio)
    found = {name: parts[0] for name, parts in stored(portfolio, after["label_set_id"]).items()}
    assert found == {
        **dict.fromkeys(STATUSES, "excluded"),
        "bad": "bad",
        "mild": "good",
        "young": "immature",
    }
    assert (before["has_exposures"], after["has_exposures"]) == (False, True)
    assert any("rejected applicant" in warning for warning in before["warnings"])
    assert not any("rejected applicant" in warning for warning in after["warnings"])


def test_a_withdrawn_exposure_list_is_left_out(portfolio: Session, tmp_path: Path) -> None:
    def grant(*names: str) -> int:
        path = write_rows(tmp_path / "x.csv", [{"id": name} for name in names])
        made = ExposureService(portfolio).import_file(path, party_id="id")
        return int(made["exposure_import_id"])

    before = label(portfolio)
    wrong = grant("bad")
    grant("bad", "late", "quiet")
    assert label(portfolio)["n_labelled"] == 3
    ExposureService(portfolio).withdraw(wrong, reason="another portfolio")
    assert label(portfolio)["n_labelled"] == 3
    ExposureService(portfolio).withdraw(wrong + 1, reason="that too")
    after = label(portfolio)
    assert (after["has_exposures"], after["content_hash"]) == (False, before["content_hash"])
    assert after["warnings"] == before["warnings"]


def test_a_new_policy_judges_the_same_label_set_again(portfolio: Session) -> None:
    first = label(portfolio)
    PolicyService(portfolio, actor="ann").set_policy({"min_labelled": 5})
    again = label(portfolio)
    assert again["label_set_id"] == first["label_set_id"]
    assert [gate["verdict"] for gate in again["gates"]] == ["pass", "pass"]
    assert label(portfolio) == again
    assert portfolio.scalar(select(func.count()).select_from(Verdict)) == 4
    assert count(portfolio, "verdicts.stored") == 1


def test_a_definition_of_ones_own_is_used_in_its_newest_version(portfolio: Session) -> None:
    def define(*types: str) -> None:
        rules = [{"event_type": kind} for kind in types]
        definition = OutcomeDefinition.from_document({"name": "loss", "bad": rules})
        DefinitionService(portfolio, actor="ann").add_definition(definition)

    define("collection")
    assert label(portfolio, outcome_type="loss")["n_bad"] == 1
    define("collection", "bankruptcy")
    newest = label(portfolio, outcome_type="loss")
    assert (newest["n_bad"], newest["definition_version"]) == (2, 2)


@pytest.mark.parametrize("outcome_type", ["score", "band", "score_band", "scorecard"])
def test_labels_from_the_cards_own_judgement_are_refused(
    portfolio: Session, outcome_type: str
) -> None:
    with pytest.raises(CircularLabelError, match="own judgement"):
        label(portfolio, outcome_type=outcome_type)


@pytest.mark.parametrize("window", [0, -1, 36_501, True, 1.5])
def test_a_window_is_a_number_of_days(portfolio: Session, window: Any) -> None:
    with pytest.raises(InvalidInputError, match="window"):
        label(portfolio, observation_window_days=window)


def test_what_does_not_exist_is_named_with_what_does(portfolio: Session) -> None:
    with pytest.raises(NotFoundError, match="there is B1"):
        label(portfolio, batch_id="B2")
    with pytest.raises(NotFoundError, match="default"):
        label(portfolio, outcome_type="ruin")
    with pytest.raises(NotFoundError, match="import-flags"):
        label(portfolio, outcome_type="final_flag")
    with pytest.raises(NotFoundError, match="no label set 7"):
        LabelGenerationService(portfolio).get_label_set(7)


def test_an_edited_outcome_file_is_named(portfolio: Session) -> None:
    row = portfolio.get_one(OutcomeImport, 1)
    file = Path(open_lake().place_of(row.file_path))
    file.chmod(0o644)
    file.write_bytes(file.read_bytes() + b"x")
    with pytest.raises(FileHashError, match=row.file_hash):
        label(portfolio)


def separated(db: Session, tmp_path: Path, n_bad: int) -> None:
    rows = [
        party(f"P{n:02d}", kyc_verified=0 if n < n_bad else 1, recent_activity_flag=int(n >= n_bad))
        for n in range(n_bad + 10)
    ]
    path = write_batch(tmp_path / "s.csv", rows)
    BatchService(db).import_file(path, batch_id="S", party_id="id", scored_at="on")
    flags = [{"id": row["id"], "flag": int(row["kyc_verified"] == 0)} for row in rows]
    OutcomeService(db).import_flags(
        write_rows(tmp_path / "f.csv", flags), batch_id="S", party_id="id", flag="flag", bad="1"
    )


def test_labels_that_the_score_separates_perfectly_are_refused(db: Session, tmp_path: Path) -> None:
    separated(db, tmp_path, n_bad=10)
    with pytest.raises(CircularLabelError, match="without a single error"):
        label(db, batch_id="S", outcome_type="final_flag")
    assert db.scalar(select(func.count()).select_from(LabelSet)) == 0


def test_nine_bad_parties_may_be_separated_by_accident(db: Session, tmp_path: Path) -> None:
    separated(db, tmp_path, n_bad=9)
    assert label(db, batch_id="S", outcome_type="final_flag")["n_bad"] == 9


def test_of_two_flags_the_newest_holds_and_without_one_a_party_is_immature(
    portfolio: Session, tmp_path: Path
) -> None:
    service = OutcomeService(portfolio)
    for name, values in (("a", {"bad": "1", "late": "1", "mild": "0"}), ("b", {"late": "0"})):
        rows = [{"id": party_id, "flag": flag} for party_id, flag in values.items()]
        path = write_rows(tmp_path / f"{name}.csv", [*rows, {"id": "other", "flag": "1"}])
        service.import_flags(path, batch_id="B1", party_id="id", flag="flag", bad="1")
    labels = label(portfolio, outcome_type="final_flag")
    assert (labels["n_bad"], labels["n_good"], labels["n_immature"]) == (1, 2, 6)
    assert (labels["data_through"], labels["observation_window_days"]) == (None, None)


def test_the_snippet_of_the_design_persists_on_a_plain_session(
    portfolio: Session, store: Store
) -> None:
    engine = create_engine(store.database_url)
    with PlainSession(engine) as db:
        made = LabelGenerationService(db).generate_labels(
            batch_id="B1", outcome_type="default", observation_window_days=WINDOW
        )
    engine.dispose()
    assert portfolio.get_one(LabelSet, made["label_set_id"]).n_bad == 3


def test_hashes_do_not_depend_on_row_order_or_on_which_rows_came_before(
    portfolio: Session, tmp_path: Path
) -> None:
    rows = [
        party(name, "2024-06-01" if name == "young" else "2024-01-01", network_size=place)
        for place, name in enumerate(STATUSES)
    ]
    path = write_batch(tmp_path / "r.csv", rows[::-1])
    BatchService(portfolio).import_file(path, batch_id="B2", party_id="id", scored_at="on")
    assert label(portfolio, batch_id="B2")["content_hash"] == label(portfolio)["content_hash"]
