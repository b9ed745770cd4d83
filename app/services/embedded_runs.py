"""Runs in worker processes of this machine, one at a time, without a Dagster daemon."""

from __future__ import annotations

import signal
import subprocess
import time
from datetime import datetime

import structlog
from sqlalchemy.orm import Session

from app.db import transaction, utc_now
from app.domain.types import Document
from app.models import PipelineRun
from app.queries.runs import list_live_runs, require_run
from app.services.run_documents import execution_of, set_execution
from app.services.run_processes import is_here, send_signal
from app.services.runs import RunService
from app.services.workers import (
    NOT_NOW,
    Worker,
    leave_to_itself,
    log_tail,
    start_closing_lost_runs,
    start_worker,
)
from app.settings import Settings

SECONDS_TO_HEED = 60.0
SECONDS_TO_GIVE_UP = 300.0  # on a machine that does not answer for its run
SECONDS_BETWEEN_TRIES = 3.0


class EmbeddedRuns:
    """Begin, cancel and end runs in worker processes.

    A worker takes a run over in one transaction that the database lets one process win; its
    number and start time on the row say whether it still lives.

    Parameters
    ----------
    settings : Settings
        The store.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._worker: Worker | None = None
        self._closing: subprocess.Popen[bytes] | None = None
        self._tried_at = float("-inf")

    def look(self, db: Session) -> None:
        """Do what is to be done now.

        Parameters
        ----------
        db : Session
            The store.

        Notes
        -----
        Writes: the end of runs whose process is gone, as :class:`RunService` does.
        """
        db.expire_all()
        self._take_leave_of_worker(db)
        if RunService(db).reap():
            self._closing = start_closing_lost_runs(self.settings)
        if self._closing is not None and self._closing.poll() is not None:
            self._closing = None
        live = list_live_runs(db)
        running = [run for run in live if run.status == "running"]
        for run in running:
            self._pass_on_cancelling(db, run)
        if live and not running:
            self._begin(live[0])

    def leave(self) -> None:
        """Leave a worker that still works to itself: its run is on the record."""
        if self._worker is not None:
            leave_to_itself(self._worker.process)
        if self._closing is not None:
            leave_to_itself(self._closing)
        self._worker = self._closing = None

    def _begin(self, run: PipelineRun) -> None:
        waited = time.monotonic() - self._tried_at
        if self._worker is None and waited >= SECONDS_BETWEEN_TRIES:
            self._tried_at = time.monotonic()
            self._worker = start_worker(self.settings, run.id)

    def _take_leave_of_worker(self, db: Session) -> None:
        """Look after a worker that has ended; one that could not even begin its run failed it."""
        worker = self._worker
        if worker is None or (code := worker.process.poll()) is None:
            return
        said = log_tail(worker)
        if code not in (0, NOT_NOW):
            structlog.get_logger().warning(
                "run_worker_ended", run_id=worker.run_id, exit_code=code, said=said
            )
        if code != NOT_NOW:
            _fail_if_queued(db, worker.run_id, f"its process could not begin (exit code {code})")
            self._tried_at = float("-inf")
        self._worker = None

    def _pass_on_cancelling(self, db: Session, run: PipelineRun) -> None:
        """Ask a worker of this machine to end, once; end it if it does not heed that.

        A run of another machine is ended on the record where that machine does not end it: should
        its worker still live, it can neither begin another asset nor finish.
        """
        asked = execution_of(run).get("cancel")
        if asked is None:
            return
        waited = (utc_now() - datetime.fromisoformat(asked["at"])).total_seconds()
        if not is_here(run):
            if waited > SECONDS_TO_GIVE_UP:
                RunService(db).stopped(run.id, reason=asked["reason"])
        elif not asked["signalled"]:
            self._signal_once(db, run.id, asked)
        elif waited > SECONDS_TO_HEED:
            send_signal(run, signal.SIGKILL)

    def _signal_once(self, db: Session, run_id: str, asked: Document) -> None:
        with transaction(db):
            run = require_run(db, run_id, lock=True)
            mine = is_here(run) and not execution_of(run)["cancel"]["signalled"]
            if mine:
                set_execution(run, cancel={**asked, "signalled": True})
        if mine:
            send_signal(run, signal.SIGTERM)


def _fail_if_queued(db: Session, run_id: str, why: str) -> None:
    with transaction(db):
        run = require_run(db, run_id, lock=True)
        if run.status == "queued":
            RunService(db).end(run, "failed", why)
