"""Open alerts, made by hand, and the check that receivers copy from our document."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.db import transaction, utc_now
from app.models import Alert, MonitoringReference, MonitoringReport
from tests.conftest import ROOT

SECRET = "a secret of tests only"  # noqa: S105 - signs nothing but what these tests send


def open_alert(db: Session, subject: str) -> int:
    """Open an alert beside the closed one that the filled store has."""
    row = Alert(
        report_id=1, batch_id="B1", version="v1", kind="feature_csi", subject=subject,
        sentence=f"{subject} moved.", value=0.3, threshold=0.1, p_value=0.001, opened_at=utc_now(),
    )  # fmt: skip
    with transaction(db):
        db.add(row)
        db.flush()
        return row.id


def documented_check() -> Callable[..., bool]:
    """Take the receiver's check out of the document as it stands."""
    text = (ROOT / "docs" / "alerts.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)
    found: dict[str, Any] = {}
    exec(code, found)  # noqa: S102 - our own document, which people copy
    check: Callable[..., bool] = found["check"]
    return check


def open_degradation(
    db: Session, batch_id: str, version: str, subjects: Sequence[str] = ("all",)
) -> list[int]:
    """Open alerts that a version ranks worse on a batch than it did, one per subject."""
    common: dict[str, Any] = {"content_hash": "a" * 64, "created_at": utc_now()}
    with transaction(db):
        reference = db.scalars(
            select(MonitoringReference).where(MonitoringReference.version == version)
        ).first()
        if reference is None:
            reference = MonitoringReference(version=version, content={}, created_by="ada", **common)
            db.add(reference)
            db.flush()
        report = MonitoringReport(
            batch_id=batch_id, version=version, cause="matured", reference_id=reference.id,
            input_hash="a" * 64, content={}, policy_hash="a" * 64, created_by="ada", **common,
        )  # fmt: skip
        db.add(report)
        db.flush()
        rows = [
            Alert(
                report_id=report.id, batch_id=batch_id, version=version, kind="auc_drop",
                subject=subject, sentence=f"{subject} ranks worse.", value=0.08, threshold=0.05,
                p_value=0.001, opened_at=utc_now(),
            )
            for subject in subjects
        ]  # fmt: skip
        db.add_all(rows)
        db.flush()
        return [row.id for row in rows]
