"""Seal recorded decisions at an interval: one audit event carries the Merkle root of many."""

from __future__ import annotations

import threading

import structlog
from sqlalchemy.exc import SQLAlchemyError

from app.db import SessionSource
from app.errors import ChancellorError
from app.services.decision_service import DecisionService

log = structlog.get_logger("chancellor.sealing")


class Sealer:
    """Seal in a thread of its own while a service runs, and once more as it ends.

    Parameters
    ----------
    sessions : SessionSource
        The store.
    seconds : float
        Between two seals; a decision that was never sealed can be deleted without a trace.
    """

    def __init__(self, sessions: SessionSource, seconds: float) -> None:
        self._sessions = sessions
        self._seconds = seconds
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sealer", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Seal what was recorded since, and end."""
        self._ending.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ending.wait(self._seconds):
            self._seal()
        self._seal()

    def _seal(self) -> None:
        """Seal now; what fails is tried again at the next interval."""
        try:
            with self._sessions.open() as db:
                sealed = DecisionService(db).seal()
        except (ChancellorError, SQLAlchemyError, OSError) as error:
            log.warning("not sealed", error=type(error).__name__)
        else:
            if sealed["n_sealed"]:
                log.info("sealed", n_decisions=sealed["n_sealed"])
