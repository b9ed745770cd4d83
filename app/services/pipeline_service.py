"""What people ask of pipeline runs: start one, follow it, cancel it.

Nothing here executes a run. A trigger puts it on the record; a
:class:`app.services.run_supervisor.RunSupervisor` in any service of the store takes it up, in a
worker process of this machine or, with ``CHANCELLOR_DAGSTER_URL``, on that Dagster.
"""

from __future__ import annotations

import signal
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy.orm import Session

from app.db import transaction, utc_now
from app.domain.outcomes import FINAL_FLAG
from app.domain.pipelines import pipeline_settings
from app.domain.types import Document
from app.errors import ConflictError, InvalidInputError
from app.models import PipelineRun
from app.queries.audit import require_head
from app.queries.definitions import require_definition
from app.queries.runs import LIVE, find_run, list_live_runs, list_runs, require_run
from app.queries.versions import require_version
from app.services.dagster_client import DagsterClient
from app.services.run_documents import execution_of, is_on_dagster, run_document, set_execution
from app.services.run_events import record_run
from app.services.run_processes import is_here, is_lost, send_signal
from app.services.runs import LOST, RunService
from app.settings import default_actor, get_settings

_KEYS = uuid.UUID("5d6d0c52-6f4e-4f0c-9c0e-0c1f7b1c7f0a")  # names of idempotency keys


