"""Take up the runs that wait, in any service of the store: a thread that looks twice a second."""

from __future__ import annotations

import threading
from typing import Protocol

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from app.db import open_session
from app.errors import ChancellorError
from app.services.dagster_client import DagsterClient
from app.services.dagster_runs import DagsterRuns
from app.services.embedded_runs import EmbeddedRuns
from app.settings import Settings, get_settings

SECONDS_BETWEEN_LOOKS = 0.5
SECONDS_AFTER_FAILURE = 2.0


class Runs(Protocol):
    """What executes runs."""

    def look(self, db: Session) -> None:
        """Do what is to be done now: begin, follow, cancel, end."""

    def leave(self) -> None:
        """Stop looking."""


class RunSupervisor:
    """Execute the runs on the record, one at a time, in the order in which they were asked for.

    Any number of services may supervise one store: no run is executed twice. Ending the service,
    in whatever way, leaves a run that has begun to its worker process, and those that wait on the
    record; the next service goes on.

    Parameters
    ----------
    settings : Settings or None
        The store, and ``dagster_url``; None reads the environment.

    Examples
    --------
    In a service's lifespan::

        supervisor = RunSupervisor(settings)
        supervisor.start()
        ...
        supervisor.stop()
    """

    def __init__(self, settings: Settings | None = None) -> None:
        self.settings = settings or get_settings()
        self._runs: Runs = runs_of(self.settings)
        self._db: Session | None = None
        self._ending = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to look, in a thread of its own."""
        self._ending.clear()
        self._thread = threading.Thread(target=self.run, name="run-supervisor", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop looking; a run that has begun goes on in its process."""
        self._ending.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    @property
    def is_alive(self) -> bool:
        """Say whether somebody looks: for the readiness of a service."""
        return self._thread is not None and self._thread.is_alive()

    def run(self) -> None:
        """Look until :meth:`stop`."""
        pause = 0.0
        while not self._ending.wait(pause):
            pause = SECONDS_BETWEEN_LOOKS if self.look() else SECONDS_AFTER_FAILURE
        self._close()
        self._runs.leave()

    def look(self) -> bool:
        """Look once.

        Returns
        -------
        bool
            False if the database or Dagster did not answer: the next look tries again, and nothing
            that was not committed has happened.
        """
        try:
            if self._db is None:
                self._db = open_session(self.settings.database_url)
            self._runs.look(self._db)
            self._db.rollback()  # reading holds no transaction between looks
        except (ChancellorError, SQLAlchemyError, OSError) as error:
            structlog.get_logger().warning("runs_not_looked_after", reason=str(error))
        except Exception:  # noqa: BLE001 - a supervisor that ends with its first surprise helps nobody
            structlog.get_logger().exception("runs_not_looked_after")
        else:
            return True
        self._close()
        return False

    def _close(self) -> None:
        if self._db is not None:
            self._db.close()
            self._db = None


def runs_of(settings: Settings) -> Runs:
    """Choose what executes the runs of a store.

    Parameters
    ----------
    settings : Settings
        The store.

    Returns
    -------
    Runs
        Dagster's webserver where ``dagster_url`` names one, else worker processes of this machine.
    """
    if settings.dagster_url:
        return DagsterRuns(DagsterClient(settings.dagster_url))
    return EmbeddedRuns(settings)
