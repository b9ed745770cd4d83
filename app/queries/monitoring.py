"""Read monitoring: references, calibrations and reports."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.domain.canonical import content_hash
from app.domain.types import Document
from app.errors import NotFoundError, TamperingError
from app.models import Batch, MonitoringReference, MonitoringReport, ScoreCalibration
from app.queries.monitored import scored_order, withdrawn_batches


def find_reference(db: Session, version: str) -> MonitoringReference | None:
    """Find what later batches of a version are compared with.

    Parameters
    ----------
    db : Session
        The store.
    version : str
        Such as ``v1``.

    Returns
    -------
    MonitoringReference or None
        The row.

    Raises
    ------
    TamperingError
        If its content is not what was frozen.
    """
    query = select(MonitoringReference).where(MonitoringReference.version == version)
    row = db.scalars(query).first()
    _require_content("reference", row)
    return row


def find_calibration(db: Session, version: str) -> ScoreCalibration | None:
    """Find the frozen calibration of a version.

    Parameters
    ----------
    db : Session
        The store.
    version : str
        Such as ``v1``.

    Returns
    -------
    ScoreCalibration or None
        The row.

    Raises
    ------
    TamperingError
        If its content is not what was frozen.
    """
    query = select(ScoreCalibration).where(ScoreCalibration.version == version)
    row = db.scalars(query).first()
    _require_content("calibration", row)
    return row


def _require_content(
    what: str, row: MonitoringReference | ScoreCalibration | MonitoringReport | None
) -> None:
    if row is not None and content_hash(row.content) != row.content_hash:
        raise TamperingError(
            f"the monitoring {what} {row.id} of version {row.version} is not what was stored: its "
            f"hash is {content_hash(row.content)}, recorded is {row.content_hash}. Run "
            "`chancellor doctor`.",
            id=row.id,
            version=row.version,
        )


def find_report(
    db: Session, batch_id: str, version: str, input_hash: str
) -> MonitoringReport | None:
    """Find the report that the same inputs made.

    Parameters
    ----------
    db : Session
        The store.
    batch_id, version, input_hash : str
        Batch, version and the hash of everything the report reads.

    Returns
    -------
    MonitoringReport or None
        The row.
    """
    return db.scalars(
        select(MonitoringReport).where(
            MonitoringReport.batch_id == batch_id,
            MonitoringReport.version == version,
            MonitoringReport.input_hash == input_hash,
        )
    ).first()


def require_report(db: Session, report_id: int) -> MonitoringReport:
    """Find a report by its id.

    Parameters
    ----------
    db : Session
        The store.
    report_id : int
        Its id.

    Returns
    -------
    MonitoringReport
        The row.

    Raises
    ------
    NotFoundError
        If there is none.
    TamperingError
        If its content is not what was stored.
    """
    row = db.get(MonitoringReport, report_id)
    if row is None:
        message = f"no monitoring report {report_id}: chancellor monitor BATCH makes one"
        raise NotFoundError(message, report_id=report_id)
    _require_content("report", row)
    return row


def list_reports(
    db: Session,
    *,
    batch_id: str | None = None,
    version: str | None = None,
    before: int | None = None,
    limit: int | None = None,
) -> tuple[MonitoringReport, ...]:
    """List reports.

    Parameters
    ----------
    db : Session
        The store.
    batch_id, version : str or None
        Only of this batch, this version.
    before : int or None
        Only those with a smaller id.
    limit : int or None
        At most so many.

    Returns
    -------
    tuple of MonitoringReport
        Newest first.
    """
    query = select(MonitoringReport).order_by(MonitoringReport.id.desc()).limit(limit)
    if batch_id is not None:
        query = query.where(MonitoringReport.batch_id == batch_id)
    if version is not None:
        query = query.where(MonitoringReport.version == version)
    if before is not None:
        query = query.where(MonitoringReport.id < before)
    return tuple(db.scalars(query))


def newest_reports(db: Session, version: str) -> tuple[tuple[MonitoringReport, Batch], ...]:
    """List the newest report of each batch under a version.

    Parameters
    ----------
    db : Session
        The store.
    version : str
        Such as ``v1``.

    Returns
    -------
    tuple of (MonitoringReport, Batch)
        In the order in which the batches were scored; withdrawn batches are left out.
    """
    newest = (
        select(func.max(MonitoringReport.id))
        .where(MonitoringReport.version == version)
        .group_by(MonitoringReport.batch_id)
    )
    rows = db.execute(
        select(MonitoringReport, Batch)
        .join(Batch, Batch.batch_id == MonitoringReport.batch_id)
        .where(MonitoringReport.id.in_(newest), Batch.batch_id.not_in(withdrawn_batches()))
    ).all()
    found = sorted(rows, key=lambda row: scored_order(row[1]))
    for report, _ in found:
        _require_content("report", report)
    return tuple((report, batch) for report, batch in found)


def newest_label_sets_reported(db: Session) -> dict[tuple[str, str], int | None]:
    """Give the label set that the newest report of each batch and version rests on.

    Parameters
    ----------
    db : Session
        The store.

    Returns
    -------
    dict of (batch_id, version) to int or None
        In the order of the reports, so that a batch's last entry is its newest report.
    """
    newest = select(func.max(MonitoringReport.id)).group_by(
        MonitoringReport.batch_id, MonitoringReport.version
    )
    rows = db.execute(
        select(MonitoringReport.batch_id, MonitoringReport.version, MonitoringReport.label_set_id)
        .where(MonitoringReport.id.in_(newest))
        .order_by(MonitoringReport.id)
    )
    return {(row.batch_id, row.version): row.label_set_id for row in rows}


def report_document(row: MonitoringReport) -> Document:
    """Describe a report.

    Parameters
    ----------
    row : MonitoringReport
        The report.

    Returns
    -------
    dict
        Its content, with report_id, created_at, created_by, input_hash and content_hash.
    """
    return {
        "report_id": row.id,
        **row.content,
        "created_at": row.created_at.isoformat(),
        "created_by": row.created_by,
        "input_hash": row.input_hash,
        "content_hash": row.content_hash,
        "policy_hash": row.policy_hash,
    }


def report_summary(row: MonitoringReport) -> Document:
    """Describe a report in a line.

    Parameters
    ----------
    row : MonitoringReport
        The report.

    Returns
    -------
    dict
        report_id, batch_id, version, cause, n, psi of the score, n_labelled, n_bad, n_alerts, the
        first sentence, created_at.
    """
    content = row.content
    outcomes = content["outcomes"] or {}
    return {
        "report_id": row.id,
        "batch_id": row.batch_id,
        "version": row.version,
        "cause": row.cause,
        "n": content["n"],
        "psi": content["score"]["psi"],
        "n_labelled": outcomes.get("n_labelled", 0),
        "n_bad": outcomes.get("n_bad", 0),
        "n_alerts": len(content["alerts"]),
        "sentence": content["sentences"][0],
        "created_at": row.created_at.isoformat(),
    }
