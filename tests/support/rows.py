"""One row in every table, written past the services, for tests of what the database refuses."""

from __future__ import annotations

import hashlib
import json
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app import models
from app.db import transaction, utc_now
from app.services.audit_service import record

HASH = "a" * 64


def fill_every_table(db: Session, digest: str = HASH, *, of_first_schema: bool = False) -> None:
    """Add a row to every table that an initialised store leaves empty.

    There is then a person's draft ``v2`` by ``ada``, and a model's draft ``ml_v3`` of ``m-1`` that
    ``grace`` asked for despite the advice; ``hal`` approved ``v2`` and
    took it back. ``v4`` decided until ``ops`` rolled back to ``v1`` in an emergency, which
    ``grace`` acknowledged; neither withdrawal nor emergency are in the first schema. Rows that name
    a file name one with this hash.
    """
    with transaction(db):
        for row in (*_rows(digest), *([] if of_first_schema else _later_rows())):
            add_recorded(db, row)
        db.add_all([decision_row(db), seal_row()])
        db.flush()


def add_recorded(db: Session, row: models.Base) -> None:
    """Add a row, after the audit event that the database asks for where it asks for one."""
    event = event_of(db, row)
    if event is not None:
        seq = record(db, **event)
        if hasattr(row, "audit_seq"):
            row.audit_seq = seq
    db.add(row)
    db.flush()


_WITHDRAWN = {"batch": "batch", "outcome_import": "outcomes", "exposure_import": "exposures"}
_ACTIVATED = {"rollback": "rolled_back", "emergency_rollback": "emergency_rollback"}


def event_of(db: Session, row: models.Base) -> dict[str, Any] | None:
    """Describe the audit event of a row; None where the database asks for none."""
    match row:
        case models.Review():
            action = {"approve": "approved", "reject": "rejected"}[row.kind]
            found = (row.reviewer, f"version.{action}", f"version:{row.version}")
        case models.Activation():
            action = _ACTIVATED.get(row.kind, "activated")
            found = (row.actor, f"version.{action}", f"version:{row.version}")
        case models.ApprovalWithdrawal():
            version = db.get_one(models.Review, row.review_id).version
            found = (row.actor, "version.approval_withdrawn", f"version:{version}")
        case models.EmergencyAcknowledgement():
            version = db.get_one(models.Activation, row.activation_id).version
            found = (row.actor, "version.emergency_acknowledged", f"version:{version}")
        case models.Withdrawal():
            action = f"{_WITHDRAWN[row.subject_kind]}.withdrawn"
            found = (row.actor, action, f"{row.subject_kind}:{row.subject_id}")
        case models.AlertStep():
            found = (row.actor, f"alert.{row.kind}", f"alert:{row.alert_id}")
        case models.Challenger():
            found = (row.actor, "challenger.started", f"version:{row.version}")
        case models.ChallengerEnd():
            version = db.get_one(models.Challenger, row.challenger_id).version
            found = (row.actor, "challenger.stopped", f"version:{version}")
        case models.Policy():
            found = (row.created_by, "policy.set", f"policy:{row.id}")
        case _:
            return None
    said = {"content_hash": row.content_hash} if isinstance(row, models.Policy) else {}
    return dict(zip(("actor", "action", "subject"), found, strict=True)) | {"payload": said}


def file_columns(kind: str, digest: str = HASH) -> dict[str, Any]:
    """Give the columns of a row that names a file."""
    return {"file_path": f"{kind}/{digest}.parquet", "file_hash": digest, "n_rows": 1}


def batch_row(batch_id: str = "B1", **changes: Any) -> models.Batch:
    """Build a batch."""
    columns = {
        "batch_id": batch_id,
        **file_columns("batches"),
        "columns": [],
        "card_version": "v1",
        "party_id_column": "id",
        "scored_at_column": "at",
        "scored_from": date(2024, 1, 1),
        "scored_to": date(2024, 1, 2),
        **_source(),
        "missing_features": [],
        **_made(),
    }
    return models.Batch(**(columns | changes))


