"""Monitoring: one report per batch and version, whenever something new is known of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from sqlalchemy.orm import Session

from app.db import require_no_transaction, transaction
from app.domain.types import Document, Progress
from app.errors import ChancellorError
from app.lake.store import Lake, open_lake
from app.queries import monitoring as queries
from app.queries.versions import require_active, require_version
from app.services.conflicts import conflicts_named
from app.services.monitoring_due import Due, list_due
from app.settings import default_actor

if TYPE_CHECKING:
    from app.models import Batch, MonitoringReport, ScorecardVersion

_STEPS = 3


class MonitoringService:
    """Compare batches with what their version was made for, and open alerts.

    Parameters
    ----------
    db : Session
        The store.
    actor : str or None
        The person on the record; by default the OS user.
    lake : Lake or None
        Where snapshots and scores are; by default the one of the settings.
    """

    def __init__(self, db: Session, actor: str | None = None, lake: Lake | None = None) -> None:
        self.db = db
        self.actor = actor or default_actor()
        self._lake = lake

    @property
    def lake(self) -> Lake:
        """Give the data plane, opened where it is first needed."""
        if self._lake is None:
            self._lake = open_lake()
        return self._lake

    def monitor(
        self,
        batch_id: str,
        version: str | None = None,
        cause: str = "asked",
        progress: Progress | None = None,
    ) -> Document:
        """Make the report of a batch under a version, or find the one that is made of the same.

        Writes: scores of the batch under the version and running challengers, a label set where
        more outcomes are mature; then in one transaction the report with the event
        ``monitoring.reported``, what the version is compared with where it was not frozen yet
        (``monitoring.reference_frozen``, ``monitoring.calibrated``), and one alert each with
        ``alert.opened``. Nothing if there is such a report.

        Parameters
        ----------
        batch_id : str
            The batch.
        version : str or None
            By default the active one.
        cause : {'asked', 'scored', 'activated', 'matured'}
            What made the report due.
        progress : callable or None
            Called as ``progress(stage, done, total)``.

        Returns
        -------
        dict
            report_id, batch_id, version, cause, n, reference, calibration, score, features,
            bands, outcomes (None without labels), challengers, family, alerts, sentences (the
            finding first), hashes; see ``docs/monitoring.md``.

        Raises
        ------
        NotFoundError
            If there is no such batch or version.
        ConflictError
            If the batch was withdrawn, lacks a feature of the version, or somebody else made the
            same report at the same moment.
        TamperingError
            If scores, labels, reference or calibration are not what was stored.
        OpenTransactionError
            If called inside an open transaction.
        """
        from app.services.monitored_rows import MonitoredReader  # noqa: PLC0415 - the same
        from app.services.monitoring_content import (  # noqa: PLC0415 - loads the numerics
            report_content,
        )
        from app.services.monitoring_inputs import (  # noqa: PLC0415 - the same
            gather_monitoring,
        )
        from app.services.monitoring_rows import store_report  # noqa: PLC0415 - the same

        require_no_transaction(self.db)
        report = progress or _silent
        report("Scoring the parties", 0, _STEPS)
        name = self._version(version).version
        reader = MonitoredReader(self.db, self.lake)
        inputs = gather_monitoring(
            self.db, self.lake, reader, self.actor,
            batch_id=batch_id, version=name, cause=cause, progress=progress,
        )  # fmt: skip
        found = queries.find_report(self.db, batch_id, name, inputs.input_hash)
        if found is not None:
            return self.get_report(found.id)
        report("Comparing with the reference", 1, _STEPS)
        content = report_content(reader, inputs)
        report("Storing the report", 2, _STEPS)
        taken = f"somebody else monitored batch {batch_id} at the same moment: try again"
        with conflicts_named(taken), transaction(self.db):
            document = queries.report_document(store_report(self.db, self.actor, inputs, content))
        report("Storing the report", _STEPS, _STEPS)
        return document

    def monitor_due(self, progress: Progress | None = None) -> Document:
        """Make every report that is due; a second call right after makes none.

        Writes: as `monitor`, for each report.

        Parameters
        ----------
        progress : callable or None
            Called as ``progress(stage, done, total)``, total the number of reports.

        Returns
        -------
        dict
            ``reports``, one short document each: report_id, batch_id, version, cause, n, psi,
            n_labelled, n_bad, n_alerts, sentence, created_at; and ``failures``, those that could
            not be made: batch_id, version, cause and the error's message. One failure does not
            keep the others from being made.
        """
        return self._monitor(list_due(self.db), progress)

    def _monitor(self, due: Sequence[Due], progress: Progress | None) -> Document:
        require_no_transaction(self.db)
        reports, failures = [], []
        for done, one in enumerate(due):
            (progress or _silent)(f"Monitoring batch {one.batch_id}", done, len(due))
            try:
                made = self.monitor(one.batch_id, one.version, one.cause)
            except ChancellorError as error:
                self.db.rollback()
                failures.append({**asdict(one), "message": error.message})
            else:
                row = queries.require_report(self.db, made["report_id"])
                reports.append(queries.report_summary(row))
        return {"reports": reports, "failures": failures}

    def monitor_batches(
        self, batch_ids: Sequence[str], cause: str = "asked", progress: Progress | None = None
    ) -> Document:
        """Monitor batches under the active version, as one step of a run.

        Writes: as `monitor`, for each batch.

        Parameters
        ----------
        batch_ids : sequence of str
            The batches.
        cause : {'asked', 'scored', 'activated', 'matured'}
            What made the reports due.
        progress : callable or None
            Called as ``progress(stage, done, total)``, total the number of batches.

        Returns
        -------
        dict
            As `monitor_due`, with batch_ids, version, report_ids, n_alerts over all batches and
            the first sentence of each report.
        """
        version = self._version(None).version
        made = self._monitor([Due(one, version, cause) for one in batch_ids], progress)
        reports = made["reports"]
        return {
            "batch_ids": list(batch_ids),
            "version": version,
            **made,
            "report_ids": [report["report_id"] for report in reports],
            "n_alerts": sum(report["n_alerts"] for report in reports),
            "sentences": [report["sentence"] for report in reports],
        }

    def count_due(self) -> int:
        """Count the reports that are due."""
        return len(list_due(self.db))

    def get_report(self, report_id: int) -> Document:
        """Read a report.

        Parameters
        ----------
        report_id : int
            Its id.

        Returns
        -------
        dict
            What `monitor` returned.

        Raises
        ------
        NotFoundError
            If there is none.
        TamperingError
            If its content is not what was stored.
        """
        return queries.report_document(queries.require_report(self.db, report_id))

    def list_reports(
        self,
        *,
        batch_id: str | None = None,
        version: str | None = None,
        before: int | None = None,
        limit: int | None = None,
    ) -> tuple[Document, ...]:
        """List reports in short.

        Parameters
        ----------
        batch_id, version : str or None
            Only of this batch, this version.
        before : int or None
            Only those with a smaller id.
        limit : int or None
            At most so many.

        Returns
        -------
        tuple of dict
            Newest first, as in `monitor_due`.
        """
        rows = queries.list_reports(
            self.db, batch_id=batch_id, version=version, before=before, limit=limit
        )
        return tuple(queries.report_summary(row) for row in rows)

    def over_time(self, version: str | None = None) -> Document:
        """Lay the newest report of each batch side by side, in the order of scoring.

        Parameters
        ----------
        version : str or None
            By default the active one.

        Returns
        -------
        dict
            ``version``, and ``batches``, one line each: report_id, batch_id, scored_from,
            scored_to, n, psi, quantile, p_adjusted, ``overall`` (n, n_bad,
            expected, observed, low, high, jeffreys_p), auc_roc, gini, ks and calibration (each
            None without labels); n_alerts. ``features``: CSI by feature, in the same order as
            the batches.

        Raises
        ------
        NotFoundError
            If there is no such version.
        """
        name = self._version(version).version
        newest = queries.newest_reports(self.db, name)
        features: dict[str, list[float]] = {}
        for row, _ in newest:
            for line in row.content["features"]:
                features.setdefault(line["feature"], []).append(line["psi"])
        return {
            "version": name,
            "batches": [_point(row, batch) for row, batch in newest],
            "features": features,
        }

    def _version(self, version: str | None) -> ScorecardVersion:
        return require_active(self.db) if version is None else require_version(self.db, version)


def _point(row: MonitoringReport, batch: Batch) -> Document:
    content = row.content
    outcomes = content["outcomes"] or {}
    of_outcomes = ("overall", "auc_roc", "gini", "ks", "calibration", "by_vintage")
    return {
        "report_id": row.id,
        "batch_id": row.batch_id,
        "scored_from": batch.scored_from.isoformat(),
        "scored_to": batch.scored_to.isoformat(),
        "n": content["n"],
        **{name: content["score"][name] for name in ("psi", "quantile", "p_adjusted")},
        **{name: outcomes.get(name) for name in of_outcomes},
        "n_alerts": len(content["alerts"]),
    }


def _silent(stage: str, done: int, total: int) -> None:
    del stage, done, total
