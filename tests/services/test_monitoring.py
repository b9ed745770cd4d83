"""Monitoring through the services: what is due, what it finds, and what it leaves behind."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from app.db import transaction
from app.domain.scorecard import load_scorecard
from app.errors import ConflictError, OpenTransactionError
from app.models import Alert, LabelSet, MonitoringReport
from app.services.audit_service import AuditService
from app.services.batch_service import BatchService
from app.services.challenger_service import ChallengerService
from app.services.label_generation_service import LabelGenerationService
from app.services.model_training_service import ModelTrainingService
from app.services.monitoring_service import MonitoringService
from app.services.outcome_service import OutcomeService
from app.services.policy_service import PolicyService
from app.services.scorecard_version_service import ScorecardVersionService
from app.services.scoring_service import ScoringService
from tests.support.monitored import CARD, import_month, import_outcomes, monthly_rows
from tests.support.portfolio import store_with_card
from tests.support.small_portfolio import THROUGH, write_portfolio


@pytest.fixture
def monitored(home, sqlite_template):
    """Open a store with the small card, whose policy watches defaults within 60 days."""
    with store_with_card(load_scorecard(CARD), home, sqlite_template) as db:
        PolicyService(db, actor="analyst").set_policy(
            {"watched_outcome": "default", "watched_window_days": 60}
        )
        yield db


def score_month(db, folder, month, **kinds):
    """Import and score one month, and give its file."""
    file = import_month(db, folder, monthly_rows(month, **kinds), f"B{month}")
    ScoringService(db, actor="analyst").score_batch(f"B{month}")
    return file


def alerts_of(report) -> set[tuple[str, str]]:
    return {(alert["kind"], alert["subject"]) for alert in report["alerts"]}


def test_each_month_is_monitored_once_and_again_when_its_outcomes_are_mature(monitored, tmp_path):
    service = MonitoringService(monitored, actor="analyst")
    files = [
        score_month(monitored, tmp_path, 1),
        score_month(monitored, tmp_path, 2),
        score_month(monitored, tmp_path, 3, shift=0.2, new="mining"),
        score_month(monitored, tmp_path, 4, riskier=1.0),
    ]
    made = service.monitor_due()
    assert made["failures"] == []
    assert [(one["batch_id"], one["cause"]) for one in made["reports"]] == [
        (f"B{month}", "scored") for month in (1, 2, 3, 4)
    ]
    assert service.monitor_due() == {"reports": [], "failures": []}

    first, quiet, moved, _ = (service.get_report(one["report_id"]) for one in made["reports"])
    assert first["family"]["n_compared"] == 0  # it is the reference
    assert quiet["alerts"] == []
    assert alerts_of(moved) == {
        ("score_psi", "score"),
        ("feature_csi", "a"),
        ("feature_csi", "sector"),
    }
    sector = next(line for line in moved["features"] if line["feature"] == "sector")
    assert sector["new_categories"] == [{"category": "mining", "n": 40}]

    for file in files:
        import_outcomes(monitored, file, "2024-04-29")
    matured = service.monitor_due()["reports"]
    assert [one["batch_id"] for one in matured] == ["B1", "B2"]  # 28 February and 60 days

    import_outcomes(monitored, files[3], "2024-12-31")
    reports = {
        one["batch_id"]: service.get_report(one["report_id"])
        for one in service.monitor_due()["reports"]
    }
    assert set(reports) == {"B3", "B4"}
    assert ("calibration", "all") in alerts_of(reports["B4"])
    assert reports["B4"]["outcomes"]["n_labelled"] == 400
    assert service.monitor_due()["reports"] == []

    events = AuditService(monitored).list_events(action="monitoring.reported")
    assert len(events) == monitored.scalar(select(func.count()).select_from(MonitoringReport))
    opened = AuditService(monitored).list_events(action="alert.opened")
    assert len(opened) == monitored.scalar(select(func.count()).select_from(Alert))
    # What was alerted for B3 when it was scored is not opened again with its outcomes.
    assert len(
        {(row.batch_id, row.kind, row.subject) for row in monitored.scalars(select(Alert))}
    ) == len(opened)
    AuditService(monitored).verify()


def test_what_made_the_calibration_is_not_judged_by_it(monitored, tmp_path):
    file = score_month(monitored, tmp_path, 1)
    import_outcomes(monitored, file, "2024-12-31")
    report = MonitoringService(monitored, actor="analyst").monitor("B1")
    assert report["outcomes"]["why_not_judged"] == "this batch made the calibration of its version"
    assert report["outcomes"]["overall"]["p_value"] is None
    assert report["outcomes"]["overall"]["expected"] == pytest.approx(
        report["outcomes"]["overall"]["observed"], abs=1e-4
    )


def test_nothing_is_expected_from_the_future(monitored, tmp_path):
    """The second month was imported first, and made the calibration."""
    service = MonitoringService(monitored, actor="analyst")
    later = score_month(monitored, tmp_path, 2)
    import_outcomes(monitored, later, "2024-12-31")
    service.monitor("B2")
    score_month(monitored, tmp_path, 1)
    outcomes = service.monitor("B1")["outcomes"]
    assert "scored later (B2)" in outcomes["why_not_judged"]
    assert outcomes["overall"]["expected"] is None
    assert outcomes["overall"]["observed"] is not None


@pytest.mark.slow
def test_the_same_inputs_make_one_report_and_a_withdrawn_batch_none(monitored, tmp_path):
    service = MonitoringService(monitored, actor="analyst")
    score_month(monitored, tmp_path, 1)
    once = service.monitor("B1")
    assert service.monitor("B1", cause="scored") == once
    score_month(monitored, tmp_path, 2)
    before = service.monitor("B2")
    BatchService(monitored, actor="analyst").withdraw("B1", reason="wrong file")
    assert service.monitor_due() == {"reports": [], "failures": []}
    with pytest.raises(ConflictError, match="withdrawn"):
        service.monitor("B1")
    after = service.monitor("B2")
    assert after["report_id"] != before["report_id"]
    assert "made of B1, withdrawn since" in " ".join(after["sentences"])
    with transaction(monitored), pytest.raises(OpenTransactionError):
        service.monitor("B1")
    assert monitored.scalar(select(func.count()).select_from(LabelSet)) == 0


@pytest.mark.slow
def test_a_models_version_is_held_against_what_it_was_trained_on_beside_its_challenger(
    home, sqlite_template, tmp_path
):
    files = write_portfolio(tmp_path / "first", "adopts")
    later = write_portfolio(tmp_path / "later", "adopts", n=600, seed=6, prefix="Q")
    with store_with_card(load_scorecard(files.card), home, sqlite_template) as db:
        for batch_id, part in (("B1", files), ("B2", later)):
            BatchService(db, actor="analyst").import_file(
                part.batch, batch_id=batch_id, party_id="party", scored_at="scored"
            )
            OutcomeService(db, actor="analyst").import_events(
                part.outcomes, party_id="party", event_date="written_off",
                event_type="write_off", through=THROUGH,
            )  # fmt: skip
        LabelGenerationService(db, actor="analyst").generate_labels("B1")
        model = ModelTrainingService(db, actor="analyst").train_model("B1")
        versions = ScorecardVersionService(db, actor="analyst")
        draft = versions.refine_from_model(model["model_id"])["version"]
        ChallengerService(db, actor="analyst").start(draft, reason="to see it at work")
        service = MonitoringService(db, actor="analyst")
        (beside,) = service.monitor("B2")["challengers"]
        assert (beside["version"], beside["n"]) == (draft, 600)
        assert beside["auc_difference"] is None  # v1 was trained on nothing: no labels are watched

        versions.activate_version(draft, reason="better")
        assert {(one["cause"], one["version"]) for one in service.monitor_due()["reports"]} >= {
            ("activated", draft)
        }
        report = service.monitor("B2")
        assert report["reference"] == {"kind": "training batches", "batch_ids": ["B1"], "n": 1500}
        assert report["calibration"]["kind"] == "training batches"
        refined = model["metrics"]["refined"]
        assert report["calibration"]["auc_roc"]["value"] == refined["auc_roc"]
        assert report["outcomes"]["n_labelled"] == 600  # as the model's: default within 180 days
        assert report["alerts"] == []
        trained_on = service.monitor("B1")
        assert trained_on["score"]["p_value"] is None
        assert "made the calibration" in trained_on["outcomes"]["why_not_judged"]