def version_row(version: str, number: int, **changes: Any) -> models.ScorecardVersion:
    """Build a person's draft by ``ada``."""
    columns = {
        "version": version,
        "number": number,
        "origin": "person",
        "status": "draft",
        "name": "card",
        "features": {"b": 1, "a": 2},
        "content": {"name": "card"},
        "content_hash": HASH,
        "base_version": "v1",
        "despite_advice": False,
        "created_at": utc_now(),
        "created_by": "ada",
        "requested_by": "ada",
        "note": "",
    }
    return models.ScorecardVersion(**(columns | changes))


def review_row(version: str, reviewer: str, **changes: Any) -> models.Review:
    """Build an approval of the content with hash ``HASH``."""
    columns = {
        "version": version,
        "kind": "approve",
        "reviewer": reviewer,
        "reason": "looks right",
        "content_hash": HASH,
        "acknowledged": [],
        "at": utc_now(),
    }
    return models.Review(**(columns | changes))


def activation_row(version: str, kind: str, **changes: Any) -> models.Activation:
    """Build an activation by ``grace`` in place of ``v1``."""
    columns = {
        "version": version,
        "kind": kind,
        "previous_version": "v1",
        "actor": "grace",
        "reason": "because",
        "at": utc_now(),
    }
    return models.Activation(**(columns | changes))


def label_rows() -> tuple[models.LabelSet, models.GroundTruthLabel]:
    """Build a label set of one bad party of batch ``B1``."""
    counts = {"n_good": 0, "n_indeterminate": 0, "n_excluded": 0, "n_immature": 0}
    label_set = models.LabelSet(
        id=1, number=1, batch_id="B1", outcome_type="default", definition_id=1,
        observation_window_days=180, data_through=date(2025, 1, 1), scored_by="v1", n_parties=1,
        n_labelled=1, n_bad=1, **counts, default_rate=1.0, has_exposures=False, details={},
        input_hash=HASH, content_hash=HASH, **_made(),
    )  # fmt: skip
    label = models.GroundTruthLabel(
        label_set_id=1, batch_id="B1", party_id="p", outcome_type="default", label_value=1,
        status="bad", scored_at=utc_now(), score_at_label=500,
    )  # fmt: skip
    return label_set, label


def model_row(digest: str = HASH) -> models.ModelRegistry:
    """Build a registered model against ``v1``."""
    return models.ModelRegistry(
        id="m-1", model_type="logistic_regression", batch_id="B1", batch_ids=["B1"],
        label_set_ids=[1], base_version="v1", status="passed", advice="keep", metrics={},
        feature_importance={}, parameters={}, validation={}, warnings=[], policy_id=1,
        policy_hash=HASH, seed=0, input_hash=HASH, content_hash=HASH, library_versions={},
        validation_path=f"validation/{digest}.parquet", validation_hash=digest, **_made(),
    )  # fmt: skip


def decision_row(db: Session, **changes: Any) -> models.Decision:
    """Build a recorded decision by the active version."""
    active = db.scalars(select(models.ScorecardVersion).filter_by(status="active")).one()
    columns: dict[str, Any] = {
        "id": "d-1",
        "at": utc_now().isoformat(timespec="microseconds"),
        "actor": "ada",
        "party_id": "p",
        "version": active.version,
        "content_hash": active.content_hash,
        "features": "{}",
        "score": 500,
        "unrounded_score": 500.25,
        "band": "poor",
        "contributions": "{}",
        "missing_features": "[]",
        "reason_codes": "[]",
    }
    content = json.dumps(columns, sort_keys=True, separators=(",", ":"))
    columns["row_hash"] = hashlib.sha256(content.encode()).hexdigest()
    return models.Decision(**(columns | changes))


def seal_row(**changes: Any) -> models.DecisionSeal:
    """Build a seal of the first decision."""
    columns = {
        "first_seq": 1, "last_seq": 1, "n_decisions": 1, "runs": [[1, 1]], "root": HASH,
        "row_hashes": bytes(32), "sealed_at": utc_now(), "sealed_by": "ada",
    }  # fmt: skip
    return models.DecisionSeal(**(columns | changes))


def run_row(**changes: Any) -> models.PipelineRun:
    """Build a pipeline run that ended."""
    columns = {
        "id": "run-1",
        "pipeline": "ml_training_pipeline",
        "batch_ids": ["B1"],
        "config": {},
        "status": "succeeded",
        "requested_by": "ada",
        "created_at": utc_now(),
    }
    return models.PipelineRun(**(columns | changes))


