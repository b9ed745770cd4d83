"""Drafts with handmade evidence, for what happens to a version after it was proposed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy.orm import Session

from app.db import transaction
from app.domain.gates import Verdict
from app.domain.scorecard import Scorecard
from app.models import ModelRegistry, ScorecardVersion
from app.queries.policies import current_policy
from app.queries.versions import require_active
from app.services.verdict_rows import add_verdicts
from app.services.version_rows import add_version_row

TRAINED_AT = datetime(2026, 3, 31, 12, tzinfo=UTC)


def verdict(gate: str, name: str = "pass") -> Verdict:
    """Make a verdict by hand."""
    return Verdict(
        gate=gate,
        verdict=name,  # type: ignore[arg-type]  # tests pass each of the three
        value=0.61,
        threshold=0.60,
        rule="handmade",
        judged_on="handmade",
        sentence=f"{gate} is {name}.",
        interval=(0.55, 0.67),
        n=200,
    )


def register_model(
    db: Session,
    model_id: str = "m-20260331-aaaa",
    *,
    trained_by: str = "ada",
    verdicts: tuple[Verdict, ...] = (),
    **columns: Any,
) -> ModelRegistry:
    """Register a model by hand, trained against the active version."""
    row, policy = current_policy(db)
    active = require_active(db).version
    defaults: dict[str, Any] = {
        "batch_id": "B1",
        "batch_ids": ["B1"],
        "label_set_ids": [1],
        "advice": "adopt",
        "metrics": {"auc_roc": 0.61, "gain": 0.02},
        "validation": {"mode": "out_of_time", "n_labelled": 200, "n_bad": 40},
        "validation_path": "validation/none.parquet",
        "validation_hash": "0" * 64,
        "input_hash": model_id,
    }
    with transaction(db):
        model = ModelRegistry(
            id=model_id,
            model_type="logistic_regression",
            base_version=active,
            status="passed",
            feature_importance={},
            parameters={},
            warnings=[],
            policy_id=row.id,
            policy_hash=policy.content_hash,
            seed=0,
            content_hash=model_id,
            library_versions={},
            created_at=TRAINED_AT,
            created_by=trained_by,
            **(defaults | columns),
        )
        add_verdicts(db, "model", model_id, verdicts, policy.content_hash)
        db.add(model)
        db.flush()
        return model


def model_draft(
    db: Session,
    *,
    verdicts: tuple[Verdict, ...] = (verdict("weight_change"),),
    model_verdicts: tuple[Verdict, ...] = (),
    weights: dict[str, float] | None = None,
    model_id: str = "m-20260331-aaaa",
    trained_by: str = "ada",
    asked_by: str = "ada",
    despite_advice: bool = False,
    evidence: dict[str, Any] | None = None,
    **columns: Any,
) -> ScorecardVersion:
    """File a model's draft against the active version."""
    model = register_model(db, model_id, trained_by=trained_by, verdicts=model_verdicts, **columns)
    card = Scorecard.from_document(require_active(db).content)
    with transaction(db):
        return add_version_row(
            db,
            card=card.with_weights(weights or {"kyc_verified": 14.0, "has_tax_id": 11.0}),
            origin="model",
            base_version=model.base_version,
            model_id=model.id,
            requested_by=trained_by,
            created_by=asked_by,
            note="handmade",
            despite_advice=despite_advice,
            evidence={"refinement": evidence or {"t": 1.0, "features": {}}},
            verdicts=verdicts,
        )
