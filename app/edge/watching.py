"""Monitor what is due and deliver alerts while a service runs."""

from __future__ import annotations

import threading
import time

import structlog
from sqlalchemy.exc import SQLAlchemyError

from app.db import SessionSource
from app.db.turns import MONITORING, turn
from app.errors import ChancellorError
from app.lake.store import Lake
from app.services.alert_delivery import AlertDelivery
from app.services.monitoring_service import MonitoringService
from app.services.webhook_receiver import Receiver

SECONDS_BETWEEN_ROUNDS = 5.0
ACTOR = "chancellor:watcher"
"""Who makes such reports, on the record; it is no person."""

log = structlog.get_logger("chancellor.watching")


class _EndingError(Exception):
    """The service is asked to end."""


class Alarm:
    """Deliver alerts every few seconds, in a thread of its own.

    Any number of services may watch one store: one of them delivers at a time. Ending it lets the
    attempt at hand end and puts it on the record, so that a service that is asked to end delivers
    nothing twice.

    Parameters
    ----------
    sessions : SessionSource
        The store.
    receiver : Receiver or None
        Who is sent alerts beside the log.
    """

    def __init__(self, sessions: SessionSource, receiver: Receiver | None) -> None:
        self._sessions = sessions
        self._receiver = receiver
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="alarm", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Let what is being delivered end, and begin nothing more."""
        self._ending.set()
        self._thread.join()

    def _run(self) -> None:
        while True:
            self._deliver()
            if self._ending.wait(SECONDS_BETWEEN_ROUNDS):
                return

    def _deliver(self) -> None:
        """Deliver what is due; what fails is tried again in the next round."""
        try:
            with self._sessions.open() as db:
                AlertDelivery(db, self._receiver).deliver(is_ending=self._ending.is_set)
        except (ChancellorError, SQLAlchemyError, OSError) as error:
            log.warning("alerts not delivered", error=type(error).__name__)
        except Exception:
            log.exception("alerts not delivered")


class Watcher:
    """Make the monitoring reports that are due at an interval, in a thread of its own.

    One process of a store does so at a time. A service that is asked to end makes the report at
    hand, and leaves the others to the next one.

    Parameters
    ----------
    sessions : SessionSource
        The store.
    lake : Lake
        The data plane.
    seconds : float
        Between two looks, the first after as long; 0 is never.
    """

    def __init__(self, sessions: SessionSource, lake: Lake, seconds: float) -> None:
        self._sessions = sessions
        self._lake = lake
        self._seconds = seconds
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watcher", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Make the report at hand, and begin no more."""
        self._ending.set()
        self._thread.join()

    def _run(self) -> None:
        while self._seconds and not self._ending.wait(self._seconds):
            self._look()

    def _look(self) -> None:
        """Look once; what fails is tried again at the next look."""
        try:
            with self._sessions.open() as db, turn(db, MONITORING) as is_ours:
                if is_ours:
                    self._monitor(MonitoringService(db, actor=ACTOR, lake=self._lake))
        except _EndingError:
            return
        except (ChancellorError, SQLAlchemyError, OSError) as error:
            log.warning("not monitored", error=type(error).__name__)
        except Exception:
            log.exception("not monitored")

    def _monitor(self, monitoring: MonitoringService) -> None:
        began = time.monotonic()
        made = monitoring.monitor_due(progress=self._leave_if_ending)
        for one in made["failures"]:
            log.warning("not monitored", batch_id=one["batch_id"], version=one["version"])
        if made["reports"]:
            seconds = round(time.monotonic() - began, 1)
            log.info("monitored", n_reports=len(made["reports"]), seconds=seconds)

    def _leave_if_ending(self, stage: str, done: int, total: int) -> None:
        del stage, done, total
        if self._ending.is_set():
            raise _EndingError