def _rows(digest: str) -> list[models.Base]:
    subject = {"subject_kind": "model", "subject_id": "m-1"}
    made = {"content_hash": HASH, **_source(), **_made()}
    drafted = {"origin": "model", "model_id": "m-1", "created_by": "grace", "despite_advice": True}
    return [
        batch_row(**file_columns("batches", digest)),
        models.Withdrawal(
            subject_kind="batch", subject_id="B1", reason="wrong", at=utc_now(), actor="ada"
        ),
        models.OutcomeImport(
            kind="events", **file_columns("outcomes", digest), n_events=1, through={}, **made
        ),
        models.ExposureImport(**file_columns("exposures", digest), **made),
        models.ScoreSet(
            batch_id="B1", version="v1", **file_columns("scores", digest), mean_score=600.0,
            band_shares={}, **_made(),
        ),
        *label_rows(),
        models.Verdict(
            **subject, gate="auc_roc", verdict="pass", value=0.7, threshold=0.6, rule=">=",
            judged_on="rows", sentence="fine", policy_hash=HASH, created_at=utc_now(),
        ),
        models.Evidence(
            **subject, kind="refinement", content={}, content_hash=HASH, created_at=utc_now()
        ),
        model_row(digest),
        version_row("v2", 2),
        version_row("ml_v3", 3, **drafted),
        version_row("v4", 4),
        review_row("v2", "hal"),
        review_row("v4", "grace"),
        activation_row("v4", "activate"),
        run_row(),
        models.ApiKey(
            id="0" * 12, name="laptop", owner="ada", role="viewer", secret_hash=HASH,
            expires_at=utc_now(), **_made(),
        ),
        models.ApiKeyRevocation(key_id="0" * 12, reason="lost", at=utc_now(), actor="ada"),
        models.BrowserSession(
            id="1" * 12, secret_hash=HASH, actor="ada", roles=["analyst"], key_id="0" * 12,
            expires_at=utc_now(), created_at=utc_now(),
        ),
        models.BrowserSessionEnd(session_id="1" * 12, at=utc_now()),
    ]  # fmt: skip


def _later_rows() -> list[models.Base]:
    return [
        *monitoring_rows(),
        models.ApprovalWithdrawal(review_id=1, actor="hal", reason="too early", at=utc_now()),
        activation_row("v1", "emergency_rollback", actor="ops", previous_version="v4"),
        models.EmergencyAcknowledgement(
            activation_id=3, actor="grace", reason="seen", at=utc_now()
        ),
    ]


def monitoring_rows() -> list[models.Base]:
    """Build a report of ``B1`` under ``v1``, its closed alert and a challenger that ended."""
    content = {"content": {}, "content_hash": HASH, **_made()}
    step = {"alert_id": 1, "actor": "ada", "at": utc_now()}
    return [
        models.MonitoringReference(version="v1", **content),
        models.ScoreCalibration(version="v1", **content),
        models.MonitoringReport(
            batch_id="B1", version="v1", cause="asked", reference_id=1, calibration_id=1,
            label_set_id=1, input_hash=HASH, policy_hash=HASH, **content,
        ),
        models.Alert(
            report_id=1, batch_id="B1", version="v1", kind="score_psi", subject="score",
            sentence="The scores moved.", value=0.3, threshold=0.1, p_value=0.001,
            opened_at=utc_now(),
        ),
        models.AlertStep(kind="acknowledged", note="seen", **step),
        models.AlertStep(kind="closed", note="a new branch", **step),
        models.AlertAttempt(
            alert_id=1, receiver="http://127.0.0.1/alerts", at=utc_now(), status_code=204,
            is_delivered=True,
        ),
        models.Challenger(version="v2", reason="promising", actor="ada", at=utc_now()),
        models.ChallengerEnd(challenger_id=1, reason="seen enough", actor="ada", at=utc_now()),
    ]  # fmt: skip


def _source() -> dict[str, str]:
    return {"source_name": "file.csv", "source_hash": HASH}


def _made() -> dict[str, Any]:
    return {"created_at": utc_now(), "created_by": "ada"}