class PipelineService:
    """Start, follow and cancel pipeline runs.

    Parameters
    ----------
    db : Session
        A session on the initialised database.
    actor : str or None
        The person on the record; None is the OS user.
    request_id : str or None
        The request that asks; it goes into Dagster's run tags and onto the run's audit events.
    dagster_url : str or None
        Dagster's webserver, "" for worker processes of this machine; None reads the settings.
    """

    def __init__(
        self,
        db: Session,
        actor: str | None = None,
        *,
        request_id: str | None = None,
        dagster_url: str | None = None,
    ) -> None:
        self.db = db
        self.actor = actor or default_actor()
        self.request_id = request_id
        self.dagster_url = get_settings().dagster_url if dagster_url is None else dagster_url

    def trigger(
        self,
        *,
        pipeline: str,
        batch_ids: Sequence[str],
        config: Mapping[str, Any] | None = None,
        idempotency_key: str | None = None,
    ) -> Document:
        """Ask for a run; it begins when the runs asked for before it have ended.

        Parameters
        ----------
        pipeline : {'ml_training_pipeline', 'scoring_pipeline'}
            What to run.
        batch_ids : sequence of str
            Batches that train together, or that are scored.
        config : mapping or None
            Settings as :func:`app.domain.pipelines.pipeline_settings` takes them.
        idempotency_key : str or None
            The same key of the same person gives the same run, for good.

        Returns
        -------
        dict
            The run as :func:`app.services.run_documents.run_document`, ``queued``; with a key that
            was used before, that run as it is now.

        Raises
        ------
        NotFoundError
            If there is no such pipeline, batch, outcome definition or version.
        InvalidInputError
            If no batch is named, one is named twice, or a setting is unknown or unusable.
        ConflictError
            If a batch is withdrawn, or the key was used for another request.
        UnavailableError
            If there is a ``dagster_url`` and Dagster does not answer; nothing is stored.

        Notes
        -----
        Writes: one row of ``pipeline_runs``, the event ``run.queued``.
        """
        settings = pipeline_settings(pipeline, config or {})
        if not batch_ids or len(set(batch_ids)) != len(batch_ids):
            raise InvalidInputError("Name at least one batch, and each once.")
        self._require_dagster(pipeline)
        run_id = None
        with transaction(self.db):
            if idempotency_key is not None:
                require_head(self.db, lock=True)  # the same key at the same moment waits here
                run_id = str(uuid.uuid5(_KEYS, f"{self.actor}\0{idempotency_key}"))
                made = find_run(self.db, run_id)
                if made is not None:
                    return _same_request(made, pipeline, batch_ids, settings)
            self._require_what_is_named(settings)
            return RunService(self.db, actor=self.actor).queue(
                pipeline=pipeline,
                batch_ids=batch_ids,
                config=settings,
                run_id=run_id,
                request_id=self.request_id,
                idempotency_key=idempotency_key,
            )

    def get_run(self, run_id: str) -> Document:
        """Read one run: its state, and that of each asset and check.

        Parameters
        ----------
        run_id : str
            The run.

        Returns
        -------
        dict
            The run as :func:`app.services.run_documents.run_document`.

        Raises
        ------
        NotFoundError
            If there is no such run.
        """
        return run_document(require_run(self.db, run_id))

    def count_ahead(self, run_id: str) -> int:
        """Count the live runs that were asked for before one.

        Parameters
        ----------
        run_id : str
            The run.

        Returns
        -------
        int
            0 where nothing keeps it from beginning, and for one that has ended.
        """
        ids = [run.id for run in list_live_runs(self.db)]
        return ids.index(run_id) if run_id in ids else 0

    def list_runs(
        self,
        *,
        limit: int = 50,
        after: str | None = None,
        pipeline: str | None = None,
        status: str | None = None,
    ) -> tuple[Document, ...]:
        """List runs, newest first.

        Parameters
        ----------
        limit : int
            How many at most.
        after : str or None
            The ``run_id`` of the last run of the page before; new runs do not shift pages.
        pipeline, status : str or None
            Exact values to match.

        Returns
        -------
        tuple of dict
            Runs as :func:`app.services.run_documents.run_document`. A page shorter than ``limit``
            is the last; a caller that wants to know asks for one more.

        Raises
        ------
        NotFoundError
            If there is no run ``after``.
        """
        found = list_runs(self.db, limit=limit, after=after, pipeline=pipeline, status=status)
        return tuple(run_document(run) for run in found)

    def cancel(self, run_id: str, *, reason: str = "no reason given") -> Document:
        """Cancel a run: a queued one at once, a running one as soon as its process has ended.

        Parameters
        ----------
        run_id : str
            The run.
        reason : str
            Why, in the person's words.

        Returns
        -------
        dict
            The run: ``cancelled``, or still ``running`` with ``cancel`` set. Asking again changes
            nothing. A run that ends well before it heeds the request has succeeded.

        Raises
        ------
        NotFoundError
            If there is no such run.
        ConflictError
            If it has ended already.
        UnavailableError
            If Dagster has the run and does not answer; nothing is stored.

        Notes
        -----
        Writes: of a queued run its end and the event ``run.cancelled``; of a running one the mark,
        the event ``run.cancel_requested``, and then SIGTERM to exactly its process, or Dagster's
        own way of ending it.
        """
        found = require_run(self.db, run_id)
        if found.status in LIVE and is_on_dagster(found):
            self._require_dagster(found.pipeline)
        with transaction(self.db):
            run = require_run(self.db, run_id, lock=True)
            if run.status not in LIVE:
                raise ConflictError(
                    f"Run {run_id} has already {run.status}.", run_id=run_id, status=run.status
                )
            if execution_of(run).get("cancel") is not None:
                return run_document(run)
            self._mark(run, reason)
            document = run_document(run)
        if is_here(run):
            send_signal(run, signal.SIGTERM)
        return document

    def _mark(self, run: PipelineRun, reason: str) -> None:
        asked = {"by": self.actor, "at": utc_now().isoformat(), "reason": reason}
        why = f"cancelled by {self.actor}: {reason}"
        runs = RunService(self.db, actor=self.actor)
        if is_lost(run):
            runs.end(run, "failed", LOST)
        elif run.status == "queued" and run.dagster_run_id is None:
            set_execution(run, cancel=asked)
            runs.end(run, "cancelled", why)
        else:
            set_execution(run, cancel={**asked, "signalled": is_here(run)})
            record_run(
                self.db, actor=self.actor, action="run.cancel_requested", run=run, reason=reason
            )

    def _require_dagster(self, pipeline: str) -> None:
        if self.dagster_url:
            with DagsterClient(self.dagster_url) as client:
                client.require(pipeline)

    def _require_what_is_named(self, settings: Document) -> None:
        outcome = settings.get("outcome_type", FINAL_FLAG)
        if outcome != FINAL_FLAG:
            require_definition(self.db, outcome)
        if settings["base_version"] is not None:
            require_version(self.db, settings["base_version"])


def _same_request(
    made: PipelineRun, pipeline: str, batch_ids: Sequence[str], settings: Document
) -> Document:
    document = run_document(made)
    asked = (pipeline, list(batch_ids), settings)
    if (made.pipeline, document["batch_ids"], document["config"]) != asked:
        raise ConflictError(
            "This idempotency key was used for another request; use a new key for a new run.",
            run_id=made.id,
        )
    return document
