"""Every list of the store, a page at a time."""

from __future__ import annotations

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from app.domain.types import Document
from app.models import (
    AuditEvent,
    Batch,
    ExposureImport,
    LabelSet,
    ModelRegistry,
    MonitoringReport,
    OutcomeDefinition,
    OutcomeImport,
    PipelineRun,
    ScorecardVersion,
)
from app.queries.audit import event_document
from app.queries.batches import batch_document, known_batch, list_withdrawals
from app.queries.definitions import definition_document
from app.queries.exposures import EXPOSURE_IMPORT, exposure_document
from app.queries.labels import label_set_document
from app.queries.models import model_summary
from app.queries.monitoring import report_summary
from app.queries.outcomes import OUTCOME_IMPORT, import_document
from app.queries.pages import DEFAULT_ROWS, read_page
from app.services.audit_service import event_moment
from app.services.run_documents import run_document
from app.services.version_documents import version_summary


class ListingService:
    """Give lists a page at a time, the newest first; each page names where the next begins.

    Parameters
    ----------
    db : Session
        The store.
    cursor : str, optional
        ``next_cursor`` of the page before; None is the first page.
    limit : int
        Rows of a page.
    """

    def __init__(self, db: Session, cursor: str | None = None, limit: int = DEFAULT_ROWS) -> None:
        self.db = db
        self.cursor = cursor
        self.limit = limit

    def versions(self) -> Document:
        """Give versions by running number, each as ``list_versions`` describes it."""
        return read_page(
            self.db,
            select(ScorecardVersion),
            (ScorecardVersion.number,),
            version_summary,
            cursor=self.cursor,
            limit=self.limit,
        )

    def models(self) -> Document:
        """Give models, each as ``list_models`` describes it."""
        return read_page(
            self.db,
            select(ModelRegistry),
            (ModelRegistry.created_at, ModelRegistry.id),
            model_summary,
            cursor=self.cursor,
            limit=self.limit,
        )

    def batches(self) -> Document:
        """Give batches, withdrawn ones included, each as ``list_batches`` describes it."""
        withdrawn = list_withdrawals(self.db, "batch")
        return read_page(
            self.db,
            select(Batch),
            (Batch.created_at, Batch.batch_id),
            lambda row: batch_document(row, withdrawn.get(row.batch_id)),
            cursor=self.cursor,
            limit=self.limit,
        )

    def definitions(self) -> Document:
        """Give outcome definitions by name and version, every version of each."""
        return read_page(
            self.db,
            select(OutcomeDefinition),
            (OutcomeDefinition.name, OutcomeDefinition.version),
            definition_document,
            cursor=self.cursor,
            limit=self.limit,
            newest_first=False,
        )

    def outcome_imports(self) -> Document:
        """Give outcome imports, withdrawn ones included, each as ``list_imports`` describes it."""
        withdrawn = list_withdrawals(self.db, OUTCOME_IMPORT)
        return read_page(
            self.db,
            select(OutcomeImport),
            (OutcomeImport.id,),
            lambda row: import_document(row, withdrawn.get(str(row.id))),
            cursor=self.cursor,
            limit=self.limit,
        )

    def exposure_imports(self) -> Document:
        """Give exposure lists, withdrawn ones included, each as ``list_imports`` describes it."""
        withdrawn = list_withdrawals(self.db, EXPOSURE_IMPORT)
        return read_page(
            self.db,
            select(ExposureImport),
            (ExposureImport.id,),
            lambda row: exposure_document(row, withdrawn.get(str(row.id))),
            cursor=self.cursor,
            limit=self.limit,
        )

    def label_sets(self, batch_id: str) -> Document:
        """Give the label sets of a batch with their counts by status.

        Parameters
        ----------
        batch_id : str
            The batch, withdrawn or not.

        Returns
        -------
        dict
            A page of what ``generate_labels`` returns.

        Raises
        ------
        NotFoundError
            If there is no such batch.
        """
        known_batch(self.db, batch_id)
        return read_page(
            self.db,
            select(LabelSet).where(LabelSet.batch_id == batch_id),
            (LabelSet.number,),
            lambda row: label_set_document(self.db, row),
            cursor=self.cursor,
            limit=self.limit,
        )

    def runs(self, *, status: str | None = None) -> Document:
        """Give pipeline runs.

        Parameters
        ----------
        status : str, optional
            Only these.

        Returns
        -------
        dict
            A page of runs.
        """
        wanted = select(PipelineRun)
        if status is not None:
            wanted = wanted.where(PipelineRun.status == status)
        order = (PipelineRun.created_at, PipelineRun.id)
        return read_page(self.db, wanted, order, run_document, cursor=self.cursor, limit=self.limit)

    def reports(self, *, batch_id: str | None = None, version: str | None = None) -> Document:
        """Give monitoring reports in short.

        Parameters
        ----------
        batch_id, version : str, optional
            Exact values.

        Returns
        -------
        dict
            A page of reports, each as ``MonitoringService.list_reports`` describes it.
        """
        wanted = select(MonitoringReport)
        if batch_id is not None:
            wanted = wanted.where(MonitoringReport.batch_id == batch_id)
        if version is not None:
            wanted = wanted.where(MonitoringReport.version == version)
        order = (MonitoringReport.id,)
        return read_page(
            self.db, wanted, order, report_summary, cursor=self.cursor, limit=self.limit
        )

    def events(
        self,
        *,
        actor: str | None = None,
        action: str | None = None,
        subject: str | None = None,
        since: str | None = None,
        until: str | None = None,
    ) -> Document:
        """Give the events of the audit chain that match.

        Parameters
        ----------
        actor, action, subject : str, optional
            Exact values.
        since, until : str, optional
            The first and the last day, or instant, in ISO 8601; both count, and no zone is UTC.

        Returns
        -------
        dict
            A page of events, each with ``request_id`` in its payload where a request made it.

        Raises
        ------
        InvalidInputError
            If a time is not one.
        """
        wanted: Select[AuditEvent] = select(AuditEvent)
        for column, value in (
            (AuditEvent.actor, actor),
            (AuditEvent.action, action),
            (AuditEvent.subject, subject),
        ):
            if value is not None:
                wanted = wanted.where(column == value)
        if since is not None:
            wanted = wanted.where(AuditEvent.at >= event_moment(since))
        if until is not None:
            wanted = wanted.where(AuditEvent.at < event_moment(until, after=True))
        return read_page(
            self.db,
            wanted,
            (AuditEvent.seq,),
            event_document,
            cursor=self.cursor,
            limit=self.limit,
        )
