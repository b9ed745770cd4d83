"""Write a monitoring report with what it froze and the alerts that it opens."""

from __future__ import annotations

from sqlalchemy.orm import Session

from app.db import utc_now
from app.domain.canonical import content_hash
from app.domain.types import Document
from app.errors import ConflictError
from app.models import Alert, MonitoringReference, MonitoringReport, ScoreCalibration
from app.queries.batches import require_batch
from app.queries.monitored import opened_alerts
from app.queries.monitoring import find_calibration, find_reference, find_report
from app.services.audit_service import record
from app.services.monitoring_inputs import MonitoringInputs
from app.services.monitoring_references import Frozen


def store_report(
    db: Session, actor: str, inputs: MonitoringInputs, content: Document
) -> MonitoringReport:
    """Write a report, inside the caller's transaction; or find the one that was made meanwhile.

    Writes: the report with the event ``monitoring.reported``; reference and calibration where
    they were not frozen yet, with ``monitoring.reference_frozen`` and ``monitoring.calibrated``;
    each new alert with ``alert.opened``.

    Parameters
    ----------
    db : Session
        The store, inside ``transaction(db)``.
    actor : str
        The person on the record.
    inputs : MonitoringInputs
        What the report was made of.
    content : dict
        As `app.services.monitoring_content.report_content` gives it.

    Returns
    -------
    MonitoringReport
        The row.

    Raises
    ------
    ConflictError
        If the batch was withdrawn, or somebody else froze the reference, meanwhile.
    """
    batch_id, version = inputs.batch.batch_id, inputs.version.version
    require_batch(db, batch_id)
    found = find_report(db, batch_id, version, inputs.input_hash)
    if found is not None:
        return found
    calibration = inputs.calibration
    row = MonitoringReport(
        batch_id=batch_id,
        version=version,
        cause=inputs.cause,
        reference_id=_freeze(db, actor, version, inputs.reference, MonitoringReference),
        calibration_id=None
        if calibration is None
        else _freeze(db, actor, version, calibration, ScoreCalibration),
        label_set_id=None if inputs.label_set is None else inputs.label_set.id,
        input_hash=inputs.input_hash,
        content=content,
        content_hash=content_hash(content),
        policy_hash=inputs.policy_hash,
        created_at=utc_now(),
        created_by=actor,
    )
    db.add(row)
    db.flush()
    _record_report(db, row)
    _open_alerts(db, row)
    return row


def _record_report(db: Session, row: MonitoringReport) -> None:
    record(
        db,
        actor=row.created_by,
        action="monitoring.reported",
        subject=f"report:{row.id}",
        payload={
            "batch_id": row.batch_id,
            "version": row.version,
            "cause": row.cause,
            "input_hash": row.input_hash,
            "content_hash": row.content_hash,
            "policy_hash": row.policy_hash,
            "n_alerts": len(row.content["alerts"]),
        },
    )


_Table = type[MonitoringReference] | type[ScoreCalibration]


def _freeze(db: Session, actor: str, version: str, frozen: Frozen, table: _Table) -> int:
    """Give the row of what is frozen, written now where it was not there."""
    if frozen.id is not None:
        return frozen.id
    is_reference = table is MonitoringReference
    taken = find_reference(db, version) if is_reference else find_calibration(db, version)
    if taken is not None:
        raise ConflictError(
            f"somebody else froze what {version} is compared with at the same moment: try again",
            version=version,
        )
    row = table(
        version=version,
        content=frozen.content,
        content_hash=frozen.content_hash,
        created_at=utc_now(),
        created_by=actor,
    )
    db.add(row)
    db.flush()
    record(
        db,
        actor=actor,
        action="monitoring.reference_frozen" if is_reference else "monitoring.calibrated",
        subject=f"version:{version}",
        payload={
            "content_hash": frozen.content_hash,
            "kind": frozen.content["kind"],
            "batch_ids": frozen.batch_ids,
        },
    )
    return row.id


def _open_alerts(db: Session, report: MonitoringReport) -> None:
    known = opened_alerts(db, report.batch_id, report.version)
    for found in report.content["alerts"]:
        if (found["kind"], found["subject"]) in known:
            continue
        row = Alert(
            report_id=report.id,
            batch_id=report.batch_id,
            version=report.version,
            opened_at=report.created_at,
            **found,
        )
        db.add(row)
        db.flush()
        record(
            db,
            actor=report.created_by,
            action="alert.opened",
            subject=f"alert:{row.id}",
            payload={"report_id": report.id, "report_hash": report.content_hash, **found},
        )
